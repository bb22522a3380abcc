// SPDX-License-Identifier: GPL-2.0
/* A kernel that has its drivers as modules: they are loaded first. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "guest.h"

/* One path a line, each behind what it depends on. */
static const char list[] = "/modules";

static int load_module(const char *path)
{
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret == -EEXIST ? 0 : ret;
}

/* False if there are none. */
bool load_modules(void)
{
	int loaded = 0, failed = 0, ret;
	struct utsname uts;
	char path[PATH_LEN];
	FILE *in;

	in = fopen(list, "re");
	if (!in)
		return false;
	while (fgets(path, sizeof(path), in)) {
		path[strcspn(path, "\n")] = '\0';
		ret = load_module(path);
		if (ret)
			say("# modules: %s: %s", path, strerror(-ret));
		loaded += !ret;
		failed += ret < 0;
	}
	fclose(in);
	uname(&uts);
	say("# modules: %s: %d loaded, %d failed", uts.release, loaded, failed);
	return true;
}

int unload_module(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

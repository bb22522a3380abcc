// SPDX-License-Identifier: GPL-2.0
/*
 * Runs as init once the KUnit tests have run at boot, and tells what the
 * debugging aids of the kernel have to say, which no log does by itself: what
 * kmemleak finds, and how much KCSAN has looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmsg.h"

#define KMEMLEAK	"/debug/kmemleak"
#define KCSAN		"/debug/kcsan"

/* Prints the file, and returns how many of its lines begin with @start. */
static int show(const char *path, const char *start)
{
	char line[256];
	int n = 0;
	FILE *f;

	f = fopen(path, "r");
	if (!f) {
		say("# init: %s: %s", path, strerror(errno));
		return 0;
	}
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		say("%s", line);
		n += !strncmp(line, start, strlen(start));
	}
	fclose(f);
	return n;
}

static void scan(void)
{
	int fd = open(KMEMLEAK, O_WRONLY);

	if (fd < 0 || write(fd, "scan", 4) != 4)
		say("# init: " KMEMLEAK ": %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

int main(void)
{
	mkdir("/dev", 0755);
	mkdir("/debug", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (mount("debugfs", "/debug", "debugfs", 0, NULL))
		say("# init: mount debugfs: %s", strerror(errno));

	if (!access(KMEMLEAK, F_OK)) {
		/*
		 * What is younger than 5 seconds is not reported, nor what was
		 * never scanned before.
		 */
		sleep(6);
		for (int i = 0; i < 3; i++)
			scan();
		say("# init: kmemleak: %d leaks", show(KMEMLEAK, "unreferenced"));
	}
	if (!access(KCSAN, F_OK)) {
		show(KCSAN, "");
		say("# init: kcsan: that was all");
	}

	say("# init: done");
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Runs as init on a board: loads the modules of /modules in the order of
 * their names, kunit.ko first, which runs the tests in them, prints what KUnit
 * says about each suite as one KTAP document, and unloads them again.
 *
 * The results come from debugfs: what the kernel prints while a module is
 * loaded has no head, and messages in between.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kmsg.h"

#define MODULES	"/modules"
#define SUITES	"/debug/kunit"

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* "10-kunit.ko" is module "kunit". */
static void load(const char *file)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), MODULES "/%s", file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		say("# init: not loaded: %s: %s", file, strerror(errno));
	else
		say("# init: loaded: %s", file);
	if (fd >= 0)
		close(fd);
}

static void unload(const char *file)
{
	const char *start = strchr(file, '-');
	char name[256];

	snprintf(name, sizeof(name), "%s", start ? start + 1 : file);
	name[strcspn(name, ".")] = '\0';
	for (char *c = name; *c; c++)
		if (*c == '-')
			*c = '_';
	if (syscall(SYS_delete_module, name, O_NONBLOCK))
		say("# init: not unloaded: %s: %s", name, strerror(errno));
	else
		say("# init: unloaded: %s", name);
}

/* Without the head that each file has, and numbered throughout. */
static void show(const char *suite, int number)
{
	static const char *const result[] = { "ok 1 ", "not ok 1 " };
	char path[512], line[900];
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), SUITES "/%s/results", suite);
	f = fopen(path, "r");
	if (!f) {
		say("# init: not shown: %s: %s", suite, strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		unsigned int i;

		line[strcspn(line, "\n")] = '\0';
		if (++n <= 2)
			continue;
		for (i = 0; i < 2; i++) {
			size_t len = strlen(result[i]);

			if (!strncmp(line, result[i], len)) {
				say("%.*s%d %s", (int)len - 2, result[i], number, line + len);
				break;
			}
		}
		if (i == 2)
			say("%s", line);
	}
	fclose(f);
}

int main(void)
{
	struct dirent **module, **suite;
	int modules, suites;

	mkdir("/dev", 0755);
	mkdir("/debug", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (mount("debugfs", "/debug", "debugfs", 0, NULL))
		say("# init: mount debugfs: %s", strerror(errno));

	modules = scandir(MODULES, &module, visible, alphasort);
	for (int i = 0; i < modules; i++)
		load(module[i]->d_name);

	suites = scandir(SUITES, &suite, visible, alphasort);
	say("# init: results of %d suites", suites);
	say("KTAP version 1");
	say("1..%d", suites);
	for (int i = 0; i < suites; i++)
		show(suite[i]->d_name, i + 1);

	for (int i = modules - 1; i >= 0; i--)
		unload(module[i]->d_name);

	say("# init: done");
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

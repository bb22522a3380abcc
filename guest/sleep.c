// SPDX-License-Identifier: GPL-2.0
/* System sleep, and what it may break: runtime PM and an open port. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "guest.h"

#define PAGE	4096UL

static struct {
	char path[PATH_LEN];
	char state[NAME_LEN];
} devs[MAX_DEVS];
static int ndevs;

static bool read_rpm(const char *dir, char *buf, size_t size)
{
	char path[PATH_LEN + NAME_LEN], enabled[24], usage[16];

	snprintf(path, sizeof(path), "%s/power/runtime_enabled", dir);
	if (!read_text(path, enabled, sizeof(enabled)))
		return false;
	snprintf(path, sizeof(path), "%s/power/runtime_usage", dir);
	if (!read_text(path, usage, sizeof(usage)))
		return false;
	snprintf(buf, size, "%s, usage %s", enabled, usage);
	return true;
}

/* The device in @dir and all below it. */
static void walk(const char *dir)
{
	char path[PATH_LEN];
	struct dirent *e;
	DIR *d;

	if (ndevs == MAX_DEVS)
		die("more than %d devices below the clients", MAX_DEVS);
	if (read_rpm(dir, devs[ndevs].state, sizeof(devs[ndevs].state)))
		strcpy(devs[ndevs++].path, dir);

	d = opendir(dir);
	if (!d)
		return;
	while ((e = readdir(d))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) <
		    (int)sizeof(path))
			walk(path);
	}
	closedir(d);
}

/* Remember runtime PM of the clients and of their children. */
int save_rpm(void)
{
	char path[PATH_LEN];

	ndevs = 0;
	for (int c = 0; c < params.clients; c++) {
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s",
			 shared->client[c].bus, params.client[c]);
		walk(path);
	}
	return ndevs;
}

static int diff_rpm(bool tell)
{
	char state[NAME_LEN];
	int wrong = 0;

	for (int i = 0; i < ndevs; i++) {
		if (!read_rpm(devs[i].path, state, sizeof(state)))
			strcpy(state, "gone");
		if (!strcmp(state, devs[i].state))
			continue;
		wrong++;
		if (tell)
			note("%s: runtime PM is %s; it was %s",
			     strrchr(devs[i].path, '/') + 1, state,
			     devs[i].state);
	}
	return wrong;
}

/* How many devices are not as saved. Some are in use for a moment. */
int check_rpm(void)
{
	for (int i = 0; i < 50 && diff_rpm(false); i++)
		pause_ms(100);
	return diff_rpm(true);
}

/* A register of the hardware, tx_bit=ADDRESS:MASK, and the bit in it. */
static const volatile uint32_t *map_register(uint32_t *mask)
{
	unsigned long addr;
	char *end, *map;
	int fd;

	addr = strtoul(params.tx_bit, &end, 0);
	*mask = *end == ':' ? strtoul(end + 1, NULL, 0) : 0;
	fd = open("/dev/mem", O_RDONLY | O_SYNC | O_CLOEXEC);
	if (fd < 0)
		die("/dev/mem: %s", strerror(errno));
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, addr & ~(PAGE - 1));
	if (map == MAP_FAILED)
		die("/dev/mem: %s", strerror(errno));
	close(fd);
	return (void *)(map + (addr & (PAGE - 1)));
}

/*
 * Whether the UART asks for DMA after a write to the open port. That is as far
 * as a byte gets where no data moves, so it is flushed again.
 */
bool port_sends(void)
{
	static const volatile uint32_t *reg;
	static uint32_t mask;
	bool sends = false;
	int fd;

	if (!reg)
		reg = map_register(&mask);
	fd = open(params.tty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", params.tty, strerror(errno));
	tcflush(fd, TCOFLUSH);
	if (*reg & mask)
		die("%s sends, and has nothing to send", params.tty);
	if (write(fd, "U", 1) != 1)
		die("%s: write: %s", params.tty, strerror(errno));
	for (int i = 0; i < 20 && !sends; i++) {
		pause_ms(100);
		sends = *reg & mask;
	}
	tcflush(fd, TCOFLUSH);
	close(fd);
	return sends;
}

/* An open console, for a byte from outside to be an interrupt that wakes. */
static int open_console(void)
{
	struct termios tio;
	char path[PATH_LEN];
	int fd, ret;

	fd = open(params.wake, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Such bytes must not be echoed into a line of the log. */
	if (!tcgetattr(fd, &tio)) {
		cfmakeraw(&tio);
		tcsetattr(fd, TCSANOW, &tio);
	}
	snprintf(path, sizeof(path), "/sys/class/tty/%s/power/wakeup",
		 strrchr(params.wake, '/') + 1);
	ret = write_text(path, "enabled");
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

/*
 * As far as @level of pm_test, and back from there; "none" is a real sleep, and
 * whoever watches the console has to end it. Returns 0 or -errno.
 */
int fall_asleep(const char *state, const char *level)
{
	int ret, fd = -1, tries = 5;

	ret = write_text("/sys/power/pm_test", level);
	if (ret)
		return ret;
	write_text("/sys/module/suspend/parameters/pm_test_delay", "1");
	if (!strcmp(level, "none")) {
		fd = open_console();
		if (fd < 0)
			return fd;
		say("# guest: wake me");
	}
	/* What is to wake may also keep it from falling asleep. */
	do
		ret = write_text("/sys/power/state", state);
	while (ret == -EBUSY && fd >= 0 && --tries);
	if (fd >= 0) {
		say("# guest: awake");
		close(fd);
	}
	return ret;
}

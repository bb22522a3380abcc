// SPDX-License-Identifier: GPL-2.0
/* dmatest of the kernel: a client that is no device of the board. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define PARAMETERS	"/sys/module/dmatest/parameters/"

/* The device that it requests channels for, on the bus "faux" or "platform". */
const char dmatest_client[] = "dmatest";

static int kmsg = -1;

static void set(const char *name, const char *val)
{
	char path[PATH_LEN];
	int ret;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	ret = write_text(path, val);
	if (ret)
		die("dmatest: %s=%s: %s", name, val, strerror(-ret));
}

/* From here on its messages count. */
void watch_dmatest(void)
{
	if (kmsg < 0)
		kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0 || lseek(kmsg, 0, SEEK_END) < 0)
		die("/dev/kmsg: %s", strerror(errno));
}

/* Each of that many channels gets a thread, which ends by itself or does not. */
void start_dmatest(const char *max_channels, const char *iterations)
{
	watch_dmatest();
	/* QEMU 7.2 never ends a transfer whose length is no multiple of 4. */
	set("alignment", "2");
	set("device", params.provider);
	set("max_channels", max_channels);
	set("iterations", iterations);
	set("run", "1");
}

void stop_dmatest(void)
{
	set("run", "0");
}

/* As it was started last. */
int restart_dmatest(void)
{
	int ret = write_text(PARAMETERS "run", "0");

	return ret ? ret : write_text(PARAMETERS "run", "1");
}

bool dmatest_runs(void)
{
	char val[NAME_LEN];

	if (!read_text(PARAMETERS "run", val, sizeof(val)))
		die("dmatest: no parameter 'run'");
	return val[0] == 'Y';
}

/* Adds up what its threads have printed when they ended. Returns how many did. */
int dmatest_summary(unsigned int *copies, unsigned int *failures)
{
	char record[1024], *s;
	unsigned int c, f;
	int threads = 0;
	ssize_t n;

	for (;;) {
		n = read(kmsg, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)
			die("dmatest: its messages are lost");
		if (n < 0)
			break;
		record[n] = '\0';
		s = strstr(record, "dmatest: ");
		s = s ? strstr(s, ": summary ") : NULL;
		if (!s || sscanf(s, ": summary %u tests, %u failures", &c, &f) != 2)
			continue;
		threads++;
		*copies += c;
		*failures += f;
	}
	return threads;
}

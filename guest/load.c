// SPDX-License-Identifier: GPL-2.0
/* The processes that keep clients busy, and the disk's checksum. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/soundcard.h>
#include <termios.h>
#include <unistd.h>

#include "guest.h"

/*
 * Large reads by two processes: little time without a transfer under way. More
 * of either makes a round slower under emulation.
 */
#define CHUNK	(256 * 1024)

static void __attribute__((noreturn)) end(struct worker *w, int err)
{
	w->err = err;
	w->state = ENDED;
	_exit(0);
}

static void start(struct worker *w, void (*run)(struct worker *w))
{
	pid_t pid;

	w->kib = 0;
	w->err = 0;
	w->state = OPENING;
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid)
		run(w);
	w->pid = pid;
}

static off_t disk_size(int fd)
{
	uint64_t size;

	return ioctl(fd, BLKGETSIZE64, &size) ? 0 : size;
}

/* The disk may come back under the next number. */
bool find_disk(char *path, size_t size)
{
	int len = strlen(params.disk);
	int fd;

	while (len && params.disk[len - 1] >= '0' && params.disk[len - 1] <= '9')
		len--;
	for (int i = 0; i < 10; i++) {
		snprintf(path, size, "%.*s%d", len, params.disk, i);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (disk_size(fd) > 0) {
			close(fd);
			return true;
		}
		close(fd);
	}
	return false;
}

static void read_disk(struct worker *w)
{
	char path[PATH_LEN];
	off_t pos, size;
	ssize_t n;
	void *buf;
	int fd;

	if (!find_disk(path, sizeof(path)))
		end(w, ENODEV);
	/* Past the page cache: every read is a transfer. */
	fd = open(path, O_RDONLY | O_DIRECT);
	if (fd < 0 || posix_memalign(&buf, 4096, CHUNK))
		end(w, errno);
	size = disk_size(fd);

	w->state = RUNNING;
	for (pos = 0;; pos = (pos + n) % size) {
		n = pread(fd, buf, CHUNK, pos);
		if (n <= 0) {
			w->at = pos / 1024;
			end(w, n ? errno : 0);
		}
		w->kib += n / 1024;
	}
}

void start_readers(void)
{
	for (int i = 0; i < READERS; i++)
		start(&shared->reader[i], read_disk);
}

/* Something is always about to be sent. */
static void write_tty(struct worker *w)
{
	static char text[256];
	ssize_t n;
	int fd;

	fd = open(params.tty, O_WRONLY | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		end(w, errno);
	fcntl(fd, F_SETFL, 0);
	memset(text, 'U', sizeof(text));
	w->state = RUNNING;
	do
		n = write(fd, text, sizeof(text));
	while (n > 0);
	end(w, n ? errno : 0);
}

static void hold_tty(struct worker *w)
{
	struct termios tio;
	ssize_t n;
	char c;
	int fd;

	setsid();
	/* O_NONBLOCK for the open only: it does not wait for a carrier. */
	fd = open(params.tty, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		end(w, errno);
	fcntl(fd, F_SETFL, 0);
	if (!tcgetattr(fd, &tio)) {
		cfmakeraw(&tio);
		tcsetattr(fd, TCSANOW, &tio);
	}

	w->state = RUNNING;
	do
		n = read(fd, &c, 1);
	while (n > 0);
	end(w, n ? errno : 0);
}

void start_writer(void)
{
	start(&shared->writer, write_tty);
}

void start_holder(void)
{
	start(&shared->holder, hold_tty);
}

/* It closes the port. */
void stop_holder(void)
{
	struct worker *w = &shared->holder;

	kill(w->pid, SIGKILL);
	while (!kill(w->pid, 0))
		pause_ms(10);
	w->err = EINTR;
	w->state = ENDED;
}

/* Once more channels were requested. The log has it if the machine is going down. */
static void count(struct worker *w, const char *what)
{
	static unsigned int told;

	w->times++;
	if (!shared->restart || milliseconds() - told < 100)
		return;
	told = milliseconds();
	say("# guest: meanwhile: %s", what);
}

/* The driver requests its channels each time. */
static void open_and_close(struct worker *w)
{
	int fd;

	w->state = RUNNING;
	for (;;) {
		fd = open(params.tty, O_RDWR | O_NOCTTY | O_NONBLOCK);
		if (fd >= 0) {
			close(fd);
			count(w, params.tty);
		} else if (!shared->restart) {
			end(w, errno);
		}
		/* Time for the one that shuts down. */
		pause_ms(1);
	}
}

void start_opener(void)
{
	start(&shared->opener, open_and_close);
}

/* So does dmatest. */
static void stop_and_start(struct worker *w)
{
	int ret;

	w->state = RUNNING;
	for (;;) {
		ret = restart_dmatest();
		if (!ret)
			count(w, "dmatest");
		else if (!shared->restart)
			end(w, -ret);
		pause_ms(1);
	}
}

void start_restarter(void)
{
	start(&shared->restarter, stop_and_start);
}

/* Silence, without an end. Tells how far the controller got. */
static void play(struct worker *w)
{
	int format = AFMT_S16_LE, channels = 2, rate = 48000;
	static char silence[4096];
	count_info info;
	int fd;

	fd = open(params.pcm, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, SNDCTL_DSP_SETFMT, &format) ||
	    ioctl(fd, SNDCTL_DSP_CHANNELS, &channels) ||
	    ioctl(fd, SNDCTL_DSP_SPEED, &rate))
		end(w, errno);
	w->state = RUNNING;
	while (write(fd, silence, sizeof(silence)) > 0)
		if (!ioctl(fd, SNDCTL_DSP_GETOPTR, &info))
			w->kib = info.bytes / 1024;
	w->at = w->kib;
	end(w, errno);
}

void start_player(void)
{
	start(&shared->player, play);
}

/* As cksum(1) of POSIX does. */
static uint32_t crc_table[256];

static void crc_init(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i << 24;

		for (int bit = 0; bit < 8; bit++)
			c = c & 0x80000000 ? c << 1 ^ 0x04c11db7 : c << 1;
		crc_table[i] = c;
	}
}

static uint32_t crc_byte(uint32_t crc, unsigned char b)
{
	return crc << 8 ^ crc_table[crc >> 24 ^ b];
}

unsigned int disk_cksum(const char *path, unsigned int *kib)
{
	uint32_t crc = 0;
	uint64_t len = 0;
	ssize_t n;
	void *buf;
	int fd;

	crc_init();
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	if (posix_memalign(&buf, 4096, CHUNK))
		die("no memory");
	while ((n = read(fd, buf, CHUNK)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			crc = crc_byte(crc, ((unsigned char *)buf)[i]);
		len += n;
	}
	if (n < 0)
		die("%s: read at %llu KiB: %s", path,
		    (unsigned long long)len / 1024, strerror(errno));
	close(fd);
	free(buf);
	*kib = len / 1024;
	for (; len; len >>= 8)
		crc = crc_byte(crc, len & 0xff);
	return ~crc;
}

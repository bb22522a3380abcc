// SPDX-License-Identifier: GPL-2.0
/*
 * lab-power: how long the power domain of each channel, or the clock of all, is on, and
 * whether a channel is touched while that is off. They are cases of the program in
 * guest/, in place of those of guest/cases.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/spi/spidev.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/soundcard.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define CHANS		3
#define REST		5000	/* ms until runtime PM has come to rest */
#define SPAN		30000	/* ms that are measured */
#define SAMPLE		20	/* ms */

#define GENPD		"/sys/kernel/debug/pm_genpd/"
#define CLOCK		"dmaclk"
#define TRACING		"/sys/kernel/tracing/"

/* Of lab/drivers/fsl-edma-imx8qm.dts: the first two channels share the interrupt. */
#define REGS		0x70000000
#define REGS_SIZE	0x40000
#define CHAN(n)		(((n) + 1) * 0x10000)
#define CH_CSR		0x0
#define CH_CSR_ERQ	0x1
#define CH_INT		0x8
#define SPI_LINE	48
#define GICD		0x8000000
#define GICD_ISPENDR	0x200

/* The provider of the domains has names for them. */
static const char *const domain[CHANS] = { "AVCC", "CPUS", "GPU" };

/* No domains, but one clock for all channels. */
static bool has_clock(void)
{
	return !access("/sys/kernel/debug/clk/" CLOCK, F_OK);
}

static volatile uint32_t *map(uint32_t at, size_t size)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);

	if (p == MAP_FAILED)
		die("/dev/mem at 0x%x: %s", at, strerror(errno));
	close(fd);
	return p;
}

static void must_write(const char *path, const char *text)
{
	int ret = write_text(path, text);

	if (ret)
		die("%s > %s: %s", text, path, strerror(-ret));
}

static void genpd_path(char *path, int n, const char *attr)
{
	snprintf(path, PATH_LEN, GENPD "%s/%s", domain[n], attr);
}

static unsigned int domain_time(int n)
{
	char path[PATH_LEN], text[64];

	genpd_path(path, n, "active_time");
	if (!read_text(path, text, sizeof(text)))
		die("no %s", path);
	return strtoul(text, NULL, 10);
}

static bool domain_on(int n)
{
	char path[PATH_LEN] = "/sys/kernel/debug/clk/" CLOCK "/clk_enable_count", text[64];

	if (!has_clock())
		genpd_path(path, n, "current_state");
	if (!read_text(path, text, sizeof(text)))
		die("no %s", path);
	return has_clock() ? strcmp(text, "0") : !strcmp(text, "on");
}

/* -1 if there is no runtime PM of the channel. */
static int chan_time(int n)
{
	char path[PATH_LEN], text[64];

	snprintf(path, sizeof(path), "/sys/class/dma/dma0chan%d/power/runtime_status", n);
	if (!read_text(path, text, sizeof(text)))
		die("no %s", path);
	if (!strcmp(text, "unsupported"))
		return -1;
	snprintf(path, sizeof(path), "/sys/class/dma/dma0chan%d/power/runtime_active_time", n);
	if (!read_text(path, text, sizeof(text)))
		die("no %s", path);
	return strtoul(text, NULL, 10);
}

/* Two channels of the workload's device, and one of a consumer that does nothing. */
static void check_holders(const char *device)
{
	struct chan chans[MAX_CHANS];
	int n = channels(chans, MAX_CHANS);

	if (n != CHANS)
		die("%d channels, not %d", n, CHANS);
	for (int i = 0; i < CHANS; i++) {
		bool last = !strcmp(chans[i].name, "dma0chan2");
		const char *holder = last ? params.client[0] : device;

		if (strcmp(chans[i].slave, holder))
			die("%s is held by '%s', not by %s", chans[i].name,
			    chans[i].slave, holder);
	}
}

/* --- what the driver does to the registers --- */

static void trace_start(void)
{
	static const char *const events[] = {
		"rpm:rpm_status",
		"fsl_edma:edma_readl", "fsl_edma:edma_writel",
		"fsl_edma:edma_readw", "fsl_edma:edma_writew",
		"fsl_edma:edma_readb", "fsl_edma:edma_writeb",
		"clk:clk_enable_complete", "clk:clk_disable",
	};

	int fd;

	if (mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL) && errno != EBUSY)
		die("tracefs: %s", strerror(errno));
	must_write(TRACING "tracing_on", "0");
	must_write(TRACING "buffer_size_kb", "4096");
	fd = open(TRACING "trace", O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		die("trace: %s", strerror(errno));
	close(fd);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		must_write(TRACING "set_event", events[i]);
}

static void runtime_status(bool *on)
{
	for (int i = 0; i < CHANS; i++) {
		char path[PATH_LEN], text[64];

		if (has_clock()) {
			on[i] = domain_on(i);
			continue;
		}
		snprintf(path, sizeof(path), "/sys/bus/genpd/devices/genpd:%d:%s/power/runtime_status",
			 i, params.provider);
		if (!read_text(path, text, sizeof(text)))
			die("no %s", path);
		on[i] = !strcmp(text, "active");
	}
}

/*
 * The device of the domain is active while the driver may count on the domain. Until
 * the genpd has really turned it off, nothing would be seen on hardware either, but
 * that is luck.
 */
static void trace_check(bool *on)
{
	unsigned int accesses = 0, bad = 0, changes = 0, in, written;
	char line[512], status[32], first[128] = "";
	const char *p;
	FILE *f;
	int n;

	must_write(TRACING "tracing_on", "0");
	f = fopen(TRACING "trace", "r");
	if (!f)
		die("trace: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		unsigned int offset;

		p = strstr(line, "entries-written: ");
		if (p && sscanf(p, "entries-written: %u/%u", &in, &written) == 2 && in != written)
			die("the trace is not complete: %u of %u", in, written);
		p = strstr(line, "rpm_status: genpd:");
		if (p && sscanf(p, "rpm_status: genpd:%d:%*s status=%31s", &n, status) == 2) {
			if (n < 0 || n >= CHANS)
				die("%s", p);
			on[n] = !strcmp(status, "RPM_ACTIVE");
			changes++;
			continue;
		}
		p = strstr(line, " clk_");
		if (p && strstr(p, ": " CLOCK "\n")) {
			for (n = 0; n < CHANS; n++)
				on[n] = !strncmp(p, " clk_enable", 11);
			changes++;
			continue;
		}
		p = strstr(line, ": edma_");
		if (!p || sscanf(p, ": edma_%31[a-z]: offset %x", status, &offset) != 2)
			continue;
		n = (int)(offset / CHAN(0)) - 1;
		if (n < 0)
			continue;
		if (n >= CHANS)
			die("no channel has this register: %s", p);
		accesses++;
		if (on[n])
			continue;
		if (!bad++)
			snprintf(first, sizeof(first), "channel %d, %s of register 0x%x", n,
				 status, offset % CHAN(0));
	}
	fclose(f);
	note("accesses,%u,%u,%u", accesses, bad, changes);
	if (bad)
		die("%u of %u accesses while the domain is not on, the first: %s", bad,
		    accesses, first);
}

/* --- the workloads, of SPAN --- */

/* The sound card is open for 5 s, twice. */
static void play(void)
{
	for (int i = 0; i < 2; i++) {
		int format = AFMT_S16_LE, channels = 1, rate = 8000;
		static char silence[1024];
		unsigned int start;
		int fd, n, taken = 0;

		pause_ms(i ? 8000 : 2000);
		start = milliseconds();
		fd = open("/dev/dsp", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			die("/dev/dsp: %s", strerror(errno));
		if (ioctl(fd, SNDCTL_DSP_SETFMT, &format) ||
		    ioctl(fd, SNDCTL_DSP_CHANNELS, &channels) ||
		    ioctl(fd, SNDCTL_DSP_SPEED, &rate))
			die("/dev/dsp: not set up: %s", strerror(errno));
		/* Nothing takes it: until the buffer is full. */
		while ((n = write(fd, silence, sizeof(silence))) > 0)
			taken += n;
		if (!n || errno != EAGAIN || !taken)
			die("/dev/dsp: write: %s, after %d bytes", strerror(errno), taken);
		pause_ms(5000 - (milliseconds() - start));
		/* Or it waits for the buffer to be played. */
		if (ioctl(fd, SNDCTL_DSP_RESET, 0))
			die("/dev/dsp: reset: %s", strerror(errno));
		close(fd);
		note("played,%u", milliseconds() - start);
	}
}

/* A transfer a second, ten of them. */
static void transfer(void)
{
	static char tx[4096], rx[4096];
	struct spi_ioc_transfer xfer = {
		.tx_buf = (uintptr_t)tx,
		.rx_buf = (uintptr_t)rx,
		.len = sizeof(tx),
	};
	int fd = open("/dev/spidev0.0", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("/dev/spidev0.0: %s", strerror(errno));
	for (int i = 0; i < 10; i++) {
		unsigned int start = milliseconds(), took;
		int ret = ioctl(fd, SPI_IOC_MESSAGE(1), &xfer);

		took = milliseconds() - start;
		note("transferred,%u,%s", took, ret < 0 ? strerror(errno) : "ok");
		pause_ms(took < 1000 ? 1000 - took : 0);
	}
	close(fd);
}

/* As the interrupt controller sees it when a channel asks. */
static void interrupt(volatile uint32_t *gic)
{
	unsigned int id = 32 + SPI_LINE;

	gic[(GICD_ISPENDR + id / 32 * 4) / 4] = 1u << id % 32;
}

/* A transfer that was asked for is at its end, without moving anything. */
static void finish(volatile uint32_t *regs, volatile uint32_t *gic)
{
	for (int i = 0; i < 2; i++) {
		volatile uint32_t *chan = regs + CHAN(i) / 4;

		if (!(chan[CH_CSR / 4] & CH_CSR_ERQ))
			continue;
		chan[CH_CSR / 4] = 0;
		chan[CH_INT / 4] = 1;
		interrupt(gic);
		pause_ms(1);
		/* The driver writes one to clear it. */
		chan[CH_INT / 4] = 0;
	}
}

static void measure(const char *device, void (*load)(void), bool play_controller)
{
	unsigned int start, now, next = 0, line = 500, before[CHANS], since[CHANS], on_for[CHANS] = {};
	volatile uint32_t *regs = map(REGS, REGS_SIZE), *gic = map(GICD, 4096);
	int status, chan_before[CHANS];
	bool was[CHANS], on[CHANS];
	pid_t pid;

	signal(SIGCHLD, SIG_DFL);
	check_holders(device);
	step(60, "rest");
	pause_ms(REST);
	step(120, "measure");
	trace_start();
	runtime_status(on);
	must_write(TRACING "tracing_on", "1");

	for (int i = 0; i < CHANS; i++) {
		before[i] = has_clock() ? 0 : domain_time(i);
		since[i] = 0;
		chan_before[i] = chan_time(i);
		was[i] = domain_on(i);
		note("state,%d,0,%d", i, was[i]);
	}
	start = milliseconds();
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		load();
		_exit(0);
	}
	while ((now = milliseconds() - start) < SPAN) {
		if (play_controller)
			finish(regs, gic);
		/* The line that two channels share, whichever of them is on. */
		if (now >= line) {
			interrupt(gic);
			line += 1000;
		}
		for (int i = 0; now >= next && i < CHANS; i++) {
			if (was[i] == domain_on(i))
				continue;
			if (was[i])
				on_for[i] += now - since[i];
			since[i] = now;
			was[i] = !was[i];
			note("state,%d,%u,%d", i, now, was[i]);
		}
		if (now >= next)
			next = now + SAMPLE;
		pause_ms(2);
	}
	for (int i = 0; i < CHANS; i++) {
		/* The kernel does not count how long a clock is on. */
		note("domain,%d,%u", i, !has_clock() ? domain_time(i) - before[i] :
		     on_for[i] + (was[i] ? now - since[i] : 0));
		if (chan_before[i] >= 0)
			note("channel,%d,%d", i, chan_time(i) - chan_before[i]);
	}
	note("span,%u", milliseconds() - start);
	if (waitpid(pid, &status, 0) != pid || status)
		die("the workload has failed");
	trace_check(on);
}

static void audio(void)
{
	measure("70fd0000.sai", play, false);
}

static void spi(void)
{
	measure("70fd0000.spi", transfer, true);
}

/* All the callbacks of the driver, without anything that would have to wake it up. */
static void sleep_and_wake(void)
{
	bool on[CHANS];

	step(120, "sleep");
	trace_start();
	runtime_status(on);
	must_write(TRACING "tracing_on", "1");
	must_write("/sys/power/pm_test", "platform");
	must_write("/sys/power/state", "freeze");
	must_write("/sys/power/pm_test", "none");
	/* What was left on for the time of the transition goes off by itself. */
	pause_ms(1000);
	trace_check(on);
}

const struct test tests[] = {
	{ "audio", audio, false, NULL, false },
	{ "clock", audio, false, NULL, false },
	{ "spi", spi, false, NULL, false },
	{ "sleep", sleep_and_wake, false, NULL, false },
};

const int ntests = sizeof(tests) / sizeof(tests[0]);

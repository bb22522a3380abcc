// SPDX-License-Identifier: GPL-2.0
/*
 * The lab: the steps that a DMA controller, or a router, is put through whose
 * registers are memory. They are cases of the program in guest/, in place of
 * those of guest/cases.c.
 *
 * First what needs no channel held, which tells the driver's own bugs; then
 * with the channel held, which no stock kernel lives through.
 */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

/* Those of lab/virt.dtsi. Only the first are put back to zero. */
#define REGS		0x70000000
#define REGS_SIZE	0x1000000
#define REGS_ZEROED	0x40000
#define FIRST_SPI	(32 + 48)

#define DMATEST		"/sys/module/dmatest/parameters/"
#define FAILSLAB	"/sys/kernel/debug/failslab/"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define CLOCK		"/sys/kernel/debug/clk/fck/"

#define LIMIT		120	/* seconds for what takes one, emulated, at a bad time */
#define FAULTS_FIRST	60	/* each of those, and */
#define FAULTS_LAST	30	/* of those, and this many between */
#define FAULTS_BETWEEN	30
#define MANY_FAULTS	1000000

/* NULL: nobody here can request a channel of that controller. */
#define CLIENT	(params.client[0])

/* Of probe_race, whose second process is not waited for. */
static struct race {
	volatile bool stop, stopped;
	unsigned int bound, refused, unbound;
} *race;

/* Without a word for long, a guest is taken for hung. */
static void progress(const char *what, unsigned int n)
{
	static unsigned int last;

	if (!last || seconds() > last + 30) {
		if (last)
			note("%s %u ...", what, n);
		last = seconds();
	}
}

static bool is_dmatest(void)
{
	return !strcmp(CLIENT, dmatest_client);
}

static void need_client(void)
{
	if (!CLIENT)
		skip("nobody can request a channel here");
}

/* A kernel without links lives through nothing that follows. */
static void need_links(void)
{
	need_client();
	if (params.links && !strcmp(params.links, "no"))
		skip("not converted");
}

static void need_unbind(void)
{
	if (!can_unbind(&shared->provider))
		skip("%s does not allow to be unbound", params.driver);
}

static volatile uint32_t *regs;

/* The registers as after a reset: zero, but for what the device tree presets. */
static void reset(void)
{
	static uint8_t cells[4096];
	static ssize_t len;

	if (!regs) {
		int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);

		regs = mmap(NULL, REGS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			    fd, REGS);
		if (regs == MAP_FAILED)
			die("/dev/mem: %s", strerror(errno));
		close(fd);
		fd = open("/sys/firmware/devicetree/base/lab-preset", O_RDONLY | O_CLOEXEC);
		len = read(fd, cells, sizeof(cells));
		if (len < 0 || len % 8)
			die("lab-preset: %zd bytes", len);
		close(fd);
	}
	for (size_t i = 0; i < REGS_ZEROED / 4; i++)
		regs[i] = 0;
	for (ssize_t i = 0; i < len; i += 8) {
		uint32_t v[2];

		memcpy(v, cells + i, 8);
		regs[be32toh(v[0]) / 4] = be32toh(v[1]);
	}
}

static bool provider_bound(void)
{
	return bound(&shared->provider, params.provider, NULL);
}

static void bind_provider(void)
{
	int ret;

	if (provider_bound())
		return;
	step(LIMIT, "bind %s", params.provider);
	reset();
	ret = bind(&shared->provider, params.provider);
	/* The kernel may have tried again by itself just then. */
	if (ret && !provider_bound())
		die("bind %s: %s", params.provider, strerror(-ret));
}

static void unbind_provider(void)
{
	int ret;

	if (!provider_bound())
		return;
	step(LIMIT, "unbind %s", params.provider);
	ret = unbind(&shared->provider, params.provider);
	if (ret)
		die("unbind %s: %s", params.provider, strerror(-ret));
	if (provider_bound())
		die("%s is still bound", params.provider);
}

/* The name of the channel that the consumer holds. */
static bool held(char *name)
{
	static struct chan chans[MAX_CHANS];
	int n = channels(chans, MAX_CHANS);

	for (int i = 0; i < n; i++) {
		if (!chans[i].in_use)
			continue;
		/* A kernel without links does not say that it is dmatest. */
		if (strcmp(chans[i].slave, CLIENT) &&
		    !(is_dmatest() && !chans[i].slave[0]))
			continue;
		if (name)
			strcpy(name, chans[i].name);
		return true;
	}
	return false;
}

/* Returns 0 or what the kernel says; a channel is another matter. */
static int try_request(void)
{
	static char last[NAME_LEN];
	struct chan chan;
	int ret;

	if (!is_dmatest()) {
		if (bound(&shared->client[0], CLIENT, NULL))
			return 0;
		ret = bind(&shared->client[0], CLIENT);
		return ret && bound(&shared->client[0], CLIENT, NULL) ? 0 : ret;
	}
	/* An empty name would be a write of nothing, which never fails. */
	if (channels(&chan, 1))
		strcpy(last, chan.name);
	if (!last[0])
		return -ENODEV;
	ret = write_text(DMATEST "device", params.controller);
	if (!ret)
		ret = write_text(DMATEST "max_channels", "1");
	return ret ? ret : write_text(DMATEST "channel", last);
}

static void request(char *name)
{
	int ret = 0;

	step(LIMIT, "%s requests its channel", CLIENT);
	for (;;) {
		bool late = seconds() + LIMIT / 4 > shared->deadline;

		if (held(name))
			return;
		if (late && ret)
			die("%s: %s", CLIENT, strerror(-ret));
		if (late)
			die("%s is bound without a channel", CLIENT);
		/* One that was refused is tried again by the kernel. */
		if (!ret)
			ret = try_request();
		if (!held(NULL))
			pause_ms(10);
	}
}

static void release(void)
{
	int ret;

	if (!CLIENT)
		return;
	step(LIMIT, "%s releases its channel", CLIENT);
	if (is_dmatest())
		ret = write_text(DMATEST "run", "0");
	else if (bound(&shared->client[0], CLIENT, NULL))
		ret = unbind(&shared->client[0], CLIENT);
	else
		ret = 0;
	if (ret && ret != -ENODEV)
		die("unbind %s: %s", CLIENT, strerror(-ret));
	if (held(NULL))
		die("%s still holds its channel", CLIENT);
}

static bool is_zero(const char *path, char *what, size_t size)
{
	char val[16];

	if (!read_text(path, val, sizeof(val)) || !strcmp(val, "0"))
		return true;
	snprintf(what, size, "%s: %s", path, val);
	return false;
}

/* An interrupt that somebody has requested of those that controllers have. */
static bool irq_left(char *what, size_t size)
{
	static char text[16384];
	char *line, *save, *at;

	if (!read_text("/proc/interrupts", text, sizeof(text)))
		return false;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		at = strstr(line, "GIC-0 ");
		if (!at || strtoul(at + 6, NULL, 10) < FIRST_SPI)
			continue;
		snprintf(what, size, "interrupt %.60s", at);
		return true;
	}
	return false;
}

/* Nothing of the unbound provider is left, as far as the kernel shows it. */
static void check_gone(const char *when)
{
	char what[2 * PATH_LEN], usage[PATH_LEN];
	bool left;

	step(LIMIT, "look for what is left over");
	snprintf(usage, sizeof(usage), "/sys/bus/%s/devices/%s/power/runtime_usage",
		 shared->provider.bus, params.provider);
	left = left_over(what, sizeof(what)) ||
	       !is_zero(CLOCK "clk_enable_count", what, sizeof(what)) ||
	       !is_zero(CLOCK "clk_prepare_count", what, sizeof(what)) ||
	       /* A PCI function has one: runtime PM is forbidden until somebody allows it. */
	       (strcmp(shared->provider.bus, "pci") && !is_zero(usage, what, sizeof(what)));
	/* The controller behind a router is still bound. */
	if (!left && !strcmp(params.provider, params.controller))
		left = irq_left(what, sizeof(what));
	if (left)
		die("left over %s: %s", when, what);
}

/* Returns how many leaks there are. */
static int read_leaks(bool tell)
{
	static char line[256];
	int leaks = 0, lines = 0;
	FILE *in;

	in = fopen(KMEMLEAK, "re");
	if (!in)
		die(KMEMLEAK ": %s", strerror(errno));
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		leaks += !strncmp(line, "unreferenced", 12);
		if (tell && leaks <= 5 && lines++ < 100)
			say("%s", line);
	}
	fclose(in);
	return leaks;
}

/* Each leak is told once, by the step that finds it. */
static void check_leaks(bool tell)
{
	int leaks;

	step(3 * LIMIT, "kmemleak scans");
	/* Younger than 5 seconds, or seen for the first time: not reported. */
	pause_ms(5500);
	write_text(KMEMLEAK, "scan");
	write_text(KMEMLEAK, "scan");
	/* What was just on its way is not unreferenced any more. */
	if (tell && read_leaks(false))
		write_text(KMEMLEAK, "scan");
	leaks = read_leaks(tell);
	write_text(KMEMLEAK, "clear");
	if (tell && leaks)
		die("kmemleak: %d leaks", leaks);
}

/* All allocations but kmemleak's own, of which there is one for each other. */
static int set_failslab(void)
{
	char path[PATH_LEN];
	struct dirent *e;
	int ret, n = 0;
	DIR *dir;

	dir = opendir("/sys/kernel/slab");
	if (!dir)
		return -errno;
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.' || !strncmp(e->d_name, "kmemleak_", 9))
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%.200s/failslab", e->d_name);
		n += !write_text(path, "1");
	}
	closedir(dir);
	if (!n)
		return -ENOENT;
	ret = write_text(FAILSLAB "cache-filter", "Y");
	if (!ret)
		ret = write_text(FAILSLAB "ignore-gfp-wait", "N");
	return ret ? ret : write_text(FAILSLAB "verbose", "0");
}

/*
 * The little of a controller that a driver waits for: "lab-answers" in the device tree has
 * rules of offset, mask, match, clear and set. When what is in the mask matches, bits are
 * cleared and set. On the second CPU: a driver may wait without giving up its own.
 */
static void answer(void)
{
	static uint32_t rule[5 * 16];
	ssize_t len;
	int fd;

	fd = open("/sys/firmware/devicetree/base/lab-answers", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	len = read(fd, rule, sizeof(rule));
	if (len <= 0 || len % 20)
		die("lab-answers: %zd bytes", len);
	close(fd);
	if (write_text("/sys/devices/system/cpu/cpu1/online", "1"))
		die("there is no second CPU to answer");
	reset();
	if (fork())
		return;
	for (;;) {
		for (ssize_t i = 0; i < len / 4; i += 5) {
			uint32_t val = regs[be32toh(rule[i]) / 4];

			if ((val & be32toh(rule[i + 1])) == be32toh(rule[i + 2]))
				regs[be32toh(rule[i]) / 4] = (val & ~be32toh(rule[i + 3])) |
							     be32toh(rule[i + 4]);
		}
		pause_ms(1);
	}
}

static void probe(void)
{
	int ret;

	answer();
	step(LIMIT, "find devices");
	if (!find_device(params.provider, &shared->provider))
		die("no device %s", params.provider);
	if (!shared->provider.driver[0]) {
		char path[PATH_LEN];

		note("not bound at boot");
		snprintf(shared->provider.driver, NAME_LEN, "%s", params.driver);
		snprintf(path, sizeof(path), "/sys/bus/%s/drivers/%s",
			 shared->provider.bus, params.driver);
		if (access(path, F_OK))
			die("no driver %s", path);
		bind_provider();
	}
	if (strcmp(shared->provider.driver, params.driver))
		die("%s is bound to %s", params.provider, shared->provider.driver);
	if (CLIENT && !is_dmatest()) {
		struct dev *d = &shared->client[0];

		if (!find_device(CLIENT, d))
			die("no device %s", CLIENT);
		/* Not bound yet if its controller was not. */
		if (!d->driver[0])
			strcpy(d->driver, "axi-spdif");
	} else if (CLIENT) {
		strcpy(shared->client[0].bus,
		       access("/sys/bus/faux", F_OK) ? "platform" : "faux");
	}
	step(LIMIT, "set up kmemleak");
	ret = write_text(KMEMLEAK, "scan=off");
	if (ret)
		die("kmemleak: %s", strerror(-ret));
	/* What the boot has leaked is not the driver's. */
	check_leaks(false);
}

static void channel(void)
{
	static struct chan chans[MAX_CHANS];
	char name[NAME_LEN];
	int n = channels(chans, MAX_CHANS);

	note("%d channels", n);
	if (!n)
		die("%s has no channel", params.controller);
	need_client();
	request(name);
	note("%s holds %s", CLIENT, name);
}

static void links(void)
{
	char name[NAME_LEN], link[LINK_LEN], status[NAME_LEN];
	int wrong = 0;

	need_links();
	if (!params.links)
		skip("a kernel without them");
	request(name);
	managed_link_name(0, link, sizeof(link));
	wrong += !check_link(link, "active", "consumer unbind", true);
	if (strcmp(params.provider, params.controller)) {
		struct dev d;

		if (!find_device(params.controller, &d))
			die("no device %s", params.controller);
		snprintf(link, sizeof(link), "%s:%s--%s:%s", d.bus, params.controller,
			 shared->client[0].bus, CLIENT);
		wrong += !check_link(link, "active", "consumer unbind", true);
	}
	chan_link_name(name, 0, link, sizeof(link));
	wrong += !check_link(link, "not tracked", "never", true);
	if (wrong)
		die("%d links are not as they should be", wrong);
	release();
	if (read_link(link, "status", status, sizeof(status)))
		die("the channel is released, and there is still %s", link);
}

static void unbind_released(void)
{
	need_unbind();
	bind_provider();
	if (CLIENT) {
		request(NULL);
		release();
	}
	unbind_provider();
	check_gone("after unbind");
}

static void bind_again(void)
{
	need_unbind();
	release();
	unbind_provider();
	bind_provider();
	if (!CLIENT)
		return;
	request(NULL);
	release();
}

/* With links, unbind_held goes all the rounds, and some will do here. */
static void rounds(void)
{
	unsigned int n = params.links && !strcmp(params.links, "yes") ?
			 (params.rounds + 3) / 4 : params.rounds;

	need_unbind();
	for (shared->round = 1; shared->round <= n; shared->round++) {
		progress("round", shared->round);
		release();
		unbind_provider();
		check_gone("after unbind");
		bind_provider();
		if (CLIENT)
			request(NULL);
	}
	shared->round = 0;
}

/*
 * Also those that sysfs does not show: memory, and the entry in the list of
 * of_dma, by which a request finds the driver's freed data.
 */
static void leftovers(void)
{
	int ret;

	need_unbind();
	bind_provider();
	if (CLIENT)
		request(NULL);
	release();
	unbind_provider();
	check_gone("after unbind");
	if (CLIENT) {
		step(LIMIT, "%s requests a channel of nobody", CLIENT);
		ret = try_request();
		if (!ret)
			die("%s is bound, and its controller is not", CLIENT);
		note("refused: %s", strerror(-ret));
	}
	check_leaks(true);
	bind_provider();
	if (CLIENT)
		request(NULL);
	release();
}

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

/*
 * Binds with one allocation failing. Returns how many were left of @nth when
 * the bind had ended: 0 if that one was reached, and failed.
 */
static unsigned int bind_with_fault(int nth_fd, int bind_fd, unsigned int nth, bool *failed)
{
	size_t len = strlen(params.provider);
	char val[16];
	ssize_t n;

	reset();
	n = snprintf(val, sizeof(val), "%u", nth);
	if (pwrite(nth_fd, val, n, 0) != n)
		die("fail-nth: %s", strerror(errno));
	*failed = write(bind_fd, params.provider, len) != (ssize_t)len;
	n = pread(nth_fd, val, sizeof(val) - 1, 0);
	if (pwrite(nth_fd, "0", 1, 0) != 1 || n <= 0)
		die("fail-nth: %s", strerror(errno));
	val[n] = '\0';
	return strtoul(val, NULL, 10);
}

static void all_works(void)
{
	bind_provider();
	if (CLIENT)
		request(NULL);
	release();
	unbind_provider();
	check_gone("after unbind");
}

/*
 * One allocation after the other fails. What the probe makes of it is its own
 * affair: but if it fails, nothing is left, and it works the next time. One
 * channel after the other is registered by the same allocations: in the middle,
 * some are left out.
 */
static void probe_faults(void)
{
	unsigned int nth, all = 0, stride, left, tried = 0, failures = 0;
	char path[PATH_LEN], when[NAME_LEN];
	bool failed = true;
	int nth_fd, bind_fd;
	int ret;

	need_unbind();
	step(LIMIT, "set up failslab");
	ret = set_failslab();
	if (ret)
		die("failslab: %s", strerror(-ret));
	/* The consumer is not to be tried again by the kernel. */
	release();
	unbind_provider();
	all_works();
	snprintf(path, sizeof(path), "/sys/bus/%s/drivers/%s/bind",
		 shared->provider.bus, shared->provider.driver);
	bind_fd = open_or_die(path, O_WRONLY);
	nth_fd = open_or_die("/proc/thread-self/fail-nth", O_RDWR);

	step(LIMIT, "count the allocations of bind");
	/* What answers a driver may come too late. */
	for (int tries = 0; failed && tries < 5; tries++)
		all = MANY_FAULTS - bind_with_fault(nth_fd, bind_fd, MANY_FAULTS, &failed);
	if (failed)
		die("bind failed without a fault");
	unbind_provider();
	stride = all > FAULTS_FIRST + FAULTS_LAST ?
		 (all - FAULTS_FIRST - FAULTS_LAST) / FAULTS_BETWEEN + 1 : 1;
	/* It may be some more or less the next time. */
	for (nth = 1, left = 0; !left || nth < all;
	     nth += nth < FAULTS_FIRST || nth + FAULTS_LAST > all ? 1 : stride) {
		step(LIMIT, "bind with allocation %u failing", nth);
		progress("allocation", nth);
		left = bind_with_fault(nth_fd, bind_fd, nth, &failed);
		snprintf(when, sizeof(when), "with allocation %u of %u failing", nth, all);
		if (failed == provider_bound())
			note("%s, bind %s, and the device is %sbound", when,
			     failed ? "failed" : "worked", failed ? "" : "not ");
		unbind_provider();
		check_gone(when);
		tried++;
		failures += failed;
		if (failures % 20 == 1 && failed)
			all_works();
	}
	note("%u of %u allocations failed, %u of them the bind", tried, all, failures);
	if (!failures)
		die("none of them failed the bind");
	all_works();
	check_leaks(true);
	bind_provider();
}

static void unbind_held(void)
{
	need_unbind();
	need_links();
	for (shared->round = 1; shared->round <= params.rounds; shared->round++) {
		progress("round", shared->round);
		bind_provider();
		request(NULL);
		unbind_provider();
		if (!is_dmatest() && bound(&shared->client[0], CLIENT, NULL)) {
			note("%s outlived %s", CLIENT, params.provider);
			/* It gives back a channel that is gone. */
			release();
			die("the consumer was not unbound first");
		}
		check_gone("after unbind");
	}
	shared->round = 0;
	check_leaks(true);
	bind_provider();
	request(NULL);
	release();
}

/* The client, for ever. It meets its controller in any state. */
static void __attribute__((noreturn)) race_requests(void)
{
	int ret;

	while (!race->stop) {
		ret = try_request();
		if (ret)
			race->refused++;
		else
			race->bound++;
		if (is_dmatest())
			write_text(DMATEST "run", "0");
		else
			unbind(&shared->client[0], CLIENT);
	}
	race->stopped = true;
	_exit(0);
}

static void probe_race(void)
{
	unsigned int end;
	pid_t pid;

	need_unbind();
	need_links();
	/* All else is run on one CPU, which is faster here. */
	if (write_text("/sys/devices/system/cpu/cpu1/online", "1"))
		note("one CPU only");
	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (race == MAP_FAILED)
		die("no memory");
	bind_provider();
	request(NULL);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid)
		race_requests();

	/* On a busy machine the client may be late: wait longer, and for longer. */
	end = seconds() + params.rounds;
	while (seconds() < end || (!race->bound && seconds() < end + 60)) {
		bind_provider();
		/* In the middle of a probe, sometimes. */
		for (unsigned int i = race->unbound % (race->bound ? 8 : 64); i; i--)
			pause_ms(1);
		unbind_provider();
		race->unbound++;
	}
	step(LIMIT, "the consumer's process ends");
	race->stop = true;
	while (!race->stopped) {
		if (kill(pid, 0) && !race->stopped)
			die("the consumer's process was killed");
		pause_ms(10);
	}
	note("%u requests granted, %u refused, %u unbinds", race->bound,
	     race->refused, race->unbound);
	if (!race->bound || !race->unbound)
		die("that was no race");
	bind_provider();
	request(NULL);
	release();
	unbind_provider();
	check_gone("after the race");
	check_leaks(true);
	bind_provider();
}

const struct test tests[] = {
	{ "probe", probe, true, NULL, false },
	{ "channel", channel, true, NULL, false },
	{ "links", links, false, NULL, false },
	{ "unbind_released", unbind_released, false, NULL, false },
	{ "bind_again", bind_again, true, NULL, false },
	{ "rounds", rounds, false, NULL, false },
	{ "leftovers", leftovers, false, NULL, false },
	{ "probe_faults", probe_faults, false, NULL, false },
	{ "unbind_held", unbind_held, true, NULL, false },
	{ "probe_race", probe_race, false, NULL, false },
};

const int ntests = sizeof(tests) / sizeof(tests[0]);

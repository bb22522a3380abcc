// SPDX-License-Identifier: GPL-2.0
/*
 * Unbinds a DMA controller under its clients and tells what happened, as
 * KTAP. Runs as init and alone; cases.c has the cases.
 *
 * Every case is a process of its own: an oops kills the case, not init, and a
 * case that hangs in the kernel is left behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

/* See syslog(2). */
#define SYSLOG_ACTION_CONSOLE_LEVEL	8

struct params params;
struct shared *shared;

static int kmsg = -1;

/* A task died in the kernel or hangs there, maybe with locks held. */
static bool stuck;

/* One write is one record: kernel messages do not get into the line. */
static void vsay(const char *prefix, const char *fmt, va_list ap)
{
	char line[512];
	int n;

	n = snprintf(line, sizeof(line), "%s", prefix);
	vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	if (write(kmsg, line, strlen(line)) < 0 && errno != EINVAL)
		return;
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay("", fmt, ap);
	va_end(ap);
}

static void case_prefix(char *buf, size_t size)
{
	if (shared->round)
		snprintf(buf, size, "# %s: round %u: ", shared->case_name,
			 shared->round);
	else
		snprintf(buf, size, "# %s: ", shared->case_name);
}

void note(const char *fmt, ...)
{
	char prefix[2 * NAME_LEN];
	va_list ap;

	case_prefix(prefix, sizeof(prefix));
	va_start(ap, fmt);
	vsay(prefix, fmt, ap);
	va_end(ap);
}

/* Ends the case as failed. */
void die(const char *fmt, ...)
{
	char prefix[2 * NAME_LEN];
	va_list ap;

	case_prefix(prefix, sizeof(prefix));
	va_start(ap, fmt);
	vsay(prefix, fmt, ap);
	va_end(ap);
	_exit(1);
}

/* Ends the case: there is nothing to test. */
void skip(const char *fmt, ...)
{
	char prefix[2 * NAME_LEN];
	va_list ap;

	case_prefix(prefix, sizeof(prefix));
	va_start(ap, fmt);
	vsay(prefix, fmt, ap);
	va_end(ap);
	_exit(SKIPPED);
}

unsigned int milliseconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

unsigned int seconds(void)
{
	return milliseconds() / 1000;
}

void pause_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

/* Says what comes next and how long it may take; init watches the time. */
void step(unsigned int limit, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(shared->step, sizeof(shared->step), fmt, ap);
	va_end(ap);
	shared->deadline = seconds() + limit + params.slow;
}

static void mount_all(void)
{
	static const char *const fs[][2] = {
		{ "devtmpfs", "/dev" },
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "debugfs", "/sys/kernel/debug" },
	};

	for (size_t i = 0; i < sizeof(fs) / sizeof(fs[0]); i++) {
		mkdir(fs[i][1], 0755);
		if (mount(fs[i][0], fs[i][1], fs[i][0], 0, NULL) && kmsg >= 0)
			say("# guest: mount %s: %s", fs[i][1], strerror(errno));
		if (!i)
			kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	}
}

static void split_clients(char *list)
{
	char *name, *save;

	for (name = strtok_r(list, ",", &save); name;
	     name = strtok_r(NULL, ",", &save)) {
		if (params.clients == MAX_CLIENTS) {
			say("# guest: more than %d clients", MAX_CLIENTS);
			break;
		}
		params.client[params.clients++] = name;
	}
}

static bool set_text(const char *name, const char *val)
{
	static const struct {
		const char *name;
		const char **val;
	} texts[] = {
		{ "provider", &params.provider },
		{ "driver", &params.driver },
		{ "tty", &params.tty },
		{ "tty_write", &params.tty_write },
		{ "tx_bit", &params.tx_bit },
		{ "pcm", &params.pcm },
		{ "wake", &params.wake },
		{ "sleep", &params.sleep },
		{ "dmatest", &params.dmatest },
		{ "disk", &params.disk },
		{ "irq", &params.irq },
		{ "cases", &params.cases },
		{ "controller", &params.controller },
		{ "links", &params.links },
		{ "sleep_links", &params.sleep_links },
		{ "stop_dmatest", &params.stop_dmatest },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(name, texts[i].name))
			continue;
		*texts[i].val = val;
		return true;
	}
	return false;
}

static void parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *val = strchr(argv[i], '=');

		if (!val)
			continue;
		*val++ = '\0';
		if (!strcmp(argv[i], "clients"))
			split_clients(val);
		else if (!strcmp(argv[i], "cksum"))
			params.cksum = strtoul(val, NULL, 10);
		else if (!strcmp(argv[i], "rounds"))
			params.rounds = strtoul(val, NULL, 10);
		else if (!strcmp(argv[i], "slow"))
			params.slow = strtoul(val, NULL, 10);
		else if (!set_text(argv[i], val))
			say("# guest: %s: not a parameter", argv[i]);
	}
	if (!params.controller)
		params.controller = params.provider;
	/* Without other clients it is one itself. */
	if (!params.clients && params.dmatest)
		params.client[params.clients++] = dmatest_client;
}

/* Whether it is in the comma list @list; no list is all that can be tested. */
static bool wanted(const char *list, const struct test *t)
{
	size_t len = strlen(t->name);

	if (t->needs && !*t->needs)
		return false;
	if (!list)
		return !t->special;
	for (const char *p = list; p; p = strchr(p, ',')) {
		p += *p == ',';
		if (!strncmp(p, t->name, len) && (!p[len] || p[len] == ','))
			return true;
	}
	return false;
}

static void show_blocked_tasks(void)
{
	/* 8: the console takes every level, or the stacks are not seen. */
	write_text("/proc/sysrq-trigger", "8");
	write_text("/proc/sysrq-trigger", "w");
}

/* Returns 0, 1 or SKIPPED. */
static int run(const struct test *t)
{
	unsigned int start = seconds();
	int status;
	pid_t pid;

	snprintf(shared->case_name, sizeof(shared->case_name), "%s", t->name);
	shared->round = 0;
	step(10, "start");

	pid = fork();
	if (pid < 0) {
		note("fork: %s", strerror(errno));
		return 1;
	}
	if (!pid) {
		signal(SIGCHLD, SIG_IGN);
		t->run();
		_exit(0);
	}

	for (;;) {
		pid_t done = waitpid(-1, &status, WNOHANG);

		if (done == pid)
			break;
		if (done > 0)
			continue;
		if (seconds() > shared->deadline) {
			note("'%s' does not end", shared->step);
			show_blocked_tasks();
			stuck = true;
			return 1;
		}
		pause_ms(20);
	}

	if (WIFSIGNALED(status)) {
		note("killed by signal %d in '%s'", WTERMSIG(status),
		     shared->step);
		stuck = true;
	} else if (seconds() - start > 4) {
		say("# %s: took %u s", t->name, seconds() - start);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void run_all(void)
{
	const char *stopped = NULL;
	int n = 0, failed = 0, skipped = 0, ret;

	for (int i = 0; i < ntests; i++)
		n += wanted(params.cases, &tests[i]);
	say("KTAP version 1");
	say("1..%d", n);

	n = 0;
	for (int i = 0; i < ntests; i++) {
		const struct test *t = &tests[i];

		if (!wanted(params.cases, t))
			continue;
		n++;
		if (stopped) {
			say("not ok %d %s # not run: %s failed", n, t->name,
			    stopped);
			failed++;
			continue;
		}
		ret = run(t);
		if (!ret || ret == SKIPPED) {
			say("ok %d %s%s", n, t->name, ret ? " # SKIP" : "");
			skipped += ret == SKIPPED;
			continue;
		}
		say("not ok %d %s", n, t->name);
		failed++;
		if (t->fatal)
			stopped = t->name;
	}
	say("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:%d error:0",
	    n - failed - skipped, failed, skipped);
}

/* A controller's shutdown may not like a channel that is held. */
static void end_dmatest(void)
{
	pid_t pid = stuck ? 0 : fork();

	if (!pid && !stuck) {
		stop_dmatest();
		_exit(0);
	}
	for (int i = 0; pid > 0 && i < 100 && waitpid(pid, NULL, WNOHANG) != pid; i++)
		pause_ms(50);
}

/*
 * The kernel says of each device that it is shut down, and pauses each time. All
 * of them take a few milliseconds else, with no time for the load.
 */
static void restart_under_load(void)
{
	static const char *const set[][2] = {
		{ "/sys/module/kernel/parameters/initcall_debug", "Y" },
		{ "/proc/sys/kernel/printk_delay", "10" },
	};

	klogctl(SYSLOG_ACTION_CONSOLE_LEVEL, NULL, 7);
	for (int i = 0; i < 2; i++) {
		int ret = write_text(set[i][0], set[i][1]);

		if (ret)
			say("# guest: %s: %s", set[i][0], strerror(-ret));
	}
	say("# guest: done");
	reboot(RB_AUTOBOOT);
}

int main(int argc, char **argv)
{
	mount_all();
	if (load_modules())
		params.modules = "yes";
	parse(argc, argv);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		say("# guest: no memory");
	else if (!params.provider || !params.driver)
		say("# guest: provider= and driver= are needed");
	else
		run_all();

	if (shared != MAP_FAILED && shared->restart && !stuck)
		restart_under_load();
	if (params.dmatest)
		end_dmatest();
	/* The reader, the tty's holder, a case that hangs: all but init. */
	kill(-1, SIGKILL);
	pause_ms(200);

	say("# guest: done");
	/* No sync: nothing is written, and it would wait for a stuck disk. */
	if (stuck)
		/* Drivers are not shut down: that would only hang as well. */
		write_text("/proc/sysrq-trigger", "b");
	else
		reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

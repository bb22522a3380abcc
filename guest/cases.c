// SPDX-License-Identifier: GPL-2.0
/* The test cases, in the order they run. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define MAX_LINKS	(MAX_CONSUMERS + MAX_CHANS)

/*
 * dmatest is there without a device, and makes one when it is started. Nobody
 * binds or unbinds it: it is started and stopped.
 */
static bool is_dmatest(int c)
{
	return params.consumer[c] == dmatest_client;
}

static bool holds(int c, const struct chan *chan)
{
	if (!strcmp(chan->slave, params.consumer[c]))
		return true;
	/* A kernel without links does not say who holds it. */
	return is_dmatest(c) && !chan->slave[0] && chan->in_use;
}

static bool check_presence(int c, bool tell)
{
	char link[LINK_LEN];

	presence_name(c, link, sizeof(link));
	return check_link(link, "active", "consumer unbind", tell);
}

static bool check_chan_link(const char *chan, int c, bool tell)
{
	char link[LINK_LEN];

	chan_link_name(chan, c, link, sizeof(link));
	return check_link(link, "not tracked", "never", tell);
}

static void look(int c, struct holding *h)
{
	static struct chan chans[MAX_CHANS];
	int n = channels(chans, MAX_CHANS);

	memset(h, 0, sizeof(*h));
	h->presence = check_presence(c, false);
	for (int i = 0; i < n; i++) {
		if (!holds(c, &chans[i]))
			continue;
		h->chans++;
		h->chan_links += check_chan_link(chans[i].name, c, false);
	}
}

/* How many consumers do not hold or are not linked as at the start. */
static int differ(bool tell)
{
	struct holding h;
	int n = 0;

	for (int c = 0; c < params.consumers; c++) {
		const struct holding *b = &shared->before[c];

		look(c, &h);
		if (!memcmp(&h, b, sizeof(h)))
			continue;
		n++;
		if (tell)
			note("%s: %d of %d channels, %d of %d presence links, %d of %d channel links",
			     params.consumer[c], h.chans, b->chans, h.presence,
			     b->presence, h.chan_links, b->chan_links);
	}
	return n;
}

/* What holds channels only while it is open or runs. */
static void start_holders(void)
{
	if (params.tty && shared->holder.state != RUNNING &&
	    shared->holder.state != OPENING)
		start_holder();
	for (int c = 0; c < params.consumers; c++)
		if (is_dmatest(c) && !dmatest_runs())
			start_dmatest(params.dmatest, "0");
}

/* Waits until every consumer holds what it held at the start. */
static void settle(void)
{
	step(60, "consumers hold their channels again");
	for (;;) {
		/* A consumer that came back has an unopened tty. */
		start_holders();
		if (!differ(false))
			return;
		if (seconds() + 30 > shared->deadline)
			break;
		pause_ms(50);
	}
	differ(true);
	die("not as before");
}

static void bind_consumer(int c)
{
	int ret;

	/* settle() starts it. */
	if (is_dmatest(c) ||
	    bound(&shared->consumer[c], params.consumer[c], NULL))
		return;
	step(30, "bind %s", params.consumer[c]);
	ret = bind(&shared->consumer[c], params.consumer[c]);
	if (ret)
		die("bind %s: %s", params.consumer[c], strerror(-ret));
}

static void unbind_consumer(int c)
{
	int ret;

	step(30, "unbind %s", params.consumer[c]);
	if (is_dmatest(c)) {
		stop_dmatest();
		return;
	}
	/* Its driver does not let it: as far as one can get by closing. */
	if (!can_unbind(&shared->consumer[c])) {
		if (params.tty && shared->holder.state == RUNNING)
			stop_holder();
		return;
	}
	ret = unbind(&shared->consumer[c], params.consumer[c]);
	if (ret)
		die("unbind %s: %s", params.consumer[c], strerror(-ret));
}

static void bind_provider(void)
{
	int ret;

	if (bound(&shared->provider, params.provider, NULL))
		return;
	step(30, "bind %s", params.provider);
	ret = bind(&shared->provider, params.provider);
	if (ret)
		die("bind %s: %s", params.provider, strerror(-ret));
}

static void bind_all(void)
{
	bind_provider();
	for (int c = 0; c < params.consumers; c++)
		bind_consumer(c);
	settle();
}

static void wait_disk(char *path, size_t size)
{
	step(60, "the disk appears");
	while (!find_disk(path, size))
		pause_ms(50);
}

/* The whole disk, by DMA, has the right checksum. */
static void check_disk(bool tell)
{
	unsigned int irqs, sum, kib;
	char path[PATH_LEN];

	if (!params.disk)
		return;
	wait_disk(path, sizeof(path));
	step(60, "read %s", path);
	irqs = dma_irqs();
	sum = disk_cksum(path, &kib);
	irqs = dma_irqs() - irqs;
	if (tell || sum != params.cksum || !irqs)
		note("%s: %u KiB, cksum %u, expected %u, %u DMA interrupts",
		     path, kib, sum, params.cksum, irqs);
	if (sum != params.cksum)
		die("wrong checksum");
	if (params.irq && !irqs)
		die("read without DMA");
}

/* What was written plays on: the controller moves it. */
static void load_pcm(bool tell)
{
	struct worker *w = &shared->player;
	unsigned int before = dma_irqs(), irqs;

	if (!params.pcm)
		return;
	step(60, "%s plays", params.pcm);
	if (w->state != RUNNING)
		start_player();
	for (;;) {
		if (w->state == ENDED)
			die("%s ended: %s", params.pcm, strerror(w->err));
		irqs = dma_irqs();
		if (w->kib >= 64 && (!params.irq || irqs > before + 2))
			break;
		if (seconds() + 30 > shared->deadline)
			die("%u KiB played, DMA interrupts %u -> %u", w->kib,
			    before, irqs);
		pause_ms(10);
	}
	if (tell)
		note("%u KiB played, DMA interrupts %u -> %u", w->kib, before,
		     irqs);
}

static void load_dmatest(bool tell)
{
	unsigned int before = dma_irqs(), irqs;

	if (!is_dmatest(0))
		return;
	step(60, "dmatest copies");
	do {
		pause_ms(10);
		irqs = dma_irqs();
	} while (irqs < before + 10);
	if (tell)
		note("dmatest copies, DMA interrupts %u -> %u", before, irqs);
}

/* Reads the disk until DMA interrupts show that it is really DMA. */
static void load_disk(bool tell)
{
	unsigned int before, irqs, kib;
	char path[PATH_LEN];

	if (!params.disk)
		return;
	wait_disk(path, sizeof(path));
	step(60, "the readers read");
	before = dma_irqs();
	start_readers();
	for (;;) {
		kib = 0;
		for (int i = 0; i < READERS; i++) {
			const struct worker *w = &shared->reader[i];

			if (w->state == ENDED)
				die("reader %d ended: %s", i, strerror(w->err));
			kib += w->kib;
		}
		irqs = dma_irqs();
		if (kib >= 1024 && (!params.irq || irqs > before + 2))
			break;
		if (seconds() + 30 > shared->deadline)
			die("%u KiB read, DMA interrupts %u -> %u", kib,
			    before, irqs);
		pause_ms(10);
	}
	if (tell)
		note("%u KiB read, DMA interrupts %u -> %u", kib, before, irqs);
}

static void load_tty(void)
{
	struct worker *w = &shared->writer;

	if (!params.tty_write || w->state == OPENING || w->state == RUNNING)
		return;
	step(20, "%s is written", params.tty);
	start_writer();
	while (w->state == OPENING)
		pause_ms(10);
	if (w->state == ENDED)
		die("%s: write: %s", params.tty, strerror(w->err));
}

static void load(bool tell)
{
	load_tty();
	load_disk(tell);
	load_pcm(tell);
	load_dmatest(tell);
}

/* Data moves, and arrives. */
static void check_data(bool tell)
{
	check_disk(tell);
	load_pcm(tell);
	load_dmatest(tell);
}

static void wait_end(const struct worker *w, const char *name)
{
	step(20, "%s ends", name);
	while (w->state != ENDED)
		pause_ms(10);
}

/*
 * A read that the unbind meets fails. One that starts later finds a disk of no
 * size: the end of the file.
 */
static void wait_readers(bool tell)
{
	char name[NAME_LEN];

	for (int i = 0; i < READERS; i++) {
		const struct worker *w = &shared->reader[i];

		snprintf(name, sizeof(name), "reader %d", i);
		wait_end(w, name);
		if (w->err)
			shared->errors++;
		else
			shared->eofs++;
		if (tell)
			note("%s ended at %u KiB: %s", name, w->at,
			     w->err ? strerror(w->err) : "end of file");
	}
}

static void wait_holder(bool tell)
{
	const struct worker *w = &shared->holder;

	wait_end(w, "the tty");
	if (tell)
		note("the tty is hung up: %s",
		     w->err ? strerror(w->err) : "end of file");
	if (shared->writer.state != IDLE)
		wait_end(&shared->writer, "the writer");
}

static void wait_player(bool tell)
{
	const struct worker *w = &shared->player;

	if (w->state == IDLE)
		return;
	wait_end(w, "the player");
	if (tell)
		note("the player ended at %u KiB: %s", w->at, strerror(w->err));
}

static int still_bound(void)
{
	int n = 0;

	for (int c = 0; c < params.consumers; c++) {
		if (!bound(&shared->consumer[c], params.consumer[c], NULL))
			continue;
		note("%s is still bound", params.consumer[c]);
		n++;
	}
	return n;
}

/* Nothing of the unbound provider is left. */
static void check_gone(void)
{
	char what[LINK_LEN];

	if (bound(&shared->provider, params.provider, NULL))
		die("%s is still bound", params.provider);
	step(30, "look for what is left over");
	if (left_over(what, sizeof(what)))
		die("left over: %s", what);
}

static void unbind_provider(void)
{
	int ret;

	step(30, "unbind %s", params.provider);
	ret = unbind(&shared->provider, params.provider);
	if (ret)
		die("unbind %s: %s", params.provider, strerror(-ret));
}

static void unbind_all(bool loaded, bool tell)
{
	int wrong;

	if (loaded)
		load(tell);
	unbind_provider();
	if (tell)
		note("%s is unbound", params.provider);
	wrong = still_bound();
	/* Also then: the readers are what runs into the freed memory. */
	if (loaded && params.disk)
		wait_readers(tell);
	/* Those that outlived it give back channels that are gone. */
	for (int c = 0; wrong && c < params.consumers; c++)
		if (can_unbind(&shared->consumer[c]) && bound(&shared->consumer[c], params.consumer[c], NULL))
			unbind_consumer(c);
	wait_player(tell);
	if (wrong)
		die("%d of %d consumers outlived %s", wrong, params.consumers,
		    params.provider);
	if (params.tty)
		wait_holder(tell);
	check_gone();
}

static void consumers(void)
{
	static struct chan chans[MAX_CHANS];
	char path[PATH_LEN];
	int n, missing;

	if (!params.consumers)
		die("consumers= or dmatest= is needed");
	step(60, "find devices");
	if (!find_device(params.provider, &shared->provider))
		die("no device %s", params.provider);
	if (strcmp(shared->provider.driver, params.driver))
		die("%s is not bound to %s", params.provider, params.driver);
	for (int c = 0; c < params.consumers; c++) {
		struct dev *d = &shared->consumer[c];

		/* There is no bus "faux" before 6.14. */
		if (is_dmatest(c))
			strcpy(d->bus, access("/sys/bus/faux", F_OK) ? "platform" : "faux");
		else if (!find_device(params.consumer[c], d) || !d->driver[0])
			die("%s is not bound", params.consumer[c]);
	}

	start_holders();
	do {
		pause_ms(50);
		if (params.tty && shared->holder.state == ENDED)
			die("%s: %s", params.tty, strerror(shared->holder.err));
		missing = 0;
		for (int c = 0; c < params.consumers; c++) {
			look(c, &shared->before[c]);
			missing += !shared->before[c].chans;
		}
	} while (missing && seconds() + 30 < shared->deadline);

	n = channels(chans, MAX_CHANS);
	for (int i = 0; i < n; i++)
		if (chans[i].slave[0])
			note("%s -> %s", chans[i].name, chans[i].slave);
		else if (chans[i].in_use)
			note("%s -> somebody", chans[i].name);
	for (int c = 0; c < params.consumers; c++)
		if (!shared->before[c].chans)
			note("%s holds no channel", params.consumer[c]);
	if (missing)
		die("%d consumers without a channel", missing);
	if (params.disk)
		wait_disk(path, sizeof(path));
	check_data(true);
	/* Once more, now that everything is open. */
	for (int c = 0; c < params.consumers; c++)
		look(c, &shared->before[c]);
}

static void presence_links(void)
{
	int wrong = 0;

	step(30, "look at links");
	for (int c = 0; c < params.consumers; c++)
		wrong += !check_presence(c, true);
	if (wrong)
		die("%d of %d consumers without an active link to %s", wrong,
		    params.consumers, params.provider);
}

static void channel_links(void)
{
	static struct chan chans[MAX_CHANS];
	int n, held = 0, wrong = 0;

	step(30, "look at links");
	n = channels(chans, MAX_CHANS);
	for (int i = 0; i < n; i++) {
		for (int c = 0; c < params.consumers; c++) {
			if (!holds(c, &chans[i]))
				continue;
			held++;
			wrong += !check_chan_link(chans[i].name, c, true);
		}
	}
	if (wrong || !held)
		die("%d of %d held channels without a link", wrong, held);
}

/* Which links the consumers have: one made anew is not the same. */
static int link_ids(unsigned long *ids)
{
	static struct chan chans[MAX_CHANS];
	int held = channels(chans, MAX_CHANS), n = 0;
	char link[LINK_LEN];

	for (int c = 0; c < params.consumers; c++) {
		presence_name(c, link, sizeof(link));
		ids[n] = link_id(link);
		n += ids[n] > 0;
		for (int i = 0; i < held; i++) {
			if (strcmp(chans[i].slave, params.consumer[c]))
				continue;
			chan_link_name(chans[i].name, c, link, sizeof(link));
			ids[n] = link_id(link);
			n += ids[n] > 0;
		}
	}
	return n;
}

/* When the write to /sys/power/state returns, all has to be as before. */
static void sleep_once(const char *state, const char *level)
{
	unsigned long before[MAX_LINKS], after[MAX_LINKS];
	bool port = params.tty && params.tx_bit;
	int devs, links, anew = 0, wrong, ret;

	step(30, "look before %s", state);
	if (port && !port_sends())
		die("%s does not send before %s, either", params.tty, state);
	links = link_ids(before);
	devs = save_rpm();

	step(60, "%s, pm_test %s", state, level);
	ret = fall_asleep(state, level);
	if (ret)
		die("%s, pm_test %s: %s", state, level, strerror(-ret));

	step(60, "look after %s", state);
	wrong = differ(true);
	if (link_ids(after) == links)
		for (int i = 0; i < links; i++)
			anew += before[i] != after[i];
	if (anew)
		note("%d of %d links were made anew", anew, links);
	wrong += anew + check_rpm();
	if (port && !port_sends()) {
		note("%s does not send any more", params.tty);
		wrong++;
	}
	if (wrong)
		die("%s, pm_test %s: not as before", state, level);
	note("%s, pm_test %s: %d links and %d devices are as before%s", state,
	     level, links, devs, port ? ", the port sends" : "");
}

/*
 * A port that is open gives back its channels when the system is suspended, and
 * requests them when it is resumed. pm_test stops after the devices; the last
 * one is real, in the deepest state that the emulated board comes back from.
 */
static void system_sleep(void)
{
	for (int i = 0; i < 3; i++)
		sleep_once("mem", "devices");
	if (params.sleep)
		sleep_once(params.sleep, "none");
	check_data(true);
}

/*
 * One after the other, the provider stays. This works without links too, and
 * has to go on working with them.
 */
static void consumer_unbind_first(void)
{
	struct holding h;

	for (int c = 0; c < params.consumers; c++) {
		if (!is_dmatest(c) && !can_unbind(&shared->consumer[c])) {
			note("%s cannot be unbound by hand", params.consumer[c]);
			continue;
		}
		unbind_consumer(c);
		wait_player(false);
		look(c, &h);
		/* dmatest is stopped, and its device still bound. */
		if (is_dmatest(c))
			h.presence = 0;
		if (h.chans || h.presence || h.chan_links)
			die("%s is unbound, with %d channels, %d presence links, %d channel links",
			    params.consumer[c], h.chans, h.presence,
			    h.chan_links);
		if (!bound(&shared->provider, params.provider, NULL))
			die("%s went with %s", params.provider,
			    params.consumer[c]);
		bind_consumer(c);
		settle();
	}
	check_data(true);
}

static void unbind_under_load(void)
{
	unbind_all(true, true);
}

static void bind_again(void)
{
	bind_all();
	check_data(true);
}

static int dmatest_channels(void)
{
	static struct chan chans[MAX_CHANS];
	int held = channels(chans, MAX_CHANS), n = 0;

	for (int i = 0; i < held; i++)
		n += !strcmp(chans[i].slave, "dmatest");
	return n;
}

/*
 * dmatest copies without an end on some channels while the disk is read, and
 * the provider is unbound. It gives back its channels as the others do. With
 * the provider bound again it copies, and compares, and ends.
 */
static void dmatest_unbind(void)
{
	unsigned int irqs = dma_irqs(), copies = 0, failures = 0;
	int want = atoi(params.dmatest), threads;

	step(60, "dmatest copies");
	watch_dmatest();
	if (!dmatest_runs())
		start_dmatest(params.dmatest, "0");
	if (dmatest_channels() != want)
		die("dmatest holds %d of %d channels", dmatest_channels(), want);
	while (dma_irqs() < irqs + 10 * want)
		pause_ms(10);
	unbind_all(true, true);
	if (dmatest_runs())
		die("dmatest still runs");
	threads = dmatest_summary(&copies, &failures);
	note("unbound: %d threads of dmatest ended, after %u copies", threads, copies);
	if (threads != want)
		die("not %d threads", want);

	/* Not by bind_all(), which would start it without an end. */
	bind_provider();
	step(60, "dmatest ends");
	copies = 0;
	failures = 0;
	start_dmatest(params.dmatest, "20");
	/* It does not run, to itself, before its threads have begun. */
	for (threads = 0; threads < want; pause_ms(50))
		threads += dmatest_summary(&copies, &failures);
	while (dmatest_runs())
		pause_ms(50);
	note("bound again: %d threads, %u copies, %u failures", threads, copies, failures);
	if (threads != want || copies != 20U * want || failures)
		die("not %d threads with 20 copies each", want);
	if (dmatest_channels())
		die("dmatest holds %d channels at its end", dmatest_channels());
	bind_all();
}

/* Consumers hold their channels but do nothing. */
static void idle_unbind(void)
{
	unbind_all(false, true);
	bind_all();
	check_data(true);
}

/* Nobody holds a channel: what fails here is the provider's driver. */
static void unused_unbind(void)
{
	for (int c = 0; c < params.consumers; c++)
		unbind_consumer(c);
	unbind_provider();
	if (params.tty)
		wait_holder(false);
	if (params.pcm)
		wait_player(false);
	check_gone();
	bind_all();
	check_data(true);
}

/*
 * The provider's module stays while a channel is held, and goes with its device
 * once nobody has one. Loaded again it serves the same consumers.
 */
static void module_unload(void)
{
	char module[NAME_LEN];
	struct dev dev;
	int ret;

	if (!module_of(&shared->provider, module))
		die("%s is not a module", params.driver);
	step(30, "unload %s while it is used", module);
	ret = unload_module(module);
	if (ret != -EAGAIN)
		die("unload %s while it is used: %s", module, strerror(-ret));
	if (differ(true))
		die("not as before");
	for (int c = 0; c < params.consumers; c++)
		unbind_consumer(c);
	step(30, "unload %s", module);
	ret = unload_module(module);
	if (ret)
		die("unload %s: %s", module, strerror(-ret));
	if (find_device(params.provider, &dev) && dev.driver[0])
		die("%s is still bound", params.provider);
	check_gone();
	step(30, "load %s", module);
	load_modules();
	bind_all();
	check_data(true);
}

/*
 * Opens what the unbind has closed once all is bound again. Not dmatest, which
 * the selftest does not wait for: it would see it half started.
 */
static void __attribute__((noreturn)) keep_holders(void)
{
	int looks = 0;

	for (;; pause_ms(100)) {
		if (is_dmatest(0) ||
		    !bound(&shared->provider, params.provider, NULL))
			looks = 0;
		else if (++looks > 10)
			start_holders();
	}
}

/* The kernel's own test of this, as it comes with the series. */
static void selftest(void)
{
	char line[400];
	int fds[2], status;
	pid_t pid, keeper;
	FILE *in;

	/* It looks at all of sysfs each time, which takes a while here. */
	step(300, "the selftest ends");
	if (pipe(fds))
		die("pipe");
	/* Its end is to be seen here, unlike that of the loads. */
	signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (!pid) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		execl("/selftest", "selftest", "--provider", params.provider,
		      "--rounds", "2", "--force", NULL);
		_exit(127);
	}
	close(fds[1]);
	/* It binds again, but opens and starts nothing. */
	keeper = fork();
	if (!keeper) {
		signal(SIGCHLD, SIG_IGN);
		keep_holders();
	}
	in = fdopen(fds[0], "r");
	while (in && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		note("%s", line);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("the selftest is lost");
	kill(keeper, SIGKILL);
	if (status)
		die("the selftest failed: %#x", status);
	wait_player(false);
	bind_all();
	check_data(true);
}

/*
 * Booted without the provider's driver: who does without it? Nothing fails
 * here, it is for comparing two kernels.
 */
static void without_provider(void)
{
	struct dev dev;

	step(60, "devices are probed");
	if (find_device(params.provider, &dev) && dev.driver[0])
		die("%s is bound", params.provider);
	pause_ms(15000);
	for (int c = 0; c < params.consumers; c++) {
		if (is_dmatest(c))
			continue;
		if (!find_device(params.consumer[c], &dev))
			die("no device %s", params.consumer[c]);
		note("%s: %s", params.consumer[c],
		     dev.driver[0] ? "bound" : "waits");
		if (params.tty && dev.driver[0]) {
			start_holder();
			while (shared->holder.state == OPENING)
				pause_ms(20);
			note("%s: %s", params.tty,
			     shared->holder.state == RUNNING ? "open" :
			     strerror(shared->holder.err));
		}
	}
}

static bool has_line(const char *text, const char *line, size_t len)
{
	for (; *text; text += strcspn(text, "\n") + 1)
		if (!strncmp(text, line, len) && text[len] == '\n')
			return true;
	return false;
}

/* Tells each line of @a that is not in @b. */
static int tell_missing(const char *a, const char *b, const char *text)
{
	int n = 0;
	size_t len;

	for (; *a; a += len + 1) {
		len = strcspn(a, "\n");
		if (has_line(b, a, len))
			continue;
		note("%s: %.*s", text, (int)len, a);
		n++;
	}
	return n;
}

static void rounds(void)
{
	static char now[LISTING_LEN];
	unsigned int start = seconds();
	int lines = 0, wrong;

	shared->errors = 0;
	shared->eofs = 0;
	for (unsigned int i = 1; i <= params.rounds; i++) {
		shared->round = i;
		unbind_all(true, false);
		bind_all();
		check_data(false);
		shared->round = 0;
		/* The first one may leave what was there before in another way. */
		if (i == 1)
			list_devices(shared->listing, sizeof(shared->listing));
		if (i % 10 == 0 || i == params.rounds)
			note("%u of %u, %u s", i, params.rounds,
			     seconds() - start);
	}
	if (params.disk)
		note("readers ended by an error: %u, by an early end of file: %u",
		     shared->errors, shared->eofs);

	step(30, "compare the listings");
	list_devices(now, sizeof(now));
	wrong = tell_missing(shared->listing, now, "gone") +
		tell_missing(now, shared->listing, "new");
	if (wrong)
		die("%d channels, links or devices more or less than after the first round",
		    wrong);
	for (const char *p = now; *p; p++)
		lines += *p == '\n';
	note("%d channels, links and devices as after the first round", lines);
}

/* For the picture: all links of the provider and of its channels. */
static void listing(void)
{
	static struct chan chans[MAX_CHANS];
	char link[LINK_LEN];
	int n, used = 0;

	step(30, "list");
	n = channels(chans, MAX_CHANS);
	note("provider %s, driver %s, %d channels", params.provider,
	     params.driver, n);
	for (int i = 0; i < n; i++) {
		if (!chans[i].in_use)
			continue;
		used++;
		note("channel %s held by %s", chans[i].name,
		     chans[i].slave[0] ? chans[i].slave : "somebody");
		for (int c = 0; c < params.consumers; c++) {
			chan_link_name(chans[i].name, c, link, sizeof(link));
			if (check_link(link, "not tracked", "never", false))
				note("link %s %s stateless", chans[i].name,
				     params.consumer[c]);
		}
	}
	for (int c = 0; c < params.consumers; c++) {
		note("consumer %s driver %s", params.consumer[c],
		     is_dmatest(c) ? "dmatest" : shared->consumer[c].driver);
		if (check_presence(c, false))
			note("link %s %s managed", params.provider,
			     params.consumer[c]);
	}
	if (!used)
		die("nobody holds a channel");
}

const struct test tests[] = {
	{ "consumers", consumers, .fatal = true },
	{ "presence_links", presence_links, .fatal = false },
	{ "channel_links", channel_links, .fatal = false },
	{ "listing", listing, .fatal = false },
	{ "system_sleep", system_sleep, .fatal = false },
	{ "consumer_unbind_first", consumer_unbind_first, .fatal = true },
	{ "unbind_under_load", unbind_under_load, .fatal = true },
	{ "bind_again", bind_again, .fatal = true },
	{ "dmatest_unbind", dmatest_unbind, .fatal = true, .needs = &params.dmatest },
	{ "idle_unbind", idle_unbind, .fatal = true },
	{ "unused_unbind", unused_unbind, .fatal = true },
	{ "module_unload", module_unload, .fatal = true, .needs = &params.modules },
	{ "selftest", selftest, .fatal = true },
	{ "rounds", rounds, .fatal = true },
	{ "without_provider", without_provider, .special = true },
};

const int ntests = sizeof(tests) / sizeof(tests[0]);

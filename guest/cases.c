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

/*
 * dmatest is there without a device, and makes one when it is started. Nobody
 * binds or unbinds it: it is started and stopped.
 */
static bool is_dmatest(int c)
{
	return params.client[c] == dmatest_client;
}

static bool holds(int c, const struct chan *chan)
{
	if (!strcmp(chan->slave, params.client[c]))
		return true;
	/* A kernel without links does not say who holds it. */
	return is_dmatest(c) && !chan->slave[0] && chan->in_use;
}

static bool check_managed_link(int c, bool tell)
{
	char link[LINK_LEN];

	managed_link_name(c, link, sizeof(link));
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
	h->managed = check_managed_link(c, false);
	for (int i = 0; i < n; i++) {
		if (!holds(c, &chans[i]))
			continue;
		h->chans++;
		h->chan_links += check_chan_link(chans[i].name, c, false);
	}
}

/*
 * How many clients do not hold or are not linked as at the start. If @excuse, a
 * missing channel link is only told.
 */
static int differ(bool excuse, bool tell)
{
	struct holding h;
	int n = 0;

	for (int c = 0; c < params.clients; c++) {
		const struct holding *b = &shared->before[c];

		look(c, &h);
		if (!memcmp(&h, b, sizeof(h)))
			continue;
		n += !excuse || h.chans != b->chans ||
		     h.managed != b->managed || h.chan_links > b->chan_links;
		if (tell)
			note("%s: %d of %d channels, %d of %d managed links, %d of %d channel links",
			     params.client[c], h.chans, b->chans, h.managed,
			     b->managed, h.chan_links, b->chan_links);
	}
	return n;
}

/* What holds channels only while it is open or runs. */
static void start_holders(void)
{
	if (params.tty && shared->holder.state != RUNNING &&
	    shared->holder.state != OPENING)
		start_holder();
	for (int c = 0; c < params.clients; c++)
		if (is_dmatest(c) && !dmatest_runs())
			start_dmatest(params.dmatest, "0");
}

/* Waits until every client holds what it held at the start. */
static void settle(void)
{
	step(60, "clients hold their channels again");
	for (;;) {
		/* A client that came back has an unopened tty. */
		start_holders();
		if (!differ(false, false))
			return;
		if (seconds() + 30 > shared->deadline)
			break;
		pause_ms(50);
	}
	differ(false, true);
	die("not as before");
}

static void bind_client(int c)
{
	int ret;

	/* settle() starts it. */
	if (is_dmatest(c) ||
	    bound(&shared->client[c], params.client[c], NULL))
		return;
	step(30, "bind %s", params.client[c]);
	ret = bind(&shared->client[c], params.client[c]);
	if (ret)
		die("bind %s: %s", params.client[c], strerror(-ret));
}

static void unbind_client(int c)
{
	int ret;

	step(30, "unbind %s", params.client[c]);
	if (is_dmatest(c)) {
		stop_dmatest();
		return;
	}
	/* Its driver does not let it: as far as one can get by closing. */
	if (!can_unbind(&shared->client[c])) {
		if (params.tty && shared->holder.state == RUNNING)
			stop_holder();
		return;
	}
	ret = unbind(&shared->client[c], params.client[c]);
	if (ret)
		die("unbind %s: %s", params.client[c], strerror(-ret));
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
	for (int c = 0; c < params.clients; c++)
		bind_client(c);
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

	for (int c = 0; c < params.clients; c++) {
		if (!bound(&shared->client[c], params.client[c], NULL))
			continue;
		note("%s is still bound", params.client[c]);
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
	for (int c = 0; wrong && c < params.clients; c++)
		if (can_unbind(&shared->client[c]) && bound(&shared->client[c], params.client[c], NULL))
			unbind_client(c);
	wait_player(tell);
	if (wrong)
		die("%d of %d clients outlived %s", wrong, params.clients,
		    params.provider);
	if (params.tty)
		wait_holder(tell);
	check_gone();
}

static void find_provider(void)
{
	step(60, "find %s", params.provider);
	if (!find_device(params.provider, &shared->provider))
		die("no device %s", params.provider);
	if (strcmp(shared->provider.driver, params.driver))
		die("%s is not bound to %s", params.provider, params.driver);
}

static void clients(void)
{
	static struct chan chans[MAX_CHANS];
	char path[PATH_LEN];
	int n, missing;

	if (!params.clients)
		die("clients= or dmatest= is needed");
	find_provider();
	for (int c = 0; c < params.clients; c++) {
		struct dev *d = &shared->client[c];

		/* There is no bus "faux" before 6.14. */
		if (is_dmatest(c))
			strcpy(d->bus, access("/sys/bus/faux", F_OK) ? "platform" : "faux");
		else if (!find_device(params.client[c], d) || !d->driver[0])
			die("%s is not bound", params.client[c]);
	}

	start_holders();
	do {
		pause_ms(50);
		if (params.tty && shared->holder.state == ENDED)
			die("%s: %s", params.tty, strerror(shared->holder.err));
		missing = 0;
		for (int c = 0; c < params.clients; c++) {
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
	for (int c = 0; c < params.clients; c++)
		if (!shared->before[c].chans)
			note("%s holds no channel", params.client[c]);
	if (missing)
		die("%d clients without a channel", missing);
	if (params.disk)
		wait_disk(path, sizeof(path));
	check_data(true);
	/* Once more, now that everything is open. */
	for (int c = 0; c < params.clients; c++)
		look(c, &shared->before[c]);
}

static void managed_links(void)
{
	int wrong = 0;

	step(30, "look at links");
	for (int c = 0; c < params.clients; c++)
		wrong += !check_managed_link(c, true);
	if (wrong)
		die("%d of %d clients without an active managed link to %s", wrong,
		    params.clients, params.provider);
}

static void channel_links(void)
{
	static struct chan chans[MAX_CHANS];
	int n, held = 0, wrong = 0;

	step(30, "look at links");
	n = channels(chans, MAX_CHANS);
	for (int i = 0; i < n; i++) {
		for (int c = 0; c < params.clients; c++) {
			if (!holds(c, &chans[i]))
				continue;
			held++;
			wrong += !check_chan_link(chans[i].name, c, true);
		}
	}
	if (wrong || !held)
		die("%d of %d held channels without a channel link", wrong, held);
}

/* When the write to /sys/power/state returns, all that users need is as before. */
static void sleep_once(const char *state, const char *level)
{
	bool port = params.tty && params.tx_bit;
	int devs, wrong, ret;

	step(30, "look before %s", state);
	if (port && !port_sends())
		die("%s does not send before %s, either", params.tty, state);
	devs = save_rpm();
	/* dmatest's device has none. */
	if (!devs && !is_dmatest(0))
		die("this kernel does not tell of runtime PM");

	step(60, "%s, pm_test %s", state, level);
	ret = fall_asleep(state, level);
	if (ret)
		die("%s, pm_test %s: %s", state, level, strerror(-ret));

	step(60, "look after %s", state);
	wrong = differ(!params.sleep_links, true) + check_rpm();
	if (port && !port_sends()) {
		note("%s does not send any more", params.tty);
		wrong++;
	}
	if (wrong)
		die("%s, pm_test %s: not as before", state, level);
	note("%s, pm_test %s: channels, %s links and runtime PM of %d devices are as before%s",
	     state, level, params.sleep_links ? "all" : "managed", devs,
	     port ? ", the port sends" : "");
}

/*
 * A port that is open releases its channels when the system is suspended, and
 * requests them when it is resumed. pm_test stops after the devices; the last
 * one is real, in the deepest state that the emulated board comes back from.
 *
 * A kernel that adds no link while the system is in transition lets the port do
 * without its channel links until it is opened again. Then it has them.
 */
static void system_sleep(void)
{
	for (int i = 0; i < 3; i++)
		sleep_once("mem", "devices");
	if (params.sleep)
		sleep_once(params.sleep, "none");
	if (params.tty && !params.sleep_links)
		stop_holder();
	settle();
	check_data(true);
}

/*
 * One after the other, the provider stays. This works without links too, and
 * has to go on working with them.
 */
static void client_unbind_first(void)
{
	struct holding h;

	for (int c = 0; c < params.clients; c++) {
		if (!is_dmatest(c) && !can_unbind(&shared->client[c])) {
			note("%s cannot be unbound by hand", params.client[c]);
			continue;
		}
		unbind_client(c);
		wait_player(false);
		look(c, &h);
		/* dmatest is stopped, and its device still bound. */
		if (is_dmatest(c))
			h.managed = 0;
		if (h.chans || h.managed || h.chan_links)
			die("%s is unbound, with %d channels, %d managed links, %d channel links",
			    params.client[c], h.chans, h.managed,
			    h.chan_links);
		if (!bound(&shared->provider, params.provider, NULL))
			die("%s went with %s", params.provider,
			    params.client[c]);
		bind_client(c);
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

/* Clients hold their channels but do nothing. */
static void idle_unbind(void)
{
	unbind_all(false, true);
	bind_all();
	check_data(true);
}

/* Nobody holds a channel: what fails here is the provider's driver. */
static void unused_unbind(void)
{
	for (int c = 0; c < params.clients; c++)
		unbind_client(c);
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
 * once nobody has one. Loaded again it serves the same clients.
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
	if (differ(false, true))
		die("not as before");
	for (int c = 0; c < params.clients; c++)
		unbind_client(c);
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

/* The program in selftest/, which looks at the kernel for itself. */
static void selftest(void)
{
	char line[400];
	int fds[2], status;
	pid_t pid, keeper;
	FILE *in;

	/* It looks at all of sysfs each time, which takes a while here. */
	step(600, "the selftest ends");
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

static int public_references(void)
{
	static struct chan chans[MAX_CHANS];
	int n = channels(chans, MAX_CHANS), held = 0;

	for (int i = 0; i < n; i++)
		held += chans[i].in_use && !chans[i].slave[0];
	return held;
}

/*
 * dmaengine_get() holds each channel of a public controller. It is no client, and
 * keeps nobody from unbinding the controller.
 */
static void public_channels(void)
{
	int held;

	find_provider();
	held = public_references();
	if (!held)
		die("dmaengine_get() holds no channel");
	for (unsigned int i = 1; i <= params.rounds; i++) {
		shared->round = i;
		unbind_provider();
		check_gone();
		bind_provider();
		if (public_references() != held)
			die("%d of %d channels are held again", public_references(), held);
	}
	shared->round = 0;
	note("%d channels, %u times unbound and bound", held, params.rounds);
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
	for (int c = 0; c < params.clients; c++) {
		if (is_dmatest(c))
			continue;
		if (!find_device(params.client[c], &dev))
			die("no device %s", params.client[c]);
		note("%s: %s", params.client[c],
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

/*
 * Whatever can requests channels and releases them, and goes on when this has
 * ended: the machine is restarted meanwhile. scripts/boot looks at what the
 * kernel says of each device then.
 */
static void reboot_under_load(void)
{
	load_disk(true);
	load_pcm(true);
	if (params.tty) {
		if (shared->holder.state == RUNNING)
			stop_holder();
		start_opener();
	}
	if (params.dmatest) {
		stop_dmatest();
		if (!params.stop_dmatest) {
			start_dmatest(params.dmatest, "0");
			start_restarter();
		}
	}
	step(60, "channels are requested and released");
	while ((shared->opener.state != IDLE && !shared->opener.times) ||
	       (shared->restarter.state != IDLE && !shared->restarter.times)) {
		if (shared->opener.state == ENDED)
			die("%s: %s", params.tty, strerror(shared->opener.err));
		if (shared->restarter.state == ENDED)
			die("dmatest: %s", strerror(shared->restarter.err));
		pause_ms(10);
	}
	if (shared->opener.state == IDLE && shared->restarter.state == IDLE)
		note("nobody here requests a channel but in probe");
	shared->restart = true;
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

/* For docs/boards.md: all links of the provider and of its channels. */
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
		for (int c = 0; c < params.clients; c++) {
			chan_link_name(chans[i].name, c, link, sizeof(link));
			if (check_link(link, "not tracked", "never", false))
				note("link %s %s channel", chans[i].name,
				     params.client[c]);
		}
	}
	for (int c = 0; c < params.clients; c++) {
		note("client %s driver %s", params.client[c],
		     is_dmatest(c) ? "dmatest" : shared->client[c].driver);
		if (check_managed_link(c, false))
			note("link %s %s managed", params.provider,
			     params.client[c]);
	}
	if (!used)
		die("nobody holds a channel");
}

const struct test tests[] = {
	{ "clients", clients, .fatal = true },
	{ "managed_links", managed_links, .fatal = false },
	{ "channel_links", channel_links, .fatal = false },
	{ "listing", listing, .fatal = false },
	{ "system_sleep", system_sleep, .fatal = false },
	{ "client_unbind_first", client_unbind_first, .fatal = true },
	{ "unbind_under_load", unbind_under_load, .fatal = true },
	{ "bind_again", bind_again, .fatal = true },
	{ "dmatest_unbind", dmatest_unbind, .fatal = true, .needs = &params.dmatest },
	{ "idle_unbind", idle_unbind, .fatal = true },
	{ "unused_unbind", unused_unbind, .fatal = true },
	{ "module_unload", module_unload, .fatal = true, .needs = &params.modules },
	{ "selftest", selftest, .fatal = true },
	{ "rounds", rounds, .fatal = true },
	{ "public_channels", public_channels, .fatal = true, .special = true },
	{ "without_provider", without_provider, .special = true },
	{ "reboot_under_load", reboot_under_load, .special = true },
};

const int ntests = sizeof(tests) / sizeof(tests[0]);

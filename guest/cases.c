// SPDX-License-Identifier: GPL-2.0
/* The test cases, in the order they run. */
#include <stdio.h>
#include <string.h>

#include "guest.h"

#define LINK_LEN	(4 * NAME_LEN)

/* True when the link is there and all about it is as it should be. */
static bool check_link(const char *link, const char *status,
		       const char *remove_on, bool tell)
{
	char s[NAME_LEN], r[NAME_LEN];

	if (!read_link(link, "status", s, sizeof(s)) ||
	    !read_link(link, "auto_remove_on", r, sizeof(r))) {
		if (tell)
			note("no link %s", link);
		return false;
	}
	if (tell)
		note("%s: %s, removed on: %s", link, s, r);
	return !strcmp(s, status) && !strcmp(r, remove_on);
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
		if (strcmp(chans[i].slave, params.consumer[c]))
			continue;
		h->chans++;
		h->chan_links += check_chan_link(chans[i].name, c, false);
	}
}

static bool as_before(int c)
{
	struct holding h;

	look(c, &h);
	return !memcmp(&h, &shared->before[c], sizeof(h));
}

/* Waits until every consumer holds what it held at the start. */
static void settle(void)
{
	struct holding h;
	int c;

	step(60, "consumers hold their channels again");
	for (;;) {
		/* A consumer that came back has an unopened tty. */
		if (params.tty && shared->holder.state == ENDED)
			start_holder();
		for (c = 0; c < params.consumers && as_before(c); c++)
			;
		if (c == params.consumers)
			return;
		if (seconds() + 30 > shared->deadline)
			break;
		pause_ms(50);
	}
	for (c = 0; c < params.consumers; c++) {
		const struct holding *b = &shared->before[c];

		look(c, &h);
		note("%s: %d of %d channels, %d of %d presence links, %d of %d channel links",
		     params.consumer[c], h.chans, b->chans, h.presence,
		     b->presence, h.chan_links, b->chan_links);
	}
	die("not as before");
}

static void bind_consumer(int c)
{
	int ret;

	if (bound(&shared->consumer[c], params.consumer[c], NULL))
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
	ret = unbind(&shared->consumer[c], params.consumer[c]);
	if (ret)
		die("unbind %s: %s", params.consumer[c], strerror(-ret));
}

static void bind_all(void)
{
	int ret;

	step(30, "bind %s", params.provider);
	ret = bind(&shared->provider, params.provider);
	if (ret)
		die("bind %s: %s", params.provider, strerror(-ret));
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

/* Reads the disk until DMA interrupts show that it is really DMA. */
static void load(bool tell)
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

	step(60, "find devices");
	if (!find_device(params.provider, &shared->provider))
		die("no device %s", params.provider);
	if (strcmp(shared->provider.driver, params.driver))
		die("%s is not bound to %s", params.provider, params.driver);
	for (int c = 0; c < params.consumers; c++) {
		struct dev *d = &shared->consumer[c];

		if (!find_device(params.consumer[c], d) || !d->driver[0])
			die("%s is not bound", params.consumer[c]);
	}

	if (params.tty)
		start_holder();
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
	for (int c = 0; c < params.consumers; c++)
		if (!shared->before[c].chans)
			note("%s holds no channel", params.consumer[c]);
	if (missing)
		die("%d consumers without a channel", missing);
	if (params.disk)
		wait_disk(path, sizeof(path));
	check_disk(true);
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
			if (strcmp(chans[i].slave, params.consumer[c]))
				continue;
			held++;
			wrong += !check_chan_link(chans[i].name, c, true);
		}
	}
	if (wrong || !held)
		die("%d of %d held channels without a link", wrong, held);
}

/*
 * One after the other, the provider stays. This works without links too, and
 * has to go on working with them.
 */
static void consumer_unbind_first(void)
{
	struct holding h;

	for (int c = 0; c < params.consumers; c++) {
		unbind_consumer(c);
		look(c, &h);
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
	check_disk(true);
}

static void unbind_under_load(void)
{
	unbind_all(true, true);
}

static void bind_again(void)
{
	bind_all();
	check_disk(true);
}

/* Consumers hold their channels but do nothing. */
static void idle_unbind(void)
{
	unbind_all(false, true);
	bind_all();
	check_disk(true);
}

/* Nobody holds a channel: what fails here is the provider's driver. */
static void unused_unbind(void)
{
	for (int c = 0; c < params.consumers; c++)
		unbind_consumer(c);
	unbind_provider();
	if (params.tty)
		wait_holder(false);
	check_gone();
	bind_all();
	check_disk(true);
}

static void rounds(void)
{
	unsigned int start = seconds();

	shared->errors = 0;
	shared->eofs = 0;
	for (unsigned int i = 1; i <= params.rounds; i++) {
		shared->round = i;
		unbind_all(true, false);
		bind_all();
		check_disk(false);
		shared->round = 0;
		if (i % 10 == 0 || i == params.rounds)
			note("%u of %u, %u s", i, params.rounds,
			     seconds() - start);
	}
	if (params.disk)
		note("readers ended by an error: %u, by an early end of file: %u",
		     shared->errors, shared->eofs);
}

const struct test tests[] = {
	{ "consumers", consumers, true },
	{ "presence_links", presence_links, false },
	{ "channel_links", channel_links, false },
	{ "consumer_unbind_first", consumer_unbind_first, true },
	{ "unbind_under_load", unbind_under_load, true },
	{ "bind_again", bind_again, true },
	{ "idle_unbind", idle_unbind, true },
	{ "unused_unbind", unused_unbind, true },
	{ "rounds", rounds, true },
};

const int ntests = sizeof(tests) / sizeof(tests[0]);

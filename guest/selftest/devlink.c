// SPDX-License-Identifier: GPL-2.0
/*
 * Unbind DMA controllers under the clients that hold their channels.
 *
 * A controller whose driver sets dma_device.create_devlink is linked to its
 * clients, and the driver core unbinds these first. Look at the links, unbind
 * the controller, bind all again, and see that all is as before.
 *
 * What may hang or die in the kernel is done by a child. The parent only waits,
 * reports, and has everything bound again whatever happens.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <limits.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* From tools/testing/selftests of a kernel. */
#include "kselftest.h"

#define DEVICES		"/sys/devices/"
#define LEN		256	/* of a device's path below DEVICES */
#define LINE		(2 * LEN + 80)
#define MAX_LINES	4096
#define MAX_PROVIDERS	64
#define STEP_SECS	60	/* for one step, before it is said to hang */
#define SETTLE_SECS	15	/* for clients to be as before */

struct list {
	unsigned int n;
	char s[MAX_LINES][LINE];
};

/* What is compared before and after; without numbers that may change. */
struct snap {
	struct list devs;	/* "PATH -> DRIVER", all that are bound */
	struct list links;	/* "SUPPLIER -> CONSUMER: ATTRIBUTES" */
	struct list chans;	/* "CHANNEL" and "CHANNEL -> CLIENT" */
};

struct link {
	char name[LINE];
	char sup[LEN], con[LEN];
	char status[24], remove[24];
	bool managed;
	bool others;		/* only the name is known */
};

struct chan {
	char path[LEN], dev[LEN], slave[LEN];
	int in_use;
};

struct provider {
	char path[LEN];
	bool converted;
	char skip[LEN + 128];	/* why it is not tested */
};

struct event {
	unsigned long long seq;
	bool unbind;		/* else a channel that goes */
	char path[LEN];
};

/* Written by children. */
static struct shared {
	struct snap before, now;
	bool unbound;		/* something has to be bound again */
	char why[LEN];		/* reason for a skip */
	int no_events;		/* errno */
	bool wrong_order, seen;
	unsigned int nevents;
	struct event event[512];
} *shared;

static struct link links[MAX_LINES];
static struct chan chans[MAX_LINES];
static unsigned int nlinks, nchans;

static struct provider providers[MAX_PROVIDERS];
static unsigned int nproviders;
static struct provider *cur;
static struct list holders;	/* of channels of cur, that have to go with it */
static struct list kept;	/* names of links of cur that outlive its clients */

static const char *only;
static unsigned int rounds = 5;
static bool force, quiet, stuck;
static int kmsg = -1;
static int got_signal;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static const char *base(const char *path)
{
	const char *p = strrchr(path, '/');

	return p ? p + 1 : path;
}

/* Whether @path is @dev or below it. */
static bool below(const char *path, const char *dev)
{
	size_t len = strlen(dev);

	return !strncmp(path, dev, len) && (!path[len] || path[len] == '/');
}

static bool has(const struct list *l, const char *s)
{
	for (unsigned int i = 0; i < l->n; i++)
		if (!strcmp(l->s[i], s))
			return true;
	return false;
}

__printf(2, 3)
static void add(struct list *l, const char *fmt, ...)
{
	va_list ap;

	/* Half a picture would pass for a whole one */
	if (l->n == MAX_LINES) {
		ksft_print_msg("more than %d devices, links or channels\n", MAX_LINES);
		_exit(KSFT_FAIL);
	}
	va_start(ap, fmt);
	vsnprintf(l->s[l->n++], LINE, fmt, ap);
	va_end(ap);
}

/* Where a symbolic link in sysfs points, below DEVICES unless @whole. */
__printf(3, 4)
static bool follow(char *buf, bool whole, const char *fmt, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	size_t skip = whole ? 0 : strlen(DEVICES);
	va_list ap;
	ssize_t n;
	int fd;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	buf[0] = '\0';
	/* realpath() makes a system call for each part of the path */
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	close(fd);
	if (n < 0)
		return false;
	target[n] = '\0';
	if (n - skip >= LEN || strncmp(target, DEVICES, skip))
		return false;
	strcpy(buf, target + skip);
	return true;
}

__printf(3, 4)
static bool attr(char *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	ssize_t n;
	int fd;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	buf[0] = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n < 0)
		return false;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

/* What a symbolic link says, in one system call: follow() takes three. */
__printf(2, 3)
static bool target(char *buf, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	ssize_t n;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	n = readlink(path, buf, LEN);
	buf[n > 0 && n < LEN ? n : 0] = '\0';
	return buf[0];
}

/* The name of the driver that @dev is bound to. */
static bool bound_to(const char *dev, char *driver)
{
	char path[LEN];

	if (!target(path, DEVICES "%s/driver", dev))
		return false;
	if (driver)
		strcpy(driver, base(path));
	return true;
}

static bool bound(const char *dev)
{
	return bound_to(dev, NULL);
}

static int write_driver(const char *dev, const char *driver, const char *file)
{
	const char *name = base(dev);
	char bus[LEN], path[PATH_MAX];
	int fd, ret = 0;

	if (!follow(bus, true, DEVICES "%s/subsystem", dev))
		return -ENODEV;
	snprintf(path, sizeof(path), "%s/drivers/%s/%s", bus, driver, file);
	if (access(path, F_OK) && !strcmp(file, "bind"))
		snprintf(path, sizeof(path), "%s/drivers_probe", bus);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, name, strlen(name)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Calls @fn for all entries of a directory. */
static void each(const char *dir, void (*fn)(const char *dir, const char *name))
{
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			fn(dir, e->d_name);
	if (d)
		closedir(d);
}

/* Of the hundreds that others have, once a controller is chosen, only the name. */
static void add_link(const char *dir, const char *name)
{
	struct link *l = &links[nlinks];
	char sync[8];

	if (nlinks == MAX_LINES)
		return;
	memset(l, 0, sizeof(*l));
	snprintf(l->name, LINE, "%s", name);
	attr(sync, sizeof(sync), "%s/%s/sync_state_only", dir, name);
	/* Those for sync_state() come and go, and unbind nobody */
	if (!strcmp(sync, "1"))
		return;
	nlinks++;
	l->others = cur && !strstr(name, base(cur->path)) && strncmp(name, "dma:", 4);
	if (l->others)
		return;
	follow(l->sup, false, "%s/%s/supplier", dir, name);
	follow(l->con, false, "%s/%s/consumer", dir, name);
	attr(l->status, sizeof(l->status), "%s/%s/status", dir, name);
	attr(l->remove, sizeof(l->remove), "%s/%s/auto_remove_on", dir, name);
	l->managed = strcmp(l->status, "not tracked");
}

/* Where an entry of a class or a bus points, below DEVICES. */
static bool target_below(char *buf, const char *dir, const char *name)
{
	char link[LEN], *path = link;

	if (!target(link, "%s/%s", dir, name))
		return false;
	while (!strncmp(path, "../", 3))
		path += 3;
	if (strncmp(path, "devices/", 8))
		return false;
	strcpy(buf, path + 8);
	return true;
}

static void add_chan(const char *dir, const char *name)
{
	struct chan *c = &chans[nchans];
	char in_use[16], link[LEN], *end;

	if (nchans == MAX_LINES || !target_below(c->path, dir, name))
		return;
	/* Its device is the parent, with the class in between */
	strcpy(c->dev, c->path);
	end = strrchr(c->dev, '/');
	if (!end || end - c->dev < 4 || strncmp(end - 4, "/dma", 4))
		return;
	end[-4] = '\0';
	c->slave[0] = '\0';
	if (target(link, "%s/%s/slave", dir, name))
		follow(c->slave, false, "%s/%s/slave", dir, name);
	attr(in_use, sizeof(in_use), "%s/%s/in_use", dir, name);
	c->in_use = atoi(in_use);
	nchans++;
}

static void load(void)
{
	nlinks = 0;
	nchans = 0;
	each("/sys/class/devlink", add_link);
	each("/sys/class/dma", add_chan);
}

/*
 * The path of a channel without what is not the same when the driver is bound
 * again: the number of the controller, which is counted from 0 for each device
 * instead, and, unless @which, the number of the channel. A client may get any.
 */
static const char *canon(const char *path, bool which)
{
	static char buf[LEN + 16];
	static struct list seen;
	unsigned int id, other, nth = 0;
	const char *name = base(path);
	int end = 0;

	if (sscanf(name, "dma%uchan%n", &id, &end) != 1 || !end)
		return path;
	seen.n = 0;
	for (unsigned int i = 0; i < nchans; i++) {
		const char *n = base(chans[i].path);

		if (strncmp(chans[i].path, path, name - path) ||
		    sscanf(n, "dma%uchan", &other) != 1 || other >= id)
			continue;
		snprintf(buf, sizeof(buf), "%u", other);
		if (!has(&seen, buf)) {
			add(&seen, "%s", buf);
			nth++;
		}
	}
	snprintf(buf, sizeof(buf), "%.*sdma#%uchan%s", (int)(name - path), path, nth,
		 which ? name + end : "");
	return buf;
}

/* Faux devices, as dmatest's, are not bound again by anybody but their maker. */
static bool is_faux(const char *dev)
{
	return below(dev, "faux");
}

static struct list *devs;

static void add_dev(const char *dir, const char *name)
{
	char path[LEN], driver[LEN];

	if (target_below(path, dir, name) && !is_faux(path) && bound_to(path, driver))
		add(devs, "%s -> %s", path, driver);
}

static void add_bus(const char *dir, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/devices", dir, name);
	each(path, add_dev);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Also numbers lines that are equal, since each counts. */
static void sort(struct list *l)
{
	unsigned int first = 0;

	qsort(l->s, l->n, LINE, compare);
	for (unsigned int i = 1; i < l->n; i++) {
		size_t len = strlen(l->s[i]);

		if (strcmp(l->s[i], l->s[first]))
			first = i;
		else
			snprintf(l->s[i] + len, LINE - len, " (%u)", i - first + 1);
	}
	qsort(l->s, l->n, LINE, compare);
}

static void take(struct snap *s)
{
	s->devs.n = 0;
	s->links.n = 0;
	s->chans.n = 0;
	load();
	devs = &s->devs;
	each("/sys/bus", add_bus);
	for (unsigned int i = 0; i < nlinks; i++) {
		const struct link *l = &links[i];

		if (l->others)
			add(&s->links, "%s", l->name);
		else if (!is_faux(l->con))
			add(&s->links, "%s -> %s: %s, removed on: %s", canon(l->sup, false),
			    l->con, l->status, l->remove);
	}
	for (unsigned int i = 0; i < nchans; i++) {
		const struct chan *c = &chans[i];

		add(&s->chans, "%s", canon(c->path, true));
		if (c->slave[0] && !is_faux(c->slave))
			add(&s->chans, "%s -> %s:", canon(c->path, false), c->slave);
	}
	sort(&s->devs);
	sort(&s->links);
	sort(&s->chans);
}

static int take_before(void)
{
	take(&shared->before);
	return KSFT_PASS;
}

static const struct link *find_link(const char *sup, const char *con, bool managed)
{
	for (unsigned int i = 0; i < nlinks; i++)
		if (links[i].managed == managed && !strcmp(links[i].sup, sup) &&
		    !strcmp(links[i].con, con))
			return &links[i];
	return NULL;
}

/* Who holds a channel of @p and is unbound with it. No links for all others. */
static void find_holders(const struct provider *p)
{
	holders.n = 0;
	kept.n = 0;
	for (unsigned int i = 0; i < nchans; i++) {
		const char *s = chans[i].slave;

		if (!strcmp(chans[i].dev, p->path) && s[0] && bound(s) &&
		    !below(p->path, s) && !has(&holders, s))
			add(&holders, "%s", s);
	}
	for (unsigned int i = 0; i < nlinks; i++)
		if (links[i].managed && !strcmp(links[i].sup, p->path) &&
		    !strcmp(links[i].remove, "never"))
			add(&kept, "%s", links[i].name);
}

/* Devices that the running system needs, each followed by what for. */
static struct list needed;

static void need(const char *dev, const char *what)
{
	if (dev[0] && needed.n < MAX_LINES - 1) {
		add(&needed, "%s", dev);
		add(&needed, "%s", what);
	}
}

static void need_block(unsigned int maj, unsigned int min, const char *what)
{
	char path[LEN], dir[64];
	struct dirent *e;
	DIR *d;

	if (!follow(path, false, "/sys/dev/block/%u:%u", maj, min))
		return;
	need(path, what);
	/* What a device mapper or RAID device is made of */
	snprintf(dir, sizeof(dir), "/sys/dev/block/%u:%u/slaves", maj, min);
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		char dev[16];

		if (e->d_name[0] != '.' &&
		    attr(dev, sizeof(dev), "%s/%s/dev", dir, e->d_name) &&
		    sscanf(dev, "%u:%u", &maj, &min) == 2)
			need_block(maj, min, what);
	}
	if (d)
		closedir(d);
}

static void need_source(const char *file, const char *what)
{
	struct stat st;

	if (!stat(file, &st) && S_ISBLK(st.st_mode))
		need_block(major(st.st_rdev), minor(st.st_rdev), what);
}

static void need_flash(const char *dir, const char *name)
{
	char path[LEN];

	if (follow(path, false, "%s/%s", dir, name))
		need(path, "a flash file system");
}

static void need_net(const char *dir, const char *name)
{
	char path[LEN], flags[16];

	/* 1: IFF_UP */
	if (attr(flags, sizeof(flags), "%s/%s/flags", dir, name) &&
	    strtoul(flags, NULL, 16) & 1 && follow(path, false, "%s/%s", dir, name))
		need(path, "a network interface that is up");
}

static void find_needed(void)
{
	char line[1024], what[300], where[256], fs[32], src[256], path[LEN], *p, *save;
	unsigned int maj, min;
	struct stat st;
	FILE *f;

	needed.n = 0;
	f = fopen("/proc/self/mountinfo", "r");
	while (f && fgets(line, sizeof(line), f)) {
		p = strstr(line, " - ");
		if (!p || sscanf(p, " - %31s %255s", fs, src) != 2 ||
		    sscanf(line, "%*d %*d %u:%u %*s %255s", &maj, &min, where) != 3)
			continue;
		snprintf(what, sizeof(what), "%s, which is mounted", where);
		need_block(maj, min, what);
		/* Some file systems have a number of their own */
		if (!maj)
			need_source(src, what);
		if (!strcmp(fs, "ubifs") || !strcmp(fs, "jffs2"))
			each("/sys/class/mtd", need_flash);
	}
	if (f)
		fclose(f);

	f = fopen("/proc/swaps", "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%255s", src) == 1)
			need_source(src, "swap");
	if (f)
		fclose(f);

	attr(line, sizeof(line), "/sys/class/tty/console/active");
	for (p = strtok_r(line, " ", &save); p; p = strtok_r(NULL, " ", &save))
		if (follow(path, false, "/sys/class/tty/%s", p))
			need(path, "the console");
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd) && !fstat(fd, &st) &&
		    follow(path, false, "/sys/dev/char/%u:%u", major(st.st_rdev),
			   minor(st.st_rdev)))
			need(path, "the terminal");

	each("/sys/class/net", need_net);
}

/* Whether something needed is unbound with @p, which says what then. */
static bool is_needed(struct provider *p)
{
	static struct list down;
	unsigned int i, j;

	/* The clients, their own consumers, and so on */
	down.n = 0;
	add(&down, "%s", p->path);
	for (i = 0; i < down.n; i++)
		for (j = 0; j < nlinks; j++)
			if (links[j].managed && !strcmp(links[j].sup, down.s[i]) &&
			    !has(&down, links[j].con))
				add(&down, "%s", links[j].con);
	/* Without links they are not unbound, but of no more use either */
	for (i = 0; i < holders.n; i++)
		if (!has(&down, holders.s[i]))
			add(&down, "%s", holders.s[i]);

	for (i = 0; i < needed.n; i += 2)
		for (j = 0; j < down.n; j++)
			if (below(needed.s[i], down.s[j])) {
				snprintf(p->skip, sizeof(p->skip),
					 "%s is needed for %.100s (see --force)",
					 base(down.s[j]), needed.s[i + 1]);
				return true;
			}
	return false;
}

/* A channel held in a way that no link protects, so that unbinding is fatal. */
static const char *unprotected(const struct provider *p, const struct chan *c)
{
	if (strcmp(c->dev, p->path) || !c->in_use)
		return NULL;
	if (!c->slave[0])
		return "by nobody who is named";
	if (!strcmp(c->slave, p->path))
		return NULL;
	if (below(p->path, c->slave))
		return "by an ancestor of the controller";
	if (!bound(c->slave))
		return "by a device without a driver";
	if (find_link(c->slave, p->path, true))
		return "by a supplier of the controller";
	return NULL;
}

static void judge(struct provider *p)
{
	char driver[LEN], path[PATH_MAX];

	find_holders(p);
	for (unsigned int i = 0; i < holders.n; i++) {
		const struct link *l = find_link(p->path, holders.s[i], true);

		p->converted |= l && !strcmp(l->remove, "consumer unbind");
	}
	if (!bound_to(p->path, driver)) {
		strcpy(p->skip, "not bound to a driver");
		return;
	}
	snprintf(path, sizeof(path), DEVICES "%s/driver/unbind", p->path);
	if (access(path, F_OK)) {
		strcpy(p->skip, "its driver cannot be unbound through sysfs");
		return;
	}
	if (!holders.n) {
		strcpy(p->skip, "nobody holds a channel");
		return;
	}
	if (!p->converted && !only) {
		strcpy(p->skip, "no managed links, create_devlink is not set (see --provider)");
		return;
	}
	for (unsigned int i = 0; !force && i < nchans; i++) {
		const char *by = unprotected(p, &chans[i]);

		if (by) {
			snprintf(p->skip, sizeof(p->skip), "%s is held %s (see --force)",
				 base(chans[i].path), by);
			return;
		}
	}
	if (!force)
		is_needed(p);
}

static void find_providers(void)
{
	load();
	find_needed();
	for (unsigned int i = 0; i < nchans; i++) {
		const char *dev = chans[i].dev;
		unsigned int j = 0;

		if (only && strcmp(only, base(dev)))
			continue;
		while (j < nproviders && strcmp(providers[j].path, dev))
			j++;
		if (j < nproviders || j == MAX_PROVIDERS)
			continue;
		strcpy(providers[nproviders].path, dev);
		judge(&providers[nproviders++]);
	}
}

static void print_providers(void)
{
	for (unsigned int i = 0; i < nproviders; i++) {
		const struct provider *p = &providers[i];
		char driver[LEN] = "no driver";

		bound_to(p->path, driver);
		printf("%s (%s): %s\n", p->path, driver,
		       p->skip[0] ? p->skip : "can be tested");
		for (unsigned int j = 0; j < nchans; j++)
			if (!strcmp(chans[j].dev, p->path) && chans[j].in_use)
				printf("\t%s is held by %s\n", base(chans[j].path),
				       chans[j].slave[0] ? chans[j].slave : "?");
		for (unsigned int j = 0; j < nlinks; j++)
			if (below(links[j].sup, p->path))
				printf("\t%s: %s, removed on: %s\n", links[j].name,
				       links[j].status, links[j].remove);
	}
}

/*
 * The steps. Each is run by a child and returns an exit code.
 */
static bool check_link(const char *sup, const char *con, bool managed)
{
	const struct link *l = find_link(sup, con, managed);

	if (!l) {
		ksft_print_msg("no %s link from %s to %s\n",
			       managed ? "managed" : "channel", base(con), base(sup));
		return false;
	}
	if (!quiet)
		ksft_print_msg("%s: %s, removed on: %s\n", l->name, l->status,
			       l->remove);
	if (!managed)
		return !strcmp(l->remove, "never");
	/* One of fw_devlink's, made earlier, is not made to go earlier */
	if (has(&kept, l->name) && !quiet)
		ksft_print_msg("%s stays when %s is unbound\n", l->name, base(con));
	return !strcmp(l->status, "active") &&
	       (has(&kept, l->name) || !strcmp(l->remove, "consumer unbind"));
}

static int step_links(void)
{
	bool ok = cur->converted;

	if (!ok)
		ksft_print_msg("no link is removed when its consumer is unbound\n");
	for (unsigned int i = 0; i < holders.n; i++)
		ok &= check_link(cur->path, holders.s[i], true);
	for (unsigned int i = 0; i < nchans; i++)
		if (!strcmp(chans[i].dev, cur->path) && has(&holders, chans[i].slave))
			ok &= check_link(chans[i].path, chans[i].slave, false);
	return ok ? KSFT_PASS : KSFT_FAIL;
}

static int open_uevents(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int size = 8 << 20;
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -errno;
	return fd;
}

/* The kernel sends these from the thread that unbinds: they are all there. */
static void read_uevents(int fd)
{
	static char buf[8192];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf) - 1, 0)) > 0) {
		struct event *e = &shared->event[shared->nevents];
		bool remove = false, dma = false;

		memset(e, 0, sizeof(*e));
		buf[n] = '\0';
		for (char *p = buf; p < buf + n; p += strlen(p) + 1) {
			e->unbind |= !strcmp(p, "ACTION=unbind");
			remove |= !strcmp(p, "ACTION=remove");
			dma |= !strcmp(p, "SUBSYSTEM=dma");
			if (!strncmp(p, "DEVPATH=/devices/", 17))
				snprintf(e->path, LEN, "%s", p + 17);
			else if (!strncmp(p, "SEQNUM=", 7))
				e->seq = strtoull(p + 7, NULL, 10);
		}
		if (!e->unbind && !(remove && dma))
			continue;
		if (++shared->nevents == ARRAY_SIZE(shared->event))
			shared->no_events = ENOBUFS;
		if (shared->no_events)
			return;
	}
	if (n < 0 && errno != EAGAIN)
		shared->no_events = errno;
}

/*
 * Without uevents: when the driver of the provider begins to go, those of its
 * holders are gone, or the order is wrong. May miss what is wrong.
 */
static void watch(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (bound(cur->path))
		;
	for (unsigned int i = 0; i < holders.n; i++)
		shared->wrong_order |= bound(holders.s[i]);
	shared->seen = true;
	_exit(0);
}

static int step_unbind(void)
{
	int ret, fd = open_uevents(), result = KSFT_PASS;
	char driver[LEN];
	pid_t pid = 0;

	shared->nevents = 0;
	shared->no_events = fd < 0 ? -fd : 0;
	shared->wrong_order = false;
	shared->seen = false;
	if (!bound_to(cur->path, driver))
		return KSFT_FAIL;
	if (fd < 0) {
		pid = fork();
		if (!pid)
			watch();
	}

	shared->unbound = true;
	ret = write_driver(cur->path, driver, "unbind");
	for (int i = 0; pid > 0 && !shared->seen && i < 200; i++)
		usleep(10000);
	if (pid > 0)
		kill(pid, SIGKILL);
	if (fd >= 0)
		read_uevents(fd);

	if (ret) {
		ksft_print_msg("unbind %s: %s\n", cur->path, strerror(-ret));
		result = KSFT_FAIL;
	}
	if (bound(cur->path)) {
		ksft_print_msg("%s is still bound\n", cur->path);
		result = KSFT_FAIL;
	}
	for (unsigned int i = 0; i < holders.n; i++)
		if (bound(holders.s[i])) {
			ksft_print_msg("%s is still bound\n", holders.s[i]);
			result = KSFT_FAIL;
		}
	return result;
}

/* Every holder is unbound before the provider, and before a channel goes. */
static int step_order(void)
{
	unsigned long long first = 0;
	bool ok = true;

	if (shared->no_events && shared->seen) {
		if (!quiet)
			ksft_print_msg("no uevents (%s), was only watched\n",
				       strerror(shared->no_events));
		return shared->wrong_order ? KSFT_FAIL : KSFT_PASS;
	}
	if (shared->no_events) {
		snprintf(shared->why, LEN, "uevents: %s", strerror(shared->no_events));
		return KSFT_SKIP;
	}
	for (unsigned int i = 0; i < shared->nevents; i++) {
		const struct event *e = &shared->event[i];

		if (e->unbind ? !strcmp(e->path, cur->path) : below(e->path, cur->path))
			if (!first || e->seq < first)
				first = e->seq;
	}
	if (!first) {
		ksft_print_msg("no uevent of %s\n", cur->path);
		return KSFT_FAIL;
	}
	for (unsigned int i = 0; i < holders.n; i++) {
		unsigned long long seq = 0;

		for (unsigned int j = 0; j < shared->nevents; j++)
			if (shared->event[j].unbind &&
			    !strcmp(shared->event[j].path, holders.s[i]))
				seq = shared->event[j].seq;
		if (seq && seq < first)
			continue;
		ksft_print_msg("%s: uevent %llu, %s: %llu\n", holders.s[i], seq,
			       base(cur->path), first);
		ok = false;
	}
	return ok ? KSFT_PASS : KSFT_FAIL;
}

static bool left;

static void look_at_client(const char *dir, const char *name)
{
	char path[LEN];

	if (strncmp(name, "dma:", 4))
		return;
	/* To a channel that is gone, or should be */
	if (!follow(path, false, "%s/%s", dir, name) || below(path, cur->path)) {
		ksft_print_msg("left over: %s/%s\n", dir, name);
		left = true;
	}
}

static int step_gone(void)
{
	char dir[PATH_MAX], line[512], name[LEN + 8];
	FILE *f;

	load();
	left = false;
	for (unsigned int i = 0; i < nchans; i++)
		if (!strcmp(chans[i].dev, cur->path)) {
			ksft_print_msg("left over: %s\n", chans[i].path);
			left = true;
		}
	for (unsigned int i = 0; i < nlinks; i++) {
		const struct link *l = &links[i];

		if (l->others || has(&kept, l->name) ||
		    (l->sup[0] && strcmp(l->sup, cur->path) &&
		     (!below(l->sup, cur->path) || strncmp(l->name, "dma:", 4))))
			continue;
		ksft_print_msg("left over: link %s\n", l->name);
		left = true;
	}
	for (unsigned int i = 0; i < holders.n; i++) {
		snprintf(dir, sizeof(dir), DEVICES "%s", holders.s[i]);
		each(dir, look_at_client);
	}

	snprintf(name, sizeof(name), "(%s):", base(cur->path));
	f = fopen("/sys/kernel/debug/dmaengine/summary", "r");
	if (!f && !quiet)
		ksft_print_msg("no debugfs: dmaengine/summary is not looked at\n");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, name)) {
			ksft_print_msg("left over in summary: %s", line);
			left = true;
		}
	if (f)
		fclose(f);
	return left ? KSFT_FAIL : KSFT_PASS;
}

/* Binds everything that was bound at first, the provider before the rest. */
static int step_bind(void)
{
	double end = now() + SETTLE_SECS;
	bool provider = true;
	int missing;

	do {
		missing = 0;
		for (unsigned int i = 0; i < shared->before.devs.n; i++) {
			char path[LINE], whole[PATH_MAX], *driver;
			int ret;

			strcpy(path, shared->before.devs.s[i]);
			driver = strstr(path, " -> ");
			*driver = '\0';
			driver += 4;
			if (provider && strcmp(path, cur->path))
				continue;
			snprintf(whole, sizeof(whole), DEVICES "%s", path);
			if (bound(path) || access(whole, F_OK))
				continue;
			/* A client may have to wait for another one */
			ret = write_driver(path, driver, "bind");
			if (bound(path))
				continue;
			missing++;
			if (now() > end)
				ksft_print_msg("bind %s: %s\n", path, strerror(-ret));
		}
		if (!provider && !missing) {
			shared->unbound = false;
			return KSFT_PASS;
		}
		if (provider && !missing)
			provider = false;
		else
			usleep(100000);
	} while (now() <= end + 1);
	return KSFT_FAIL;
}

static int opened(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	static const char *const class[] = {
		"tty", "sound", "net", "video4linux",
	};

	(void)st;
	for (size_t i = 0; type == FTW_D && i < ARRAY_SIZE(class); i++)
		if (!strcmp(path + ftw->base, class[i]))
			return 1;
	return 0;
}

/* Whether a client requests its channels when somebody opens a port, say. */
static bool has_to_be_opened(const char *dev)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), DEVICES "%s", dev);
	return nftw(path, opened, 16, FTW_PHYS) == 1;
}

/* The number of lines of @a that are not in @b. */
static int differ(const struct list *a, const struct list *b, char sign, int *excused)
{
	int n = 0;

	for (unsigned int i = 0; i < a->n; i++) {
		bool excuse = false;

		if (bsearch(a->s[i], b->s, b->n, LINE, compare))
			continue;
		n++;
		if (!excused)
			continue;
		for (unsigned int j = 0; j < holders.n; j++) {
			char end[LEN + 8];

			snprintf(end, sizeof(end), " -> %s:", holders.s[j]);
			excuse |= strstr(a->s[i], end) && has_to_be_opened(holders.s[j]);
		}
		*excused += excuse;
		ksft_print_msg("%c %s%s\n", sign, a->s[i],
			       excuse ? " (has to be opened)" : "");
	}
	return n;
}

static int step_same(void)
{
	const struct snap *a = &shared->before, *b = &shared->now;
	double end = now() + SETTLE_SECS;
	int n, excused = 0;

	do {
		usleep(50000);
		take(&shared->now);
		n = differ(&a->links, &b->links, '-', NULL) +
		    differ(&b->links, &a->links, '+', NULL) +
		    differ(&a->chans, &b->chans, '-', NULL) +
		    differ(&b->chans, &a->chans, '+', NULL);
		/* Also wait for devices below the clients, such as a card */
		if (!n && !differ(&a->devs, &b->devs, '-', NULL))
			return KSFT_PASS;
	} while (now() < end);

	n = differ(&a->links, &b->links, '-', &excused) +
	    differ(&b->links, &a->links, '+', &excused) +
	    differ(&a->chans, &b->chans, '-', &excused) +
	    differ(&b->chans, &a->chans, '+', &excused);
	/* May have another name now. That all is bound was seen before. */
	for (unsigned int i = 0; i < a->devs.n; i++)
		if (!bsearch(a->devs.s[i], b->devs.s, b->devs.n, LINE, compare))
			ksft_print_msg("has not come back: %s\n", a->devs.s[i]);
	strcpy(shared->why, "a client holds less until it is opened");
	return n > excused ? KSFT_FAIL : n ? KSFT_SKIP : KSFT_PASS;
}

/*
 * The parent.
 */
static void on_signal(int sig)
{
	__atomic_store_n(&got_signal, sig, __ATOMIC_RELAXED);
}

static int signalled(void)
{
	return __atomic_load_n(&got_signal, __ATOMIC_RELAXED);
}

static void print_stack(pid_t pid)
{
	char line[256];
	FILE *f;

	snprintf(line, sizeof(line), "/proc/%d/stack", pid);
	f = fopen(line, "r");
	while (f && fgets(line, sizeof(line), f))
		ksft_print_msg("  %s", line);
	if (f)
		fclose(f);
}

static int run(int (*step)(void))
{
	double end = now() + STEP_SECS;
	bool cut = false, killed = false;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		ksft_exit_fail_perror("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* The parent decides what becomes of this. */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		status = step();
		fflush(stdout);
		_exit(status);
	}

	while (!waitpid(pid, &status, WNOHANG)) {
		if (signalled() && !cut && step != step_bind) {
			end = now() + 2;
			cut = true;
		}
		if (now() > end && killed) {
			ksft_print_msg("nor is it killed\n");
			stuck = true;
			return KSFT_FAIL;
		}
		if (now() > end) {
			if (!cut) {
				ksft_print_msg("does not return:\n");
				print_stack(pid);
			}
			kill(pid, SIGKILL);
			killed = true;
			end = now() + 2;
		}
		usleep(5000);
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (!killed) {
		/* An oops, maybe with locks held */
		ksft_print_msg("died of signal %d\n", WTERMSIG(status));
		stuck = true;
	}
	return KSFT_FAIL;
}

/* Whether the kernel has complained since the last call. */
static bool complaints(void)
{
	static const char *const bad[] = {
		"WARNING: ", "BUG: ", "kernel BUG", "Oops", "Internal error",
		"Unable to handle", "general protection", "UBSAN: ", "INFO: task",
		"INFO: trying", "refcount_t: ", "list_del corruption",
		"list_add corruption", "cannot create duplicate", "rcu: INFO",
	};
	char buf[8192], *text;
	bool found = false;
	ssize_t n;

	while (kmsg >= 0) {
		n = read(kmsg, buf, sizeof(buf) - 1);
		if (n < 0 && errno == EPIPE) {
			ksft_print_msg("some kernel messages are lost\n");
			continue;
		}
		if (n <= 0)
			break;
		buf[n] = '\0';
		text = strchr(buf, ';');
		/* From 8 on the sender is not the kernel */
		if (!text || strtoul(buf, NULL, 10) >= 8)
			continue;
		text[strcspn(text, "\n")] = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
			if (strstr(text, bad[i])) {
				ksft_print_msg("kernel: %s\n", text + 1);
				found = true;
				break;
			}
	}
	return found;
}

/* Binds again and leaves, if a signal says so. */
static void check_signal(void)
{
	if (!signalled())
		return;
	if (shared->unbound)
		run(step_bind);
	ksft_exit_fail_msg("signal %d%s\n", signalled(),
			   shared->unbound ? ", not all is bound again" : "");
}

static void report(const char *test, int result)
{
	if (complaints())
		result = KSFT_FAIL;
	check_signal();
	if (result == KSFT_SKIP)
		ksft_test_result_skip("%s.%s: %s\n", base(cur->path), test, shared->why);
	else
		ksft_test_result(result == KSFT_PASS, "%s.%s\n", base(cur->path), test);
}

static const struct {
	const char *name;
	int (*step)(void);
} steps[] = {
	{ "links", step_links },
	{ "unbind", step_unbind },
	{ "order", step_order },
	{ "gone", step_gone },
	{ "bind", step_bind },
	{ "same", step_same },
};

static int do_rounds(void)
{
	strcpy(shared->why, "none are asked for");
	if (!rounds)
		return KSFT_SKIP;
	for (unsigned int i = 1; i <= rounds; i++) {
		double start = now();

		/* One that has to be opened may be no holder any more */
		load();
		find_holders(cur);
		if (!holders.n) {
			snprintf(shared->why, LEN, "nobody holds a channel any more");
			return KSFT_SKIP;
		}
		for (size_t s = 0; s < ARRAY_SIZE(steps); s++) {
			int ret = run(steps[s].step);

			check_signal();
			if (ret == KSFT_PASS || ret == KSFT_SKIP)
				continue;
			ksft_print_msg("round %u: %s failed\n", i, steps[s].name);
			return KSFT_FAIL;
		}
		ksft_print_msg("round %u: %u clients unbound and back, %.1f s\n", i,
			       holders.n, now() - start);
	}
	return KSFT_PASS;
}

static void test(struct provider *p)
{
	bool go = !stuck, failed = false;

	cur = p;
	quiet = false;
	strcpy(shared->why, "not tried after what has failed");
	if (go) {
		load();
		find_holders(p);
		go = run(take_before) == KSFT_PASS;
	}
	for (size_t s = 0; s < ARRAY_SIZE(steps); s++) {
		int ret = go && !stuck ? run(steps[s].step) : KSFT_SKIP;

		report(steps[s].name, ret);
		if (ret == KSFT_FAIL) {
			failed = true;
			/* To unbind without links is a use-after-free */
			if (steps[s].step == step_links && !force)
				go = false;
			if (steps[s].step == step_bind)
				go = false;
		}
		if (!go || stuck)
			strcpy(shared->why, "not tried after what has failed");
	}
	quiet = true;
	failed |= !go || stuck;
	if (failed)
		strcpy(shared->why, "not tried after what has failed");
	report("rounds", failed ? KSFT_SKIP : do_rounds());
	if (shared->unbound)
		run(step_bind);
}

static void print_usage(void)
{
	printf("usage: devlink [--list] [--provider NAME] [--rounds N] [--force]\n"
	       "  -l, --list           only tell who is linked to whom\n"
	       "  -p, --provider NAME  only this DMA controller, which has to have links\n"
	       "  -r, --rounds N       unbind and bind N times more, 5 if not given\n"
	       "  -f, --force          even if the system needs what is unbound, or if\n"
	       "                       links are missing: the kernel may crash\n"
	       "  -h, --help\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "list", no_argument, NULL, 'l' },
		{ "provider", required_argument, NULL, 'p' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "force", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	struct sigaction sa = { .sa_handler = on_signal };
	unsigned int plan = 0;
	bool list = false;
	int c;

	while ((c = getopt_long(argc, argv, "lp:r:fh", options, NULL)) != -1) {
		switch (c) {
		case 'l':
			list = true;
			break;
		case 'p':
			only = optarg;
			break;
		case 'r':
			rounds = strtoul(optarg, NULL, 0);
			break;
		case 'f':
			force = true;
			break;
		default:
			print_usage();
			return c == 'h' ? KSFT_PASS : KSFT_FAIL;
		}
	}

	if (list) {
		find_providers();
		print_providers();
		return KSFT_PASS;
	}

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("has to be run as root\n");
	if (access("/sys/class/dma", F_OK))
		ksft_exit_skip("no /sys/class/dma\n");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		ksft_exit_fail_perror("mmap");
	find_providers();
	if (!nproviders && !only)
		ksft_exit_skip("no DMA controller\n");

	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0 || lseek(kmsg, 0, SEEK_END) < 0)
		ksft_print_msg("/dev/kmsg: %s, complaints are not seen\n",
			       strerror(errno));

	for (unsigned int i = 0; i < nproviders; i++)
		plan += providers[i].skip[0] ? 1 : ARRAY_SIZE(steps) + 1;
	ksft_set_plan(nproviders ? plan : 1);
	if (!nproviders)
		ksft_test_result_fail("%s: no such DMA controller\n", only);
	for (unsigned int i = 0; i < nproviders; i++) {
		struct provider *p = &providers[i];

		if (p->skip[0])
			ksft_test_result_skip("%s: %s\n", base(p->path), p->skip);
		else
			test(p);
	}

	if (!ksft_get_pass_cnt() && !ksft_get_fail_cnt()) {
		ksft_print_cnts();
		return KSFT_SKIP;
	}
	ksft_finished();
}

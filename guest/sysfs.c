// SPDX-License-Identifier: GPL-2.0
/* What the kernel shows of devices, channels, links and interrupts. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

bool read_text(const char *path, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (len < size - 1) {
		n = read(fd, buf + len, size - 1 - len);
		if (n <= 0)
			break;
		len += n;
	}
	close(fd);
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return true;
}

int write_text(const char *path, const char *text)
{
	int fd, ret = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* The last part of where a symbolic link points. */
static bool link_name(const char *path, char *buf, size_t size)
{
	char target[PATH_LEN];
	const char *name;
	ssize_t n;

	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	name = strrchr(target, '/');
	snprintf(buf, size, "%.*s", (int)size - 1, name ? name + 1 : target);
	return true;
}

bool bound(const struct dev *dev, const char *name, char *driver)
{
	char path[PATH_LEN], buf[NAME_LEN];

	snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/driver", dev->bus,
		 name);
	return link_name(path, driver ? driver : buf, NAME_LEN);
}

/* The module of its driver; false when that is built in. */
bool module_of(const struct dev *dev, char *buf)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "/sys/bus/%s/drivers/%s/module", dev->bus,
		 dev->driver);
	return link_name(path, buf, NAME_LEN);
}

/* Fills in bus and driver; false when there is no such device. */
bool find_device(const char *name, struct dev *dev)
{
	char path[PATH_LEN];
	struct dirent *e;
	bool found = false;
	DIR *dir;

	dir = opendir("/sys/bus");
	if (!dir)
		return false;
	while (!found && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || strlen(e->d_name) >= NAME_LEN)
			continue;
		strcpy(dev->bus, e->d_name);
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s",
			 dev->bus, name);
		found = !access(path, F_OK);
	}
	closedir(dir);
	dev->driver[0] = '\0';
	if (found)
		bound(dev, name, dev->driver);
	return found;
}

static int write_driver(const struct dev *dev, const char *name,
			const char *file)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "/sys/bus/%s/drivers/%s/%s", dev->bus,
		 dev->driver, file);
	/* A driver may hide both files. Then this is left, for binding. */
	if (access(path, F_OK) && !strcmp(file, "bind"))
		snprintf(path, sizeof(path), "/sys/bus/%s/drivers_probe",
			 dev->bus);
	return write_text(path, name);
}

bool can_unbind(const struct dev *dev)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "/sys/bus/%s/drivers/%s/unbind", dev->bus,
		 dev->driver);
	return !access(path, F_OK);
}

int unbind(const struct dev *dev, const char *name)
{
	return write_driver(dev, name, "unbind");
}

int bind(const struct dev *dev, const char *name)
{
	return write_driver(dev, name, "bind");
}

static bool is_of_provider(const char *chan)
{
	char path[PATH_LEN], target[PATH_LEN], part[NAME_LEN + 2];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/dma/%s", chan);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	snprintf(part, sizeof(part), "/%s/", params.controller);
	return strstr(target, part);
}

/* The provider's channels and who holds them. */
int channels(struct chan *chans, int max)
{
	char path[PATH_LEN], use[16];
	struct dirent *e;
	int n = 0;
	DIR *dir;

	dir = opendir("/sys/class/dma");
	if (!dir)
		return 0;
	while (n < max && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || strlen(e->d_name) >= NAME_LEN ||
		    !is_of_provider(e->d_name))
			continue;
		strcpy(chans[n].name, e->d_name);
		snprintf(path, sizeof(path), "/sys/class/dma/%s/slave",
			 chans[n].name);
		if (!link_name(path, chans[n].slave, NAME_LEN))
			chans[n].slave[0] = '\0';
		snprintf(path, sizeof(path), "/sys/class/dma/%s/in_use",
			 chans[n].name);
		chans[n].in_use = read_text(path, use, sizeof(use)) &&
				  atoi(use) > 0;
		n++;
	}
	closedir(dir);
	return n;
}

bool read_link(const char *name, const char *attr, char *buf, size_t size)
{
	char path[2 * PATH_LEN];

	snprintf(path, sizeof(path), "/sys/class/devlink/%s/%s", name, attr);
	return read_text(path, buf, size);
}

/* True when the link is there and all about it is as it should be. */
bool check_link(const char *link, const char *status,
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

void managed_link_name(int c, char *buf, size_t size)
{
	snprintf(buf, size, "%s:%s--%s:%s", shared->provider.bus,
		 params.provider, shared->client[c].bus, params.client[c]);
}

void chan_link_name(const char *chan, int c, char *buf, size_t size)
{
	snprintf(buf, size, "dma:%s--%s:%s", chan, shared->client[c].bus,
		 params.client[c]);
}

/*
 * A link of the provider's: to itself, to one of its channels, or to a channel
 * that is gone.
 */
static bool is_providers_link(const char *link)
{
	char name[2 * NAME_LEN], path[PATH_LEN];
	const char *end;

	snprintf(name, sizeof(name), "%s:%s--", shared->provider.bus,
		 params.provider);
	if (!strncmp(link, name, strlen(name)))
		return true;

	end = strstr(link, "--");
	if (strncmp(link, "dma:", 4) || !end)
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(end - link - 4), link + 4);
	snprintf(path, sizeof(path), "/sys/class/dma/%s", name);
	return is_of_provider(name) || access(path, F_OK);
}

/* A router has no channels, and those that it leads to stay. */
static bool is_router(void)
{
	return strcmp(params.provider, params.controller);
}

/* Whether something of the unbound provider can still be seen, and what. */
bool left_over(char *what, size_t size)
{
	static char summary[8192];
	struct chan chan;
	struct dirent *e;
	bool found = false;
	DIR *dir;

	if (!is_router() && channels(&chan, 1)) {
		snprintf(what, size, "channel %s", chan.name);
		return true;
	}

	dir = opendir("/sys/class/devlink");
	while (dir && !found && (e = readdir(dir))) {
		found = is_providers_link(e->d_name);
		if (found)
			snprintf(what, size, "link %s", e->d_name);
	}
	if (dir)
		closedir(dir);
	if (found)
		return true;

	if (!is_router() &&
	    read_text("/sys/kernel/debug/dmaengine/summary", summary,
		      sizeof(summary)) && strstr(summary, params.provider)) {
		snprintf(what, size, "its entry in dmaengine/summary");
		return true;
	}
	return false;
}

/* All CPUs, all lines of /proc/interrupts that have irq= in them. */
unsigned int dma_irqs(void)
{
	static char text[16384];
	char *line, *save, *p, *end;
	unsigned int sum = 0;

	if (!params.irq || !read_text("/proc/interrupts", text, sizeof(text)))
		return 0;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		p = strchr(line, ':');
		if (!p || !strstr(line, params.irq))
			continue;
		for (p++;; p = end) {
			unsigned int n = strtoul(p, &end, 10);

			if (end == p || *end != ' ')
				break;
			sum += n;
		}
	}
	return sum;
}

static char *list_dir(char *at, char *end, const char *path)
{
	struct dirent **names;
	int n;

	n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		int len = strlen(name);

		/* A card gets another address each time. */
		if (!strncmp(name, "mmc", 3) && strchr(name, ':'))
			len = strchr(name, ':') - name;
		if (name[0] != '.' && at < end)
			at += snprintf(at, end - at, "%s/%.*s\n", path + 5,
				       len, name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return at < end ? at : end;
}

/* All DMA channels, all device links, and all devices of all buses, a line each. */
void list_devices(char *buf, size_t size)
{
	char *at = buf, *end = buf + size - 1, path[PATH_LEN];
	struct dirent **buses;
	int n;

	at = list_dir(at, end, "/sys/class/dma");
	at = list_dir(at, end, "/sys/class/devlink");
	n = scandir("/sys/bus", &buses, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (buses[i]->d_name[0] != '.' &&
		    strlen(buses[i]->d_name) < NAME_LEN) {
			snprintf(path, sizeof(path), "/sys/bus/%s/devices",
				 buses[i]->d_name);
			at = list_dir(at, end, path);
		}
		free(buses[i]);
	}
	if (n >= 0)
		free(buses);
	*at = '\0';
}

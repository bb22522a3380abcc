/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <sys/types.h>

#define MAX_CLIENTS	8
#define MAX_CHANS	96
#define MAX_DEVS	64
#define LISTING_LEN	(64 * 1024)
#define READERS		2
#define NAME_LEN	64
#define PATH_LEN	256
#define LINK_LEN	(4 * NAME_LEN)

/* Exit status of a case that has nothing to test here, as for the kselftests. */
#define SKIPPED		4

/* From the kernel command line; not written after the first fork. */
struct params {
	const char *provider;
	const char *driver;
	const char *tty;
	const char *tx_bit;
	const char *tty_write;
	const char *pcm;
	const char *wake;
	const char *sleep;
	const char *dmatest;
	const char *disk;
	const char *irq;
	const char *cases;
	const char *modules;
	const char *controller;	/* has the channels; the provider may be a router */
	const char *links;	/* the lab: whether there have to be some */
	const char *sleep_links;	/* after sleep an open port has its channel links */
	const char *stop_dmatest;	/* before the machine is restarted */
	unsigned int slow;	/* seconds more for each step */
	unsigned int cksum;
	unsigned int rounds;
	int clients;
	const char *client[MAX_CLIENTS];
};

struct dev {
	char bus[NAME_LEN];
	char driver[NAME_LEN];
};

/* What a client holds, and the links it has. */
struct holding {
	int chans;
	int managed;
	int chan_links;
};

struct chan {
	char name[NAME_LEN];
	char slave[NAME_LEN];	/* empty: no device holds it */
	bool in_use;
};

enum state { IDLE, OPENING, RUNNING, ENDED };

/* A process that keeps a client busy and tells here how it fares. */
struct worker {
	volatile pid_t pid;
	volatile enum state state;
	volatile unsigned int kib;
	volatile unsigned int times;	/* channels were requested, for some */
	volatile unsigned int at;	/* KiB into the disk when it ended */
	volatile int err;		/* errno of the end; 0: end of file */
};

/* Shared by all processes: a case that oopses takes nothing of it along. */
struct shared {
	char case_name[NAME_LEN];
	char step[NAME_LEN];
	volatile unsigned int deadline;
	volatile unsigned int round;
	unsigned int errors, eofs;	/* how readers ended */
	struct dev provider;
	struct dev client[MAX_CLIENTS];
	struct holding before[MAX_CLIENTS];
	struct worker reader[READERS];
	struct worker holder;
	struct worker writer;
	struct worker player;
	struct worker opener;
	struct worker restarter;
	volatile bool restart;	/* the machine, while the workers work */
	char listing[LISTING_LEN];
};

struct test {
	const char *name;
	void (*run)(void);
	/* What is left after a failure is in no known state. */
	bool fatal;
	/* A parameter without which there is nothing to test, or NULL. */
	const char **needs;
	/* Not on every boot, only if it is asked for. */
	bool special;
};

extern struct params params;
extern struct shared *shared;
extern const struct test tests[];
extern const int ntests;

/* init.c */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void skip(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void step(unsigned int seconds, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
unsigned int seconds(void);
unsigned int milliseconds(void);
void pause_ms(unsigned int ms);

/* sysfs.c */
bool read_text(const char *path, char *buf, size_t size);
int write_text(const char *path, const char *text);
bool find_device(const char *name, struct dev *dev);
bool bound(const struct dev *dev, const char *name, char *driver);
bool can_unbind(const struct dev *dev);
int unbind(const struct dev *dev, const char *name);
int bind(const struct dev *dev, const char *name);
int channels(struct chan *chans, int max);
bool read_link(const char *name, const char *attr, char *buf, size_t size);
bool check_link(const char *link, const char *status, const char *remove_on, bool tell);
void managed_link_name(int client, char *buf, size_t size);
void chan_link_name(const char *chan, int client, char *buf, size_t size);
bool left_over(char *what, size_t size);
unsigned int dma_irqs(void);
void list_devices(char *buf, size_t size);
bool module_of(const struct dev *dev, char *buf);

/* load.c */
void start_readers(void);
void start_holder(void);
void stop_holder(void);
void start_writer(void);
void start_player(void);
void start_opener(void);
void start_restarter(void);
bool find_disk(char *path, size_t size);
unsigned int disk_cksum(const char *path, unsigned int *kib);

/* dmatest.c */
extern const char dmatest_client[];
void start_dmatest(const char *max_channels, const char *iterations);
void stop_dmatest(void);
int restart_dmatest(void);
void watch_dmatest(void);
bool dmatest_runs(void);
int dmatest_summary(unsigned int *copies, unsigned int *failures);

/* modules.c */
bool load_modules(void);
int unload_module(const char *name);

/* sleep.c */
int save_rpm(void);
int check_rpm(void);
bool port_sends(void);
int fall_asleep(const char *state, const char *level);

#endif

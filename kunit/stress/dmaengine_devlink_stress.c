// SPDX-License-Identifier: GPL-2.0
/*
 * Stress test of the device links that the dmaengine core makes: threads bind
 * and unbind one DMA controller and its clients, request and release channels,
 * open and close ports, resume and suspend clients, and prepare and unprepare
 * channels, all at random.
 *
 * Every client keeps the rules: it uses a channel only while it holds it, and
 * holds none once its driver is unbound. So the controller must never go while
 * one of its channels is held. KASAN sees it if it does, and so does the
 * controller itself, which moves no data but knows whether it is bound.
 */

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/device/driver.h>
#include <linux/dmaengine.h>
#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/math.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kunit/platform_device.h>
#include <kunit/test.h>

#define CONTROLLER	"dmaengine-stress-controller"
#define HOLDER		"dmaengine-stress-holder"
#define MANAGED		"dmaengine-stress-managed"
#define WORKER		"dmaengine-stress-worker"
#define SELECTOR	"dmaengine-stress-any"
#define PORT		"dmaengine-stress-port"

/* Not every kernel has dma_request_channel_dev() */
#ifdef HAVE_REQUEST_CHANNEL_DEV
#define ANY_CHANNEL true
#else
#define ANY_CHANNEL false
#endif

/* Nor does every kernel have runtime PM of channels */
#ifdef HAVE_CHAN_POWER
#define CHAN_POWER true
#else
#define CHAN_POWER false
#endif

/* Less than the clients want */
#define NR_CHANS	5
#define NR_PORTS	2
#define ALIVE		0x600dd3a1

static unsigned int seconds = 10;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "How long to go on");

static unsigned int seed;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "What the random choices start from, 0 for a random one");

enum count {
	/* What the threads did: each is more than 0 in the end */
	CONTROLLER_BOUND,
	CONTROLLER_UNBOUND,
	CONTROLLER_FAILED,
	UNBOUND_IN_USE,
	NOT_BOUND,
	CLIENT_BOUND,
	CLIENT_UNBOUND,
	CLIENT_DEFERRED,
	CLIENT_FAILED,
	OPENED,
	CLOSED,
	HUNG_UP,
	REQUESTED,
	DEFERRED,
	REFUSED,
	RELEASED,
	TRANSFERS,
	MANUAL,
	KEPT_PREPARED,
	TURNED_ON,
	TURNED_OFF,
	/* What must not happen */
	NR_OPERATIONS,
	DEAD_CONTROLLER = NR_OPERATIONS,
	ALLOCATED_TWICE,
	FREED_TWICE,
	NOT_ALLOCATED,
	NOT_COMPLETED,
	NOT_RESUMED,
	ON_TWICE,
	OFF_TWICE,
	NOT_ON,
	LEFT_ON,
	LEFT_CLIENTS,
	LEFT_PRIVATE,
	LEFT_REFERENCES,
	NR_COUNTS
};

static const char * const count_text[] = {
	[CONTROLLER_BOUND] = "controller bound",
	[CONTROLLER_UNBOUND] = "controller unbound",
	[CONTROLLER_FAILED] = "controllers failed after registration",
	[UNBOUND_IN_USE] = "unbinding started with channels in use",
	[NOT_BOUND] = "attempts to bind that left the device unbound",
	[CLIENT_BOUND] = "clients bound",
	[CLIENT_UNBOUND] = "clients unbound",
	[CLIENT_DEFERRED] = "clients deferred by a refused request",
	[CLIENT_FAILED] = "clients failed after a request",
	[OPENED] = "ports opened",
	[CLOSED] = "ports closed",
	[HUNG_UP] = "ports closed by their unbinding",
	[REQUESTED] = "channels requested",
	[DEFERRED] = "requests refused with -EPROBE_DEFER",
	[REFUSED] = "requests refused with another error",
	[RELEASED] = "channels released",
	[TRANSFERS] = "transfers",
	[MANUAL] = "channels requested that are off until they are prepared",
	[KEPT_PREPARED] = "ports that kept their channel prepared",
	[TURNED_ON] = "channels turned on",
	[TURNED_OFF] = "channels turned off",
	[DEAD_CONTROLLER] = "calls into a controller that is gone",
	[ALLOCATED_TWICE] = "channels allocated twice",
	[FREED_TWICE] = "channels freed that were not allocated",
	[NOT_ALLOCATED] = "transfers on a channel not allocated",
	[NOT_COMPLETED] = "transfers that did not complete",
	[NOT_RESUMED] = "clients or channels that could not be resumed",
	[ON_TWICE] = "channels turned on that were on",
	[OFF_TWICE] = "channels turned off that were off",
	[NOT_ON] = "calls that need the channel on, while it was off",
	[LEFT_ON] = "channels on after unregistration",
	[LEFT_CLIENTS] = "channels held after unregistration",
	[LEFT_PRIVATE] = "private counts left after unregistration",
	[LEFT_REFERENCES] = "controllers referenced after unregistration",
};

/* What a port is while no driver is bound to its device, as a tty port is */
struct port {
	struct mutex lock;	/* protects the rest */
	struct device *dev;	/* NULL while no driver is bound */
	struct dma_chan *chan;	/* NULL while the port is closed */
	bool prepared;
};

/* A probe function has no other way to find its test than this */
static struct {
	atomic_t count[NR_COUNTS];
	atomic_t rolled;	/* the dice, so far */
	atomic_t held;		/* channels */
	u32 seed;
	struct port port[NR_PORTS];
	struct device *controller;
	struct device *client[4 + NR_PORTS];
} s;

#ifdef CONFIG_MODULE_UNLOAD
/* Stands for the module of the controller driver, also if all is built in */
static struct module owner = {
	.state = MODULE_STATE_LIVE,
	.refcnt = ATOMIC_INIT(1),
};
#endif

static void count(enum count what)
{
	atomic_inc(&s.count[what]);
}

static int counted(enum count what)
{
	return atomic_read(&s.count[what]);
}

/*
 * Random below @sides. No state but a counter and no order between threads,
 * which would hide a race from KCSAN.
 */
static u32 dice(u32 sides)
{
	u32 n = atomic_inc_return_relaxed(&s.rolled);

	return reciprocal_scale(jhash_1word(n, s.seed), sides);
}

/* Makes a window wide, but not always */
static void dawdle(void)
{
	if (dice(2))
		fsleep(dice(200));
}

/* The controller */

struct stress_chan {
	struct dma_chan chan;
	struct dma_async_tx_descriptor desc;
	bool allocated;
	bool on;
	bool manual;	/* the client's: it has to prepare it */
};

struct stress_controller {
	struct dma_device dma;
	struct stress_chan *chans;
	u32 magic;
};

static struct stress_chan *to_stress_chan(struct dma_chan *chan)
{
	struct stress_controller *ctl =
		container_of(chan->device, struct stress_controller, dma);

	/* Without KASAN, freed memory is seen by this alone */
	if (WARN_ONCE(READ_ONCE(ctl->magic) != ALIVE,
		      "a channel is used after its controller is gone\n"))
		count(DEAD_CONTROLLER);

	return container_of(chan, struct stress_chan, chan);
}

#ifdef HAVE_CHAN_POWER
static int stress_power_on(struct dma_chan *chan)
{
	struct stress_chan *sc = to_stress_chan(chan);

	dawdle();
	if (sc->on)
		count(ON_TWICE);
	sc->on = true;
	count(TURNED_ON);

	return 0;
}

static int stress_power_off(struct dma_chan *chan)
{
	struct stress_chan *sc = to_stress_chan(chan);

	if (!sc->on)
		count(OFF_TWICE);
	sc->on = false;
	count(TURNED_OFF);
	dawdle();

	return 0;
}
#endif

static void expect_on(struct stress_chan *sc)
{
	if (!sc->on)
		count(NOT_ON);
}

static int stress_alloc_chan(struct dma_chan *chan)
{
	struct stress_chan *sc = to_stress_chan(chan);

	expect_on(sc);
	dawdle();
	if (!dice(16))
		return -EBUSY;
	if (sc->allocated)
		count(ALLOCATED_TWICE);
	sc->allocated = true;
	atomic_inc(&s.held);

	return 1;
}

static void stress_free_chan(struct dma_chan *chan)
{
	struct stress_chan *sc = to_stress_chan(chan);

	dawdle();
	expect_on(sc);
	if (!sc->allocated)
		count(FREED_TWICE);
	sc->allocated = false;
	atomic_dec(&s.held);
}

static dma_cookie_t stress_submit(struct dma_async_tx_descriptor *desc)
{
	struct dma_chan *chan = &to_stress_chan(desc->chan)->chan;

	if (++chan->cookie < DMA_MIN_COOKIE)
		chan->cookie = DMA_MIN_COOKIE;
	desc->cookie = chan->cookie;

	return desc->cookie;
}

static struct dma_async_tx_descriptor *
stress_prep_slave_sg(struct dma_chan *chan, struct scatterlist *sgl,
		     unsigned int sg_len, enum dma_transfer_direction direction,
		     unsigned long flags, void *context)
{
	struct stress_chan *sc = to_stress_chan(chan);

	if (!sc->allocated) {
		count(NOT_ALLOCATED);
		return NULL;
	}
	dma_async_tx_descriptor_init(&sc->desc, chan);
	sc->desc.tx_submit = stress_submit;
	sc->desc.flags = flags;

	return &sc->desc;
}

static void stress_issue_pending(struct dma_chan *chan)
{
	struct stress_chan *sc = to_stress_chan(chan);

	expect_on(sc);
	sc->chan.completed_cookie = chan->cookie;
}

static enum dma_status stress_tx_status(struct dma_chan *chan, dma_cookie_t cookie,
					struct dma_tx_state *state)
{
	if (to_stress_chan(chan)->chan.completed_cookie == cookie)
		return DMA_COMPLETE;

	return DMA_IN_PROGRESS;
}

static int stress_terminate_all(struct dma_chan *chan)
{
	to_stress_chan(chan);

	return 0;
}

static void stress_synchronize(struct dma_chan *chan)
{
	to_stress_chan(chan);
	dawdle();
}

/* Any channel will do, or none now and then */
static bool stress_filter(struct dma_chan *chan, void *param)
{
	to_stress_chan(chan);
	dawdle();

	return dice(16);
}

static const struct dma_slave_map stress_map[] = {
	{ HOLDER, "rx" },
	{ HOLDER, "tx" },
	{ MANAGED, "rx" },
	{ WORKER, "rx" },
	{ SELECTOR, "rx" },
	{ PORT ".0", "rx" },
	{ PORT ".1", "rx" },
};

static struct platform_driver stress_driver;

/* What the driver has got is freed next: nobody may hold a part of it */
static void stress_gone(void *data)
{
	struct stress_controller *ctl = data;
	int i;

	for (i = 0; i < NR_CHANS; i++) {
		if (ctl->chans[i].chan.client_count || ctl->chans[i].allocated)
			count(LEFT_CLIENTS);
#ifdef HAVE_CHAN_POWER
		if (ctl->dma.chan_runtime_pm && ctl->chans[i].on)
			count(LEFT_ON);
#endif
	}
	/* One is the core's own, the controller is private from the beginning */
	if (ctl->dma.privatecnt != 1)
		count(LEFT_PRIVATE);
	if (kref_read(&ctl->dma.ref))
		count(LEFT_REFERENCES);
	WRITE_ONCE(ctl->magic, 0);
}

static int stress_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct stress_controller *ctl;
	int i, ret;

	/* The channels are freed before the controller, as in most drivers */
	ctl = devm_kzalloc(dev, sizeof(*ctl), GFP_KERNEL);
	if (!ctl)
		return -ENOMEM;
	ctl->chans = devm_kcalloc(dev, NR_CHANS, sizeof(*ctl->chans), GFP_KERNEL);
	if (!ctl->chans)
		return -ENOMEM;

	dma_cap_set(DMA_SLAVE, ctl->dma.cap_mask);
	dma_cap_set(DMA_PRIVATE, ctl->dma.cap_mask);
	ctl->dma.dev = dev;
	ctl->dma.create_devlink = true;
	ctl->dma.device_alloc_chan_resources = stress_alloc_chan;
	ctl->dma.device_free_chan_resources = stress_free_chan;
	ctl->dma.device_prep_slave_sg = stress_prep_slave_sg;
	ctl->dma.device_issue_pending = stress_issue_pending;
	ctl->dma.device_tx_status = stress_tx_status;
	ctl->dma.device_terminate_all = stress_terminate_all;
	ctl->dma.device_synchronize = stress_synchronize;
	ctl->dma.filter.fn = stress_filter;
	ctl->dma.filter.map = stress_map;
	ctl->dma.filter.mapcnt = ARRAY_SIZE(stress_map);
	INIT_LIST_HEAD(&ctl->dma.channels);
#ifdef HAVE_CHAN_POWER
	ctl->dma.chan_runtime_pm = dice(4);
	ctl->dma.device_chan_power_on = stress_power_on;
	ctl->dma.device_chan_power_off = stress_power_off;
#endif
	for (i = 0; i < NR_CHANS; i++) {
#ifdef HAVE_CHAN_POWER
		ctl->chans[i].on = !ctl->dma.chan_runtime_pm;
#else
		ctl->chans[i].on = true;
#endif
		ctl->chans[i].chan.device = &ctl->dma;
		list_add_tail(&ctl->chans[i].chan.device_node, &ctl->dma.channels);
	}
	ctl->magic = ALIVE;
	ret = devm_add_action(dev, stress_gone, ctl);
	if (ret)
		return ret;

#ifdef CONFIG_MODULE_UNLOAD
	/* The core looks for it here, registration of the driver needs a real one */
	stress_driver.driver.owner = &owner;
#endif
	ret = dmaenginem_async_device_register(&ctl->dma);
	if (ret)
		return ret;

	/* Requests find the controller, and are refused until it is bound */
	dawdle();
	if (!dice(8)) {
		count(CONTROLLER_FAILED);
		return -ENXIO;
	}
	count(CONTROLLER_BOUND);

	return 0;
}

static void stress_remove(struct platform_device *pdev)
{
	dawdle();
	count(CONTROLLER_UNBOUND);
}

static struct platform_driver stress_driver = {
	.probe = stress_probe,
	.remove = stress_remove,
	.driver = {
		.name = CONTROLLER,
	},
};

/* What all clients do with a channel */

static struct dma_chan *count_request(struct dma_chan *chan)
{
	if (!IS_ERR(chan))
		count(REQUESTED);
	else if (PTR_ERR(chan) == -EPROBE_DEFER)
		count(DEFERRED);
	else
		count(REFUSED);

	return chan;
}

/* Its holder has to prepare a channel that is requested so */
static bool __maybe_unused is_manual(void)
{
	return CHAN_POWER && !dice(3);
}

static struct dma_chan *count_manual(struct dma_chan *chan, bool manual)
{
	count_request(chan);
	if (!IS_ERR(chan))
		to_stress_chan(chan)->manual = manual;
	if (!IS_ERR(chan) && manual)
		count(MANUAL);

	return chan;
}

static struct dma_chan *request(struct device *dev, const char *name)
{
#ifdef HAVE_CHAN_POWER
	if (is_manual())
		return count_manual(dma_request_chan_flags(dev, name, 0), true);
#endif
	return count_manual(dma_request_chan(dev, name), false);
}

static struct dma_chan *devm_request(struct device *dev, const char *name)
{
#ifdef HAVE_CHAN_POWER
	if (is_manual())
		return count_manual(devm_dma_request_chan_flags(dev, name, 0), true);
#endif
	return count_manual(devm_dma_request_chan(dev, name), false);
}

/* A channel of this controller, there may be others */
static bool __maybe_unused is_ours(struct dma_chan *chan, void *param)
{
	return chan->device->device_alloc_chan_resources == stress_alloc_chan &&
	       stress_filter(chan, param);
}

static struct dma_chan *request_any(struct device *dev)
{
#ifdef HAVE_REQUEST_CHANNEL_DEV
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(DMA_SLAVE, mask);

	return count_manual(dma_request_channel_dev(dev, &mask, is_ours, NULL), false);
#else
	return request(dev, "rx");
#endif
}

static void release(struct dma_chan *chan)
{
	dma_release_channel(chan);
	count(RELEASED);
}

static bool prepare(struct dma_chan *chan)
{
#ifdef HAVE_CHAN_POWER
	if (dma_chan_prepare(chan)) {
		count(NOT_RESUMED);
		return false;
	}
#endif
	return true;
}

static void unprepare(struct dma_chan *chan)
{
#ifdef HAVE_CHAN_POWER
	dma_chan_unprepare(chan);
#endif
}

/* Half of the clients use runtime PM, each time they are bound */
static int maybe_enable_runtime_pm(struct device *dev)
{
	return dice(2) ? devm_pm_runtime_enable(dev) : 0;
}

static void transfer(struct device *dev, struct dma_chan *chan)
{
	/* That of a client that is active needs no more than that */
	bool prepared = to_stress_chan(chan)->manual || !dice(4);
	struct dma_async_tx_descriptor *desc;
	dma_cookie_t cookie;
	int resumed;

	dawdle();
	/* -EACCES: this one does not use runtime PM */
	resumed = pm_runtime_resume_and_get(dev);
	if (resumed && resumed != -EACCES) {
		count(NOT_RESUMED);
		return;
	}
	if (prepared && !prepare(chan))
		goto put;
	desc = dmaengine_prep_slave_single(chan, 0, 4, DMA_MEM_TO_DEV, 0);
	if (!desc) {
		count(NOT_COMPLETED);
		goto unprepare;
	}
	cookie = dmaengine_submit(desc);
	dma_async_issue_pending(chan);
	dawdle();
	if (dmaengine_tx_status(chan, cookie, NULL) != DMA_COMPLETE)
		count(NOT_COMPLETED);
	dmaengine_terminate_sync(chan);
	count(TRANSFERS);
unprepare:
	if (prepared)
		unprepare(chan);
put:
	if (!resumed)
		pm_runtime_put_sync(dev);
}

/* How a probe ends that has got @err from a request: deferred, or in silence */
static int probe_error(int err)
{
	if (err != -EPROBE_DEFER)
		return -ENXIO;
	count(CLIENT_DEFERRED);

	return err;
}

/* A client that holds its channels from probe to remove */

struct holder {
	struct dma_chan *rx, *tx;
};

static int holder_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct holder *holder;

	if (maybe_enable_runtime_pm(dev))
		return -ENOMEM;

	holder = devm_kzalloc(dev, sizeof(*holder), GFP_KERNEL);
	if (!holder)
		return -ENOMEM;
	platform_set_drvdata(pdev, holder);

	holder->rx = request(dev, "rx");
	if (IS_ERR(holder->rx))
		return probe_error(PTR_ERR(holder->rx));
	holder->tx = request(dev, "tx");
	if (IS_ERR(holder->tx)) {
		release(holder->rx);
		return probe_error(PTR_ERR(holder->tx));
	}
	transfer(dev, holder->rx);
	if (!dice(8)) {
		release(holder->tx);
		release(holder->rx);
		count(CLIENT_FAILED);
		return -ENXIO;
	}
	count(CLIENT_BOUND);

	return 0;
}

static void holder_remove(struct platform_device *pdev)
{
	struct holder *holder = platform_get_drvdata(pdev);

	transfer(&pdev->dev, holder->tx);
	transfer(&pdev->dev, holder->rx);
	release(holder->tx);
	release(holder->rx);
	count(CLIENT_UNBOUND);
}

static struct platform_driver holder_driver = {
	.probe = holder_probe,
	.remove = holder_remove,
	.driver = {
		.name = HOLDER,
	},
};

/* A client that leaves the release to devres */

static void managed_released(void *data)
{
	count(RELEASED);
}

static int managed_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct dma_chan *chan;
	int ret;

	ret = maybe_enable_runtime_pm(dev);
	if (ret)
		return ret;
	chan = devm_request(dev, "rx");
	if (IS_ERR(chan))
		return probe_error(PTR_ERR(chan));
	ret = devm_add_action_or_reset(dev, managed_released, NULL);
	if (ret)
		return ret;
	platform_set_drvdata(pdev, chan);
	transfer(dev, chan);
	if (!dice(8)) {
		count(CLIENT_FAILED);
		return -ENXIO;
	}
	count(CLIENT_BOUND);

	return 0;
}

static void managed_remove(struct platform_device *pdev)
{
	transfer(&pdev->dev, platform_get_drvdata(pdev));
	count(CLIENT_UNBOUND);
}

static struct platform_driver managed_driver = {
	.probe = managed_probe,
	.remove = managed_remove,
	.driver = {
		.name = MANAGED,
	},
};

/*
 * Clients with a thread that uses a channel now and then: one knows its channel
 * by name, the other takes any channel that can do what it needs.
 */

static int worker_thread(void *data)
{
	struct device *dev = data;
	bool any = !strcmp(dev_name(dev), SELECTOR);
	struct dma_chan *chan;

	while (!kthread_should_stop()) {
		chan = any ? request_any(dev) : request(dev, "rx");
		if (!IS_ERR(chan)) {
			transfer(dev, chan);
			release(chan);
		}
		fsleep(dice(2000));
	}

	return 0;
}

static int worker_probe(struct platform_device *pdev)
{
	struct task_struct *thread;
	int ret;

	ret = maybe_enable_runtime_pm(&pdev->dev);
	if (ret)
		return ret;
	thread = kthread_run(worker_thread, &pdev->dev, "stress-worker");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	platform_set_drvdata(pdev, thread);
	dawdle();
	count(CLIENT_BOUND);

	return 0;
}

static void worker_remove(struct platform_device *pdev)
{
	dawdle();
	kthread_stop(platform_get_drvdata(pdev));
	count(CLIENT_UNBOUND);
}

static_assert(sizeof(SELECTOR) <= PLATFORM_NAME_SIZE);

static const struct platform_device_id worker_ids[] = {
	{ .name = WORKER },
	{ .name = SELECTOR },
	{ }
};

static struct platform_driver worker_driver = {
	.probe = worker_probe,
	.remove = worker_remove,
	.id_table = worker_ids,
	.driver = {
		.name = WORKER,
	},
};

/* A client that has a channel while it is open, as a UART has */

static void port_open(struct port *port)
{
	struct dma_chan *chan;

	guard(mutex)(&port->lock);
	if (!port->dev || port->chan)
		return;
	/* A UART would go on without DMA */
	chan = request(port->dev, "rx");
	if (IS_ERR(chan))
		return;
	port->chan = chan;
	count(OPENED);
	port->prepared = CHAN_POWER && !dice(4) && prepare(chan);
	if (port->prepared)
		count(KEPT_PREPARED);
	transfer(port->dev, chan);
}

static void port_write(struct port *port)
{
	guard(mutex)(&port->lock);
	if (port->chan)
		transfer(port->dev, port->chan);
}

static void port_release(struct port *port)
{
	if (port->prepared)
		unprepare(port->chan);
	release(port->chan);
	port->chan = NULL;
}

static void port_close(struct port *port)
{
	guard(mutex)(&port->lock);
	if (!port->chan)
		return;
	port_release(port);
	count(CLOSED);
}

static int port_probe(struct platform_device *pdev)
{
	struct port *port = &s.port[pdev->id];
	int ret;

	ret = maybe_enable_runtime_pm(&pdev->dev);
	if (ret)
		return ret;
	dawdle();
	guard(mutex)(&port->lock);
	port->dev = &pdev->dev;
	count(CLIENT_BOUND);

	return 0;
}

static void port_remove(struct platform_device *pdev)
{
	struct port *port = &s.port[pdev->id];

	dawdle();
	guard(mutex)(&port->lock);
	port->dev = NULL;
	if (port->chan) {
		transfer(&pdev->dev, port->chan);
		port_release(port);
		count(HUNG_UP);
	}
	count(CLIENT_UNBOUND);
}

static struct platform_driver port_driver = {
	.probe = port_probe,
	.remove = port_remove,
	.driver = {
		.name = PORT,
	},
};

/* The threads. They sleep between two steps, so that all of them get on. */

static void bind(struct device *dev)
{
	if (device_attach(dev) != 1)
		count(NOT_BOUND);
}

static int bind_unbind_controller(void *data)
{
	while (!kthread_should_stop()) {
		fsleep(dice(1000000));
		if (atomic_read(&s.held))
			count(UNBOUND_IN_USE);
		device_release_driver(s.controller);
		fsleep(dice(1000));
		bind(s.controller);
	}

	return 0;
}

static int bind_unbind_clients(void *data)
{
	while (!kthread_should_stop()) {
		struct device *client = s.client[dice(ARRAY_SIZE(s.client))];

		if (dice(3))
			bind(client);
		else
			device_release_driver(client);
		fsleep(dice(2000));
	}

	return 0;
}

static int open_close_ports(void *data)
{
	while (!kthread_should_stop()) {
		struct port *port = &s.port[dice(NR_PORTS)];

		switch (dice(4)) {
		case 0:
			port_close(port);
			break;
		case 1:
			port_write(port);
			break;
		default:
			port_open(port);
		}
		fsleep(dice(1000));
	}

	return 0;
}

/* The test */

KUNIT_DEFINE_ACTION_WRAPPER(stop_thread, kthread_stop, struct task_struct *);

static struct task_struct *run_thread(struct kunit *test, int (*fn)(void *data))
{
	struct task_struct *thread = kthread_run(fn, NULL, "stress");

	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_thread, thread), 0);

	return thread;
}

static struct device *add_device(struct kunit *test, const char *name, int id)
{
	struct platform_device *pdev = kunit_platform_device_alloc(test, name, id);

	KUNIT_ASSERT_NOT_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, kunit_platform_device_add(test, pdev), 0);

	return &pdev->dev;
}

static void unbind_all(void *unused)
{
	int i;

	/* Clients still bind, but none that asks for a channel first */
	device_release_driver(s.controller);
	wait_for_device_probe();
	for (i = 0; i < ARRAY_SIZE(s.client); i++)
		device_release_driver(s.client[i]);
	stress_driver.driver.owner = NULL;
	/* A removed link gives back its references in a work item */
	device_link_wait_removal();
}

static void expect_clean(struct kunit *test, struct device *dev, unsigned int refs)
{
	KUNIT_EXPECT_TRUE_MSG(test, list_empty(&dev->links.suppliers),
			      "link from %s is left", dev_name(dev));
	KUNIT_EXPECT_TRUE_MSG(test, list_empty(&dev->links.consumers),
			      "link to %s is left", dev_name(dev));
	/* That option puts off the release of a link, and of its references */
	if (!IS_ENABLED(CONFIG_DEBUG_KOBJECT_RELEASE))
		KUNIT_EXPECT_EQ_MSG(test, kref_read(&dev->kobj.kref), refs,
				    "references to %s", dev_name(dev));
}

/* A request by name is only ever deferred */
static bool can_happen(int i)
{
	if (i >= MANUAL && i <= TURNED_OFF)
		return CHAN_POWER;

	return i != REFUSED || ANY_CHANNEL;
}

static bool all_happened(void)
{
	int i;

	for (i = 0; i < NR_OPERATIONS; i++)
		if (can_happen(i) && !counted(i))
			return false;

	return true;
}

static void stress(struct kunit *test)
{
	static struct platform_driver * const drivers[] = {
		&stress_driver, &holder_driver, &managed_driver, &worker_driver,
		&port_driver,
	};
	unsigned int refs[ARRAY_SIZE(s.client) + 1];
	static int (* const threads[])(void *data) = {
		bind_unbind_controller, bind_unbind_controller,
		bind_unbind_clients, bind_unbind_clients,
		open_close_ports, open_close_ports,
	};
	struct task_struct *thread[ARRAY_SIZE(threads)];
	unsigned long start, note;
	int i;

	memset(&s, 0, sizeof(s));
	s.seed = seed ?: get_random_u32();
	kunit_info(test, "%u s, seed=%u\n", seconds, s.seed);

	for (i = 0; i < ARRAY_SIZE(drivers); i++)
		KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, drivers[i]), 0);
	s.controller = add_device(test, CONTROLLER, PLATFORM_DEVID_NONE);
	s.client[0] = add_device(test, HOLDER, PLATFORM_DEVID_NONE);
	s.client[1] = add_device(test, MANAGED, PLATFORM_DEVID_NONE);
	s.client[2] = add_device(test, WORKER, PLATFORM_DEVID_NONE);
	s.client[3] = add_device(test, SELECTOR, PLATFORM_DEVID_NONE);
	for (i = 0; i < NR_PORTS; i++) {
		mutex_init(&s.port[i].lock);
		s.client[4 + i] = add_device(test, PORT, i);
	}
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, unbind_all, NULL), 0);
	unbind_all(NULL);
	for (i = 0; i < ARRAY_SIZE(s.client); i++)
		refs[i] = kref_read(&s.client[i]->kobj.kref);
	refs[i] = kref_read(&s.controller->kobj.kref);

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		thread[i] = run_thread(test, threads[i]);

	start = jiffies;
	note = start;
	/* A slow machine takes longer until everything has happened */
	while (time_before(jiffies, start + seconds * HZ) ||
	       (!all_happened() && time_before(jiffies, start + (seconds + 120) * HZ))) {
		msleep(500);
		if (time_before(jiffies, note + 60 * HZ))
			continue;
		note = jiffies;
		kunit_info(test, "%d rounds after %lu s\n",
			   counted(CONTROLLER_UNBOUND), (note - start) / HZ);
	}

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		kunit_release_action(test, stop_thread, thread[i]);
	kunit_release_action(test, unbind_all, NULL);

	kunit_info(test, "%d rounds in %lu s, seed=%u\n",
		   counted(CONTROLLER_UNBOUND), (jiffies - start) / HZ, s.seed);
	for (i = 0; i < NR_OPERATIONS; i++) {
		kunit_info(test, "%8d %s\n", counted(i), count_text[i]);
		if (can_happen(i))
			KUNIT_EXPECT_GT_MSG(test, counted(i), 0, "%s", count_text[i]);
	}
	for (; i < NR_COUNTS; i++)
		KUNIT_EXPECT_EQ_MSG(test, counted(i), 0, "%s", count_text[i]);

	/* Everything is given back */
	KUNIT_EXPECT_EQ(test, counted(CONTROLLER_UNBOUND), counted(CONTROLLER_BOUND));
	KUNIT_EXPECT_EQ(test, counted(CLIENT_UNBOUND), counted(CLIENT_BOUND));
	KUNIT_EXPECT_EQ(test, counted(CLOSED) + counted(HUNG_UP), counted(OPENED));
	KUNIT_EXPECT_EQ(test, counted(RELEASED), counted(REQUESTED));
	KUNIT_EXPECT_EQ(test, counted(TURNED_OFF), counted(TURNED_ON));
	KUNIT_EXPECT_EQ(test, atomic_read(&s.held), 0);
#ifdef CONFIG_MODULE_UNLOAD
	KUNIT_EXPECT_EQ(test, module_refcount(&owner), 0);
#endif
	for (i = 0; i < ARRAY_SIZE(s.client); i++)
		expect_clean(test, s.client[i], refs[i]);
	expect_clean(test, s.controller, refs[i]);
}

static struct kunit_case dmaengine_devlink_stress_cases[] = {
	KUNIT_CASE_SLOW(stress),
	{ }
};

static struct kunit_suite dmaengine_devlink_stress_suite = {
	.name = "dmaengine_devlink_stress",
	.test_cases = dmaengine_devlink_stress_cases,
};

kunit_test_suite(dmaengine_devlink_stress_suite);

MODULE_DESCRIPTION("Stress test of the device links made by the dmaengine core");
MODULE_LICENSE("GPL");

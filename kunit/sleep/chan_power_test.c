// SPDX-License-Identifier: GPL-2.0
/*
 * Channels of a DMA controller that are turned on and off, while the system is
 * suspended and resumed.  A tool for UML, see README.md.
 */

#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/pm_runtime.h>
#include <linux/suspend.h>

#include <kunit/platform_device.h>
#include <kunit/test.h>

#define CONTROLLER	"chan-power-controller"
#define CLIENT		"chan-power-client"

enum phase {
	SUSPEND, SUSPEND_LATE, SUSPEND_NOIRQ, RESUME_NOIRQ, RESUME_EARLY, RESUME, NR_PHASES
};

struct chan_power {
	struct kunit *test;
	struct device *controller, *client;
	struct dma_device dma;
	struct dma_chan chan;
	struct dma_chan *held;
	bool on;
	/* What the client does in each phase */
	unsigned int prepare;
	bool force;
	int ret[NR_PHASES], seen[NR_PHASES];
};

static struct chan_power *to_chan_power(struct device *dev)
{
	return *(struct chan_power **)dev_get_platdata(dev);
}

static int power_on(struct dma_chan *chan)
{
	struct chan_power *t = container_of(chan, struct chan_power, chan);

	KUNIT_EXPECT_FALSE_MSG(t->test, t->on, "turned on while it is on");
	t->on = true;

	return 0;
}

static int power_off(struct dma_chan *chan)
{
	struct chan_power *t = container_of(chan, struct chan_power, chan);

	KUNIT_EXPECT_TRUE_MSG(t->test, t->on, "turned off while it is off");
	t->on = false;

	return 0;
}

static enum dma_status tx_status(struct dma_chan *chan, dma_cookie_t cookie,
				 struct dma_tx_state *state)
{
	return DMA_COMPLETE;
}

static void issue_pending(struct dma_chan *chan)
{
}

static bool filter(struct dma_chan *chan, void *param)
{
	return true;
}

static const struct dma_slave_map map[] = { { CLIENT, "rx" } };

static int in_phase(struct device *dev, enum phase phase)
{
	struct chan_power *t = to_chan_power(dev);

	if (t->prepare & BIT(phase)) {
		t->ret[phase] = dma_chan_prepare(t->held);
		t->seen[phase] = t->on;
		if (!t->ret[phase])
			dma_chan_unprepare(t->held);
	}
	if (t->force && phase == SUSPEND)
		return pm_runtime_force_suspend(dev);
	if (t->force && phase == RESUME)
		return pm_runtime_force_resume(dev);

	return 0;
}

static int client_suspend(struct device *dev) { return in_phase(dev, SUSPEND); }
static int client_suspend_late(struct device *dev) { return in_phase(dev, SUSPEND_LATE); }
static int client_suspend_noirq(struct device *dev) { return in_phase(dev, SUSPEND_NOIRQ); }
static int client_resume_noirq(struct device *dev) { return in_phase(dev, RESUME_NOIRQ); }
static int client_resume_early(struct device *dev) { return in_phase(dev, RESUME_EARLY); }
static int client_resume(struct device *dev) { return in_phase(dev, RESUME); }
static int client_runtime(struct device *dev) { return 0; }

static const struct dev_pm_ops client_pm = {
	SYSTEM_SLEEP_PM_OPS(client_suspend, client_resume)
	LATE_SYSTEM_SLEEP_PM_OPS(client_suspend_late, client_resume_early)
	NOIRQ_SYSTEM_SLEEP_PM_OPS(client_suspend_noirq, client_resume_noirq)
	RUNTIME_PM_OPS(client_runtime, client_runtime, NULL)
};

static struct platform_driver client_driver = {
	.driver = { .name = CLIENT, .pm = &client_pm, .suppress_bind_attrs = true },
};

static struct platform_driver controller_driver = {
	.driver = { .name = CONTROLLER, .suppress_bind_attrs = true },
};

/* Not kunit_platform_device_register_full(), which 6.12 does not have. */
static void unregister_device(void *pdev)
{
	platform_device_unregister(pdev);
}

static struct device *add_device(struct kunit *test, const char *name)
{
	struct platform_device_info info = {
		.name = name,
		.id = PLATFORM_DEVID_NONE,
		.data = &test->priv,
		.size_data = sizeof(test->priv),
	};
	struct platform_device *pdev = platform_device_register_full(&info);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, unregister_device, pdev), 0);

	return &pdev->dev;
}

/* All phases, and no freezer, as in kexec jump. */
static void transition(struct kunit *test)
{
	unsigned int flags = lock_system_sleep();

	KUNIT_EXPECT_EQ(test, dpm_suspend_start(PMSG_SUSPEND), 0);
	KUNIT_EXPECT_EQ(test, dpm_suspend_end(PMSG_SUSPEND), 0);
	dpm_resume_start(PMSG_RESUME);
	dpm_resume_end(PMSG_RESUME);
	unlock_system_sleep(flags);
}

struct chan_power_case {
	const char *name;
	bool controller_pm, client_pm, manual, active, prepared, force;
	bool on;
};

static const struct chan_power_case cases[] = {
	{ "client suspended", .client_pm = true },
	{ "client suspended, controller with runtime PM", .client_pm = true, .controller_pm = true },
	{ "client active", .client_pm = true, .active = true, .on = true },
	{ "client active, controller with runtime PM", .client_pm = true, .controller_pm = true,
	  .active = true, .on = true },
	{ "client without runtime PM", .on = true },
	{ "not prepared", .client_pm = true, .manual = true },
	{ "prepared", .client_pm = true, .manual = true, .prepared = true, .on = true },
	{ "client suspended, force_suspend", .client_pm = true, .force = true },
	{ "client active, force_suspend", .client_pm = true, .active = true, .force = true,
	  .on = true },
};

KUNIT_ARRAY_PARAM_DESC(chan_power, cases, name);

static void start(struct kunit *test, const struct chan_power_case *c)
{
	struct chan_power *t = test->priv;

	if (c->controller_pm)
		pm_runtime_enable(t->controller);
	if (c->client_pm)
		pm_runtime_enable(t->client);
	t->force = c->force;
	t->held = dma_request_chan_flags(t->client, "rx", c->manual ? 0 : DMA_CHAN_AUTO_PREPARE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->held);
	if (c->active)
		KUNIT_ASSERT_EQ(test, pm_runtime_resume_and_get(t->client), 0);
	if (c->prepared)
		KUNIT_ASSERT_EQ(test, dma_chan_prepare(t->held), 0);
	KUNIT_ASSERT_EQ(test, t->on, c->on);
}

static void finish(struct kunit *test, const struct chan_power_case *c)
{
	struct chan_power *t = test->priv;

	if (c->prepared)
		dma_chan_unprepare(t->held);
	if (c->active)
		pm_runtime_put_sync(t->client);
	dma_release_channel(t->held);
	pm_runtime_suspend(&t->chan.dev->device);
	KUNIT_EXPECT_FALSE(test, t->on);
	if (c->client_pm)
		pm_runtime_disable(t->client);
	if (c->controller_pm)
		pm_runtime_disable(t->controller);
}

/* Twice, and with a resume of the channel after each. */
static void keeps_its_state(struct kunit *test)
{
	const struct chan_power_case *c = test->param_value;
	struct chan_power *t = test->priv;
	int i;

	start(test, c);
	for (i = 0; i < 2; i++) {
		transition(test);
		pm_runtime_suspend(&t->chan.dev->device);
		KUNIT_EXPECT_EQ(test, t->on, c->on);
		KUNIT_EXPECT_EQ(test, dma_chan_prepare(t->held), 0);
		KUNIT_EXPECT_TRUE(test, t->on);
		dma_chan_unprepare(t->held);
		pm_runtime_suspend(&t->chan.dev->device);
		KUNIT_EXPECT_EQ(test, t->on, c->on);
	}
	finish(test, c);
}

#define NOIRQ	(BIT(SUSPEND_NOIRQ) | BIT(RESUME_NOIRQ))

/* The client turns on the channel in its own callbacks. It stays on until the end then. */
static void prepare_in_callbacks(struct kunit *test)
{
	static const struct chan_power_case c = { .client_pm = true, .manual = true };
	struct chan_power *t = test->priv;
	int i;

	start(test, &c);
	for (i = 0; i < NR_PHASES; i++) {
		t->prepare = BIT(i);
		transition(test);
		KUNIT_EXPECT_EQ_MSG(test, t->ret[i], NOIRQ & BIT(i) ? -EACCES : 0, "in phase %d", i);
		KUNIT_EXPECT_EQ_MSG(test, t->seen[i], !(NOIRQ & BIT(i)), "in phase %d", i);
		pm_runtime_suspend(&t->chan.dev->device);
		KUNIT_EXPECT_FALSE_MSG(test, t->on, "after phase %d", i);
	}
	finish(test, &c);
}

static int init(struct kunit *test)
{
	struct chan_power *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct dma_device *dma;

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	t->test = test;
	KUNIT_ASSERT_EQ(test, 0, kunit_platform_driver_register(test, &controller_driver));
	KUNIT_ASSERT_EQ(test, 0, kunit_platform_driver_register(test, &client_driver));
	t->controller = add_device(test, CONTROLLER);
	t->client = add_device(test, CLIENT);

	dma = &t->dma;
	INIT_LIST_HEAD(&dma->channels);
	t->chan.device = dma;
	list_add_tail(&t->chan.device_node, &dma->channels);
	dma_cap_set(DMA_SLAVE, dma->cap_mask);
	dma_cap_set(DMA_PRIVATE, dma->cap_mask);
	dma->dev = t->controller;
	dma->create_devlink = true;
	dma->chan_runtime_pm = true;
	dma->device_chan_power_on = power_on;
	dma->device_chan_power_off = power_off;
	dma->device_tx_status = tx_status;
	dma->device_issue_pending = issue_pending;
	dma->filter.fn = filter;
	dma->filter.map = map;
	dma->filter.mapcnt = ARRAY_SIZE(map);

	return dma_async_device_register(dma);
}

static void chan_power_exit(struct kunit *test)
{
	struct chan_power *t = test->priv;

	if (t && t->chan.local)
		dma_async_device_unregister(&t->dma);
}

static struct kunit_case chan_power_cases[] = {
	KUNIT_CASE_PARAM(keeps_its_state, chan_power_gen_params),
	KUNIT_CASE(prepare_in_callbacks),
	{ }
};

static struct kunit_suite chan_power_suite = {
	.name = "chan-power-sleep",
	.init = init,
	.exit = chan_power_exit,
	.test_cases = chan_power_cases,
};

kunit_test_suite(chan_power_suite);

MODULE_DESCRIPTION("DMA channels that are off, in system-wide PM transitions");
MODULE_LICENSE("GPL");

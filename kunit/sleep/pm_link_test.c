// SPDX-License-Identifier: GPL-2.0
/*
 * Device links that are added, removed and used while the system is suspended
 * and resumed.  KUnit runs it, but it suspends all devices of the machine, so it
 * is a tool for UML and QEMU and not a unit test.
 *
 * Each transition is the one of kexec jump and of a suspended Xen guest: all
 * phases of it, but no task is frozen and the CPU does not sleep.
 */

#include <linux/delay.h>
#include <linux/device.h>
#include <linux/mdio.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/etherdevice.h>
#include <linux/phy.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/pm_runtime.h>
#include <linux/regulator/consumer.h>
#include <linux/regulator/driver.h>
#include <linux/regulator/machine.h>
#include <linux/rtnetlink.h>
#include <linux/suspend.h>

#include <kunit/platform_device.h>
#include <kunit/test.h>

#define DRIVER		"pm-link"
#define DEFERRED	"pm-link-deferred"
#define PLAIN		"pm-link-plain"

/* In this order they are registered, so the supplier comes too late. */
enum which { CONSUMER, CHILD, SUPPLIER, NR_DEVICES };

enum phase {
	PREPARE, SUSPEND, SUSPEND_LATE, SUSPEND_NOIRQ,
	RESUME_NOIRQ, RESUME_EARLY, RESUME, COMPLETE, NR_PHASES
};

static const char * const phase_name[] = {
	"prepare", "suspend", "suspend_late", "suspend_noirq",
	"resume_noirq", "resume_early", "resume", "complete",
};

static const char * const device_name[] = { "consumer", "child", "supplier" };

struct pm_link_test;

struct pm_link_dev {
	struct pm_link_test *t;
	struct platform_device *pdev;
	enum which which;
	bool direct_complete;
	int usage_count;
	int count[NR_PHASES];
	/* When the callback was entered and left */
	int start[NR_PHASES], end[NR_PHASES];
};

struct pm_link_test {
	struct pm_link_dev dev[NR_DEVICES];
	atomic_t clock;
	/* Called in each callback */
	int (*hook)(struct pm_link_test *t, enum which which, enum phase phase);
	enum which by;
	enum phase phase;
	u32 flags;
	struct device_link *link;
	int added;
	/* Of the other subsystems */
	struct regulator *regulator;
	struct net_device *ndev;
	struct phy_device *phydev;
	/* A device that is registered in the transition */
	struct device *root;
	/* A device whose probe is deferred */
	struct platform_device *deferred, *plain;
	bool defer;
	int probed;
};

static struct device *to_dev(struct pm_link_test *t, enum which which)
{
	return &t->dev[which].pdev->dev;
}

static int run(struct device *dev, enum phase phase)
{
	struct pm_link_dev *d = *(struct pm_link_dev **)dev_get_platdata(dev);
	int ret = 0;

	d->start[phase] = atomic_inc_return(&d->t->clock);
	d->count[phase]++;
	/* Whoever does not wait is seen. */
	if (device_async_suspend_enabled(dev))
		usleep_range(1000, 2000);
	if (d->t->hook)
		ret = d->t->hook(d->t, d->which, phase);
	d->end[phase] = atomic_inc_return(&d->t->clock);

	return ret;
}

static int pm_link_prepare(struct device *dev)
{
	struct pm_link_dev *d = *(struct pm_link_dev **)dev_get_platdata(dev);

	return run(dev, PREPARE) ?: d->direct_complete;
}

static int pm_link_suspend(struct device *dev)
{
	return run(dev, SUSPEND);
}

static int pm_link_suspend_late(struct device *dev)
{
	return run(dev, SUSPEND_LATE);
}

static int pm_link_suspend_noirq(struct device *dev)
{
	return run(dev, SUSPEND_NOIRQ);
}

static int pm_link_resume_noirq(struct device *dev)
{
	return run(dev, RESUME_NOIRQ);
}

static int pm_link_resume_early(struct device *dev)
{
	return run(dev, RESUME_EARLY);
}

static int pm_link_resume(struct device *dev)
{
	return run(dev, RESUME);
}

static void pm_link_complete(struct device *dev)
{
	run(dev, COMPLETE);
}

static const struct dev_pm_ops pm_link_ops = {
	.prepare = pm_link_prepare,
	.complete = pm_link_complete,
	SYSTEM_SLEEP_PM_OPS(pm_link_suspend, pm_link_resume)
	LATE_SYSTEM_SLEEP_PM_OPS(pm_link_suspend_late, pm_link_resume_early)
	NOIRQ_SYSTEM_SLEEP_PM_OPS(pm_link_suspend_noirq, pm_link_resume_noirq)
};

static int pm_link_probe(struct platform_device *pdev)
{
	pm_runtime_enable(&pdev->dev);

	return 0;
}

static void pm_link_remove(struct platform_device *pdev)
{
	pm_runtime_disable(&pdev->dev);
}

static struct platform_driver pm_link_driver = {
	.probe = pm_link_probe,
	.remove = pm_link_remove,
	.driver = {
		.name = DRIVER,
		.pm = &pm_link_ops,
	},
};

static int deferred_probe(struct platform_device *pdev)
{
	struct pm_link_test *t = *(struct pm_link_test **)dev_get_platdata(&pdev->dev);

	t->probed++;

	return t->defer ? -EPROBE_DEFER : 0;
}

static struct platform_driver deferred_driver = {
	.probe = deferred_probe,
	.driver = {
		.name = DEFERRED,
	},
};

static struct platform_driver plain_driver = {
	.driver = {
		.name = PLAIN "-driver",
	},
};

/* The hooks */

static void add_link(struct pm_link_test *t)
{
	t->added++;
	t->link = device_link_add(to_dev(t, CONSUMER), to_dev(t, SUPPLIER), t->flags);
}

static void del_link(struct pm_link_test *t)
{
	if (t->link && t->flags & DL_FLAG_STATELESS) {
		if (t->flags & DL_FLAG_RPM_ACTIVE)
			pm_runtime_put(to_dev(t, SUPPLIER));
		device_link_del(t->link);
	}
	t->link = NULL;
}

/* Once: a device that is prepared again and again would never end. */
static int hook_add(struct pm_link_test *t, enum which which, enum phase phase)
{
	if (which == t->by && phase == t->phase && !t->added)
		add_link(t);

	return 0;
}

static int hook_add_and_fail(struct pm_link_test *t, enum which which, enum phase phase)
{
	hook_add(t, which, phase);

	return which == t->by && phase == t->phase ? -EBUSY : 0;
}

static int hook_del_and_add(struct pm_link_test *t, enum which which, enum phase phase)
{
	if (which == CONSUMER && phase == SUSPEND)
		del_link(t);
	if (which == CONSUMER && phase == RESUME)
		add_link(t);

	return 0;
}

static int hook_add_and_del(struct pm_link_test *t, enum which which, enum phase phase)
{
	if (which == CONSUMER && phase == SUSPEND)
		add_link(t);
	if (which == CONSUMER && phase == RESUME)
		del_link(t);

	return 0;
}

/* As does phy_attach_direct() with the generic driver: all deferred probes are retried. */
static void retry_deferred_probes(struct pm_link_test *t)
{
	t->plain->dev.driver = &plain_driver.driver;
	if (device_bind_driver(&t->plain->dev))
		t->plain->dev.driver = NULL;
	wait_for_device_probe();
}

static int hook_trigger(struct pm_link_test *t, enum which which, enum phase phase)
{
	if (which == t->by && phase == t->phase && !t->added++)
		retry_deferred_probes(t);

	return 0;
}

/* Helpers */

/* Not kunit_platform_device_register_full(), which 6.12 does not have. */
static void unregister_device(void *pdev)
{
	platform_device_unregister(pdev);
}

static struct platform_device *add_device(struct kunit *test, const char *name, int id,
					  struct device *parent, void *data)
{
	struct platform_device_info info = {
		.parent = parent,
		.name = name,
		.id = id,
		.data = &data,
		.size_data = sizeof(data),
	};
	struct platform_device *pdev = platform_device_register_full(&info);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, unregister_device, pdev), 0);

	return pdev;
}

/* Bit N of @async is for device N. */
static void add_devices(struct kunit *test, unsigned int async)
{
	struct pm_link_test *t = test->priv;
	int i;

	for (i = 0; i < NR_DEVICES; i++) {
		struct pm_link_dev *d = &t->dev[i];
		struct device *parent = i == CHILD ? to_dev(t, CONSUMER) : NULL;

		d->t = t;
		d->which = i;
		d->pdev = add_device(test, DRIVER, i, parent, d);
		KUNIT_ASSERT_TRUE(test, device_is_bound(&d->pdev->dev));
		if (async & BIT(i))
			device_enable_async_suspend(&d->pdev->dev);
		else
			device_disable_async_suspend(&d->pdev->dev);
		d->usage_count = atomic_read(&d->pdev->dev.power.usage_count);
	}
}

static int transition(struct pm_link_test *t)
{
	unsigned int flags;
	int ret, i;

	for (i = 0; i < NR_DEVICES; i++) {
		memset(t->dev[i].count, 0, sizeof(t->dev[i].count));
		memset(t->dev[i].start, 0, sizeof(t->dev[i].start));
		memset(t->dev[i].end, 0, sizeof(t->dev[i].end));
	}

	flags = lock_system_sleep();
	ret = dpm_suspend_start(PMSG_SUSPEND);
	if (!ret) {
		ret = dpm_suspend_end(PMSG_SUSPEND);
		if (!ret)
			dpm_resume_start(PMSG_RESUME);
	}
	dpm_resume_end(PMSG_RESUME);
	unlock_system_sleep(flags);

	return ret;
}

static void expect_once(struct kunit *test, const char *when, enum which which)
{
	struct pm_link_dev *d = &((struct pm_link_test *)test->priv)->dev[which];
	int i;

	for (i = 0; i < NR_PHASES; i++)
		KUNIT_EXPECT_EQ_MSG(test, d->count[i], 1, "%s: %s of %s", when, phase_name[i],
				    device_name[which]);
}

/* The device was left in suspend throughout. */
static void expect_direct_complete(struct kunit *test, const char *when, enum which which)
{
	struct pm_link_dev *d = &((struct pm_link_test *)test->priv)->dev[which];
	int i;

	for (i = 0; i < NR_PHASES; i++)
		KUNIT_EXPECT_EQ_MSG(test, d->count[i], i == PREPARE || i == COMPLETE,
				    "%s: %s of %s", when, phase_name[i], device_name[which]);
}

/* @first is suspended before @second, and resumed after it. */
static void expect_order(struct kunit *test, enum which first, enum which second)
{
	struct pm_link_test *t = test->priv;
	struct pm_link_dev *a = &t->dev[first], *b = &t->dev[second];
	int i;

	for (i = SUSPEND; i <= SUSPEND_NOIRQ; i++)
		KUNIT_EXPECT_LT_MSG(test, a->end[i], b->start[i], "%s of %s and %s",
				    phase_name[i], device_name[first], device_name[second]);
	for (i = RESUME_NOIRQ; i <= RESUME; i++)
		KUNIT_EXPECT_LT_MSG(test, b->end[i], a->start[i], "%s of %s and %s",
				    phase_name[i], device_name[second], device_name[first]);
}

static void expect_runtime_pm_as_before(struct kunit *test, const char *when)
{
	struct pm_link_test *t = test->priv;
	int i;

	for (i = 0; i < NR_DEVICES; i++) {
		struct device *dev = t->dev[i].pdev ? to_dev(t, i) : NULL;

		if (!dev)
			continue;
		pm_runtime_barrier(dev);
		KUNIT_EXPECT_EQ_MSG(test, atomic_read(&dev->power.usage_count),
				    t->dev[i].usage_count, "%s: %s", when, device_name[i]);
		KUNIT_EXPECT_TRUE_MSG(test, pm_runtime_enabled(dev), "%s: %s", when,
				      device_name[i]);
		KUNIT_EXPECT_FALSE_MSG(test, dev->power.is_suspended, "%s: %s", when,
				       device_name[i]);
	}
}

/* One more transition, in the order of the link, and then the link goes. */
static void expect_ordered_transition(struct kunit *test)
{
	struct pm_link_test *t = test->priv;
	int i;

	t->hook = NULL;
	KUNIT_EXPECT_EQ(test, transition(t), 0);
	for (i = 0; i < NR_DEVICES; i++)
		expect_once(test, "second", i);
	expect_order(test, CHILD, CONSUMER);
	expect_order(test, CONSUMER, SUPPLIER);
	del_link(t);
	expect_runtime_pm_as_before(test, "second");
}

/* The cases */

static const struct add {
	enum phase phase;
	enum which by;
	unsigned int async;
	u32 flags;
} adds[] = {
#define ADD(p, b, a)	{ p, b, a, DL_FLAG_STATELESS }
#define BY(b, a)	ADD(PREPARE, b, a), ADD(SUSPEND, b, a), ADD(SUSPEND_LATE, b, a), \
			ADD(SUSPEND_NOIRQ, b, a), ADD(RESUME_NOIRQ, b, a), \
			ADD(RESUME_EARLY, b, a), ADD(RESUME, b, a), ADD(COMPLETE, b, a)
#define ASYNC(a)	BY(CONSUMER, a), BY(SUPPLIER, a)
	ASYNC(0), ASYNC(1), ASYNC(2), ASYNC(3), ASYNC(4), ASYNC(5), ASYNC(6), ASYNC(7),
#define FLAGS(f)	{ SUSPEND, CONSUMER, 0, f }, { SUSPEND, CONSUMER, 7, f }, \
			{ RESUME, CONSUMER, 0, f }, { RESUME, CONSUMER, 7, f }
	FLAGS(DL_FLAG_AUTOREMOVE_CONSUMER),
	FLAGS(DL_FLAG_STATELESS | DL_FLAG_PM_RUNTIME),
	FLAGS(DL_FLAG_STATELESS | DL_FLAG_PM_RUNTIME | DL_FLAG_RPM_ACTIVE),
};

static void describe_async(char *desc, const char *what, unsigned int async)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, async:%s%s%s%s", what,
		 async & BIT(CONSUMER) ? " consumer" : "", async & BIT(CHILD) ? " child" : "",
		 async & BIT(SUPPLIER) ? " supplier" : "", async ? "" : " none");
}

static void describe_add(const struct add *add, char *desc)
{
	char what[64];

	snprintf(what, sizeof(what), "%s of %s, flags %x", phase_name[add->phase],
		 device_name[add->by], add->flags);
	describe_async(desc, what, add->async);
}

KUNIT_ARRAY_PARAM(add, adds, describe_add);

/*
 * Verify that a link added in any phase neither makes the PM core forget a
 * device nor processes it twice, and that the next transition follows the link.
 */
static void pm_link_test_add(struct kunit *test)
{
	const struct add *add = test->param_value;
	struct pm_link_test *t = test->priv;
	int i;

	add_devices(test, add->async);
	t->by = add->by;
	t->phase = add->phase;
	t->flags = add->flags;
	t->hook = hook_add;

	KUNIT_EXPECT_EQ(test, transition(t), 0);
	KUNIT_EXPECT_EQ(test, t->added, 1);
	KUNIT_ASSERT_NOT_NULL(test, t->link);
	for (i = 0; i < NR_DEVICES; i++)
		expect_once(test, "first", i);
	if (!(add->flags & DL_FLAG_RPM_ACTIVE))
		expect_runtime_pm_as_before(test, "first");

	expect_ordered_transition(test);
}

static const unsigned int asyncs[] = { 0, 1, 2, 3, 4, 5, 6, 7 };

static void describe(const unsigned int *async, char *desc)
{
	describe_async(desc, "", *async);
}

KUNIT_ARRAY_PARAM(async, asyncs, describe);

/* Verify the same if the suspend is aborted after the link has been added. */
static void pm_link_test_add_and_abort(struct kunit *test)
{
	struct pm_link_test *t = test->priv;

	add_devices(test, *(unsigned int *)test->param_value);
	t->by = CONSUMER;
	t->phase = SUSPEND;
	t->flags = DL_FLAG_STATELESS;
	t->hook = hook_add_and_fail;

	KUNIT_EXPECT_EQ(test, transition(t), -EBUSY);
	KUNIT_ASSERT_NOT_NULL(test, t->link);
	KUNIT_EXPECT_EQ(test, t->dev[CONSUMER].count[COMPLETE], 1);
	KUNIT_EXPECT_EQ(test, t->dev[CHILD].count[SUSPEND], 1);
	KUNIT_EXPECT_EQ(test, t->dev[CHILD].count[RESUME], 1);
	KUNIT_EXPECT_EQ(test, t->dev[CHILD].count[COMPLETE], 1);
	KUNIT_EXPECT_EQ(test, t->dev[SUPPLIER].count[RESUME], t->dev[SUPPLIER].count[SUSPEND]);
	KUNIT_EXPECT_EQ(test, t->dev[SUPPLIER].count[COMPLETE], 1);
	expect_runtime_pm_as_before(test, "first");

	expect_ordered_transition(test);
}

/* Verify the same if the link is not new, but was removed in suspend(). */
static void pm_link_test_remove_and_add(struct kunit *test)
{
	struct pm_link_test *t = test->priv;
	int i;

	add_devices(test, *(unsigned int *)test->param_value);
	t->flags = DL_FLAG_STATELESS;
	add_link(t);
	KUNIT_ASSERT_NOT_NULL(test, t->link);
	t->hook = hook_del_and_add;

	KUNIT_EXPECT_EQ(test, transition(t), 0);
	KUNIT_EXPECT_EQ(test, t->added, 2);
	KUNIT_ASSERT_NOT_NULL(test, t->link);
	for (i = 0; i < NR_DEVICES; i++)
		expect_once(test, "first", i);
	expect_runtime_pm_as_before(test, "first");

	expect_ordered_transition(test);
}

/* Verify that a link may go in the transition that it was added in. */
static void pm_link_test_add_and_remove(struct kunit *test)
{
	struct pm_link_test *t = test->priv;
	int i;

	add_devices(test, *(unsigned int *)test->param_value);
	t->flags = DL_FLAG_STATELESS;
	t->hook = hook_add_and_del;

	KUNIT_EXPECT_EQ(test, transition(t), 0);
	KUNIT_EXPECT_EQ(test, t->added, 1);
	for (i = 0; i < NR_DEVICES; i++)
		expect_once(test, "first", i);
	KUNIT_EXPECT_TRUE(test, list_empty(&to_dev(t, CONSUMER)->links.suppliers));
	expect_runtime_pm_as_before(test, "first");

	add_link(t);
	KUNIT_ASSERT_NOT_NULL(test, t->link);
	expect_ordered_transition(test);
}

static int hook_unregister(struct pm_link_test *t, enum which which, enum phase phase)
{
	hook_add(t, which, phase);
	if (which == CHILD && phase == RESUME) {
		t->link = NULL;
		platform_device_del(t->dev[SUPPLIER].pdev);
	}

	return 0;
}

/* Verify that the supplier may go in the transition that the link was added in. */
static void pm_link_test_add_and_unregister(struct kunit *test)
{
	struct pm_link_test *t = test->priv;
	struct platform_device *pdev;
	struct pm_link_dev *d = &t->dev[SUPPLIER];

	add_devices(test, *(unsigned int *)test->param_value & ~BIT(SUPPLIER));
	/* Not one of KUnit's, which is unregistered only once. */
	kunit_release_action(test, unregister_device, d->pdev);
	pdev = platform_device_alloc(DRIVER, SUPPLIER);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, platform_device_add_data(pdev, &d, sizeof(d)), 0);
	d->pdev = pdev;
	KUNIT_ASSERT_EQ(test, platform_device_add(pdev), 0);

	t->by = CONSUMER;
	t->phase = SUSPEND;
	t->flags = DL_FLAG_STATELESS;
	t->hook = hook_unregister;

	KUNIT_EXPECT_EQ(test, transition(t), 0);
	d->pdev = NULL;
	platform_device_put(pdev);
	KUNIT_EXPECT_EQ(test, t->added, 1);
	expect_once(test, "first", CONSUMER);
	expect_once(test, "first", CHILD);
	KUNIT_EXPECT_TRUE(test, list_empty(&to_dev(t, CONSUMER)->links.suppliers));
	expect_runtime_pm_as_before(test, "first");

	t->hook = NULL;
	KUNIT_EXPECT_EQ(test, transition(t), 0);
	expect_once(test, "second", CONSUMER);
	expect_once(test, "second", CHILD);
	expect_order(test, CHILD, CONSUMER);
	expect_runtime_pm_as_before(test, "second");
}

/*
 * Verify that a device that is left in suspend stays there, and that its runtime
 * PM is enabled again: the child of a consumer that adds its link in resume().
 */
static void pm_link_test_direct_complete_child(struct kunit *test)
{
	struct pm_link_test *t = test->priv;

	add_devices(test, *(unsigned int *)test->param_value);
	t->dev[CHILD].direct_complete = true;
	t->by = CONSUMER;
	t->phase = RESUME;
	t->flags = DL_FLAG_STATELESS;
	t->hook = hook_add;

	KUNIT_EXPECT_EQ(test, transition(t), 0);
	KUNIT_ASSERT_NOT_NULL(test, t->link);
	expect_once(test, "first", CONSUMER);
	expect_direct_complete(test, "first", CHILD);
	expect_once(test, "first", SUPPLIER);
	expect_runtime_pm_as_before(test, "first");

	t->dev[CHILD].direct_complete = false;
	expect_ordered_transition(test);
}

/*
 * Verify the same for a supplier that has been left in suspend already when the
 * link is added in the suspend() of the consumer.  Not for an async one: nobody
 * knows then which of the two is first.
 */
static void pm_link_test_direct_complete_supplier(struct kunit *test)
{
	struct pm_link_test *t = test->priv;

	add_devices(test, *(unsigned int *)test->param_value & BIT(CHILD));
	t->dev[SUPPLIER].direct_complete = true;
	t->by = CONSUMER;
	t->phase = SUSPEND;
	t->flags = DL_FLAG_STATELESS;
	t->hook = hook_add;

	KUNIT_EXPECT_EQ(test, transition(t), 0);
	KUNIT_ASSERT_NOT_NULL(test, t->link);
	expect_once(test, "first", CONSUMER);
	expect_once(test, "first", CHILD);
	expect_direct_complete(test, "first", SUPPLIER);
	expect_runtime_pm_as_before(test, "first");

	t->dev[SUPPLIER].direct_complete = false;
	expect_ordered_transition(test);
}

/*
 * Verify that a supplier that may remain in suspend is not told to resume after
 * it has passed that on to its own suppliers: this one has none that would.
 */
static void pm_link_test_skip_resume(struct kunit *test)
{
	struct pm_link_test *t = test->priv;
	struct device *dev;
	int i;

	add_devices(test, *(unsigned int *)test->param_value & BIT(CHILD));
	dev = to_dev(t, SUPPLIER);
	dev_pm_set_driver_flags(dev, DPM_FLAG_SMART_SUSPEND | DPM_FLAG_MAY_SKIP_RESUME);
	t->by = CONSUMER;
	t->phase = SUSPEND_NOIRQ;
	t->flags = DL_FLAG_STATELESS;
	t->hook = hook_add;

	KUNIT_EXPECT_EQ(test, transition(t), 0);
	KUNIT_ASSERT_NOT_NULL(test, t->link);
	expect_once(test, "first", CONSUMER);
	expect_once(test, "first", CHILD);
	for (i = SUSPEND_LATE; i <= RESUME_EARLY; i++)
		KUNIT_EXPECT_EQ_MSG(test, t->dev[SUPPLIER].count[i], 0, "%s", phase_name[i]);
	expect_runtime_pm_as_before(test, "first");

	dev_pm_set_driver_flags(dev, 0);
	expect_ordered_transition(test);
}

static int hook_new_supplier(struct pm_link_test *t, enum which which, enum phase phase)
{
	if (which == CHILD && phase == SUSPEND && !t->added++) {
		/* Without a parent, which would have been prepared */
		t->root = root_device_register(PLAIN);
		if (IS_ERR(t->root))
			return PTR_ERR(t->root);
		device_enable_async_suspend(t->root);
	}
	if (which == CONSUMER && phase == SUSPEND)
		t->link = device_link_add(to_dev(t, CONSUMER), t->root, t->flags);

	return 0;
}

/*
 * Verify that a supplier that has been registered in the transition, and so has
 * not been prepared, is not suspended on account of the link.
 */
static void pm_link_test_new_supplier(struct kunit *test)
{
	struct pm_link_test *t = test->priv;
	int i;

	add_devices(test, *(unsigned int *)test->param_value);
	t->flags = DL_FLAG_STATELESS;
	t->hook = hook_new_supplier;

	KUNIT_EXPECT_EQ(test, transition(t), 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->root);
	KUNIT_ASSERT_NOT_NULL(test, t->link);
	for (i = 0; i < NR_DEVICES; i++)
		expect_once(test, "first", i);
	expect_runtime_pm_as_before(test, "first");
	KUNIT_EXPECT_FALSE(test, t->root->power.is_suspended);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->root->power.usage_count), 0);

	t->hook = NULL;
	KUNIT_EXPECT_EQ(test, transition(t), 0);
	for (i = 0; i < NR_DEVICES; i++)
		expect_once(test, "second", i);
	KUNIT_EXPECT_FALSE(test, t->root->power.is_suspended);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->root->power.usage_count), 0);

	del_link(t);
	expect_runtime_pm_as_before(test, "second");
	root_device_unregister(t->root);
}

static int hook_upgrade(struct pm_link_test *t, enum which which, enum phase phase)
{
	if (which == t->by && phase == t->phase && !t->added++)
		t->link = device_link_add(&t->deferred->dev, to_dev(t, SUPPLIER), t->flags);

	return 0;
}

static const u32 upgrades[] = {
	DL_FLAG_STATELESS,
	DL_FLAG_STATELESS | DL_FLAG_PM_RUNTIME,
	DL_FLAG_AUTOREMOVE_SUPPLIER,
};

static void describe_upgrade(const u32 *flags, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "flags %x", *flags);
}

KUNIT_ARRAY_PARAM(upgrade, upgrades, describe_upgrade);

/*
 * Verify the same for a link that did not affect the order before.  Such a link
 * has a consumer without a driver, so look at the child of it.
 */
static void pm_link_test_upgrade(struct kunit *test)
{
	struct pm_link_test *t = test->priv;
	struct device_link *link;

	add_devices(test, 0);
	t->deferred = add_device(test, PLAIN, PLATFORM_DEVID_NONE, NULL, t);
	kunit_release_action(test, unregister_device, t->dev[CHILD].pdev);
	t->dev[CHILD].pdev = add_device(test, DRIVER, CHILD, &t->deferred->dev, &t->dev[CHILD]);
	KUNIT_ASSERT_TRUE(test, device_is_bound(to_dev(t, CHILD)));
	device_disable_async_suspend(to_dev(t, CHILD));
	/* Last, as in the other cases */
	kunit_release_action(test, unregister_device, t->dev[SUPPLIER].pdev);
	t->dev[SUPPLIER].pdev = add_device(test, DRIVER, SUPPLIER, NULL, &t->dev[SUPPLIER]);
	device_disable_async_suspend(to_dev(t, SUPPLIER));
	link = device_link_add(&t->deferred->dev, to_dev(t, SUPPLIER), DL_FLAG_SYNC_STATE_ONLY);
	KUNIT_ASSERT_NOT_NULL(test, link);
	t->by = CONSUMER;
	t->phase = RESUME;
	t->flags = *(u32 *)test->param_value;
	t->hook = hook_upgrade;

	KUNIT_EXPECT_EQ(test, transition(t), 0);
	KUNIT_EXPECT_PTR_EQ(test, t->link, link);
	expect_once(test, "first", CONSUMER);
	expect_once(test, "first", CHILD);
	expect_once(test, "first", SUPPLIER);
	expect_runtime_pm_as_before(test, "first");

	t->hook = NULL;
	KUNIT_EXPECT_EQ(test, transition(t), 0);
	expect_once(test, "second", CHILD);
	expect_once(test, "second", SUPPLIER);
	expect_order(test, CHILD, SUPPLIER);
	del_link(t);
	expect_runtime_pm_as_before(test, "second");
}

static void unbind_plain(void *plain)
{
	device_release_driver(plain);
}

static const enum phase trigger_phases[] = { PREPARE, SUSPEND, RESUME, COMPLETE };

static void describe_trigger(const enum phase *phase, char *desc)
{
	strscpy(desc, phase_name[*phase], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(trigger, trigger_phases, describe_trigger);

/*
 * Verify that a transition does not lose a device that waits for its driver, nor
 * the child of it, if deferred probes are retried; and that its probe is retried
 * after the transition.
 */
static void pm_link_test_deferred_probe(struct kunit *test)
{
	struct pm_link_test *t = test->priv;
	struct device *dev;
	int probed, usage_count;

	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &deferred_driver), 0);
	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &plain_driver), 0);
	t->phase = *(enum phase *)test->param_value;
	/* From the child, that is after prepare() and before complete() of its parent */
	t->by = t->phase == PREPARE || t->phase == COMPLETE ? CHILD : CONSUMER;
	t->plain = add_device(test, PLAIN, PLATFORM_DEVID_NONE, NULL, t);
	t->defer = true;
	add_devices(test, 0);
	t->deferred = add_device(test, DEFERRED, PLATFORM_DEVID_NONE, NULL, t);
	dev = &t->deferred->dev;
	kunit_release_action(test, unregister_device, t->dev[CHILD].pdev);
	t->dev[CHILD].pdev = add_device(test, DRIVER, CHILD, dev, &t->dev[CHILD]);
	KUNIT_ASSERT_TRUE(test, device_is_bound(to_dev(t, CHILD)));
	device_disable_async_suspend(to_dev(t, CHILD));
	KUNIT_ASSERT_FALSE(test, device_is_bound(dev));
	/*
	 * device_add() probes the child before the parent knows it, and a retry at
	 * that time moves the parent behind it.  This one moves both.
	 */
	retry_deferred_probes(t);
	device_release_driver(&t->plain->dev);
	probed = t->probed;
	usage_count = atomic_read(&dev->power.usage_count);
	t->hook = hook_trigger;

	KUNIT_EXPECT_EQ(test, transition(t), 0);
	KUNIT_EXPECT_EQ(test, t->added, 1);
	KUNIT_ASSERT_NOT_NULL(test, t->plain->dev.driver);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, unbind_plain, &t->plain->dev), 0);
	expect_once(test, "first", CONSUMER);
	expect_once(test, "first", CHILD);
	expect_once(test, "first", SUPPLIER);
	expect_runtime_pm_as_before(test, "first");
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->power.usage_count), usage_count);

	wait_for_device_probe();
	KUNIT_EXPECT_GT(test, t->probed, probed);
	t->defer = false;
	KUNIT_EXPECT_EQ(test, device_attach(dev), 1);
}

#if IS_ENABLED(CONFIG_REGULATOR)
static const struct regulator_ops regulator_ops = {};

static const struct regulator_desc regulator_desc = {
	.name = "pm-link",
	.type = REGULATOR_VOLTAGE,
	.owner = THIS_MODULE,
	.ops = &regulator_ops,
	.fixed_uV = 1000000,
	.n_voltages = 1,
};

static int hook_regulator(struct pm_link_test *t, enum which which, enum phase phase)
{
	if (which == CONSUMER && phase == SUSPEND && t->regulator) {
		regulator_put(t->regulator);
		t->regulator = NULL;
	}
	if (which == CONSUMER && phase == RESUME) {
		t->added++;
		t->regulator = regulator_get(to_dev(t, CONSUMER), "power");
	}

	return 0;
}

/* Verify the same with a link that regulator_get() adds in resume(). */
static void pm_link_test_regulator(struct kunit *test)
{
	struct pm_link_test *t = test->priv;
	struct regulator_consumer_supply supply = { .supply = "power" };
	struct regulator_init_data init = {
		.consumer_supplies = &supply, .num_consumer_supplies = 1,
	};
	struct regulator_config config = { .init_data = &init };
	struct regulator_dev *rdev;
	int i;

	add_devices(test, *(unsigned int *)test->param_value);
	supply.dev_name = dev_name(to_dev(t, CONSUMER));
	config.dev = to_dev(t, SUPPLIER);
	rdev = regulator_register(to_dev(t, SUPPLIER), &regulator_desc, &config);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rdev);
	t->hook = hook_regulator;

	KUNIT_EXPECT_EQ(test, transition(t), 0);
	KUNIT_EXPECT_EQ(test, t->added, 1);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, t->regulator);
	for (i = 0; i < NR_DEVICES; i++)
		expect_once(test, "first", i);
	expect_runtime_pm_as_before(test, "first");

	KUNIT_EXPECT_EQ(test, transition(t), 0);
	for (i = 0; i < NR_DEVICES; i++)
		expect_once(test, "second", i);
	expect_runtime_pm_as_before(test, "second");

	if (!IS_ERR_OR_NULL(t->regulator))
		regulator_put(t->regulator);
	regulator_unregister(rdev);
	/* A link holds it until then, and the next one has its name. */
	device_link_wait_removal();
}
#endif

#if IS_ENABLED(CONFIG_PHYLIB)
static int phy_bus_read(struct mii_bus *bus, int addr, int reg)
{
	return reg == MII_BMSR ? BMSR_ANEGCAPABLE | BMSR_100FULL : 0;
}

static int phy_bus_write(struct mii_bus *bus, int addr, int reg, u16 value)
{
	return 0;
}

/* As axienet_suspend() and axienet_resume() do */
static int hook_phy(struct pm_link_test *t, enum which which, enum phase phase)
{
	if (which != CONSUMER)
		return 0;

	rtnl_lock();
	if (phase == SUSPEND && t->ndev->phydev)
		phy_detach(t->phydev);
	if (phase == RESUME) {
		t->added++;
		phy_attach_direct(t->ndev, t->phydev, 0, PHY_INTERFACE_MODE_MII);
	}
	rtnl_unlock();

	return 0;
}

/* Verify the same with a link that phy_attach_direct() adds in resume(). */
static void pm_link_test_phy(struct kunit *test)
{
	struct pm_link_test *t = test->priv;
	struct mii_bus *bus;
	int i;

	add_devices(test, *(unsigned int *)test->param_value);
	bus = mdiobus_alloc();
	KUNIT_ASSERT_NOT_NULL(test, bus);
	bus->name = "pm-link";
	snprintf(bus->id, MII_BUS_ID_SIZE, "pm-link");
	bus->read = phy_bus_read;
	bus->write = phy_bus_write;
	bus->parent = to_dev(t, SUPPLIER);
	bus->phy_mask = ~0;
	KUNIT_ASSERT_EQ(test, mdiobus_register(bus), 0);
	t->phydev = phy_device_create(bus, 1, 0x12345678, false, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->phydev);
	KUNIT_ASSERT_EQ(test, phy_device_register(t->phydev), 0);
	t->ndev = alloc_etherdev(0);
	KUNIT_ASSERT_NOT_NULL(test, t->ndev);
	/* The link is from the parent of the device to the PHY. */
	SET_NETDEV_DEV(t->ndev, to_dev(t, CONSUMER));
	t->hook = hook_phy;

	KUNIT_EXPECT_EQ(test, transition(t), 0);
	KUNIT_EXPECT_EQ(test, t->added, 1);
	KUNIT_EXPECT_NOT_NULL(test, t->ndev->phydev);
	KUNIT_EXPECT_NOT_NULL(test, t->phydev->devlink);
	for (i = 0; i < NR_DEVICES; i++)
		expect_once(test, "first", i);
	expect_runtime_pm_as_before(test, "first");

	KUNIT_EXPECT_EQ(test, transition(t), 0);
	for (i = 0; i < NR_DEVICES; i++)
		expect_once(test, "second", i);

	rtnl_lock();
	if (t->ndev->phydev)
		phy_detach(t->phydev);
	rtnl_unlock();
	expect_runtime_pm_as_before(test, "second");
	free_netdev(t->ndev);
	phy_device_remove(t->phydev);
	phy_device_free(t->phydev);
	mdiobus_unregister(bus);
	mdiobus_free(bus);
}
#endif

static int pm_link_test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct pm_link_test), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &pm_link_driver), 0);

	return 0;
}

static void pm_link_test_exit(struct kunit *test)
{
	struct pm_link_test *t = test->priv;

	if (t)
		del_link(t);
}

static struct kunit_case pm_link_test_cases[] = {
	KUNIT_CASE_PARAM(pm_link_test_add, add_gen_params),
	KUNIT_CASE_PARAM(pm_link_test_add_and_abort, async_gen_params),
	KUNIT_CASE_PARAM(pm_link_test_remove_and_add, async_gen_params),
	KUNIT_CASE_PARAM(pm_link_test_add_and_remove, async_gen_params),
	KUNIT_CASE_PARAM(pm_link_test_add_and_unregister, async_gen_params),
	KUNIT_CASE_PARAM(pm_link_test_direct_complete_child, async_gen_params),
	KUNIT_CASE_PARAM(pm_link_test_direct_complete_supplier, async_gen_params),
	KUNIT_CASE_PARAM(pm_link_test_skip_resume, async_gen_params),
	KUNIT_CASE_PARAM(pm_link_test_new_supplier, async_gen_params),
	KUNIT_CASE_PARAM(pm_link_test_upgrade, upgrade_gen_params),
	KUNIT_CASE_PARAM(pm_link_test_deferred_probe, trigger_gen_params),
#if IS_ENABLED(CONFIG_REGULATOR)
	KUNIT_CASE_PARAM(pm_link_test_regulator, async_gen_params),
#endif
#if IS_ENABLED(CONFIG_PHYLIB)
	KUNIT_CASE_PARAM(pm_link_test_phy, async_gen_params),
#endif
	{}
};

static struct kunit_suite pm_link_test_suite = {
	.name = "pm-link",
	.init = pm_link_test_init,
	.exit = pm_link_test_exit,
	.test_cases = pm_link_test_cases,
};

kunit_test_suite(pm_link_test_suite);

MODULE_DESCRIPTION("Device links in system-wide PM transitions");
MODULE_LICENSE("GPL");

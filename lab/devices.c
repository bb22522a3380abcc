// SPDX-License-Identifier: GPL-2.0
/*
 * Devices of the lab whose driver knows no device tree: the node has the registers and
 * interrupts and a compatible "lab,DRIVER"; here is the name that the driver matches,
 * and its platform data. Built into the arm64 kernels of the lab.
 */
#include <linux/device.h>
#include <linux/init.h>
#include <linux/of.h>
#include <linux/platform_device.h>

static const struct lab_device {
	const char *compatible;
	const char *driver;
	void *data;
} lab_devices[] = {
	{ "lab,sa11x0-dma", "sa11x0-dma" },
};

static int lab_device_added(struct notifier_block *nb, unsigned long action, void *data)
{
	struct device *dev = data;

	if (action != BUS_NOTIFY_ADD_DEVICE)
		return NOTIFY_DONE;

	for (int i = 0; i < ARRAY_SIZE(lab_devices); i++) {
		if (!of_device_is_compatible(dev->of_node, lab_devices[i].compatible))
			continue;
		dev->platform_data = lab_devices[i].data;
		if (device_set_driver_override(dev, lab_devices[i].driver))
			dev_err(dev, "lab: no memory\n");
	}

	return NOTIFY_OK;
}

static struct notifier_block lab_notifier = {
	.notifier_call = lab_device_added,
};

static int __init lab_init(void)
{
	return bus_register_notifier(&platform_bus_type, &lab_notifier);
}
core_initcall(lab_init);

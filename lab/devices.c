// SPDX-License-Identifier: GPL-2.0
/*
 * Devices of the lab whose driver knows no device tree: the node has the registers and
 * interrupts and a compatible "lab,DRIVER"; here is the name that the driver matches,
 * and its platform data. Built into the arm64 kernels of the lab.
 */
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/init.h>
#include <linux/of.h>
#include <linux/of_irq.h>
#include <linux/of_platform.h>
#include <linux/omap-dma.h>
#include <linux/pci.h>
#include <linux/platform_data/amd_qdma.h>
#include <linux/platform_data/amd_xdma.h>
#include <linux/platform_data/dma-mcf-edma.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/timb_dma.h>

/* A client that is found by its name: LAB_DMAS is <0>, which leads nowhere. */
#define LAB_CLIENT	"70fe0000.spdif"

static const struct dma_slave_map mcf_edma_map[] = {
	{ LAB_CLIENT, "tx", MCF_EDMA_FILTER_PARAM(1) },
};

static struct mcf_edma_platform_data mcf_edma_data = {
	.dma_channels = 4,
	.slave_map = mcf_edma_map,
	.slavecnt = ARRAY_SIZE(mcf_edma_map),
};

/* Offsets as in the manual of the OMAP2420: of the controller, and of the first channel. */
#define OMAP_REG(name, offset)	[name] = { offset, 0, OMAP_DMA_REG_32BIT }
#define OMAP_CHAN_REG(name, offset)	[name] = { offset, 0x60, OMAP_DMA_REG_32BIT }

static const struct omap_dma_reg omap_regs[] = {
	OMAP_REG(REVISION, 0x00), OMAP_REG(GCR, 0x78), OMAP_REG(IRQSTATUS_L0, 0x08),
	OMAP_REG(IRQSTATUS_L1, 0x0c), OMAP_REG(IRQENABLE_L0, 0x18),
	OMAP_REG(IRQENABLE_L1, 0x1c), OMAP_REG(OCP_SYSCONFIG, 0x2c), OMAP_REG(CAPS_0, 0x64),
	OMAP_CHAN_REG(CCR, 0x80), OMAP_CHAN_REG(CLNK_CTRL, 0x84), OMAP_CHAN_REG(CICR, 0x88),
	OMAP_CHAN_REG(CSR, 0x8c), OMAP_CHAN_REG(CSDP, 0x90), OMAP_CHAN_REG(CEN, 0x94),
	OMAP_CHAN_REG(CFN, 0x98), OMAP_CHAN_REG(CSSA, 0x9c), OMAP_CHAN_REG(CDSA, 0xa0),
	OMAP_CHAN_REG(CSEI, 0xa4), OMAP_CHAN_REG(CSFI, 0xa8), OMAP_CHAN_REG(CDEI, 0xac),
	OMAP_CHAN_REG(CDFI, 0xb0), OMAP_CHAN_REG(CSAC, 0xb4), OMAP_CHAN_REG(CDAC, 0xb8),
	OMAP_CHAN_REG(CCEN, 0xbc), OMAP_CHAN_REG(CCFN, 0xc0), OMAP_CHAN_REG(COLOR, 0xc4),
	OMAP_CHAN_REG(CDP, 0xd0), OMAP_CHAN_REG(CNDP, 0xd4), OMAP_CHAN_REG(CCDN, 0xd8),
};

static struct omap_dma_dev_attr omap_attr = {
	.dev_caps = RESERVE_CHANNEL | DMA_LINKED_LCH | GLOBAL_PRIORITY |
		    IS_CSSA_32 | IS_CDSA_32,
	.lch_count = 32,
};

static struct omap_system_dma_plat_info omap_data = {
	.reg_map = omap_regs,
	.channel_stride = 0x60,
	.dma_attr = &omap_attr,
};

static struct qdma_queue_info qdma_h2c = { DMA_MEM_TO_DEV };
static struct qdma_queue_info qdma_c2h = { DMA_DEV_TO_MEM };

/* The driver takes two for each of max_mm_channels for granted. */
static struct dma_slave_map qdma_map[] = {
	{ LAB_CLIENT, "tx", QDMA_FILTER_PARAM(&qdma_h2c) },
	{ "nobody", "rx", QDMA_FILTER_PARAM(&qdma_c2h) },
};

static struct qdma_platdata qdma_data = {
	.max_mm_channels = 1,
	.device_map = qdma_map,
};

/* Even channels receive, odd ones send. */
static struct timb_dma_platform_data timb_data = {
	.nr_channels = 4,
	.channels = {
		{ .rx = true, .descriptors = 2, .descriptor_elements = 16 },
		{ .rx = false, .descriptors = 2, .descriptor_elements = 16 },
		{ .rx = true, .descriptors = 2, .descriptor_elements = 16 },
		{ .rx = false, .descriptors = 2, .descriptor_elements = 16 },
	},
};

static struct xdma_chan_info xdma_h2c = { DMA_MEM_TO_DEV };

static struct dma_slave_map xdma_map[] = {
	{ LAB_CLIENT, "tx", XDMA_FILTER_PARAM(&xdma_h2c) },
};

static struct xdma_platdata xdma_data = {
	.max_dma_channels = 1,
	.device_map = xdma_map,
	.device_map_cnt = ARRAY_SIZE(xdma_map),
};

static const struct lab_device {
	const char *compatible;
	const char *driver;
	void *data;
} lab_devices[] = {
	{ "lab,amd-qdma", "amd-qdma", &qdma_data },
	{ "lab,hidma", "hidma" },
	{ "lab,mcf-edma", "mcf-edma", &mcf_edma_data },
	{ "lab,omap-dma", "omap-dma-engine", &omap_data },
	{ "lab,sa11x0-dma", "sa11x0-dma" },
	{ "lab,timb-dma", "timb-dma", &timb_data },
	{ "lab,xdma", "xdma", &xdma_data },
};

/*
 * These drivers look for interrupts in the resources, where the core does not put those
 * of a device tree. Those of one name, or of none, are one range.
 */
static void lab_add_irqs(struct platform_device *pdev)
{
	int i, n = pdev->num_resources, irqs = of_irq_count(pdev->dev.of_node);
	struct resource *res, irq;

	res = kcalloc(n + irqs, sizeof(*res), GFP_KERNEL);
	if (!res)
		return;
	memcpy(res, pdev->resource, n * sizeof(*res));
	for (i = 0; i < irqs; i++) {
		if (of_irq_to_resource(pdev->dev.of_node, i, &irq) <= 0)
			break;
		if (i && !strcmp(res[n - 1].name, irq.name) && res[n - 1].end + 1 == irq.start)
			res[n - 1].end = irq.end;
		else
			res[n++] = irq;
	}
	if (i < irqs || platform_device_add_resources(pdev, res, n))
		dev_err(&pdev->dev, "lab: no interrupts\n");
	kfree(res);
}

static int lab_device_added(struct notifier_block *nb, unsigned long action, void *data)
{
	struct device *dev = data;

	if (action != BUS_NOTIFY_ADD_DEVICE)
		return NOTIFY_DONE;

	for (int i = 0; i < ARRAY_SIZE(lab_devices); i++) {
		if (!of_device_is_compatible(dev->of_node, lab_devices[i].compatible))
			continue;
		dev->platform_data = lab_devices[i].data;
		/* It maps memory for the device above. */
		qdma_data.dma_dev = dev->parent;
		lab_add_irqs(to_platform_device(dev));
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

/* The device of QEMU whose first BAR is memory, and has an interrupt pin */
static void lab_take_ati_vga(struct pci_dev *pdev)
{
	if (device_set_driver_override(&pdev->dev, "plx_dma"))
		pci_err(pdev, "lab: no memory\n");
}
DECLARE_PCI_FIXUP_HEADER(PCI_VENDOR_ID_ATI, 0x5046, lab_take_ati_vga);

/* Devices that have to be below a PCI device are below the host bridge. */
static int __init lab_pci_init(void)
{
	struct device_node *np = of_find_node_by_path("/lab-pci");
	struct pci_dev *pci;

	if (!np)
		return 0;
	pci = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(0, 0));
	if (!pci) {
		pr_err("lab: no PCI device\n");
		return -ENODEV;
	}

	return of_platform_populate(np, NULL, NULL, &pci->dev);
}
late_initcall(lab_pci_init);

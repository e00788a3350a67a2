/* SPDX-License-Identifier: MIT */
/*
 * The class of PCI devices: its properties, and how a device comes to its bus and leaves it. The
 * configuration space is in pci-config.c, BARs are in pci-bar.c, pins in pci-irq.c.
 */
#include <stdio.h>
#include <string.h>
#include <qomet/qom/value.h>
#include "hw/pci/pci-int.h"

/* ---- The property "addr" ---- */

#define SLOT_MAX 31
#define FUNC_MAX 7

/* "04.1", "4" or "-1". */
static GVariant *parse_addr(const Property *prop, const char *text, GError **errp)
{
    unsigned slot, func = 0;
    int end = 0;

    (void)prop;
    if (!strcmp(text, "-1")) {
        return g_variant_new_int64(PCI_ADDR_AUTO);
    }
    if (g_ascii_isxdigit(*text) &&
        ((sscanf(text, "%4x.%1x%n", &slot, &func, &end) == 2 && !text[end]) ||
         (sscanf(text, "%4x%n", &slot, &end) == 1 && !text[end])) &&
        slot <= SLOT_MAX && func <= FUNC_MAX) {
        return g_variant_new_int64(PCI_DEVFN(slot, func));
    }
    qom_error_set(errp, QOM_ERROR_VALUE,
                  "'%s' is no PCI address: device and function in hexadecimal, 00.0 to 1f.7, or "
                  "the device alone",
                  text);
    return NULL;
}

static char *print_addr(const Property *prop, GVariant *value)
{
    int addr = (int)g_variant_get_int64(value);

    (void)prop;
    return addr == PCI_ADDR_AUTO ? g_strdup("-1")
                                 : g_strdup_printf("%02x.%x", PCI_SLOT(addr), PCI_FUNC(addr));
}

static GVariant *get_addr(Object *obj, const Property *prop, GError **errp)
{
    PCIDevice *dev = PCI_DEVICE(obj);

    (void)prop;
    (void)errp;
    return g_variant_new_int64(DEVICE(dev)->parent_bus ? dev->devfn : dev->addr);
}

/* JSON has it as a number or as text. */
static bool set_addr(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    g_autoptr(GVariant) number = NULL;
    int64_t addr;

    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        number = parse_addr(prop, g_variant_get_string(value, NULL), errp);
        if (!number) {
            return false;
        }
        g_variant_ref_sink(number);
    }
    if (!value_get_int(number ? number : value, PCI_ADDR_AUTO, PCI_DEVFN(SLOT_MAX, FUNC_MAX), &addr,
                       errp)) {
        return false;
    }
    PCI_DEVICE(obj)->addr = (int32_t)addr;
    return true;
}

static const PropertyInfo prop_info_pci_addr = {
    .name = "int32",
    .kind = PROP_KIND_OTHER,
    .size = sizeof(int32_t),
    .get = get_addr,
    .set = set_addr,
    .parse = parse_addr,
    .print = print_addr,
};

/* ---- Coming and going ---- */

static bool pci_realize(DeviceState *qdev, GError **errp)
{
    PCIDevice *dev = PCI_DEVICE(qdev);
    PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(dev);

    pci_config_init(dev);
    return pci_add_rom(dev, errp) && (!pc->realize || pc->realize(dev, errp));
}

/* The guest does not find the device any more; who has found it is waited for. */
static void disappear(PCIDevice *dev)
{
    PCIBus *bus = pci_get_bus(dev);
    EntryGuard *guard = pci_bus_guard(bus);
    bool inside = guard && entry_enter(guard);

    if (bus->devices[dev->devfn] == dev) {
        bus->devices[dev->devfn] = NULL;
        for (unsigned i = bus->below->len; i > 0; i--) {
            if (((PCIBus *)g_ptr_array_index(bus->below, i - 1))->bridge == dev) {
                g_ptr_array_remove_index(bus->below, i - 1);
            }
        }
    }
    if (inside) {
        entry_leave(guard);
    }
}

static void pci_unrealize(DeviceState *qdev)
{
    PCIDevice *dev = PCI_DEVICE(qdev);
    PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(dev);

    disappear(dev);
    pci_unmap_regions(dev);
    if (pc->exit) {
        pc->exit(dev);
    }
    pci_set_irq(dev, 0);
}

/* ---- The type ---- */

static void pci_device_instance_init(Object *obj)
{
    PCIDevice *dev = PCI_DEVICE(obj);
    uint32_t size = pci_config_size(dev);

    dev->addr = PCI_ADDR_AUTO;
    dev->config = g_malloc0_n(4, size);
    dev->wmask = dev->config + size;
    dev->w1cmask = dev->wmask + size;
    dev->used = dev->w1cmask + size;
}

static void pci_device_finalize(Object *obj)
{
    g_free(PCI_DEVICE(obj)->config);
}

static const Property pci_props[] = {
    { .name = "addr",
      .info = &prop_info_pci_addr,
      .set_default = true,
      .defval.s = "-1",
      .help = "device and optional function number, example: 06.0 or 06" },
    DEFINE_PROP_BOOL("multifunction", PCIDevice, multifunction, false,
                     .help = "whether other functions may be beside function 0"),
    DEFINE_PROP_STRING("romfile", PCIDevice, romfile,
                       .help = "file of the ROM (default: that of the type; empty: none)"),
    DEFINE_PROP_UINT32("rombar", PCIDevice, rombar, 1, .help = "0: the guest does not see the ROM"),
};

static void pci_device_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    (void)data;
    dc->bus_type = TYPE_PCI_BUS;
    dc->realize = pci_realize;
    dc->unrealize = pci_unrealize;
    pc->config_read = pci_default_read_config;
    pc->config_write = pci_default_write_config;
    pc->class_id = PCI_CLASS_OTHERS;
    device_class_set_props(dc, pci_props);
}

static const TypeInfo pci_types[] = {
    {
        .name = TYPE_PCI_DEVICE,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(PCIDevice),
        .instance_init = pci_device_instance_init,
        .instance_finalize = pci_device_finalize,
        .abstract = true,
        .class_size = sizeof(PCIDeviceClass),
        .class_init = pci_device_class_init,
    },
};
DEFINE_TYPES(pci_types)

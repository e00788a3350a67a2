/* SPDX-License-Identifier: MIT */
/*
 * PCI devices: the header that the author of one reads. A device has a configuration space, up to
 * six BARs and a ROM, an interrupt pin, and reaches memory by itself. Names are QEMU's; numbers of
 * registers are those of <linux/pci_regs.h>, addresses ("[PCI]") of the PCI Local Bus Specification
 * 3.0.
 *
 * The configuration space is read and written inside the guard of the device, by the guest and by
 * the device alike; before realize, in realize and in reset nobody else is there.
 */
#ifndef QOMET_HW_PCI_PCI_H
#define QOMET_HW_PCI_PCI_H

#include <linux/pci.h>
#include <qomet/hw/core/bus.h>
#include <qomet/hw/pci/pci-ids.h>

#define TYPE_PCI_DEVICE "pci-device"
OBJECT_DECLARE_TYPE(PCIDevice, PCIDeviceClass, PCI_DEVICE)
/** Where they sit; see pci-bus.h. */
#define TYPE_PCI_BUS "PCI"
#define TYPE_PCIE_BUS "PCIE"
OBJECT_DECLARE_SIMPLE_TYPE(PCIBus, PCI_BUS)

#define PCI_NUM_PINS 4 /* INTA to INTD */
#define PCI_ROM_SLOT 6 /* the ROM among the regions; those before it are the BARs 0 to 5 */
#define PCI_NUM_REGIONS 7
#define PCI_BAR_UNMAPPED UINT64_MAX
#define PCI_ADDR_AUTO (-1)

typedef struct MSIXState MSIXState;

/** One BAR, or the ROM. */
typedef struct PCIIORegion {
    MemoryRegion *memory; /* NULL: there is none; the device's */
    uint64_t size;        /* of it: a power of two */
    uint8_t type;         /* PCI_BASE_ADDRESS_ bits that the guest reads */
    hwaddr addr;          /* where it is mapped, or PCI_BAR_UNMAPPED; main thread */
} PCIIORegion;

struct PCIDevice {
    DeviceState parent_obj;
    /* Properties: */
    int32_t addr; /* as asked: device << 3 | function, or PCI_ADDR_AUTO */
    bool multifunction;
    uint32_t rombar; /* 0: the ROM is there, but no BAR shows it */
    char *romfile;   /* NULL: that of the class; "": none */
    /* Since it has joined its bus: */
    uint8_t devfn;
    /*
     * The configuration space; which of its bits the guest may write; which it clears by writing
     * ones; which bytes belong to a capability. Each of pci_config_size() bytes, little-endian.
     */
    uint8_t *config, *wmask, *w1cmask, *used;
    PCIIORegion io_regions[PCI_NUM_REGIONS];
    MemoryRegion rom;
    uint8_t irq_level; /* of its pin, as the device has set it */
    /* Offsets of these capabilities; 0: it has none. */
    uint8_t msi_cap, msix_cap, exp_cap;
    MSIXState *msix; /* private to msix.c, as these: */
    MemoryRegion msix_table, msix_pba, msix_bar;
};

struct PCIDeviceClass {
    DeviceClass parent_class;
    /** Fills the configuration space, registers BARs, adds capabilities. May be NULL. */
    bool (*realize)(PCIDevice *dev, GError **errp);
    /** Ends what realize started by itself; nobody is or comes inside. May be NULL. */
    void (*exit)(PCIDevice *dev);
    /**
     * Configuration accesses of the guest; @len is 1, 2 or 4, and they do not cross a multiple of
     * 4. Usually pci_default_read_config() and pci_default_write_config(), or what calls them.
     */
    uint32_t (*config_read)(PCIDevice *dev, uint32_t addr, unsigned len);
    void (*config_write)(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len);
    uint16_t vendor_id, device_id, class_id;    /* class_id: PCI_CLASS_ numbers */
    uint16_t subsystem_vendor_id, subsystem_id; /* 0, 0: those of QEMU, 1af4:1100 */
    uint8_t revision;
    bool is_bridge;      /* has the header of a bridge (type 1) */
    bool is_express;     /* has 4096 bytes of configuration space */
    const char *romfile; /* looked for like firmware; or NULL */
};

/* ---- Configuration space ---- */

static inline uint32_t pci_config_size(const PCIDevice *dev)
{
    return PCI_DEVICE_GET_CLASS(dev)->is_express ? PCI_CFG_SPACE_EXP_SIZE : PCI_CFG_SPACE_SIZE;
}

/** Little-endian values at @p, of any alignment. */
static inline void pci_set_byte(uint8_t *p, uint8_t v)
{
    *p = v;
}
static inline uint8_t pci_get_byte(const uint8_t *p)
{
    return *p;
}
static inline void pci_set_word(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}
static inline uint16_t pci_get_word(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}
static inline void pci_set_long(uint8_t *p, uint32_t v)
{
    pci_set_word(p, (uint16_t)v);
    pci_set_word(p + 2, (uint16_t)(v >> 16));
}
static inline uint32_t pci_get_long(const uint8_t *p)
{
    return pci_get_word(p) | (uint32_t)pci_get_word(p + 2) << 16;
}
static inline void pci_set_quad(uint8_t *p, uint64_t v)
{
    pci_set_long(p, (uint32_t)v);
    pci_set_long(p + 4, (uint32_t)(v >> 32));
}
static inline uint64_t pci_get_quad(const uint8_t *p)
{
    return pci_get_long(p) | (uint64_t)pci_get_long(p + 4) << 32;
}

/** Which pin the device has: 1 for INTA to 4, 0 for none. In realize. */
static inline void pci_config_set_interrupt_pin(uint8_t *config, uint8_t pin)
{
    config[PCI_INTERRUPT_PIN] = pin;
}

/** What is in the space; all ones past its end. Inside the guard. */
QOM_EXPORT uint32_t pci_default_read_config(PCIDevice *dev, uint32_t addr, unsigned len);
/**
 * Writes what wmask and w1cmask let through, and does what follows from it: BARs move (when the
 * access is over, before the guest goes on), the pin and the messages follow their enabling bits.
 */
QOM_EXPORT void pci_default_write_config(PCIDevice *dev, uint32_t addr, uint32_t value,
                                         unsigned len);

/**
 * Adds a capability of @size bytes, at @offset (a multiple of 4) or, with 0, where there is room;
 * the guest cannot write it until wmask says so. Returns its offset, or 0 with @errp set: no room,
 * or it overlaps another one. In realize.
 */
QOM_EXPORT uint8_t pci_add_capability(PCIDevice *dev, uint8_t id, uint8_t offset, uint8_t size,
                                      GError **errp);
/** The offset of the capability @id, or 0. */
QOM_EXPORT uint8_t pci_find_capability(const PCIDevice *dev, uint8_t id);

/* ---- Regions ---- */

/**
 * Makes @mr, whose size is a power of two, the BAR @n (0 to 5). @type:
 * PCI_BASE_ADDRESS_SPACE_IO, or PCI_BASE_ADDRESS_SPACE_MEMORY with PCI_BASE_ADDRESS_MEM_TYPE_64
 * (takes the next BAR too) and PCI_BASE_ADDRESS_MEM_PREFETCH. A BAR has at least 16 bytes of
 * memory or 4 ports. In realize; the device stays @mr's owner, and mapping it is not its business.
 */
QOM_EXPORT void pci_register_bar(PCIDevice *dev, unsigned n, uint8_t type, MemoryRegion *mr);
/** Where the guest has put the BAR @n, or PCI_BAR_UNMAPPED. Main thread. */
QOM_EXPORT hwaddr pci_get_bar_addr(const PCIDevice *dev, unsigned n);

/* ---- Interrupts ---- */

/** Sets the level of the device's pin. Inside its guard. */
QOM_EXPORT void pci_set_irq(PCIDevice *dev, int level);
static inline void pci_irq_assert(PCIDevice *dev)
{
    pci_set_irq(dev, 1);
}
static inline void pci_irq_deassert(PCIDevice *dev)
{
    pci_set_irq(dev, 0);
}
/** The pin as a line; one reference, the caller's. It is set inside the device's guard. */
QOM_EXPORT qemu_irq pci_allocate_irq(PCIDevice *dev);

/* ---- Memory ---- */

/**
 * DMA: reaches RAM only, and only while the guest lets the device be a bus master. MEMTX_OK or the
 * first error. Inside the guard.
 */
QOM_EXPORT MemTxResult pci_dma_read(PCIDevice *dev, hwaddr addr, void *buf,
                                    uint64_t len) G_GNUC_WARN_UNUSED_RESULT;
QOM_EXPORT MemTxResult pci_dma_write(PCIDevice *dev, hwaddr addr, const void *buf,
                                     uint64_t len) G_GNUC_WARN_UNUSED_RESULT;

#endif

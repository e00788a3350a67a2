/* SPDX-License-Identifier: MIT */
/*
 * "edu": a PCI device for learning how drivers are written, with the registers of QEMU's
 * (docs/specs/edu): an identification, a value that comes back inverted, a factorial that takes a
 * while, an interrupt - pin or message - that is raised and acknowledged, and DMA between memory and
 * a buffer of 4 KiB. A transfer that leaves the buffer is refused.
 */
#include <string.h>
#include <qomet/hw/pci/msi.h>
#include <qomet/hw/pci/pci.h>

#define TYPE_EDU "edu"
OBJECT_DECLARE_SIMPLE_TYPE(EduState, EDU)

#define BAR_SIZE (UINT64_C(1) << 20)
#define REVISION 0x10
#define IDENTIFICATION 0x010000ed

/* Registers of 4 bytes below 0x80, of 4 or 8 from there on. */
#define REG_ID 0x00
#define REG_INVERT 0x04
#define REG_FACTORIAL 0x08
#define REG_STATUS 0x20
#define REG_IRQ_STATUS 0x24
#define REG_IRQ_RAISE 0x60
#define REG_IRQ_ACK 0x64
#define REG_DMA_SRC 0x80
#define REG_DMA_DST 0x88
#define REG_DMA_COUNT 0x90
#define REG_DMA_CMD 0x98
#define WIDE_REGISTERS 0x80

#define STATUS_COMPUTING 0x01
#define STATUS_IRQ_FACTORIAL 0x80 /* the only bit that is written */

#define IRQ_FACTORIAL 0x01
#define IRQ_DMA 0x100

#define DMA_RUN 0x01
#define DMA_TO_MEMORY 0x02 /* else from memory to the buffer */
#define DMA_IRQ 0x04

#define BUFFER_START 0x40000 /* where it is for source and destination */
#define BUFFER_SIZE 4096

/* What the two take. */
#define FACTORIAL_NS (1 * SCALE_US)
#define DMA_NS (100 * SCALE_MS)

struct EduState {
    PCIDevice parent_obj;
    MemoryRegion mmio;
    QEMUTimer factorial_timer, dma_timer;
    uint64_t dma_mask; /* property: bits of memory addresses that the device has */
    uint32_t inverted, factorial, status, irq_status;
    uint64_t dma_src, dma_dst, dma_count, dma_cmd;
    uint8_t buffer[BUFFER_SIZE];
};

/* ---- Interrupts ---- */

static void raise_irq(EduState *s, uint32_t bits)
{
    PCIDevice *dev = &s->parent_obj;

    s->irq_status |= bits;
    if (s->irq_status && msi_enabled(dev)) {
        msi_notify(dev, 0);
    } else if (s->irq_status) {
        pci_set_irq(dev, 1);
    }
}

static void lower_irq(EduState *s, uint32_t bits)
{
    s->irq_status &= ~bits;
    if (!s->irq_status && !msi_enabled(&s->parent_obj)) {
        pci_set_irq(&s->parent_obj, 0);
    }
}

/* ---- The factorial ---- */

/* Of more than 33 it is 0 modulo 2^32, so nobody has to wait for the multiplications. */
static uint32_t factorial(uint32_t n)
{
    uint32_t product = n < 34;

    for (uint32_t i = 2; i <= n && product; i++) {
        product *= i;
    }
    return product;
}

static void factorial_done(void *opaque)
{
    EduState *s = opaque;

    s->factorial = factorial(s->factorial);
    s->status &= ~STATUS_COMPUTING;
    if (s->status & STATUS_IRQ_FACTORIAL) {
        raise_irq(s, IRQ_FACTORIAL);
    }
}

static void start_factorial(EduState *s, uint32_t n)
{
    if (s->status & STATUS_COMPUTING) {
        return;
    }
    s->factorial = n;
    s->status |= STATUS_COMPUTING;
    timer_mod(&s->factorial_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + FACTORIAL_NS);
}

/* ---- DMA ---- */

/* The part of the buffer from @addr on; NULL when not all @count bytes are in it. */
static uint8_t *buffer_at(EduState *s, uint64_t addr, uint64_t count)
{
    if (addr < BUFFER_START || addr - BUFFER_START > BUFFER_SIZE ||
        count > BUFFER_SIZE - (addr - BUFFER_START)) {
        return NULL;
    }
    return s->buffer + (addr - BUFFER_START);
}

static MemTxResult transfer(EduState *s)
{
    bool to_memory = s->dma_cmd & DMA_TO_MEMORY;
    uint8_t *buffer = buffer_at(s, to_memory ? s->dma_src : s->dma_dst, s->dma_count);

    if (!buffer) {
        return MEMTX_ERROR;
    }
    return to_memory ? pci_dma_write(&s->parent_obj, s->dma_dst & s->dma_mask, buffer, s->dma_count)
                     : pci_dma_read(&s->parent_obj, s->dma_src & s->dma_mask, buffer, s->dma_count);
}

static void dma_done(void *opaque)
{
    EduState *s = opaque;

    if (!(s->dma_cmd & DMA_RUN)) {
        return;
    }
    if (transfer(s) != MEMTX_OK) {
        qemu_log_mask(LOG_GUEST_ERROR,
                      "edu: a transfer of 0x%" G_GINT64_MODIFIER
                      "x bytes from 0x%" G_GINT64_MODIFIER "x to 0x%" G_GINT64_MODIFIER
                      "x leaves its buffer or RAM\n",
                      s->dma_count, s->dma_src, s->dma_dst);
    }
    s->dma_cmd &= ~DMA_RUN;
    if (s->dma_cmd & DMA_IRQ) {
        raise_irq(s, IRQ_DMA);
    }
}

/* While a transfer runs, its registers stay as they are. */
static void set_dma(EduState *s, uint64_t *reg, uint64_t value)
{
    if (!(s->dma_cmd & DMA_RUN)) {
        *reg = value;
    }
}

static void start_dma(EduState *s, uint64_t cmd)
{
    if (!(cmd & DMA_RUN) || (s->dma_cmd & DMA_RUN)) {
        return;
    }
    s->dma_cmd = cmd & (DMA_RUN | DMA_TO_MEMORY | DMA_IRQ);
    timer_mod(&s->dma_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + DMA_NS);
}

/* ---- Registers ---- */

static uint64_t edu_read(void *opaque, hwaddr addr, unsigned size)
{
    EduState *s = opaque;

    if (addr < WIDE_REGISTERS && size != 4) {
        return UINT64_MAX;
    }
    switch (addr) {
    case REG_ID:
        return IDENTIFICATION;
    case REG_INVERT:
        return s->inverted;
    case REG_FACTORIAL:
        return s->factorial;
    case REG_STATUS:
        return s->status;
    case REG_IRQ_STATUS:
        return s->irq_status;
    case REG_DMA_SRC:
        return s->dma_src;
    case REG_DMA_DST:
        return s->dma_dst;
    case REG_DMA_COUNT:
        return s->dma_count;
    case REG_DMA_CMD:
        return s->dma_cmd;
    default:
        return UINT64_MAX;
    }
}

static void edu_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    EduState *s = opaque;

    if (addr < WIDE_REGISTERS && size != 4) {
        return;
    }
    switch (addr) {
    case REG_INVERT:
        s->inverted = ~(uint32_t)data;
        break;
    case REG_FACTORIAL:
        start_factorial(s, (uint32_t)data);
        break;
    case REG_STATUS:
        s->status = (s->status & ~STATUS_IRQ_FACTORIAL) | (data & STATUS_IRQ_FACTORIAL);
        break;
    case REG_IRQ_RAISE:
        raise_irq(s, (uint32_t)data);
        break;
    case REG_IRQ_ACK:
        lower_irq(s, (uint32_t)data);
        break;
    case REG_DMA_SRC:
        set_dma(s, &s->dma_src, data);
        break;
    case REG_DMA_DST:
        set_dma(s, &s->dma_dst, data);
        break;
    case REG_DMA_COUNT:
        set_dma(s, &s->dma_count, data);
        break;
    case REG_DMA_CMD:
        start_dma(s, data);
        break;
    default:
        break;
    }
}

static const MemoryRegionOps edu_ops = {
    .read = edu_read,
    .write = edu_write,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 8 },
    .name = "edu",
};

/* ---- The device ---- */

static bool edu_realize(PCIDevice *dev, GError **errp)
{
    EduState *s = EDU(dev);

    pci_config_set_interrupt_pin(dev->config, 1);
    memory_region_init_io(&s->mmio, OBJECT(dev), &edu_ops, s, "edu-mmio", BAR_SIZE);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mmio);
    return msi_init(dev, 0, 1, true, false, errp);
}

static void edu_exit(PCIDevice *dev)
{
    timer_del(&EDU(dev)->factorial_timer);
    timer_del(&EDU(dev)->dma_timer);
}

/* The core of PCI lowers the pin. */
static void edu_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    EduState *s = EDU(obj);

    timer_del(&s->factorial_timer);
    timer_del(&s->dma_timer);
    s->inverted = s->factorial = s->status = s->irq_status = 0;
    s->dma_src = s->dma_dst = s->dma_count = s->dma_cmd = 0;
    memset(s->buffer, 0, sizeof(s->buffer));
}

static void edu_init(Object *obj)
{
    EduState *s = EDU(obj);
    EntryGuard *guard = &DEVICE(obj)->guard;

    timer_init_ns(&s->factorial_timer, QEMU_CLOCK_VIRTUAL, factorial_done, s, guard);
    timer_init_ns(&s->dma_timer, QEMU_CLOCK_VIRTUAL, dma_done, s, guard);
}

static const Property edu_props[] = {
    DEFINE_PROP_UINT64("dma_mask", EduState, dma_mask, (UINT64_C(1) << 28) - 1,
                       .help = "bits of memory addresses that its DMA has"),
};

static const DeviceField edu_fields[] = {
    DEVICE_FIELD(EduState, inverted),  DEVICE_FIELD(EduState, factorial),
    DEVICE_FIELD(EduState, status),    DEVICE_FIELD(EduState, irq_status),
    DEVICE_FIELD(EduState, dma_src),   DEVICE_FIELD(EduState, dma_dst),
    DEVICE_FIELD(EduState, dma_count), DEVICE_FIELD(EduState, dma_cmd),
    DEVICE_ARRAY(EduState, buffer),    { NULL, 0, 0, 0, 0 },
};

static void edu_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "device for learning: MMIO, DMA, interrupts";
    dc->state = edu_fields;
    pc->realize = edu_realize;
    pc->exit = edu_exit;
    pc->vendor_id = PCI_VENDOR_ID_QEMU;
    pc->device_id = PCI_DEVICE_ID_QEMU_EDU;
    pc->revision = REVISION;
    pc->class_id = PCI_CLASS_OTHERS;
    device_class_set_reset(dc, edu_reset);
    device_class_set_props(dc, edu_props);
}

static const TypeInfo edu_types[] = {
    {
        .name = TYPE_EDU,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(EduState),
        .instance_init = edu_init,
        .class_init = edu_class_init,
    },
};
DEFINE_TYPES(edu_types)

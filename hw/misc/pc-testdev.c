/* SPDX-License-Identifier: MIT */
/*
 * "pc-testdev": ports for test kernels of a PC, as QEMU's of that name: a register of 4 bytes, the
 * same by bytes, a port that has the host forget where a page of the guest is, one port for each
 * interrupt line, and 64 KiB of memory that is reached by exits.
 */
#include <string.h>
#include <sys/mman.h>
#include <qomet/hw/isa/isa-bus.h>

#define TYPE_PC_TESTDEV "pc-testdev"
OBJECT_DECLARE_SIMPLE_TYPE(PCTestdev, PC_TESTDEV)

#define PORT_DATA 0xe0
#define PORT_FLUSH 0xe4
#define PORT_BYTES 0xe8
#define PORT_LINES 0x2000
#define LINES 24 /* of them, those that the ISA bus has lead somewhere */
#define MEMORY 0xff000000
#define MEMORY_BYTES 0x10000
#define PAGE 4096

struct PCTestdev {
    ISADevice parent_obj;
    MemoryRegion data_mr, bytes_mr, flush_mr, lines_mr, memory_mr;
    qemu_irq lines[ISA_NUM_IRQS];
    uint32_t data;
    uint8_t memory[MEMORY_BYTES];
};

/* ---- A register ---- */

static uint32_t mask_of(hwaddr addr, unsigned size)
{
    return (UINT32_MAX >> (32 - 8 * size)) << (8 * addr);
}

static uint64_t data_read(void *opaque, hwaddr addr, unsigned size)
{
    const PCTestdev *s = opaque;

    return (s->data & mask_of(addr, size)) >> (8 * addr);
}

static void data_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PCTestdev *s = opaque;

    s->data = (s->data & ~mask_of(addr, size)) | ((uint32_t)data << (8 * addr));
}

static const MemoryRegionOps data_ops = { .read = data_read, .write = data_write };

static const MemoryRegionOps bytes_ops = {
    .read = data_read,
    .write = data_write,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

/* ---- Pages ---- */

/*
 * The accelerator has to look the page up again. Protections change in a way that keeps others who
 * use it from noticing.
 */
static void flush_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    hwaddr page = data & ~(hwaddr)(PAGE - 1);
    GuestSlice slice;

    (void)opaque;
    (void)addr;
    (void)size;
    if (guest_slice_get(&address_space_memory, page, PAGE, true, &slice)) {
        (void)!mprotect(slice.host, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
        (void)!mprotect(slice.host, PAGE, PROT_READ | PROT_WRITE);
        guest_slice_put(&slice);
    }
}

static const MemoryRegionOps flush_ops = {
    .write = flush_write,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

/* ---- Lines ---- */

static void lines_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PCTestdev *s = opaque;

    (void)size;
    if (addr < ISA_NUM_IRQS) {
        qemu_set_irq(s->lines[addr], data != 0);
    }
}

static const MemoryRegionOps lines_ops = {
    .write = lines_write,
    .valid = { .min_access_size = 1, .max_access_size = 1 },
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

/* ---- Memory ---- */

static uint64_t memory_read(void *opaque, hwaddr addr, unsigned size)
{
    const PCTestdev *s = opaque;
    uint64_t value = 0;

    memcpy(&value, s->memory + addr, size);
    return value;
}

static void memory_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PCTestdev *s = opaque;

    memcpy(s->memory + addr, &data, size);
}

static const MemoryRegionOps memory_ops = { .read = memory_read, .write = memory_write };

/* ---- The device ---- */

static bool testdev_realize(DeviceState *dev, GError **errp)
{
    PCTestdev *s = PC_TESTDEV(dev);
    ISADevice *isa = ISA_DEVICE(dev);

    for (unsigned i = 0; i < ISA_NUM_IRQS; i++) {
        s->lines[i] = isa_get_irq(isa, i);
    }
    return isa_register_ioport(isa, &s->data_mr, PORT_DATA, errp) &&
           isa_register_ioport(isa, &s->flush_mr, PORT_FLUSH, errp) &&
           isa_register_ioport(isa, &s->bytes_mr, PORT_BYTES, errp) &&
           isa_register_ioport(isa, &s->lines_mr, PORT_LINES, errp) &&
           qdev_map(dev, get_system_memory(), MEMORY, &s->memory_mr, errp);
}

static void testdev_init(Object *obj)
{
    PCTestdev *s = PC_TESTDEV(obj);

    memory_region_init_io(&s->data_mr, obj, &data_ops, s, "pc-testdev-ioport", 4);
    memory_region_init_io(&s->bytes_mr, obj, &bytes_ops, s, "pc-testdev-ioport-byte", 4);
    memory_region_init_io(&s->flush_mr, obj, &flush_ops, s, "pc-testdev-flush-page", 4);
    memory_region_init_io(&s->lines_mr, obj, &lines_ops, s, "pc-testdev-irq-line", LINES);
    memory_region_init_io(&s->memory_mr, obj, &memory_ops, s, "pc-testdev-iomem", MEMORY_BYTES);
}

static const DeviceField testdev_fields[] = {
    DEVICE_FIELD(PCTestdev, data),
    DEVICE_ARRAY(PCTestdev, memory),
    { NULL, 0, 0, 0, 0 },
};

static void testdev_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "ports and memory for test kernels of a PC";
    dc->state = testdev_fields;
    dc->realize = testdev_realize;
}

static const TypeInfo testdev_types[] = {
    {
        .name = TYPE_PC_TESTDEV,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(PCTestdev),
        .instance_init = testdev_init,
        .class_init = testdev_class_init,
    },
};
DEFINE_TYPES(testdev_types)

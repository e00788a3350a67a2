/* SPDX-License-Identifier: MIT */
/*
 * "pci-testdev": doorbells for test kernels, as QEMU's (docs/specs/pci-testdev): a BAR of memory and
 * one of ports. The lower half of each tells of a test that was chosen there, writes to the upper
 * half are counted: by the device, by an eventfd for any value, or by one for a certain value.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <qomet/hw/pci/pci.h>

#define TYPE_PCI_TESTDEV "pci-testdev"
OBJECT_DECLARE_SIMPLE_TYPE(PCITestdev, PCI_TESTDEV)

#define MEM_HALF 2048
#define IO_HALF 128
#define TESTS 3 /* on each BAR */

#define DATA_MATCH 0xfa
#define DATA_ANY 0xce

/* What the guest reads of a test; little-endian. */
typedef struct Header {
    uint8_t test;  /* number; writing it chooses that one */
    uint8_t width; /* of the writes to be done, in bytes */
    uint8_t pad0[2];
    uint32_t offset; /* of those */
    uint8_t data;    /* and what to write */
    uint8_t pad1[3];
    uint32_t count; /* how often it was noticed */
    char name[32];
} Header;

typedef struct DoorBell {
    bool eventfd, match; /* by whom a write is noticed; whether the value counts */
    const char *name;
} DoorBell;

static const DoorBell bells[TESTS] = {
    { .name = "no-eventfd", .match = true },
    { .name = "wildcard-eventfd", .eventfd = true },
    { .name = "datamatch-eventfd", .eventfd = true, .match = true },
};

#define NO_TEST UINT32_MAX

struct PCITestdev {
    PCIDevice parent_obj;
    MemoryRegion mem, io, membar;
    uint64_t membar_size; /* property */
    uint32_t current; /* number of the test: those of ports follow those of memory; or NO_TEST */
    uint32_t count;
    int fd; /* of the eventfd; -1: the device is not realized */
    /* Main thread: what is registered for it just now. */
    MemoryRegion *armed; /* or NULL */
    MemoryRegionIoeventfd armed_as;
};

/* ---- The doorbells ---- */

static bool is_memory(uint32_t test)
{
    return test < TESTS;
}

static uint32_t offset_of(uint32_t test)
{
    return (is_memory(test) ? MEM_HALF : IO_HALF) + test;
}

static void disarm(PCITestdev *s)
{
    if (s->armed) {
        memory_region_del_eventfd(s->armed, &s->armed_as);
        s->armed = NULL;
    }
}

/* Main thread: the eventfd follows the test that the guest has chosen. */
static void rearm(Object *obj, void *opaque)
{
    PCITestdev *s = PCI_TESTDEV(obj);
    uint32_t test;

    (void)opaque;
    if (!DEVICE(s)->realized || !entry_enter(&DEVICE(s)->guard)) {
        return;
    }
    test = s->current;
    entry_leave(&DEVICE(s)->guard);
    disarm(s);
    if (test != NO_TEST && bells[test % TESTS].eventfd) {
        const DoorBell *bell = &bells[test % TESTS];

        s->armed_as = (MemoryRegionIoeventfd){ .addr = offset_of(test),
                                               .size = 1,
                                               .match_data = bell->match,
                                               .data = DATA_MATCH,
                                               .fd = s->fd };
        s->armed = is_memory(test) ? &s->mem : &s->io;
        memory_region_add_eventfd(s->armed, &s->armed_as);
    }
}

static void forget_signals(PCITestdev *s)
{
    eventfd_t n;

    (void)!eventfd_read(s->fd, &n);
}

static void choose(PCITestdev *s, uint32_t test)
{
    s->current = test;
    s->count = 0;
    forget_signals(s);
    entry_call_main(OBJECT(s), rearm, NULL);
}

/* ---- What the guest sees ---- */

static void fill_header(const PCITestdev *s, Header *h)
{
    const DoorBell *bell = &bells[s->current % TESTS];

    *h = (Header){ .test = s->current % TESTS,
                   .width = 1,
                   .offset = GUINT32_TO_LE(offset_of(s->current)),
                   .data = bell->match ? DATA_MATCH : DATA_ANY,
                   .count = GUINT32_TO_LE(s->count) };
    g_snprintf(h->name, sizeof(h->name), "%s-%s", is_memory(s->current) ? "mmio" : "portio",
               bell->name);
}

static uint64_t read_header(PCITestdev *s, hwaddr addr)
{
    eventfd_t signals;
    Header h;

    if (s->current == NO_TEST) {
        return 0;
    }
    if (eventfd_read(s->fd, &signals) == 0) {
        s->count++;
    }
    fill_header(s, &h);
    return addr < offsetof(Header, name) + strlen(h.name) ? ((const uint8_t *)&h)[addr] : 0;
}

static void write_bell(PCITestdev *s, uint32_t first, hwaddr addr, uint64_t data)
{
    if (addr == offsetof(Header, test)) {
        choose(s, data < TESTS ? first + (uint32_t)data : NO_TEST);
    } else if (s->current != NO_TEST && is_memory(s->current) == is_memory(first) &&
               addr == offset_of(s->current) &&
               (!bells[s->current % TESTS].match || data == DATA_MATCH)) {
        s->count++;
    }
}

static uint64_t testdev_read(void *opaque, hwaddr addr, unsigned size G_GNUC_UNUSED)
{
    return read_header(opaque, addr);
}

static void mem_write(void *opaque, hwaddr addr, uint64_t data, unsigned size G_GNUC_UNUSED)
{
    write_bell(opaque, 0, addr, data);
}

static void io_write(void *opaque, hwaddr addr, uint64_t data, unsigned size G_GNUC_UNUSED)
{
    write_bell(opaque, TESTS, addr, data);
}

static const MemoryRegionOps mem_ops = {
    .read = testdev_read,
    .write = mem_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

static const MemoryRegionOps io_ops = {
    .read = testdev_read,
    .write = io_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

/* ---- The device ---- */

static bool make_membar(PCITestdev *s, GError **errp)
{
    if (!s->membar_size) {
        return true;
    }
    if ((s->membar_size & (s->membar_size - 1)) || s->membar_size < 16 ||
        s->membar_size > UINT64_C(1) << 62) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'membar' is a power of two, 16 bytes or more");
        return false;
    }
    memory_region_init(&s->membar, OBJECT(s), "pci-testdev-membar", s->membar_size);
    pci_register_bar(&s->parent_obj, 2,
                     PCI_BASE_ADDRESS_MEM_PREFETCH | PCI_BASE_ADDRESS_MEM_TYPE_64, &s->membar);
    return true;
}

static void close_fd(DeviceState *dev, void *opaque G_GNUC_UNUSED)
{
    PCITestdev *s = PCI_TESTDEV(dev);

    close(s->fd);
    s->fd = -1;
}

static bool testdev_realize(PCIDevice *dev, GError **errp)
{
    PCITestdev *s = PCI_TESTDEV(dev);

    s->current = NO_TEST;
    s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->fd < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "no eventfd: %s", g_strerror(errno));
        return false;
    }
    qdev_on_unrealize(DEVICE(dev), close_fd, NULL);
    memory_region_init_io(&s->mem, OBJECT(dev), &mem_ops, s, "pci-testdev-mmio", 2 * MEM_HALF);
    memory_region_init_io(&s->io, OBJECT(dev), &io_ops, s, "pci-testdev-portio", 2 * IO_HALF);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mem);
    pci_register_bar(dev, 1, PCI_BASE_ADDRESS_SPACE_IO, &s->io);
    return make_membar(s, errp);
}

static void testdev_exit(PCIDevice *dev)
{
    disarm(PCI_TESTDEV(dev));
}

static void testdev_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    PCITestdev *s = PCI_TESTDEV(obj);

    s->current = NO_TEST;
    s->count = 0;
    disarm(s);
    if (s->fd >= 0) {
        forget_signals(s);
    }
}

static void testdev_init(Object *obj)
{
    PCI_TESTDEV(obj)->fd = -1;
}

static const Property testdev_props[] = {
    DEFINE_PROP_SIZE("membar", PCITestdev, membar_size, 0,
                     .help = "bytes of a third BAR, behind which is nothing (0: there is none)"),
};

static const DeviceField testdev_fields[] = {
    DEVICE_FIELD(PCITestdev, current),
    DEVICE_FIELD(PCITestdev, count),
    { NULL, 0, 0, 0, 0 },
};

static void testdev_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "PCI Test Device: doorbells with and without eventfd";
    dc->state = testdev_fields;
    pc->realize = testdev_realize;
    pc->exit = testdev_exit;
    pc->vendor_id = PCI_VENDOR_ID_REDHAT;
    pc->device_id = PCI_DEVICE_ID_REDHAT_TEST;
    pc->class_id = PCI_CLASS_OTHERS;
    device_class_set_reset(dc, testdev_reset);
    device_class_set_props(dc, testdev_props);
}

static const TypeInfo testdev_types[] = {
    {
        .name = TYPE_PCI_TESTDEV,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PCITestdev),
        .instance_init = testdev_init,
        .class_init = testdev_class_init,
    },
};
DEFINE_TYPES(testdev_types)

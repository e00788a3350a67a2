/* SPDX-License-Identifier: MIT */
/*
 * "port-logger": prints a line for each write to its ports, "port 0x10 <- 0x0001", with as many
 * digits as the guest wrote bytes. After a number of lines it ends the machine, so that a guest
 * that counts for ever makes a test.
 */
#include <inttypes.h>
#include <qomet/accel/runstate.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/hw/isa/isa-bus.h>

#define TYPE_PORT_LOGGER "port-logger"
OBJECT_DECLARE_SIMPLE_TYPE(PortLoggerState, PORT_LOGGER)

struct PortLoggerState {
    ISADevice parent_obj;
    MemoryRegion io;
    uint32_t iobase;
    uint32_t iosize;
    uint64_t limit;
    CharBackend chr;
    uint64_t lines; /* printed since the last reset */
};

static void port_logger_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PortLoggerState *s = opaque;
    char line[64];
    int len;

    /* Other vCPUs may write on until the machine has ended. */
    if (s->limit && s->lines == s->limit) {
        return;
    }
    s->lines++;
    len = snprintf(line, sizeof(line), "port 0x%" PRIx64 " <- 0x%0*" PRIx64 "\n", s->iobase + addr,
                   2 * size, data);
    qemu_chr_fe_print(&s->chr, (const uint8_t *)line, len);
    if (s->lines == s->limit) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    }
}

static const MemoryRegionOps port_logger_ops = {
    .write = port_logger_write,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

static void port_logger_init(Object *obj)
{
    PortLoggerState *s = PORT_LOGGER(obj);

    memory_region_init_io(&s->io, obj, &port_logger_ops, s, "port-logger", 1);
}

static bool port_logger_realize(DeviceState *dev, GError **errp)
{
    PortLoggerState *s = PORT_LOGGER(dev);

    memory_region_set_size(&s->io, s->iosize);
    return isa_register_ioport(ISA_DEVICE(dev), &s->io, s->iobase, errp);
}

static void port_logger_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    PORT_LOGGER(obj)->lines = 0;
}

static const Property port_logger_props[] = {
    DEFINE_PROP_UINT32("iobase", PortLoggerState, iobase, 0x10, .help = "first port"),
    DEFINE_PROP_UINT32("iosize", PortLoggerState, iosize, 1, .help = "number of ports",
                       PROP_RANGE_U(1, 0x10000)),
    DEFINE_PROP_UINT64("limit", PortLoggerState, limit, 0,
                       .help = "end the machine after that many lines (0: never)"),
    DEFINE_PROP_CHR("chardev", PortLoggerState, chr,
                    .help = "ID of the chardev to print to (default: standard output)"),
};

static const DeviceField port_logger_fields[] = {
    DEVICE_FIELD(PortLoggerState, lines),
    { NULL, 0, 0, 0, 0 },
};

static void port_logger_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "ports that print a line for each write";
    dc->realize = port_logger_realize;
    dc->state = port_logger_fields;
    device_class_set_reset(dc, port_logger_reset);
    device_class_set_props(dc, port_logger_props);
}

static const TypeInfo port_logger_types[] = {
    {
        .name = TYPE_PORT_LOGGER,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(PortLoggerState),
        .instance_init = port_logger_init,
        .class_init = port_logger_class_init,
    },
};

DEFINE_TYPES(port_logger_types)

/* SPDX-License-Identifier: MIT */
/* The register at port 0xcf9: when bit 2 goes up, the machine is reset (82371SB, 290550, "RC"). */
#include <qomet/accel/runstate.h>
#include <qomet/hw/isa/reset-control.h>

#define RC_HARD 0x02 /* of everything, not of the processor alone; here both are the same */
#define RC_RESET 0x04

static uint64_t reset_control_read(void *opaque, hwaddr addr G_GNUC_UNUSED,
                                   unsigned size G_GNUC_UNUSED)
{
    return ((ResetControl *)opaque)->value;
}

static void reset_control_write(void *opaque, hwaddr addr G_GNUC_UNUSED, uint64_t data,
                                unsigned size G_GNUC_UNUSED)
{
    ResetControl *s = opaque;

    if (data & RC_RESET) {
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
        return;
    }
    s->value = data & RC_HARD;
}

static const MemoryRegionOps reset_control_ops = {
    .read = reset_control_read,
    .write = reset_control_write,
    .valid = { .min_access_size = 1, .max_access_size = 1 },
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .name = "reset control",
};

void reset_control_init(ResetControl *s, DeviceState *dev)
{
    s->value = 0;
    memory_region_init_io(&s->io, OBJECT(dev), &reset_control_ops, s, "reset-control", 1);
}

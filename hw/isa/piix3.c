/* SPDX-License-Identifier: MIT */
/*
 * The south bridge of the machine "pc", Intel's 82371SB ("PIIX3"): four registers lead the pins of
 * the PCI bus to the lines of the ISA bus (data sheet 290550).
 */
#include <qomet/hw/isa/piix3.h>
#include "hw/isa/south-bridge.h"

#define REG_XBCS 0x4e
#define REG_PIRQRC 0x60
#define PIRQS 4
#define REG_TOM 0x69

/* Slot 1 has pin A on PIRQA, each further slot one more (as QEMU's board is wired). */
static unsigned map_pin(unsigned slot, unsigned pin)
{
    return (pin + slot + PIRQS - 1) % PIRQS;
}

static void piix3_reset(SouthBridge *s)
{
    s->parent_obj.config[REG_XBCS] = 0x03;
    s->parent_obj.config[REG_TOM] = 0x02;
}

static void piix3_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    SouthBridgeClass *sc = SOUTH_BRIDGE_CLASS(klass);

    DEVICE_CLASS(klass)->desc = "Intel 82371SB: ISA bridge of a PC, with the bus isa.0";
    sc->parent_class.device_id = PCI_DEVICE_ID_INTEL_82371SB_0;
    sc->num_pirqs = PIRQS;
    for (unsigned i = 0; i < PIRQS; i++) {
        sc->pirq_reg[i] = REG_PIRQRC + i;
    }
    sc->map_pin = map_pin;
    sc->reset = piix3_reset;
}

static const TypeInfo piix3_types[] = {
    {
        .name = TYPE_PIIX3,
        .parent = TYPE_SOUTH_BRIDGE,
        .class_init = piix3_class_init,
    },
};
DEFINE_TYPES(piix3_types)

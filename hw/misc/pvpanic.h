/* SPDX-License-Identifier: MIT */
/* The port by which a guest's kernel says that it has crashed, for boards and their tables. */
#ifndef QOMET_HW_MISC_PVPANIC_H
#define QOMET_HW_MISC_PVPANIC_H

#include <qomet/hw/isa/isa-bus.h>

/** An ISA device with the property "ioport" (0x505). */
#define TYPE_PVPANIC_ISA_DEVICE "pvpanic"

#endif

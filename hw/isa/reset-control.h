/* SPDX-License-Identifier: MIT */
/* The register at port 0xcf9 by which a guest resets the machine, as Intel's south bridges have it. */
#ifndef QOMET_HW_ISA_RESET_CONTROL_H
#define QOMET_HW_ISA_RESET_CONTROL_H

#include <qomet/hw/core/qdev.h>

#define RESET_CONTROL_PORT 0xcf9

/** Part of a south bridge, which maps io and clears value when it is reset. */
typedef struct ResetControl {
    MemoryRegion io; /* one port */
    uint8_t value;
} ResetControl;

/** In the realize of @dev. */
QOM_EXPORT void reset_control_init(ResetControl *s, DeviceState *dev);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The 16550A UART without a bus: what isa-serial and other serial ports embed. Section numbers in
 * serial.c are those of National Semiconductor's data sheet of the PC16550D (June 1995).
 */
#ifndef QOMET_HW_CHAR_SERIAL_H
#define QOMET_HW_CHAR_SERIAL_H

#include <qomet/backends/chardev/char.h>
#include <qomet/hw/core/qdev.h>

#define SERIAL_FIFO_BYTES 16

/**
 * Embedded in a device; its fields are plain data but for the first four. Everything runs inside
 * the device's guard.
 */
typedef struct SerialState {
    MemoryRegion io; /* eight registers of a byte */
    CharBackend chr;
    qemu_irq irq; /* the device's output "irq" */
    QEMUTimer timeout;

    uint8_t ier, fcr, lcr, mcr, msr, scr;
    uint16_t divisor;
    uint8_t line_errors; /* OE, PE, FE, BI of the LSR until it is read */

    uint8_t rbr; /* the byte read last */
    uint8_t rx_data[SERIAL_FIFO_BYTES];
    uint8_t rx_errors[SERIAL_FIFO_BYTES]; /* PE, FE, BI that came with the byte */
    uint8_t rx_head, rx_count;

    uint8_t tx_data[SERIAL_FIFO_BYTES];
    uint8_t tx_head, tx_count;
    uint8_t tsr, tsr_full; /* the byte that the chardev has not taken yet */

    uint8_t thr_empty_pending; /* the transmitter's interrupt, until IIR is read or THR written */
    uint8_t timeout_pending;   /* the FIFO's time-out interrupt */
    uint8_t irq_level;
} SerialState;

/**
 * In instance_init of @dev: the region (a child of @dev), the output line "irq", and the timer, on
 * @dev's guard.
 */
QOM_EXPORT void serial_init(SerialState *s, DeviceState *dev);
/**
 * In realize, as its last step: takes input and drives the output line from now on. Undone when
 * @dev is unrealized.
 */
QOM_EXPORT void serial_start(SerialState *s, DeviceState *dev);
/** Power-on values; the hold phase of a reset. */
QOM_EXPORT void serial_reset(SerialState *s);

/** Where a PC has its serial ports, COM1 and on. */
typedef struct ISASerialPlace {
    uint16_t iobase;
    uint8_t irq;
} ISASerialPlace;
/** That of the port @index (0 to 3); NULL for others. */
QOM_EXPORT const ISASerialPlace *isa_serial_place(unsigned index);

/**
 * The fields that outlive a move to another process, for a table of DeviceField: @f is the
 * SerialState in @type.
 */
/* NOLINTBEGIN(bugprone-macro-parentheses): the name of a member takes none. */
#define SERIAL_FIELDS(type, f)                                                                     \
    DEVICE_FIELD(type, f.ier), DEVICE_FIELD(type, f.fcr), DEVICE_FIELD(type, f.lcr),               \
        DEVICE_FIELD(type, f.mcr), DEVICE_FIELD(type, f.msr), DEVICE_FIELD(type, f.scr),           \
        DEVICE_FIELD(type, f.divisor), DEVICE_FIELD(type, f.line_errors),                          \
        DEVICE_FIELD(type, f.rbr), DEVICE_ARRAY(type, f.rx_data), DEVICE_ARRAY(type, f.rx_errors), \
        DEVICE_FIELD(type, f.rx_head), DEVICE_FIELD(type, f.rx_count),                             \
        DEVICE_ARRAY(type, f.tx_data), DEVICE_FIELD(type, f.tx_head),                              \
        DEVICE_FIELD(type, f.tx_count), DEVICE_FIELD(type, f.tsr), DEVICE_FIELD(type, f.tsr_full), \
        DEVICE_FIELD(type, f.thr_empty_pending), DEVICE_FIELD(type, f.timeout_pending)
/* NOLINTEND(bugprone-macro-parentheses) */

#endif

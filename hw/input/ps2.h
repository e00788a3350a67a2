/* SPDX-License-Identifier: MIT */
/*
 * A PS/2 keyboard and a PS/2 mouse that nobody touches: they answer what their controller asks and
 * send nothing by themselves. A part of the controller's state, used inside its guard.
 */
#ifndef QOMET_HW_INPUT_PS2_H
#define QOMET_HW_INPUT_PS2_H

#include <qomet/hw/core/qdev.h>

/** The longest answer. */
#define PS2_QUEUE_BYTES 4

typedef struct PS2State {
    uint8_t queue[PS2_QUEUE_BYTES]; /* the answer to the last command, as far as it was not read */
    uint8_t count;                  /* bytes of it */
    uint8_t command;                /* whose argument the next byte is; 0: that is a command */
    uint8_t scancode_set;           /* keyboard: 1 to 3 */
    uint8_t translate;              /* keyboard, 0 or 1: the controller turns set 2 into set 1 */
    /* mouse: */
    uint8_t status;     /* bits of its status byte */
    uint8_t resolution; /* 0 to 3 */
    uint8_t rate;       /* reports a second */
    uint8_t wrap;       /* 0 or 1: it sends back what it gets */
    uint8_t type;       /* 0, 3 with a wheel, 4 with five buttons */
    uint8_t detect;     /* how much of a sequence of rates that asks for another type it has seen */
} PS2State;

/** The rows of a device's state table for its field @f of the device's struct @s. */
/* NOLINTBEGIN(bugprone-macro-parentheses): the name of a member takes none. */
#define PS2_FIELDS(s, f)                                                                           \
    DEVICE_ARRAY(s, f.queue), DEVICE_FIELD(s, f.count), DEVICE_FIELD(s, f.command),                \
        DEVICE_FIELD(s, f.scancode_set), DEVICE_FIELD(s, f.translate), DEVICE_FIELD(s, f.status),  \
        DEVICE_FIELD(s, f.resolution), DEVICE_FIELD(s, f.rate), DEVICE_FIELD(s, f.wrap),           \
        DEVICE_FIELD(s, f.type), DEVICE_FIELD(s, f.detect)
/* NOLINTEND(bugprone-macro-parentheses) */

/** As after power-on, with nothing to say. */
QOM_EXPORT void ps2_reset(PS2State *s);
/** The controller sends @value; the answer takes the place of one that was not read. */
QOM_EXPORT void ps2_keyboard_write(PS2State *s, uint8_t value);
QOM_EXPORT void ps2_mouse_write(PS2State *s, uint8_t value);
/** The next byte of the answer; 0 when there is none. */
QOM_EXPORT uint8_t ps2_read(PS2State *s);

#endif

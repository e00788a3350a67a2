/* SPDX-License-Identifier: MIT */
/*
 * The chardev that keeps the last bytes written, for a monitor or a test to take.
 */
#ifndef QOMET_BACKENDS_CHARDEV_RINGBUF_H
#define QOMET_BACKENDS_CHARDEV_RINGBUF_H

#include <qomet/backends/chardev/char.h>

#define TYPE_CHARDEV_RINGBUF "chardev-ringbuf"
OBJECT_DECLARE_SIMPLE_TYPE(RingBufChardev, CHARDEV_RINGBUF)

/** How many bytes wait to be taken. Any thread. */
QOM_EXPORT size_t ringbuf_chardev_count(RingBufChardev *s);
/** Takes the oldest bytes, at most @max, into @buf; returns how many. Any thread. */
QOM_EXPORT size_t ringbuf_chardev_take(RingBufChardev *s, uint8_t *buf, size_t max);

#endif

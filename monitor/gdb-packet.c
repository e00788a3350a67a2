/* SPDX-License-Identifier: MIT */
/*
 * The outer form of gdb's remote protocol ("Overview" in the appendix of gdb's manual):
 * $contents#sum, with + and - as answers, and the byte 3 as an interrupt.
 */
#include "monitor/gdb-packet.h"

#define ESCAPE 0x7d
#define ESCAPE_BIT 0x20
#define INTERRUPT 0x03

enum { IDLE, CONTENTS, ESCAPED, SUM_HIGH, SUM_LOW };

static void put(GdbParser *p, uint8_t byte)
{
    if (p->len < GDB_PACKET_MAX) {
        p->data[p->len++] = (char)byte;
    } else {
        p->too_long = true;
    }
}

static void begin(GdbParser *p)
{
    p->state = CONTENTS;
    p->len = 0;
    p->sum = 0;
    p->bad_digit = p->too_long = false;
}

static GdbInput feed_idle(GdbParser *p, uint8_t byte)
{
    switch (byte) {
    case '$':
        begin(p);
        return GDB_INPUT_NONE;
    case '+':
        return GDB_INPUT_ACK;
    case '-':
        return GDB_INPUT_NAK;
    case INTERRUPT:
        return GDB_INPUT_INTERRUPT;
    default:
        return GDB_INPUT_NONE;
    }
}

static void feed_contents(GdbParser *p, uint8_t byte)
{
    switch (byte) {
    case '#':
        p->state = SUM_HIGH;
        return;
    case '$':
        /* The end of the one before got lost: in contents this would be escaped. */
        begin(p);
        return;
    case ESCAPE:
        p->state = ESCAPED;
        break;
    default:
        put(p, byte);
    }
    p->sum += byte;
}

static uint8_t take_digit(GdbParser *p, uint8_t byte)
{
    int digit = g_ascii_xdigit_value((char)byte);

    p->bad_digit |= digit < 0;
    return (uint8_t)(digit & 0xf);
}

static GdbInput finish(GdbParser *p)
{
    p->state = IDLE;
    p->data[p->len] = '\0';
    if (p->bad_digit || p->claimed != p->sum) {
        return GDB_INPUT_BAD;
    }
    return p->too_long ? GDB_INPUT_TOO_LONG : GDB_INPUT_PACKET;
}

GdbInput gdb_parser_feed(GdbParser *p, uint8_t byte)
{
    switch (p->state) {
    case CONTENTS:
        feed_contents(p, byte);
        return GDB_INPUT_NONE;
    case ESCAPED:
        put(p, byte ^ ESCAPE_BIT);
        p->sum += byte;
        p->state = CONTENTS;
        return GDB_INPUT_NONE;
    case SUM_HIGH:
        p->claimed = (uint8_t)(take_digit(p, byte) << 4);
        p->state = SUM_LOW;
        return GDB_INPUT_NONE;
    case SUM_LOW:
        p->claimed |= take_digit(p, byte);
        return finish(p);
    default:
        return feed_idle(p, byte);
    }
}

void gdb_frame(GString *out, const char *contents, size_t len)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += (uint8_t)contents[i];
    }
    g_string_append_c(out, '$');
    g_string_append_len(out, contents, (gssize)len);
    g_string_append_printf(out, "#%02x", sum);
}

void gdb_append_escaped(GString *out, const void *bytes, size_t len)
{
    const char *p = bytes;

    for (size_t i = 0; i < len; i++) {
        if (p[i] == '#' || p[i] == '$' || p[i] == '*' || p[i] == ESCAPE) {
            g_string_append_c(out, ESCAPE);
            g_string_append_c(out, p[i] ^ ESCAPE_BIT);
        } else {
            g_string_append_c(out, p[i]);
        }
    }
}

void gdb_append_hex(GString *out, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = bytes;

    for (size_t i = 0; i < len; i++) {
        g_string_append_c(out, digits[p[i] >> 4]);
        g_string_append_c(out, digits[p[i] & 0xf]);
    }
}

bool gdb_parse_hex(const char *digits, size_t len, uint8_t *bytes)
{
    for (size_t i = 0; i < len; i++) {
        int high = g_ascii_xdigit_value(digits[2 * i]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(digits[2 * i + 1]);

        if (low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool gdb_take_number(const char **text, uint64_t *value)
{
    const char *p = *text;
    int digit;

    *value = 0;
    while ((digit = g_ascii_xdigit_value(*p)) >= 0) {
        if (*value >> 60) {
            return false;
        }
        *value = *value << 4 | (uint64_t)digit;
        p++;
    }
    if (p == *text) {
        return false;
    }
    *text = p;
    return true;
}

bool gdb_take_char(const char **text, char c)
{
    if (**text != c || !c) {
        return false;
    }
    (*text)++;
    return true;
}

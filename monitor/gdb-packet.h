/* SPDX-License-Identifier: MIT */
/*
 * The outer form of gdb's remote protocol: bytes of a stream become packets, acknowledgements and
 * interrupts, and the other way round. Nothing here knows what a packet means.
 */
#ifndef MONITOR_GDB_PACKET_H
#define MONITOR_GDB_PACKET_H

#include <qomet/qom/object.h>

/* Bytes of a packet's contents at most, in either direction. */
#define GDB_PACKET_MAX 0x4000

typedef enum GdbInput {
    GDB_INPUT_NONE,      /* more is needed */
    GDB_INPUT_PACKET,    /* parser->data holds one */
    GDB_INPUT_TOO_LONG,  /* one has ended that did not fit */
    GDB_INPUT_BAD,       /* one has ended whose checksum is wrong */
    GDB_INPUT_ACK,       /* the peer has our last packet */
    GDB_INPUT_NAK,       /* the peer wants it again */
    GDB_INPUT_INTERRUPT, /* Ctrl-C */
} GdbInput;

typedef struct GdbParser {
    uint32_t state;  /* private to gdb-packet.c; zero: between packets */
    uint8_t sum;     /* of the bytes so far, as they came */
    uint8_t claimed; /* what the packet says it is */
    bool bad_digit;  /* and that is no number */
    bool too_long;
    size_t len;
    char data[GDB_PACKET_MAX + 1]; /* without escapes; NUL-terminated, but may hold NULs */
} GdbParser;

/* Takes one byte; what it completed. */
GdbInput gdb_parser_feed(GdbParser *p, uint8_t byte);
/* Appends "$contents#sum". */
void gdb_frame(GString *out, const char *contents, size_t len);
/* Appends bytes so that they may stand in a packet. */
void gdb_append_escaped(GString *out, const void *bytes, size_t len);

/* Appends two hexadecimal digits a byte. */
void gdb_append_hex(GString *out, const void *bytes, size_t len);
/* @len bytes from twice as many digits; false when those are none. */
bool gdb_parse_hex(const char *digits, size_t len, uint8_t *bytes);
/*
 * A number at *@text, which is moved behind it. False without a digit, or when it has more than 64
 * bits.
 */
bool gdb_take_number(const char **text, uint64_t *value);
/* Moves *@text behind @c if that is there. */
bool gdb_take_char(const char **text, char c);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What remains to be filled in when tables get their place: done here, or said to the firmware by
 * commands. The commands are those that QEMU gives its firmware (etc/table-loader).
 */
#include <string.h>
#include "hw/acpi/tables-int.h"

#define FILE_TABLES "etc/acpi/tables"
#define FILE_RSDP "etc/acpi/rsdp"
#define FILE_LOADER "etc/table-loader"
#define TABLES_ALIGN 64
#define RSDP_ALIGN 16
#define RSDP_ROOM 64 /* the tables follow it, aligned */

/* ---- By the firmware ---- */

#define FILE_BYTES 56
#define COMMAND_BYTES 128
enum { COMMAND_ALLOCATE = 1, COMMAND_ADD_POINTER, COMMAND_ADD_CHECKSUM };
enum { ZONE_HIGH = 1, ZONE_FSEG };

typedef struct Command {
    uint8_t bytes[COMMAND_BYTES];
    unsigned used;
} Command;

static void add_int(Command *c, uint32_t value, unsigned bytes)
{
    value = GUINT32_TO_LE(value);
    memcpy(c->bytes + c->used, &value, bytes);
    c->used += bytes;
}

static void add_file(Command *c, const char *name)
{
    memcpy(c->bytes + c->used, name, strlen(name));
    c->used += FILE_BYTES;
}

static Command begin(uint32_t command, const char *file)
{
    Command c = { .used = 0 };

    add_int(&c, command, 4);
    add_file(&c, file);
    return c;
}

static void say(GByteArray *to, const Command *c)
{
    g_byte_array_append(to, c->bytes, COMMAND_BYTES);
}

static void say_allocate(GByteArray *to, const char *file, uint32_t align, uint8_t zone)
{
    Command c = begin(COMMAND_ALLOCATE, file);

    add_int(&c, align, 4);
    add_int(&c, zone, 1);
    say(to, &c);
}

static const char *file_of(bool in_rsdp)
{
    return in_rsdp ? FILE_RSDP : FILE_TABLES;
}

static GByteArray *commands(const AcpiTables *t)
{
    GByteArray *to = g_byte_array_new();

    say_allocate(to, FILE_RSDP, RSDP_ALIGN, ZONE_FSEG);
    say_allocate(to, FILE_TABLES, TABLES_ALIGN, ZONE_HIGH);
    for (guint i = 0; i < t->pointers->len; i++) {
        const AcpiPointer *p = &g_array_index(t->pointers, AcpiPointer, i);
        Command c = begin(COMMAND_ADD_POINTER, file_of(p->in_rsdp));

        add_file(&c, FILE_TABLES);
        add_int(&c, p->offset, 4);
        add_int(&c, p->bytes, 1);
        say(to, &c);
    }
    for (guint i = 0; i < t->checksums->len; i++) {
        const AcpiChecksum *s = &g_array_index(t->checksums, AcpiChecksum, i);
        Command c = begin(COMMAND_ADD_CHECKSUM, file_of(s->in_rsdp));

        add_int(&c, s->offset, 4);
        add_int(&c, s->start, 4);
        add_int(&c, s->length, 4);
        say(to, &c);
    }
    return to;
}

bool acpi_tables_add_to_fw_cfg(const AcpiTables *t, FWCfgState *fw_cfg, GError **errp)
{
    g_autoptr(GByteArray) loader = commands(t);

    return fw_cfg_modify_file(fw_cfg, FILE_TABLES, t->tables->data, t->tables->len, errp) &&
           fw_cfg_modify_file(fw_cfg, FILE_RSDP, t->rsdp->data, t->rsdp->len, errp) &&
           fw_cfg_modify_file(fw_cfg, FILE_LOADER, loader->data, loader->len, errp);
}

/* ---- Here ---- */

static void move_pointer(uint8_t *at, unsigned bytes, uint32_t by)
{
    uint64_t value = 0;

    memcpy(&value, at, bytes);
    value = GUINT64_TO_LE(GUINT64_FROM_LE(value) + by);
    memcpy(at, &value, bytes);
}

size_t acpi_tables_size(const AcpiTables *t)
{
    return RSDP_ROOM + t->tables->len;
}

GByteArray *acpi_tables_place(const AcpiTables *t, uint32_t addr)
{
    GByteArray *out = g_byte_array_new();

    g_byte_array_set_size(out, acpi_tables_size(t));
    memset(out->data, 0, RSDP_ROOM);
    memcpy(out->data, t->rsdp->data, t->rsdp->len);
    memcpy(out->data + RSDP_ROOM, t->tables->data, t->tables->len);
    for (guint i = 0; i < t->pointers->len; i++) {
        const AcpiPointer *p = &g_array_index(t->pointers, AcpiPointer, i);
        uint8_t *base = out->data + (p->in_rsdp ? 0 : RSDP_ROOM);

        move_pointer(base + p->offset, p->bytes, addr + RSDP_ROOM);
    }
    /* In order: a later sum covers an earlier one's byte. */
    for (guint i = 0; i < t->checksums->len; i++) {
        const AcpiChecksum *s = &g_array_index(t->checksums, AcpiChecksum, i);
        uint8_t *base = out->data + (s->in_rsdp ? 0 : RSDP_ROOM), sum = 0;

        for (uint32_t j = 0; j < s->length; j++) {
            sum += base[s->start + j];
        }
        base[s->offset] -= sum;
    }
    return out;
}

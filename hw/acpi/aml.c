/* SPDX-License-Identifier: MIT */
/*
 * The builder of AML: a term is its head - opcode and fixed operands - and a body of terms that were
 * appended; what has a length before it is closed when it is handed on. Resource descriptors are in
 * aml-resource.c.
 */
#include <string.h>
#include "hw/acpi/aml-int.h"

/* Opcodes (ACPI 6.4, 20.3). */
#define OP_ZERO 0x00
#define OP_ONE 0x01
#define OP_NAME 0x08
#define OP_BYTE 0x0a
#define OP_WORD 0x0b
#define OP_DWORD 0x0c
#define OP_STRING 0x0d
#define OP_QWORD 0x0e
#define OP_SCOPE 0x10
#define OP_BUFFER 0x11
#define OP_PACKAGE 0x12
#define OP_METHOD 0x14
#define OP_DUAL_NAME 0x2e
#define OP_MULTI_NAME 0x2f
#define OP_EXT 0x5b
#define OP_EXT_REGION 0x80
#define OP_EXT_FIELD 0x81
#define OP_EXT_DEVICE 0x82
#define OP_LOCAL0 0x60
#define OP_ARG0 0x68
#define OP_STORE 0x70
#define OP_AND 0x7b
#define OP_OR 0x7d
#define OP_NOTIFY 0x86
#define OP_CREATE_DWORD_FIELD 0x8a
#define OP_EQUAL 0x93
#define OP_IF 0xa0
#define OP_RETURN 0xa4

#define NAME_BYTES 4
#define FIELD_PRESERVE 0

/* ---- Terms ---- */

static void add_byte(GByteArray *to, uint8_t byte)
{
    g_byte_array_append(to, &byte, 1);
}

void aml_add_bytes(GByteArray *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        add_byte(to, (uint8_t)(value >> 8 * i));
    }
}

static void add_array(GByteArray *to, const GByteArray *from)
{
    g_byte_array_append(to, from->data, from->len);
}

Aml *aml_alloc(AmlClose *close)
{
    Aml *aml = g_new0(Aml, 1);

    aml->head = g_byte_array_new();
    aml->body = g_byte_array_new();
    aml->close = close;
    return aml;
}

Aml *aml_bundle(uint8_t op, AmlClose *close)
{
    Aml *aml = aml_alloc(close);

    aml->op[aml->op_bytes++] = op;
    return aml;
}

static Aml *ext_bundle(uint8_t op, AmlClose *close)
{
    Aml *aml = aml_bundle(OP_EXT, close);

    aml->op[aml->op_bytes++] = op;
    return aml;
}

Aml *init_aml(void)
{
    return aml_alloc(NULL);
}

void aml_free(Aml *aml)
{
    if (aml) {
        g_byte_array_unref(aml->head);
        g_byte_array_unref(aml->body);
        g_free(aml);
    }
}

/* PkgLength: of @bytes and of itself (20.2.4). */
static void add_package_length(GByteArray *to, uint32_t bytes)
{
    unsigned more = bytes + 1 < 1 << 6 ? 0 : bytes + 2 < 1 << 12 ? 1 : bytes + 3 < 1 << 20 ? 2 : 3;

    bytes += 1 + more;
    add_byte(to, more ? more << 6 | (bytes & 0xf) : bytes);
    for (unsigned i = 0; i < more; i++) {
        add_byte(to, bytes >> (4 + 8 * i) & 0xff);
    }
}

void aml_close_package(const Aml *aml, GByteArray *out)
{
    add_package_length(out, aml->head->len + aml->body->len);
    add_array(out, aml->head);
    add_array(out, aml->body);
}

/* An integer is as short as can be. */
static void add_int(GByteArray *to, uint64_t value)
{
    if (value <= 1) {
        add_byte(to, value ? OP_ONE : OP_ZERO);
        return;
    }
    if (value <= UINT8_MAX) {
        add_byte(to, OP_BYTE);
        aml_add_bytes(to, value, 1);
    } else if (value <= UINT16_MAX) {
        add_byte(to, OP_WORD);
        aml_add_bytes(to, value, 2);
    } else if (value <= UINT32_MAX) {
        add_byte(to, OP_DWORD);
        aml_add_bytes(to, value, 4);
    } else {
        add_byte(to, OP_QWORD);
        aml_add_bytes(to, value, 8);
    }
}

/* BufferSize, then the bytes (20.2.5.4, DefBuffer). */
void aml_close_buffer(const Aml *aml, GByteArray *out)
{
    g_autoptr(GByteArray) size = g_byte_array_new();

    add_int(size, aml->body->len);
    add_package_length(out, size->len + aml->body->len);
    add_array(out, size);
    add_array(out, aml->body);
}

void aml_write(Aml *aml, GByteArray *out)
{
    g_byte_array_append(out, aml->op, aml->op_bytes);
    if (aml->close) {
        aml->close(aml, out);
    } else {
        add_array(out, aml->head);
        add_array(out, aml->body);
    }
    aml_free(aml);
}

void aml_append(Aml *parent, Aml *child)
{
    aml_write(child, parent->body);
}

/* ---- Names and values ---- */

static void add_name_part(GByteArray *to, const char *part, size_t len)
{
    for (size_t i = 0; i < NAME_BYTES; i++) {
        add_byte(to, i < len ? part[i] : '_');
    }
}

/* NameString (20.2.2). */
static void add_name(GByteArray *to, const char *name)
{
    g_auto(GStrv) parts = NULL;
    unsigned n;

    while (*name == '\\' || *name == '^') {
        add_byte(to, *name++);
    }
    parts = g_strsplit(name, ".", -1);
    n = g_strv_length(parts);
    if (n == 0) {
        add_byte(to, 0);
    } else if (n == 2) {
        add_byte(to, OP_DUAL_NAME);
    } else if (n > 2) {
        add_byte(to, OP_MULTI_NAME);
        add_byte(to, n);
    }
    for (unsigned i = 0; i < n; i++) {
        add_name_part(to, parts[i], MIN(strlen(parts[i]), NAME_BYTES));
    }
}

static void add_formatted_name(GByteArray *to, const char *format, va_list args)
{
    g_autofree char *name = g_strdup_vprintf(format, args);

    add_name(to, name);
}

Aml *aml_name(const char *format, ...)
{
    Aml *aml = init_aml();
    va_list args;

    va_start(args, format);
    add_formatted_name(aml->head, format, args);
    va_end(args);
    return aml;
}

Aml *aml_int(uint64_t value)
{
    Aml *aml = init_aml();

    add_int(aml->head, value);
    return aml;
}

Aml *aml_string(const char *format, ...)
{
    Aml *aml = aml_bundle(OP_STRING, NULL);
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_byte_array_append(aml->head, (const uint8_t *)text, strlen(text) + 1);
    return aml;
}

Aml *aml_eisaid(const char *id)
{
    uint32_t product = (uint32_t)g_ascii_strtoull(id + 3, NULL, 16);
    uint32_t value = (uint32_t)(id[0] - 0x40) << 26 | (uint32_t)(id[1] - 0x40) << 21 |
                     (uint32_t)(id[2] - 0x40) << 16 | product;
    Aml *aml = init_aml();

    add_byte(aml->head, OP_DWORD);
    aml_add_bytes(aml->head, GUINT32_SWAP_LE_BE(value), 4);
    return aml;
}

Aml *aml_package(uint8_t elements)
{
    Aml *aml = aml_bundle(OP_PACKAGE, aml_close_package);

    add_byte(aml->head, elements);
    return aml;
}

Aml *aml_arg(unsigned n)
{
    return aml_bundle(OP_ARG0 + n, NULL);
}

Aml *aml_local(unsigned n)
{
    return aml_bundle(OP_LOCAL0 + n, NULL);
}

/* ---- Objects ---- */

Aml *aml_name_decl(const char *name, Aml *value)
{
    Aml *aml = aml_bundle(OP_NAME, NULL);

    add_name(aml->head, name);
    aml_append(aml, value);
    return aml;
}

Aml *aml_scope(const char *format, ...)
{
    Aml *aml = aml_bundle(OP_SCOPE, aml_close_package);
    va_list args;

    va_start(args, format);
    add_formatted_name(aml->head, format, args);
    va_end(args);
    return aml;
}

Aml *aml_device(const char *format, ...)
{
    Aml *aml = ext_bundle(OP_EXT_DEVICE, aml_close_package);
    va_list args;

    va_start(args, format);
    add_formatted_name(aml->head, format, args);
    va_end(args);
    return aml;
}

Aml *aml_method(const char *name, unsigned arguments, AmlSerializeFlag serialize)
{
    Aml *aml = aml_bundle(OP_METHOD, aml_close_package);

    add_name(aml->head, name);
    add_byte(aml->head, arguments | (unsigned)serialize << 3);
    return aml;
}

Aml *aml_operation_region(const char *name, AmlRegionSpace space, Aml *offset, uint32_t length)
{
    Aml *aml = ext_bundle(OP_EXT_REGION, NULL);

    add_name(aml->head, name);
    add_byte(aml->head, space);
    aml_append(aml, offset);
    add_int(aml->body, length);
    return aml;
}

Aml *aml_field(const char *region, AmlAccessType access)
{
    Aml *aml = ext_bundle(OP_EXT_FIELD, aml_close_package);

    add_name(aml->head, region);
    add_byte(aml->head, (unsigned)access | FIELD_PRESERVE << 5);
    return aml;
}

/* The length of a field's element is written as that of a package, without its own bytes. */
static void add_field_length(GByteArray *to, unsigned bits)
{
    if (bits < 1 << 6) {
        add_byte(to, bits);
    } else {
        add_byte(to, 1 << 6 | (bits & 0xf));
        add_byte(to, bits >> 4);
    }
}

Aml *aml_named_field(const char *name, unsigned bits)
{
    Aml *aml = init_aml();

    add_name_part(aml->head, name, strlen(name));
    add_field_length(aml->head, bits);
    return aml;
}

Aml *aml_reserved_field(unsigned bits)
{
    Aml *aml = aml_bundle(0, NULL);

    add_field_length(aml->head, bits);
    return aml;
}

Aml *aml_create_dword_field(Aml *buffer, Aml *index, const char *name)
{
    Aml *aml = aml_bundle(OP_CREATE_DWORD_FIELD, NULL);

    aml_append(aml, buffer);
    aml_append(aml, index);
    add_name(aml->body, name);
    return aml;
}

/* ---- Statements ---- */

static Aml *operation(uint8_t op, Aml *a, Aml *b)
{
    Aml *aml = aml_bundle(op, NULL);

    aml_append(aml, a);
    if (b) {
        aml_append(aml, b);
    }
    return aml;
}

Aml *aml_return(Aml *value)
{
    return operation(OP_RETURN, value, NULL);
}

Aml *aml_store(Aml *value, Aml *target)
{
    return operation(OP_STORE, value, target);
}

Aml *aml_if(Aml *predicate)
{
    Aml *aml = aml_bundle(OP_IF, aml_close_package);

    aml_append(aml, predicate);
    return aml;
}

Aml *aml_equal(Aml *a, Aml *b)
{
    return operation(OP_EQUAL, a, b);
}

static Aml *operation_with_target(uint8_t op, Aml *a, Aml *b, Aml *target)
{
    Aml *aml = operation(op, a, b);

    aml_append(aml, target ? target : aml_name("%s", ""));
    return aml;
}

Aml *aml_and(Aml *a, Aml *b, Aml *target)
{
    return operation_with_target(OP_AND, a, b, target);
}

Aml *aml_or(Aml *a, Aml *b, Aml *target)
{
    return operation_with_target(OP_OR, a, b, target);
}

Aml *aml_notify(Aml *object, Aml *value)
{
    return operation(OP_NOTIFY, object, value);
}

Aml *aml_resource_template(void)
{
    return aml_bundle(OP_BUFFER, aml_close_template);
}

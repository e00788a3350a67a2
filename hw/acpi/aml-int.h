/* SPDX-License-Identifier: MIT */
/* What the files of the AML builder share: what a term is. */
#ifndef HW_ACPI_AML_INT_H
#define HW_ACPI_AML_INT_H

#include <qomet/hw/acpi/aml.h>

/* Writes what follows the opcode of @aml. */
typedef void AmlClose(const Aml *aml, GByteArray *out);

struct Aml {
    uint8_t op[2];
    uint8_t op_bytes;
    GByteArray *head; /* fixed operands */
    GByteArray *body; /* terms that were appended */
    AmlClose *close;  /* NULL: head and body as they are */
};

Aml *aml_alloc(AmlClose *close);
/* A term with an opcode of one byte. */
Aml *aml_bundle(uint8_t op, AmlClose *close);
/* Appends @value as @bytes bytes, the lowest first. */
void aml_add_bytes(GByteArray *to, uint64_t value, unsigned bytes);
/* Ways to close: with a length, as a buffer, as a buffer of resources with their end. */
void aml_close_package(const Aml *aml, GByteArray *out);
void aml_close_buffer(const Aml *aml, GByteArray *out);
void aml_close_template(const Aml *aml, GByteArray *out);

#endif

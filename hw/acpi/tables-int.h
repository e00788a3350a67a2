/* SPDX-License-Identifier: MIT */
/* What the files of ACPI tables share: tables with what remains to be filled in. */
#ifndef HW_ACPI_TABLES_INT_H
#define HW_ACPI_TABLES_INT_H

#include <qomet/hw/acpi/aml.h>
#include <qomet/hw/acpi/tables.h>

/* An address that stands, as an offset in the tables so far, at @offset of the RSDP or the tables. */
typedef struct AcpiPointer {
    bool in_rsdp;
    uint8_t bytes;
    uint32_t offset;
} AcpiPointer;

/* The byte at @offset makes the sum of the @length bytes from @start on 0. */
typedef struct AcpiChecksum {
    bool in_rsdp;
    uint32_t offset, start, length;
} AcpiChecksum;

struct AcpiTables {
    GByteArray *rsdp, *tables;
    GArray *pointers;  /* of AcpiPointer */
    GArray *checksums; /* of AcpiChecksum */
};

/* The DSDT's terms. */
Aml *acpi_dsdt(const AcpiBoard *board);

#endif

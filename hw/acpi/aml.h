/* SPDX-License-Identifier: MIT */
/*
 * A builder of AML, the byte code in which ACPI tables describe a machine: each function makes one
 * term of ACPI Specification 6.4, chapter 20, and is named as in QEMU. A term that is handed to
 * another function - as an argument, or to be appended - belongs to that one from then on.
 */
#ifndef QOMET_HW_ACPI_AML_H
#define QOMET_HW_ACPI_AML_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>
#include <qomet/qom/export.h>

/** A term, with the terms appended to it. */
typedef struct Aml Aml;

typedef enum AmlRegionSpace {
    AML_SYSTEM_MEMORY = 0,
    AML_SYSTEM_IO = 1,
    AML_PCI_CONFIG = 2,
} AmlRegionSpace;

typedef enum AmlAccessType {
    AML_ANY_ACC = 0,
    AML_BYTE_ACC = 1,
    AML_DWORD_ACC = 3,
} AmlAccessType;

typedef enum AmlSerializeFlag { AML_NOTSERIALIZED, AML_SERIALIZED } AmlSerializeFlag;
typedef enum AmlLevelAndEdge { AML_LEVEL, AML_EDGE } AmlLevelAndEdge;
typedef enum AmlActiveHighAndLow { AML_ACTIVE_HIGH, AML_ACTIVE_LOW } AmlActiveHighAndLow;
typedef enum AmlShared { AML_EXCLUSIVE, AML_SHARED } AmlShared;

/** What a range of addresses is for. */
typedef enum AmlRangeType {
    AML_MEMORY_RANGE = 0,
    AML_IO_RANGE = 1,
    AML_BUS_NUMBER_RANGE = 2
} AmlRangeType;

/** An empty list of terms, such as a table's contents. */
QOM_EXPORT Aml *init_aml(void);
/** Ends a term that was given to nobody; NULL is fine. */
QOM_EXPORT void aml_free(Aml *aml);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Aml, aml_free)
/** Adds @child, which is taken over, at the end of @parent. */
QOM_EXPORT void aml_append(Aml *parent, Aml *child);
/** Adds the bytes of @aml, which is taken over, to @out. */
QOM_EXPORT void aml_write(Aml *aml, GByteArray *out);

/* ---- Names and values. A name is "\\_SB.PCI0", "^X", "_CRS"; short parts are filled with '_'. */

QOM_EXPORT Aml *aml_name(const char *format, ...) G_GNUC_PRINTF(1, 2);
QOM_EXPORT Aml *aml_int(uint64_t value);
QOM_EXPORT Aml *aml_string(const char *format, ...) G_GNUC_PRINTF(1, 2);
/** "PNP0A03" as the number that it stands for. */
QOM_EXPORT Aml *aml_eisaid(const char *id);
/** A list of at most 255 elements, which are appended to it. */
QOM_EXPORT Aml *aml_package(uint8_t elements);
/** Argument 0 to 6 of the method. */
QOM_EXPORT Aml *aml_arg(unsigned n);
/** Local variable 0 to 7 of the method. */
QOM_EXPORT Aml *aml_local(unsigned n);

/* ---- Objects */

QOM_EXPORT Aml *aml_name_decl(const char *name, Aml *value);
QOM_EXPORT Aml *aml_scope(const char *format, ...) G_GNUC_PRINTF(1, 2);
QOM_EXPORT Aml *aml_device(const char *format, ...) G_GNUC_PRINTF(1, 2);
QOM_EXPORT Aml *aml_method(const char *name, unsigned arguments, AmlSerializeFlag serialize);
/** @length bytes from @offset of the space @space. */
QOM_EXPORT Aml *aml_operation_region(const char *name, AmlRegionSpace space, Aml *offset,
                                     uint32_t length);
/** Names for bits of the region @region, which are appended to it. What is not written stays. */
QOM_EXPORT Aml *aml_field(const char *region, AmlAccessType access);
/** The next @bits bits of a field. */
QOM_EXPORT Aml *aml_named_field(const char *name, unsigned bits);
/** The next @bits bits of a field have no name. */
QOM_EXPORT Aml *aml_reserved_field(unsigned bits);
/** Names the 32 bits at byte @index of the buffer @buffer. */
QOM_EXPORT Aml *aml_create_dword_field(Aml *buffer, Aml *index, const char *name);

/* ---- What a method does */

QOM_EXPORT Aml *aml_return(Aml *value);
QOM_EXPORT Aml *aml_store(Aml *value, Aml *target);
QOM_EXPORT Aml *aml_if(Aml *predicate);
QOM_EXPORT Aml *aml_equal(Aml *a, Aml *b);
/** Bitwise; the result is stored in @target, unless that is NULL. */
QOM_EXPORT Aml *aml_and(Aml *a, Aml *b, Aml *target);
QOM_EXPORT Aml *aml_or(Aml *a, Aml *b, Aml *target);
QOM_EXPORT Aml *aml_notify(Aml *object, Aml *value);

/* ---- Resources: a template, to which descriptors are appended */

QOM_EXPORT Aml *aml_resource_template(void);
/** @length ports that begin at @min to @max, multiples of @align (0: any), decoded with 16 bits. */
QOM_EXPORT Aml *aml_io(uint16_t min, uint16_t max, uint8_t align, uint8_t length);
/** The line @irq of the two 8259A: edge, active high, not shared. */
QOM_EXPORT Aml *aml_irq_no_flags(uint8_t irq);
/** The @n interrupts at @irqs; their numbers are those of the ACPI spec's "global system
 * interrupts". */
QOM_EXPORT Aml *aml_interrupt(AmlLevelAndEdge level, AmlActiveHighAndLow polarity, AmlShared shared,
                              const uint32_t *irqs, uint8_t n);
/** Memory that stays where it is. */
QOM_EXPORT Aml *aml_memory32_fixed(uint32_t addr, uint32_t size);
/** What a bridge passes on: a fixed range from @min to @max, both included; of 16, 32 or 64 bits.
 * Memory can be written; @cacheable: it may be prefetched. */
QOM_EXPORT Aml *aml_word_range(AmlRangeType type, uint16_t min, uint16_t max);
QOM_EXPORT Aml *aml_dword_memory(bool cacheable, uint32_t min, uint32_t max);
QOM_EXPORT Aml *aml_qword_memory(bool cacheable, uint64_t min, uint64_t max);

#endif

/* SPDX-License-Identifier: MIT */
/* Resource descriptors (ACPI 6.4, 6.4): what addresses and interrupts a device has. */
#include "hw/acpi/aml-int.h"

/* Tags: of small items with their length, of large ones without. */
#define SMALL_IRQ 0x22
#define SMALL_IO 0x47
#define SMALL_END 0x79
#define LARGE_MEMORY32_FIXED 0x86
#define LARGE_DWORD 0x87
#define LARGE_WORD 0x88
#define LARGE_INTERRUPT 0x89
#define LARGE_QWORD 0x8a

#define IO_DECODE16 0x01
#define MEMORY_READ_WRITE 0x01

#define INTERRUPT_CONSUMER 0x01
#define INTERRUPT_EDGE 0x02
#define INTERRUPT_LOW 0x04
#define INTERRUPT_SHARED 0x08

/* Of address spaces: both ends are fixed, and the bridge passes them on. */
#define RANGE_FIXED 0x0c
#define RANGE_IO_ENTIRE 0x03
#define RANGE_MEMORY_CACHEABLE 0x02

void aml_close_template(const Aml *aml, GByteArray *out)
{
    /* The end's checksum is not used: 0. */
    aml_add_bytes(aml->body, SMALL_END, 2);
    aml_close_buffer(aml, out);
}

Aml *aml_io(uint16_t min, uint16_t max, uint8_t align, uint8_t length)
{
    Aml *aml = aml_bundle(SMALL_IO, NULL);

    aml_add_bytes(aml->head, IO_DECODE16, 1);
    aml_add_bytes(aml->head, min, 2);
    aml_add_bytes(aml->head, max, 2);
    aml_add_bytes(aml->head, align, 1);
    aml_add_bytes(aml->head, length, 1);
    return aml;
}

Aml *aml_irq_no_flags(uint8_t irq)
{
    Aml *aml = aml_bundle(SMALL_IRQ, NULL);

    aml_add_bytes(aml->head, UINT64_C(1) << irq, 2);
    return aml;
}

Aml *aml_interrupt(AmlLevelAndEdge level, AmlActiveHighAndLow polarity, AmlShared shared,
                   const uint32_t *irqs, uint8_t n)
{
    Aml *aml = aml_bundle(LARGE_INTERRUPT, NULL);
    unsigned flags = INTERRUPT_CONSUMER | (level == AML_EDGE ? INTERRUPT_EDGE : 0) |
                     (polarity == AML_ACTIVE_LOW ? INTERRUPT_LOW : 0) |
                     (shared == AML_SHARED ? INTERRUPT_SHARED : 0);

    aml_add_bytes(aml->head, 2 + n * 4, 2);
    aml_add_bytes(aml->head, flags, 1);
    aml_add_bytes(aml->head, n, 1);
    for (unsigned i = 0; i < n; i++) {
        aml_add_bytes(aml->head, irqs[i], 4);
    }
    return aml;
}

Aml *aml_memory32_fixed(uint32_t addr, uint32_t size)
{
    Aml *aml = aml_bundle(LARGE_MEMORY32_FIXED, NULL);

    aml_add_bytes(aml->head, 9, 2);
    aml_add_bytes(aml->head, MEMORY_READ_WRITE, 1);
    aml_add_bytes(aml->head, addr, 4);
    aml_add_bytes(aml->head, size, 4);
    return aml;
}

/* Granularity, first, last, translation, length, each of @bytes bytes. */
static Aml *range(uint8_t tag, unsigned bytes, AmlRangeType type, uint8_t flags, uint64_t min,
                  uint64_t max)
{
    Aml *aml = aml_bundle(tag, NULL);

    aml_add_bytes(aml->head, 3 + 5 * bytes, 2);
    aml_add_bytes(aml->head, type, 1);
    aml_add_bytes(aml->head, RANGE_FIXED, 1);
    aml_add_bytes(aml->head, flags, 1);
    aml_add_bytes(aml->head, 0, bytes);
    aml_add_bytes(aml->head, min, bytes);
    aml_add_bytes(aml->head, max, bytes);
    aml_add_bytes(aml->head, 0, bytes);
    aml_add_bytes(aml->head, max - min + 1, bytes);
    return aml;
}

Aml *aml_word_range(AmlRangeType type, uint16_t min, uint16_t max)
{
    return range(LARGE_WORD, 2, type, type == AML_IO_RANGE ? RANGE_IO_ENTIRE : 0, min, max);
}

static uint8_t memory_flags(bool cacheable)
{
    return MEMORY_READ_WRITE | (cacheable ? RANGE_MEMORY_CACHEABLE : 0);
}

Aml *aml_dword_memory(bool cacheable, uint32_t min, uint32_t max)
{
    return range(LARGE_DWORD, 4, AML_MEMORY_RANGE, memory_flags(cacheable), min, max);
}

Aml *aml_qword_memory(bool cacheable, uint64_t min, uint64_t max)
{
    return range(LARGE_QWORD, 8, AML_MEMORY_RANGE, memory_flags(cacheable), min, max);
}

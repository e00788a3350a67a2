/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables from a plain description of a board. They refer to each other, so they are made once
 * with every reference noted, and then handed to firmware, which puts them where it likes, or put
 * into the memory of a guest that starts without firmware. ACPI Specification 6.4 is the source.
 */
#ifndef QOMET_HW_ACPI_TABLES_H
#define QOMET_HW_ACPI_TABLES_H

#include <qomet/hw/misc/fw-cfg.h>

#define ACPI_MAX_LINKS 8
#define ACPI_MAX_OVERRIDES 16
#define ACPI_MAX_SERIALS 4
#define ACPI_PCI_SLOTS 32

/** A range of addresses, both ends included; both 0: none. */
typedef struct AcpiWindow {
    uint64_t min, max;
} AcpiWindow;

/** An ISA interrupt that does not arrive as the edge of the input of its number. */
typedef struct AcpiIrqOverride {
    uint8_t source;
    uint32_t gsi;
    bool level;
} AcpiIrqOverride;

typedef struct AcpiSerial {
    uint16_t port;
    uint8_t irq;
} AcpiSerial;

/** A root bus, its windows, and where the interrupt pins of its slots lead. */
typedef struct AcpiPciHost {
    bool express;
    uint8_t bus_last; /* the first is 0 */
    uint64_t ecam;    /* where configuration space is memory; 0: nowhere */
    AcpiWindow io[2], mem32[2], mem64;
    /*
     * Pin @p of slot @s leads to the link route[s][p] of @num_links, each of which firmware or the
     * guest leads to an ISA interrupt by the byte link_reg[link] of the function @isa_devfn; in
     * APIC mode, unless gsi_base is 0, to the interrupt gsi_base + link. Without links always.
     */
    uint8_t route[ACPI_PCI_SLOTS][4];
    uint8_t num_links;
    uint8_t link_reg[ACPI_MAX_LINKS]; /* ascending */
    uint32_t gsi_base;
    bool has_isa; /* a function of this bus is the bridge to the legacy devices */
    uint8_t isa_devfn;
} AcpiPciHost;

/** The fixed registers of power management: hw/acpi/pm.h has them. */
typedef struct AcpiFixed {
    uint16_t pm_base; /* PM1 event at +0, PM1 control at +4, timer at +8 */
    uint16_t gpe0;
    uint8_t gpe0_bytes; /* status and enable */
    uint16_t smi_port;  /* 0: the guest need not switch ACPI on */
    uint8_t smi_enable, smi_disable;
} AcpiFixed;

/** What a board without those has instead: hw/acpi/ged.h. */
typedef struct AcpiReduced {
    uint32_t ged_addr, regs_addr;
    uint32_t gsi; /* of its events */
} AcpiReduced;

/** A board. What is 0 or NULL is not there. */
typedef struct AcpiBoard {
    unsigned num_cpus;
    const uint32_t *apic_ids; /* of each */
    uint32_t ioapic_addr;
    uint8_t ioapic_id;
    bool has_8259;
    AcpiIrqOverride overrides[ACPI_MAX_OVERRIDES];
    unsigned num_overrides;
    uint16_t sci; /* ISA interrupt of ACPI's own events */
    const AcpiPciHost *pci;
    const AcpiFixed *fixed;     /* one of these two */
    const AcpiReduced *reduced; /* is there */
    uint16_t reset_port;        /* which resets the machine when reset_value is written */
    uint8_t reset_value;
    AcpiSerial serial[ACPI_MAX_SERIALS]; /* COM1 and on; port 0: left out */
    bool has_rtc, has_8042;
    uint16_t pvpanic_port;
    struct {
        unsigned n; /* how many places for virtio devices there are, from the lowest on: */
        uint32_t addr, bytes, gsi; /* of the first; each has so many bytes, and the next gsi */
    } virtio_mmio;
} AcpiBoard;

/** Tables with their references noted. */
typedef struct AcpiTables AcpiTables;

/** The tables of @board; the caller frees them with acpi_tables_free(). Any thread. */
QOM_EXPORT AcpiTables *acpi_build(const AcpiBoard *board);
/** NULL is fine. */
QOM_EXPORT void acpi_tables_free(AcpiTables *tables);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AcpiTables, acpi_tables_free)

/**
 * Hands them to the firmware: the files etc/acpi/rsdp, etc/acpi/tables and etc/table-loader, which
 * is a list of commands that says where to put them and what to fill in. Main thread.
 */
QOM_EXPORT bool acpi_tables_add_to_fw_cfg(const AcpiTables *tables, FWCfgState *fw_cfg,
                                          GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** How many bytes acpi_tables_place() makes. */
QOM_EXPORT size_t acpi_tables_size(const AcpiTables *tables);
/**
 * The bytes that shall stand at @addr, a multiple of 64 below 4 GiB: the RSDP, which is what the
 * kernel is told of, then the rest. The caller frees them.
 */
QOM_EXPORT GByteArray *acpi_tables_place(const AcpiTables *tables, uint32_t addr);

#endif

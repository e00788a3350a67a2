/* SPDX-License-Identifier: MIT */
/*
 * A root bus in the DSDT: its windows, and where the pins of its slots lead - to links that somebody
 * sets, to fixed interrupts, or to either, as the guest says which controllers it uses (_PIC).
 */
#include "hw/acpi/dsdt-int.h"

#define PIN_FUNCTIONS 0xffff /* in the address of a slot: all functions */
#define LINK_OFF 0x80        /* in its register */
#define LINK_PRESENT 0x09    /* what _STA gives for one that is off, and for one that is on */
#define LINK_ENABLED 0x0b
#define RESOURCE_INTERRUPT 5 /* where the number stands in an extended interrupt descriptor */

/* ---- Links ---- */

/* The interrupts that a link may be led to. */
static const uint32_t link_irqs[] = { 5, 10, 11 };

static Aml *link_template(const uint32_t *irqs, unsigned n)
{
    Aml *crs = aml_resource_template();

    aml_append(crs, aml_interrupt(AML_LEVEL, AML_ACTIVE_HIGH, AML_SHARED, irqs, n));
    return crs;
}

/* The registers as names PRQ0 and on, below the bridge that has them. */
static void add_link_registers(Aml *isa, const AcpiPciHost *host)
{
    const unsigned first = host->link_reg[0], last = host->link_reg[host->num_links - 1];
    Aml *field = aml_field("PIRQ", AML_BYTE_ACC);

    aml_append(isa, aml_operation_region("PIRQ", AML_PCI_CONFIG, aml_int(first), last - first + 1));
    for (unsigned i = 0; i < host->num_links; i++) {
        char name[] = { 'P', 'R', 'Q', (char)('0' + i), 0 };
        unsigned gap = i ? host->link_reg[i] - host->link_reg[i - 1] - 1 : 0;

        if (gap) {
            aml_append(field, aml_reserved_field(gap * 8));
        }
        aml_append(field, aml_named_field(name, 8));
    }
    aml_append(isa, field);
}

static Aml *link_status(const char *reg)
{
    Aml *method = aml_method("_STA", 0, AML_NOTSERIALIZED);
    Aml *off =
        aml_if(aml_equal(aml_and(aml_name("%s", reg), aml_int(LINK_OFF), NULL), aml_int(LINK_OFF)));

    aml_append(off, aml_return(aml_int(LINK_PRESENT)));
    aml_append(method, off);
    aml_append(method, aml_return(aml_int(LINK_ENABLED)));
    return method;
}

static Aml *link_disable(const char *reg)
{
    Aml *method = aml_method("_DIS", 0, AML_NOTSERIALIZED);

    aml_append(method, aml_or(aml_name("%s", reg), aml_int(LINK_OFF), aml_name("%s", reg)));
    return method;
}

static Aml *link_current(const char *reg)
{
    const uint32_t nowhere = 0;
    Aml *method = aml_method("_CRS", 0, AML_SERIALIZED);
    Aml *on = aml_if(aml_equal(aml_and(aml_name("%s", reg), aml_int(LINK_OFF), NULL), aml_int(0)));

    aml_append(method, aml_name_decl("PRR0", link_template(&nowhere, 1)));
    aml_append(method,
               aml_create_dword_field(aml_name("PRR0"), aml_int(RESOURCE_INTERRUPT), "PRRI"));
    aml_append(on, aml_store(aml_name("%s", reg), aml_name("PRRI")));
    aml_append(method, on);
    aml_append(method, aml_return(aml_name("PRR0")));
    return method;
}

static Aml *link_set(const char *reg)
{
    Aml *method = aml_method("_SRS", 1, AML_SERIALIZED);

    aml_append(method, aml_create_dword_field(aml_arg(0), aml_int(RESOURCE_INTERRUPT), "PRRI"));
    aml_append(method, aml_store(aml_name("PRRI"), aml_name("%s", reg)));
    return method;
}

static void add_links(Aml *scope, const AcpiPciHost *host)
{
    for (unsigned i = 0; i < host->num_links; i++) {
        g_autofree char *reg = g_strdup_printf("\\_SB.PCI0.ISA.PRQ%u", i);
        Aml *dev = aml_device("LNK%c", 'A' + i);

        aml_append(dev, aml_name_decl("_HID", aml_eisaid("PNP0C0F")));
        aml_append(dev, aml_name_decl("_UID", aml_int(i)));
        aml_append(dev, aml_name_decl("_PRS", link_template(link_irqs, G_N_ELEMENTS(link_irqs))));
        aml_append(dev, link_status(reg));
        aml_append(dev, link_disable(reg));
        aml_append(dev, link_current(reg));
        aml_append(dev, link_set(reg));
        aml_append(scope, dev);
    }
}

/* ---- Routes ---- */

/* Where each pin leads: to the links, or to the interrupts from gsi_base on. */
static Aml *routes(const AcpiPciHost *host, bool links)
{
    /* Slot 0 is the bridge between the processors and the bus, without pins. */
    Aml *table = aml_package((ACPI_PCI_SLOTS - 1) * 4);

    for (unsigned slot = 1; slot < ACPI_PCI_SLOTS; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            const unsigned route = host->route[slot][pin];
            Aml *row = aml_package(4);

            aml_append(row, aml_int(slot << 16 | PIN_FUNCTIONS));
            aml_append(row, aml_int(pin));
            aml_append(row, links ? aml_name("\\_SB.LNK%c", 'A' + route) : aml_int(0));
            aml_append(row, aml_int(links ? 0 : host->gsi_base + route));
            aml_append(table, row);
        }
    }
    return table;
}

/* Both, and what the guest has said of its controllers decides. */
static void add_two_routes(Aml *bus, Aml *root, const AcpiPciHost *host)
{
    Aml *said = aml_method("_PIC", 1, AML_NOTSERIALIZED);
    Aml *method = aml_method("_PRT", 0, AML_NOTSERIALIZED);
    Aml *pic = aml_if(aml_equal(aml_name("\\PICF"), aml_int(0)));

    aml_append(root, aml_name_decl("PICF", aml_int(0)));
    aml_append(said, aml_store(aml_arg(0), aml_name("PICF")));
    aml_append(root, said);
    aml_append(bus, aml_name_decl("PRTP", routes(host, true)));
    aml_append(bus, aml_name_decl("PRTA", routes(host, false)));
    aml_append(pic, aml_return(aml_name("PRTP")));
    aml_append(method, pic);
    aml_append(method, aml_return(aml_name("PRTA")));
    aml_append(bus, method);
}

static void add_routes(Aml *bus, Aml *root, const AcpiPciHost *host)
{
    if (host->num_links && host->gsi_base) {
        add_two_routes(bus, root, host);
    } else {
        aml_append(bus, aml_name_decl("_PRT", routes(host, host->num_links > 0)));
    }
}

/* ---- The bus ---- */

static bool is_window(const AcpiWindow *w)
{
    return w->max != 0;
}

static Aml *windows(const AcpiPciHost *host)
{
    Aml *crs = aml_resource_template();

    aml_append(crs, aml_word_range(AML_BUS_NUMBER_RANGE, 0, host->bus_last));
    aml_append(crs, aml_io(0xcf8, 0xcf8, 1, 8));
    for (unsigned i = 0; i < G_N_ELEMENTS(host->io); i++) {
        if (is_window(&host->io[i])) {
            aml_append(crs, aml_word_range(AML_IO_RANGE, host->io[i].min, host->io[i].max));
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(host->mem32); i++) {
        if (is_window(&host->mem32[i])) {
            aml_append(crs, aml_dword_memory(false, host->mem32[i].min, host->mem32[i].max));
        }
    }
    if (is_window(&host->mem64)) {
        aml_append(crs, aml_qword_memory(true, host->mem64.min, host->mem64.max));
    }
    return crs;
}

/* Configuration space as memory is no window of the bus: somebody else has to own it. */
static void add_ecam(Aml *scope, const AcpiPciHost *host)
{
    Aml *dev = aml_device("DRAC"), *crs = aml_resource_template();
    const uint64_t bytes = ((uint64_t)host->bus_last + 1) << 20;

    aml_append(dev, aml_name_decl("_HID", aml_eisaid("PNP0C01")));
    if (host->ecam + bytes <= UINT64_C(1) << 32) {
        aml_append(crs, aml_memory32_fixed((uint32_t)host->ecam, (uint32_t)bytes));
    } else {
        aml_append(crs, aml_qword_memory(false, host->ecam, host->ecam + bytes - 1));
    }
    aml_append(dev, aml_name_decl("_CRS", crs));
    aml_append(scope, dev);
}

static void add_isa(Aml *bus, const AcpiBoard *board)
{
    const uint8_t devfn = board->pci->isa_devfn;
    Aml *isa = aml_device("ISA_");

    aml_append(isa, aml_name_decl("_ADR", aml_int((devfn >> 3) << 16 | (devfn & 7))));
    if (board->pci->num_links) {
        add_link_registers(isa, board->pci);
    }
    acpi_dsdt_legacy(isa, board);
    aml_append(bus, isa);
}

void acpi_dsdt_pci(Aml *scope, Aml *root, const AcpiBoard *board)
{
    const AcpiPciHost *host = board->pci;
    Aml *bus = aml_device("PCI0");

    aml_append(bus, aml_name_decl("_HID", aml_eisaid(host->express ? "PNP0A08" : "PNP0A03")));
    if (host->express) {
        aml_append(bus, aml_name_decl("_CID", aml_eisaid("PNP0A03")));
    }
    aml_append(bus, aml_name_decl("_UID", aml_int(0)));
    aml_append(bus, aml_name_decl("_CRS", windows(host)));
    add_routes(bus, root, host);
    if (host->has_isa) {
        add_isa(bus, board);
    }
    aml_append(scope, bus);
    add_links(scope, host);
    if (host->ecam) {
        add_ecam(scope, host);
    }
}

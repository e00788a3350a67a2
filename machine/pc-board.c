/* SPDX-License-Identifier: MIT */
/*
 * The board of a PC: RAM, vCPUs, the accelerator's interrupt controllers, a host bridge with its bus,
 * a south bridge with isa.0, clock, timer, keyboard controller, serial ports, and firmware that
 * finds all that out. Which bridges those are the classes that derive from it say.
 */
#include <asm/bootparam.h>
#include <qomet/accel/accel.h>
#include <qomet/hw/intc/accel-irqchip.h>
#include <qomet/hw/misc/fw-cfg.h>
#include <qomet/hw/pci/pci-host.h>
#include <qomet/hw/smbios/smbios.h>
#include <qomet/hw/timer/mc146818rtc.h>
#include "machine/boot/e820.h"
#include "machine/pc-acpi.h"
#include "machine/pc-board.h"
#include "machine/x86-acpi.h"
#include "machine/x86-board.h"

#define DEFAULT_FIRMWARE "bios-256k.bin"

/* ---- RAM ---- */

static uint64_t low_ram(const MachineState *machine)
{
    const PCBoardClass *pc = PC_BOARD_GET_CLASS(machine);

    return machine->ram_size < pc->ram_in_one_piece ? machine->ram_size : pc->low_ram_of_more;
}

/* ---- Bridges ---- */

static PCIBus *make_pci(MachineState *machine, GError **errp)
{
    const PCBoardClass *pc = PC_BOARD_GET_CLASS(machine);
    DeviceState *host = qdev_new(pc->host_type, errp);
    Object *ram = object_resolve_path_component(OBJECT(machine), "ram");

    if (!host) {
        return NULL;
    }
    if (!object_property_set_link(OBJECT(host), "ram", OBJECT(SYS_BUS_DEVICE(ram)->mmio[0]),
                                  errp)) {
        object_unref(host);
        return NULL;
    }
    return x86_place(machine, pc->host_name, host, sysbus_get_default(), errp)
               ? PCI_HOST_BRIDGE(host)->bus
               : NULL;
}

static ISABus *make_isa(MachineState *machine, PCIBus *pci, GError **errp)
{
    const PCBoardClass *pc = PC_BOARD_GET_CLASS(machine);
    DeviceState *pic = DEVICE(object_resolve_path_component(OBJECT(machine), "pic"));
    DeviceState *bridge = qdev_new(pc->isa_type, errp);
    ISABus *isa;

    if (!bridge) {
        return NULL;
    }
    PCI_DEVICE(bridge)->addr = PCI_DEVFN(pc->isa_slot, 0);
    PCI_DEVICE(bridge)->multifunction = true;
    if (!x86_place(machine, pc->isa_name, bridge, BUS(pci), errp)) {
        return NULL;
    }
    isa = ISA_BUS(g_ptr_array_index(bridge->child_buses, 0));
    return x86_wire_isa(machine, isa, errp) && (!pc->wire || pc->wire(bridge, pic, errp)) ? isa
                                                                                          : NULL;
}

/* ---- Devices ---- */

static bool add(MachineState *machine, const char *type, const char *name, ISABus *isa,
                GError **errp)
{
    DeviceState *dev = qdev_new(type, errp);

    return dev && x86_place(machine, name, dev, isa ? BUS(isa) : NULL, errp);
}

static bool make_timer(MachineState *machine, ISABus *isa, GError **errp)
{
    if (!PC_BOARD(machine)->pit) {
        return true;
    }
    return PC_BOARD(machine)->kernel_irqchip == ON_OFF_SPLIT_ON &&
                   ACCEL_GET_CLASS(current_accel())->create_pit
               ? add(machine, "kvm-pit", "i8254", NULL, errp)
               : add(machine, "isa-pit", "i8254", isa, errp);
}

static bool make_pm(MachineState *machine, PCIBus *pci, ISABus *isa, GError **errp)
{
    const PCBoardClass *pc = PC_BOARD_GET_CLASS(machine);

    return !PC_BOARD(machine)->acpi || !pc->make_pm || pc->make_pm(machine, pci, isa, errp);
}

static bool make_devices(MachineState *machine, ISABus *isa, GError **errp)
{
    return (!PC_BOARD(machine)->rtc || add(machine, TYPE_MC146818_RTC, "mc146818rtc", isa, errp)) &&
           make_timer(machine, isa, errp) && add(machine, "i8042", "i8042", isa, errp) &&
           add(machine, "port92", "port92", isa, errp) &&
           add(machine, "ioport80", "port80", isa, errp) && x86_make_serials(machine, isa, errp);
}

/* ---- Firmware ---- */

static bool make_fw_cfg(const MachineState *machine, GError **errp)
{
    const CPUTopology topology = machine_topology(machine);
    FWCfgState *fw_cfg = fw_cfg_init_io_dma(FW_CFG_IO_BASE, FW_CFG_DMA_IO_BASE, errp);

    if (fw_cfg) {
        fw_cfg_add_i64(fw_cfg, FW_CFG_RAM_SIZE, machine->ram_size);
        fw_cfg_add_i16(fw_cfg, FW_CFG_NB_CPUS, (uint16_t)machine->smp_cpus);
        /* What SeaBIOS makes of it is a limit of APIC ids. */
        fw_cfg_add_i16(fw_cfg, FW_CFG_MAX_CPUS,
                       (uint16_t)(x86_apic_id(&topology, machine->smp_cpus - 1) + 1));
    }
    return fw_cfg != NULL;
}

/*
 * Where nobody executes it, firmware that nobody has asked for may be missing: a tester drives the
 * board.
 */
static bool make_firmware(MachineState *machine, PCIBus *pci, GError **errp)
{
    const char *name = machine->firmware ? machine->firmware : DEFAULT_FIRMWARE;
    g_autoptr(GError) error = NULL;

    if (machine->kernel_filename) {
        return true; /* it is started without */
    }
    if (firmware_map(&PC_BOARD(machine)->firmware, OBJECT(machine), pci->address_space_mem, name,
                     &error) ||
        (!machine->firmware && !ACCEL_GET_CLASS(current_accel())->has_cpus)) {
        return true;
    }
    g_propagate_error(errp, g_steal_pointer(&error));
    return false;
}

static bool pc_board_init(MachineState *machine, GError **errp)
{
    PCIBus *pci;
    ISABus *isa;

    if (!x86_make_irqchip(machine, PC_BOARD(machine)->kernel_irqchip, errp) ||
        !machine_create_ram(machine, low_ram(machine), X86_HIGH_RAM_START, errp) ||
        !machine_create_cpus(machine, errp)) {
        return false;
    }
    pci = make_pci(machine, errp);
    isa = pci ? make_isa(machine, pci, errp) : NULL;
    return isa && make_pm(machine, pci, isa, errp) && make_devices(machine, isa, errp) &&
           make_fw_cfg(machine, errp) && make_firmware(machine, pci, errp);
}

/* ---- What firmware finds in the CMOS memory ---- */

#define CMOS_EQUIPMENT 0x14
#define CMOS_BASE_KIB 0x15
#define CMOS_EXTENDED_KIB 0x17 /* and again at 0x30 */
#define CMOS_EXTENDED_KIB2 0x30
#define CMOS_ABOVE_16M 0x34 /* in units of 64 KiB */
#define CMOS_BOOT_THIRD 0x38
#define CMOS_BOOT_FIRST 0x3d
#define CMOS_ABOVE_4G 0x5b /* three bytes, in units of 64 KiB */
#define CMOS_MORE_CPUS 0x5f

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

static void set_cmos(DeviceState *rtc, unsigned addr, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++, value >>= 8) {
        mc146818rtc_set_cmos_data(rtc, addr + i, (uint8_t)value);
    }
}

/* @size beyond @from, in units of @unit, as far as 16 bits can say. */
static uint64_t units_beyond(uint64_t size, uint64_t from, uint64_t unit)
{
    return size > from ? MIN((size - from) / unit, 0xffff) : 0;
}

static void fill_cmos(const MachineState *machine, uint64_t low, uint64_t high)
{
    DeviceState *rtc = DEVICE(object_resolve_path_component(OBJECT(machine), "mc146818rtc"));

    set_cmos(rtc, CMOS_BASE_KIB, 640, 2);
    set_cmos(rtc, CMOS_EXTENDED_KIB, units_beyond(low, MIB, KIB), 2);
    set_cmos(rtc, CMOS_EXTENDED_KIB2, units_beyond(low, MIB, KIB), 2);
    set_cmos(rtc, CMOS_ABOVE_16M, units_beyond(low, 16 * MIB, 64 * KIB), 2);
    set_cmos(rtc, CMOS_ABOVE_4G, high / (64 * KIB), 3);
    set_cmos(rtc, CMOS_MORE_CPUS, machine->smp_cpus - 1, 1);
    set_cmos(rtc, CMOS_EQUIPMENT, 0x06, 1); /* a coprocessor and a PS/2 mouse */
    /* Disk, floppy, CD; the firmware need not check the floppy's first sector. */
    set_cmos(rtc, CMOS_BOOT_FIRST, 0x12, 1);
    set_cmos(rtc, CMOS_BOOT_THIRD, 0x30, 1);
}

/* ---- What it finds in files ---- */

static bool add_e820(FWCfgState *fw_cfg, uint64_t low, uint64_t high, GError **errp)
{
    const struct boot_e820_entry map[] = {
        { 0, GUINT64_TO_LE(low), GUINT32_TO_LE(E820_RAM) },
        { GUINT64_TO_LE(X86_HIGH_RAM_START), GUINT64_TO_LE(high), GUINT32_TO_LE(E820_RAM) },
    };

    return fw_cfg_add_file(fw_cfg, "etc/e820", map, (high ? 2 : 1) * sizeof(map[0]), errp);
}

static GByteArray *describe(const MachineState *machine, uint64_t low, uint64_t high)
{
    return smbios_tables(&(SmbiosBoard){ .product = MACHINE_GET_CLASS(machine)->desc,
                                         .topology = machine_topology(machine),
                                         .low_ram = low,
                                         .high_ram = high });
}

static bool add_smbios(FWCfgState *fw_cfg, const GByteArray *smbios, GError **errp)
{
    g_autoptr(GByteArray) anchor = smbios_anchor(smbios, 0);

    return fw_cfg_add_file(fw_cfg, "etc/smbios/smbios-tables", smbios->data, smbios->len, errp) &&
           fw_cfg_add_file(fw_cfg, "etc/smbios/smbios-anchor", anchor->data, anchor->len, errp);
}

/* ---- What is there to be run ---- */

/* Where a guest looks for them, from @from on. */
static bool place_smbios(BootImage *image, uint64_t from, const GByteArray *smbios, GError **errp)
{
    const uint32_t at = (uint32_t)((from + SMBIOS_ALIGN - 1) & ~(uint64_t)(SMBIOS_ALIGN - 1));
    const uint32_t tables_at = at + SMBIOS_ANCHOR_BYTES;
    g_autoptr(GByteArray) anchor = smbios_anchor(smbios, tables_at);

    if (tables_at + smbios->len > HIGH_MEMORY_START) {
        qom_error_set(
            errp, QOM_ERROR_VALUE,
            "there is no room for the tables of so many vCPUs and so much RAM: fewer with "
            "-smp, less with -m, or acpi=off");
        return false;
    }
    boot_image_add_copy(image, at, anchor->data, anchor->len);
    boot_image_add_copy(image, tables_at, smbios->data, smbios->len);
    return true;
}

static bool load_kernel(MachineState *machine, const AcpiTables *tables, const GByteArray *smbios,
                        GError **errp)
{
    PCBoard *s = PC_BOARD(machine);

    if (!machine_check_words(machine, MACHINE_KERNEL | MACHINE_INITRD | MACHINE_CMDLINE,
                             "starts the kernel of -kernel without firmware", errp)) {
        return false;
    }
    s->image = x86_load_kernel(machine, tables ? FIRMWARE_START : 0, errp);
    return s->image && (!tables || x86_acpi_place(machine, tables, s->image, errp)) &&
           place_smbios(s->image, FIRMWARE_START + (tables ? acpi_tables_size(tables) : 0), smbios,
                        errp);
}

static bool pc_board_done(MachineState *machine, GError **errp)
{
    uint64_t low = MIN(low_ram(machine), machine->ram_size), high = machine->ram_size - low;
    g_autoptr(AcpiTables) tables = NULL;
    g_autoptr(GByteArray) smbios = NULL;

    if (PC_BOARD(machine)->rtc) {
        fill_cmos(machine, low, high);
    }
    if (PC_BOARD(machine)->acpi) {
        tables = pc_acpi_build(machine, low);
    }
    smbios = describe(machine, low, high);
    if (!add_e820(fw_cfg_find(), low, high, errp) || !add_smbios(fw_cfg_find(), smbios, errp) ||
        (tables && !acpi_tables_add_to_fw_cfg(tables, fw_cfg_find(), errp))) {
        return false;
    }
    return machine->kernel_filename
               ? load_kernel(machine, tables, smbios, errp)
               : machine_check_words(machine, MACHINE_FIRMWARE,
                                     "starts its firmware (without -kernel)", errp);
}

/* ---- What it would have done ---- */

/* What a kernel relies on: RAM below 1 MiB, power management and other registers in their places. */
static void set_up(MachineState *machine)
{
    const PCBoardClass *pc = PC_BOARD_GET_CLASS(machine);
    PCIBus *bus =
        PCI_HOST_BRIDGE(object_resolve_path_component(OBJECT(machine), pc->host_name))->bus;

    for (const PCSetting *setting = pc->settings; setting->value; setting++) {
        pci_data_write(bus, setting->devfn << 8 | setting->reg, setting->value, 4);
    }
}

static void pc_board_reset(MachineState *machine)
{
    if (PC_BOARD(machine)->image) {
        set_up(machine);
        x86_start_kernel(PC_BOARD(machine)->image);
    }
}

/* ---- The type ---- */

static void pc_board_finalize(Object *obj)
{
    g_clear_pointer(&((PCBoard *)obj)->image, boot_image_free);
}

static const Property pc_board_props[] = {
    DEFINE_PROP_ENUM("kernel-irqchip", PCBoard, kernel_irqchip, on_off_split_table, ON_OFF_SPLIT_ON,
                     .help = "have the accelerator's interrupt controllers; split: its local APICs "
                             "alone; off: none"),
    DEFINE_PROP_BOOL("acpi", PCBoard, acpi, true,
                     .help = "have power management, and tables that tell of the machine"),
    DEFINE_PROP_BOOL("pit", PCBoard, pit, true, .help = "have the timer at port 0x40"),
    DEFINE_PROP_BOOL("rtc", PCBoard, rtc, true,
                     .help = "have the clock and the CMOS memory at port 0x70"),
};

static void pc_board_class_init(ObjectClass *klass, const void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    (void)data;
    mc->max_cpus = 255;
    mc->default_ram_size = UINT64_C(128) << 20;
    mc->max_ram_size = UINT64_C(1) << 40;
    mc->default_cpu_type = "qemu64";
    mc->triple_fault_resets = true;
    mc->init = pc_board_init;
    mc->done = pc_board_done;
    mc->reset = pc_board_reset;
    object_class_add_properties(klass, pc_board_props, G_N_ELEMENTS(pc_board_props));
}

static const TypeInfo pc_board_types[] = {
    {
        .name = TYPE_PC_BOARD,
        .parent = TYPE_MACHINE,
        .instance_size = sizeof(PCBoard),
        .instance_finalize = pc_board_finalize,
        .class_size = sizeof(PCBoardClass),
        .class_init = pc_board_class_init,
        .abstract = true,
    },
};
DEFINE_TYPES(pc_board_types)

/* SPDX-License-Identifier: MIT */
/*
 * The machine "bare": RAM from 0, vCPUs, ports with an ISA bus, and serial ports. No firmware, no
 * PCI. A flat binary is loaded and entered; what its registers hold is in bare-start.c.
 *
 * With kernel-irqchip=on, KVM's PIC, IOAPIC and local APICs take the sixteen lines of the ISA bus.
 * Without, there is nothing that wakes a halted vCPU, so the machine ends when the last one has
 * halted.
 */
#include <inttypes.h>
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/qom/keyval.h>
#include "accel/x86-bits.h"
#include "machine/bare-int.h"

/* Pages that are told about before it is said that no more will be. */
#define TOLD_PAGES_MAX 1024

/* ---- What nothing answers ---- */

/*
 * Whether this port or page is met for the first time; @last is set when no further one will be
 * told.
 */
static bool first_time(BareMachine *s, bool port, hwaddr addr, bool *last)
{
    bool first;

    *last = false;
    pthread_mutex_lock(&s->told_lock);
    if (port) {
        uint64_t *word = &s->told_ports[(addr & 0xffff) / 64], bit = UINT64_C(1) << (addr % 64);

        first = !(*word & bit);
        *word |= bit;
    } else {
        gpointer page = GSIZE_TO_POINTER(addr >> 12);

        if (!s->told_pages) {
            s->told_pages = g_hash_table_new(NULL, NULL);
        }
        first = g_hash_table_size(s->told_pages) < TOLD_PAGES_MAX &&
                g_hash_table_add(s->told_pages, page);
        *last = first && g_hash_table_size(s->told_pages) == TOLD_PAGES_MAX;
    }
    pthread_mutex_unlock(&s->told_lock);
    return first;
}

static void unassigned(BareMachine *s, bool port, hwaddr addr, unsigned size, bool is_write,
                       uint64_t value)
{
    g_autofree char *what = NULL;
    bool last = false;

    if (s->unassigned == BARE_UNASSIGNED_WARN && !first_time(s, port, addr, &last)) {
        return;
    }
    if (is_write) {
        what = g_strdup_printf("a write of 0x%" PRIx64 " (size %u) to %s 0x%" PRIx64
                               ", where nothing is",
                               value, size, port ? "port" : "address", addr);
    } else {
        what = g_strdup_printf("a read (size %u) of %s 0x%" PRIx64 ", where nothing is", size,
                               port ? "port" : "address", addr);
    }
    if (s->unassigned == BARE_UNASSIGNED_WARN) {
        warn_report("%s (told once for each %s)%s", what, port ? "port" : "page",
                    last ? "; further pages are not told" : "");
    } else if (cpu_current()) {
        cpu_guest_panicked(cpu_current(), "%s (unassigned=stop).", what);
    } else {
        error_report("%s (unassigned=stop)", what);
        qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_PANIC, 1);
    }
}

static void unassigned_memory(void *opaque, hwaddr addr, unsigned size, bool is_write,
                              uint64_t value, MemTxAttrs attrs)
{
    if (!attrs.debug) {
        unassigned(opaque, false, addr, size, is_write, value);
    }
}

static void unassigned_port(void *opaque, hwaddr addr, unsigned size, bool is_write, uint64_t value,
                            MemTxAttrs attrs)
{
    if (!attrs.debug) {
        unassigned(opaque, true, addr, size, is_write, value);
    }
}

/* ---- The board ---- */

static bool map_ram(BareMachine *s, GError **errp)
{
    MachineState *machine = &s->parent_obj;
    uint64_t low = MIN(machine->ram_size, BARE_LOW_RAM_END), high = machine->ram_size - low;

    memory_region_init_alias(&s->low_ram, OBJECT(s), "low-ram", &machine->ram, 0, low);
    if (!memory_region_add_subregion(get_system_memory(), 0, &s->low_ram, errp)) {
        return false;
    }
    if (!high) {
        return true;
    }
    memory_region_init_alias(&s->high_ram, OBJECT(s), "high-ram", &machine->ram, low, high);
    return memory_region_add_subregion(get_system_memory(), BARE_HIGH_RAM_START, &s->high_ram,
                                       errp);
}

static void set_gsi(void *opaque, int n, int level)
{
    AccelState *accel = opaque;

    ACCEL_GET_CLASS(accel)->set_irq(accel, n, level);
}

static void set_nothing(void *opaque, int n, int level)
{
    (void)opaque;
    (void)n;
    (void)level;
}

/*
 * An accelerator without vCPUs has no controllers either; the lines are there, so that a tester
 * sees their levels.
 */
static bool make_irqchip(BareMachine *s, GError **errp)
{
    AccelState *accel = current_accel();
    AccelClass *ac = ACCEL_GET_CLASS(accel);

    if (!s->kernel_irqchip) {
        return true;
    }
    if (ac->has_cpus && !ac->create_irqchip) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "kernel-irqchip=on: the accelerator '%s' has no interrupt controllers",
                      ac->name);
        return false;
    }
    if (ac->has_cpus && !ac->create_irqchip(accel, errp)) {
        return false;
    }
    for (int i = 0; i < ISA_NUM_IRQS; i++) {
        s->irqs[i] = qemu_allocate_irq(ac->has_cpus ? set_gsi : set_nothing, accel, i);
        if (!object_property_add_child(OBJECT(s), "isa-irq[*]", OBJECT(s->irqs[i]), errp)) {
            return false;
        }
    }
    return true;
}

static bool make_serial(BareMachine *s, unsigned n, GError **errp)
{
    const char *words = machine_serial_words(&s->parent_obj, n);
    g_autofree char *id = g_strdup_printf("serial%u", n);
    Chardev *chr;
    DeviceState *dev;

    if (!words) {
        return true;
    }
    chr = qemu_chr_new(id, words, errp);
    dev = chr ? qdev_new("isa-serial", errp) : NULL;
    if (!dev) {
        return false;
    }
    if (!object_property_set_uint(OBJECT(dev), "index", n, errp) ||
        !object_property_set_str(OBJECT(dev), "chardev", chr->label, errp)) {
        object_unref(dev);
        return false;
    }
    return qdev_realize_and_unref(dev, &s->isa->parent_obj, errp);
}

static bool make_serials(BareMachine *s, GError **errp)
{
    for (unsigned n = 0; n < machine_serial_count(&s->parent_obj); n++) {
        if (!make_serial(s, n, errp)) {
            g_prefix_error(errp, "-serial %s: ", machine_serial_words(&s->parent_obj, n));
            return false;
        }
    }
    return true;
}

static bool check_options(const BareMachine *s, GError **errp)
{
    const MachineState *m = &s->parent_obj;
    const char *what = m->initrd_filename  ? "-initrd"
                       : m->firmware       ? "-bios"
                       : m->kernel_cmdline ? "-append"
                                           : NULL;

    if (what) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "%s means nothing to the machine 'bare', which runs one flat binary", what);
        return false;
    }
    if (s->kernel_irqchip && s->on_halt == BARE_HALT_EXIT) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "on-halt=exit needs kernel-irqchip=off: with KVM's interrupt controllers a "
                      "halted vCPU waits in KVM");
        return false;
    }
    return true;
}

static bool bare_init(MachineState *machine, GError **errp)
{
    BareMachine *s = BARE_MACHINE(machine);

    /*
     * The vCPUs' threads come up while the rest is made. RAM is mapped before: KVM would have that
     * wait until it has made them.
     */
    if (!check_options(s, errp) || !make_irqchip(s, errp) || !map_ram(s, errp) ||
        !machine_create_cpus(machine, errp)) {
        return false;
    }
    s->isa = isa_bus_new(NULL, get_system_io(), errp);
    if (!s->isa) {
        return false;
    }
    if (s->kernel_irqchip) {
        isa_bus_register_input_irqs(s->isa, s->irqs, ISA_NUM_IRQS);
    }
    bare_halt_watch(s);
    if (s->unassigned != BARE_UNASSIGNED_IGNORE) {
        address_space_memory.unassigned_opaque = address_space_io.unassigned_opaque = s;
        address_space_memory.unassigned = unassigned_memory;
        address_space_io.unassigned = unassigned_port;
    }
    return make_serials(s, errp);
}

static bool bare_done(MachineState *machine, GError **errp)
{
    return bare_start_prepare(BARE_MACHINE(machine), errp);
}

static void bare_reset(MachineState *machine)
{
    bare_start_reset(BARE_MACHINE(machine));
}

/* ---- The type ---- */

static GVariant *get_entry(Object *obj, const Property *prop, GError **errp)
{
    (void)prop;
    (void)errp;
    return g_variant_new_uint64(bare_entry(BARE_MACHINE(obj)));
}

static bool set_entry(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    BareMachine *s = BARE_MACHINE(obj);

    (void)prop;
    (void)errp;
    s->entry = g_variant_get_uint64(value);
    s->entry_given = true;
    return true;
}

static const char *const on_halt_names[] = { "auto", "exit", "wait" };
static const EnumLookup on_halt_table = { on_halt_names, G_N_ELEMENTS(on_halt_names) };
static const char *const unassigned_names[] = { "ignore", "warn", "stop" };
static const EnumLookup unassigned_table = { unassigned_names, G_N_ELEMENTS(unassigned_names) };

#define SEGMENT(name, seg)                                                                         \
    DEFINE_PROP_UINT16(name, BareMachine, selector[seg], 0,                                        \
                       .help = "initial selector in real mode; its base is 16 times that")
#define REGISTER(name, reg, text) DEFINE_PROP_UINT64(name, BareMachine, gpr[reg], 0, .help = (text))

static const Property bare_props[] = {
    DEFINE_PROP_UINT64("load-address", BareMachine, load_address, 0x1000,
                       .help = "where the -kernel file is put"),
    { .name = "entry",
      .info = &prop_info_accessor_uint,
      .help =
          "where the guest begins, in real mode an offset in CS; by default where the kernel is",
      .get = get_entry,
      .set = set_entry },
    SEGMENT("cs", X86_CS),
    SEGMENT("ss", X86_SS),
    SEGMENT("ds", X86_DS),
    SEGMENT("es", X86_ES),
    SEGMENT("fs", X86_FS),
    SEGMENT("gs", X86_GS),
    REGISTER("rax", X86_RAX, "initial value"),
    REGISTER("rbx", X86_RBX, "initial value"),
    REGISTER("rcx", X86_RCX, "initial value"),
    REGISTER("rdx", X86_RDX, "initial value; with more than one vCPU the index of each instead"),
    REGISTER("rsi", X86_RSI, "initial value"),
    REGISTER("rdi", X86_RDI, "initial value"),
    REGISTER("rbp", X86_RBP, "initial value"),
    REGISTER("rsp", X86_RSP,
             "initial value; 0 in protected and long mode: below the tables at the end of RAM"),
    DEFINE_PROP_BOOL(
        "long-mode", BareMachine, long_mode, false,
        .help = "start in 64-bit mode at CPL 0, memory mapped to itself in pages of 2 MiB"),
    DEFINE_PROP_BOOL(
        "protected-mode", BareMachine, protected_mode, false,
        .help = "start in 32-bit protected mode at CPL 0, flat segments of 4 GiB, no paging"),
    DEFINE_PROP_BOOL("kernel-irqchip", BareMachine, kernel_irqchip, false,
                     .help =
                         "have KVM's PIC, IOAPIC and local APICs, and the serial port on IRQ 4"),
    DEFINE_PROP_ENUM(
        "on-halt", BareMachine, on_halt, on_halt_table, BARE_HALT_AUTO,
        .help =
            "when the last vCPU has halted; auto: exit without interrupt controllers, else wait"),
    DEFINE_PROP_ENUM("unassigned", BareMachine, unassigned, unassigned_table, BARE_UNASSIGNED_WARN,
                     .help = "when the guest reaches for what is not there (reads give all ones)"),
};

static void bare_instance_init(Object *obj)
{
    pthread_mutex_init(&((BareMachine *)obj)->told_lock, NULL);
}

static void bare_instance_finalize(Object *obj)
{
    BareMachine *s = (BareMachine *)obj;

    if (address_space_memory.unassigned_opaque == s) {
        address_space_memory.unassigned = address_space_io.unassigned = NULL;
        address_space_memory.unassigned_opaque = address_space_io.unassigned_opaque = NULL;
    }
    bare_halt_unwatch(s);
    for (int i = 0; i < ISA_NUM_IRQS; i++) {
        object_unref(s->irqs[i]);
    }
    g_clear_pointer(&s->image, g_bytes_unref);
    g_clear_pointer(&s->told_pages, g_hash_table_unref);
    pthread_mutex_destroy(&s->told_lock);
}

static void bare_class_init(ObjectClass *klass, const void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    (void)data;
    mc->desc = "teaching board: RAM, ports, a flat binary";
    mc->is_default = true;
    mc->max_cpus = 255;
    mc->default_ram_size = UINT64_C(16) << 20;
    mc->max_ram_size = UINT64_C(256) << 30;
    mc->default_cpu_type = "qemu64";
    mc->init = bare_init;
    mc->done = bare_done;
    mc->reset = bare_reset;
    object_class_add_properties(klass, bare_props, G_N_ELEMENTS(bare_props));
}

static const TypeInfo bare_types[] = {
    {
        .name = TYPE_BARE_MACHINE,
        .parent = TYPE_MACHINE,
        .instance_size = sizeof(BareMachine),
        .instance_init = bare_instance_init,
        .instance_finalize = bare_instance_finalize,
        .class_init = bare_class_init,
    },
};
DEFINE_TYPES(bare_types)

/* SPDX-License-Identifier: MIT */
/*
 * "flat-machine": what a machine is that runs one flat binary, whatever its board is made of - the
 * properties that say how the guest starts, and what happens when it reaches for what is not there.
 * It makes no board: "bare" and board files add one.
 */
#include <inttypes.h>
#include <string.h>
#include <qomet/hw/intc/accel-irqchip.h>
#include "accel/x86-bits.h"
#include "machine/flat-int.h"

/* Pages that are told about before it is said that no more will be. */
#define TOLD_PAGES_MAX 1024
#define PORTS 65536

/* ---- What nothing answers ---- */

/*
 * Whether this port or page is met for the first time; @last is set when no further one will be
 * told.
 */
static bool first_time(FlatMachine *s, bool port, hwaddr addr, bool *last)
{
    bool first;

    *last = false;
    pthread_mutex_lock(&s->told_lock);
    if (port) {
        uint64_t *word, bit = UINT64_C(1) << (addr % 64);

        if (!s->told_ports) {
            s->told_ports = g_new0(uint64_t, PORTS / 64);
        }
        word = &s->told_ports[addr % PORTS / 64];
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

static void unassigned(FlatMachine *s, bool port, hwaddr addr, unsigned size, bool is_write,
                       uint64_t value)
{
    g_autofree char *what = NULL;
    bool last = false;

    if (s->unassigned == FLAT_UNASSIGNED_WARN && !first_time(s, port, addr, &last)) {
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
    if (s->unassigned == FLAT_UNASSIGNED_WARN) {
        warn_report("%s (told once for each %s)%s", what, port ? "port" : "page",
                    last ? "; further pages are not told" : "");
    } else if (cpu_current()) {
        cpu_guest_panicked(cpu_current(), "%s (unassigned=stop).", what);
    } else {
        error_report("%s (unassigned=stop)", what);
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_PANIC);
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

/* ---- From board to guest ---- */

static bool check_options(const FlatMachine *s, GError **errp)
{
    if (!machine_check_words(&s->parent_obj, MACHINE_KERNEL, "runs one flat binary", errp)) {
        return false;
    }
    if (s->has_irqchip && s->on_halt == FLAT_HALT_EXIT) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "on-halt=exit is for a machine without interrupt controllers: with KVM's a "
                      "halted vCPU waits in KVM");
        return false;
    }
    return true;
}

static int is_irqchip(Object *obj, void *opaque)
{
    (void)opaque;
    return object_dynamic_cast(obj, TYPE_ACCEL_IRQCHIP) != NULL;
}

static bool flat_done(MachineState *machine, GError **errp)
{
    FlatMachine *s = FLAT_MACHINE(machine);

    s->has_irqchip = object_child_foreach_recursive(OBJECT(s), is_irqchip, NULL) != 0;
    if (!check_options(s, errp) || !flat_start_prepare(s, errp)) {
        return false;
    }
    flat_halt_watch(s);
    if (s->unassigned != FLAT_UNASSIGNED_IGNORE) {
        address_space_memory.unassigned_opaque = address_space_io.unassigned_opaque = s;
        address_space_memory.unassigned = unassigned_memory;
        address_space_io.unassigned = unassigned_port;
    }
    return true;
}

static void flat_reset(MachineState *machine)
{
    flat_start_reset(FLAT_MACHINE(machine));
}

/* ---- The type ---- */

static GVariant *get_entry(Object *obj, const Property *prop, GError **errp)
{
    (void)prop;
    (void)errp;
    return g_variant_new_uint64(flat_entry(FLAT_MACHINE(obj)));
}

static bool set_entry(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    FlatMachine *s = FLAT_MACHINE(obj);

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
    DEFINE_PROP_UINT16(name, FlatMachine, selector[seg], 0, .live = true,                          \
                       .help = "initial selector in real mode; its base is 16 times that")
#define REGISTER(name, reg, text)                                                                  \
    DEFINE_PROP_UINT64(name, FlatMachine, gpr[reg], 0, .live = true, .help = (text))

static const Property flat_props[] = {
    DEFINE_PROP_UINT64("load-address", FlatMachine, load_address, 0x1000,
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
        "long-mode", FlatMachine, long_mode, false,
        .help = "start in 64-bit mode at CPL 0, memory mapped to itself in pages of 2 MiB"),
    DEFINE_PROP_BOOL(
        "protected-mode", FlatMachine, protected_mode, false,
        .help = "start in 32-bit protected mode at CPL 0, flat segments of 4 GiB, no paging"),
    DEFINE_PROP_ENUM(
        "on-halt", FlatMachine, on_halt, on_halt_table, FLAT_HALT_AUTO,
        .help =
            "when the last vCPU has halted; auto: exit without interrupt controllers, else wait"),
    DEFINE_PROP_ENUM("unassigned", FlatMachine, unassigned, unassigned_table, FLAT_UNASSIGNED_WARN,
                     .help = "when the guest reaches for what is not there (reads give all ones)"),
};

static void flat_instance_init(Object *obj)
{
    pthread_mutex_init(&((FlatMachine *)obj)->told_lock, NULL);
}

static void flat_instance_finalize(Object *obj)
{
    FlatMachine *s = (FlatMachine *)obj;

    if (address_space_memory.unassigned_opaque == s) {
        address_space_memory.unassigned = address_space_io.unassigned = NULL;
        address_space_memory.unassigned_opaque = address_space_io.unassigned_opaque = NULL;
    }
    flat_halt_unwatch(s);
    g_clear_pointer(&s->image, g_bytes_unref);
    g_clear_pointer(&s->told_pages, g_hash_table_unref);
    g_free(s->told_ports);
    pthread_mutex_destroy(&s->told_lock);
}

static void flat_class_init(ObjectClass *klass, const void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    (void)data;
    mc->desc = "empty board for a flat binary: what board files begin with";
    mc->max_ram_size = UINT64_C(256) << 30;
    mc->default_cpu_type = "qemu64";
    mc->done = flat_done;
    mc->reset = flat_reset;
    object_class_add_properties(klass, flat_props, G_N_ELEMENTS(flat_props));
}

static const TypeInfo flat_types[] = {
    {
        .name = TYPE_FLAT_MACHINE,
        .parent = TYPE_MACHINE,
        .instance_size = sizeof(FlatMachine),
        .instance_init = flat_instance_init,
        .instance_finalize = flat_instance_finalize,
        .class_init = flat_class_init,
    },
};
DEFINE_TYPES(flat_types)

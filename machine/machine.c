/* SPDX-License-Identifier: MIT */
/*
 * The machine class: finding one, configuring it, and the steps from an empty "/machine" to a board
 * that runs - and back.
 */
#include <string.h>
#include <qomet/accel/debug.h>
#include <qomet/backends/daemon.h>
#include <qomet/backends/hostmem.h>
#include <qomet/machine/machine.h>
#include <qomet/qom/keyval.h>
#include <qomet/qom/value.h>

/* What runs without -M; its class says is_default. */
#define DEFAULT_MACHINE "bare"

#define RAM_PAGE UINT64_C(4096)
/* More than this no process here can map. */
#define MAX_RAM_BYTES (UINT64_C(64) << 40)

static MachineState *the_machine;

MachineState *current_machine(void)
{
    return the_machine;
}

/* ---- Classes ---- */

typedef struct ClassSearch {
    const char *name; /* or alias */
    GPtrArray *names; /* every name met */
    MachineClass *found;
} ClassSearch;

char *machine_name(const MachineClass *mc)
{
    const char *type = object_class_get_name(&mc->parent_class);

    return g_str_has_suffix(type, TYPE_MACHINE_SUFFIX)
               ? g_strndup(type, strlen(type) - strlen(TYPE_MACHINE_SUFFIX))
               : g_strdup(type);
}

static void search_class(ObjectClass *klass, void *opaque)
{
    MachineClass *mc = MACHINE_CLASS(klass);
    ClassSearch *s = opaque;

    g_ptr_array_add(s->names, machine_name(mc));
    if (mc->alias) {
        g_ptr_array_add(s->names, g_strdup(mc->alias));
    }
    if (!g_strcmp0(mc->alias, s->name)) {
        s->found = mc;
    }
}

MachineClass *machine_class_find(const char *name, GError **errp)
{
    g_autofree char *type = g_strconcat(name, TYPE_MACHINE_SUFFIX, NULL);
    ObjectClass *klass = object_class_by_name(type);
    ClassSearch search = { .name = name };

    if (klass && object_class_dynamic_cast(klass, TYPE_MACHINE) &&
        !object_class_is_abstract(klass)) {
        return MACHINE_CLASS(klass);
    }
    search.names = g_ptr_array_new_with_free_func(g_free);
    object_class_foreach(search_class, TYPE_MACHINE, false, &search);
    g_ptr_array_add(search.names, NULL);
    if (!search.found) {
        g_autofree char *near = qom_did_you_mean(name, (const char *const *)search.names->pdata);

        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "'%s' is not a machine%s", name,
                      *near ? near : " (-M help lists those that there are)");
    }
    g_ptr_array_unref(search.names);
    return search.found;
}

/* By name, since looking for it would make the class of every type there is. */
MachineClass *machine_class_default(void)
{
    ObjectClass *klass = object_class_by_name(MACHINE_TYPE_NAME(DEFAULT_MACHINE));

    return klass ? MACHINE_CLASS(klass) : NULL;
}

/* ---- Making ---- */

/* The tree shows the two address spaces, so that what is mapped in them has a path. */
static bool add_maps(Object *machine, GError **errp)
{
    return object_property_add_child(machine, "memory", OBJECT(get_system_memory()), errp) &&
           object_property_add_child(machine, "io", OBJECT(get_system_io()), errp);
}

/* What a method of the machine has returned. */
static bool method_ok(bool ok, MachineState *machine, const char *method, GError **errp)
{
    return qom_method_ok(ok, object_get_typename(OBJECT(machine)), method, errp);
}

MachineState *machine_new(MachineClass *mc, GError **errp)
{
    Object *obj;

    g_assert(!the_machine);
    obj = object_new_with_class(OBJECT_CLASS(mc), errp);
    if (!obj) {
        return NULL;
    }
    if (!object_property_add_child(object_get_root(), "machine", obj, errp)) {
        object_unref(obj);
        return NULL;
    }
    object_unref(obj);
    if (!add_maps(obj, errp) || (mc->prepare && !method_ok(mc->prepare(MACHINE(obj), errp),
                                                           MACHINE(obj), "prepare", errp))) {
        object_unparent(obj);
        return NULL;
    }
    /* They are there before anything is in them. */
    container_get(obj, "/peripheral");
    container_get(obj, "/peripheral-anon");
    container_get(obj, "/unattached");
    the_machine = MACHINE(obj);
    return the_machine;
}

bool machine_check_ram(const MachineState *machine, GError **errp)
{
    const MachineClass *mc = MACHINE_GET_CLASS(machine);
    uint64_t most = mc->max_ram_size ? mc->max_ram_size : MAX_RAM_BYTES;

    if (machine->ram_size < RAM_PAGE || machine->ram_size > most) {
        g_autofree char *asked = value_print_size(machine->ram_size);
        g_autofree char *from = value_print_size(RAM_PAGE), *to = value_print_size(most);

        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'%s' is no size for the guest's memory, accepted are %s to %s", asked, from,
                      to);
        return false;
    }
    return true;
}

/* Whole pages: an accelerator maps nothing less, and code in the rest of one could not run. */
static uint64_t whole_pages(uint64_t bytes)
{
    return bytes <= UINT64_MAX - RAM_PAGE ? bytes + -bytes % RAM_PAGE : bytes;
}

/* Whether somebody has said how much RAM there shall be: -m, or a property. */
static bool size_is_given(const MachineState *machine)
{
    const Property *prop =
        object_class_property_find(object_get_class(OBJECT(machine)), "ram-size");

    return machine->ram_size != prop->defval.u;
}

/* RAM is as large as the object that it comes from, and -m does not say otherwise. */
static bool check_backend(MachineState *machine, GError **errp)
{
    HostMemoryBackend *backend = host_memory_backend_find(machine->memory_backend, errp);
    uint64_t size = backend ? memory_region_size(host_memory_backend_get_memory(backend)) : 0;

    if (backend && size_is_given(machine) && whole_pages(machine->ram_size) != size) {
        g_autofree char *asked = value_print_size(machine->ram_size);
        g_autofree char *there = value_print_size(size);

        qom_error_set(errp, QOM_ERROR_VALUE,
                      "Machine memory size does not match the size of the memory backend: '%s' has "
                      "%s, not %s",
                      machine->memory_backend, there, asked);
        return false;
    }
    machine->ram_size = backend ? size : machine->ram_size;
    return backend != NULL;
}

static bool settle_ram(MachineState *machine, const MachineClass *mc, GError **errp)
{
    if (!mc->default_ram_size) {
        return true;
    }
    if (machine->memory_backend && !check_backend(machine, errp)) {
        return false;
    }
    if (!machine->ram_size) {
        machine->ram_size = mc->default_ram_size;
    }
    machine->ram_size = whole_pages(machine->ram_size);
    return machine_check_ram(machine, errp);
}

/* A machine without RAM, or with some of its own making, would pass over the object in silence. */
static bool check_backend_used(const MachineState *machine, const char *name, GError **errp)
{
    const char *id = machine->memory_backend;
    const HostMemoryBackend *backend = id ? host_memory_backend_find(id, errp) : NULL;

    if (!id || (backend && backend->is_mapped)) {
        return true;
    }
    if (backend) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "memory-backend=%s: no RAM of the machine '%s' is "
                      "to come from there",
                      id, name);
    }
    return false;
}

bool machine_init(MachineState *machine, GError **errp)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);
    g_autofree char *name = machine_name(mc);

    machine->made = true;
    return machine_check_cpus(machine, errp) && settle_ram(machine, mc, errp) &&
           (!mc->init || method_ok(mc->init(machine, errp), machine, "init", errp)) &&
           check_backend_used(machine, name, errp);
}

static void machine_reset(ShutdownCause cause, void *opaque)
{
    MachineState *machine = opaque;
    MachineClass *mc = MACHINE_GET_CLASS(machine);
    AccelState *accel = current_accel();

    (void)cause;
    cpu_breakpoints_lift();
    if (accel && ACCEL_GET_CLASS(accel)->reset) {
        ACCEL_GET_CLASS(accel)->reset(accel);
    }
    resettable_reset(OBJECT(machine), RESET_TYPE_COLD);
    if (mc->reset) {
        mc->reset(machine);
    }
    if (accel && ACCEL_GET_CLASS(accel)->reset_done) {
        ACCEL_GET_CLASS(accel)->reset_done(accel);
    }
    cpu_breakpoints_place();
}

bool machine_done(MachineState *machine, GError **errp)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);

    if (mc->done && !method_ok(mc->done(machine, errp), machine, "done", errp)) {
        return false;
    }
    runstate_set_reset_hook(machine_reset, machine);
    machine_reset(SHUTDOWN_CAUSE_NONE, machine);
    qdev_set_machine_ready(true);
    return true;
}

/* ---- What boards have in common ---- */

/* A backend has a word of its own: RAM is merged, or dumped, if both say so. */
static void advise(const MachineState *machine, const HostMemoryBackend *backend, SysBusDevice *ram)
{
    const MemoryRegion *mr = ram->mmio[0]->alias;

    host_memory_advise(mr, machine->mem_merge && (!backend || backend->merge),
                       machine->dump_guest_core && (!backend || backend->dump));
}

bool machine_create_ram(MachineState *machine, uint64_t split, hwaddr high, GError **errp)
{
    const char *id = machine->memory_backend;
    HostMemoryBackend *backend = id ? host_memory_backend_find(id, errp) : NULL;
    DeviceState *ram = id && !backend ? NULL : qdev_new("ram", errp);
    bool good;

    if (!ram) {
        return false;
    }
    if (!object_property_set_uint(OBJECT(ram), "size", machine->ram_size, errp) ||
        !object_property_set_link(OBJECT(ram), "memdev", OBJECT(backend), errp) ||
        !object_property_set_uint(OBJECT(ram), "split", split, errp) ||
        !object_property_add_child(OBJECT(machine), "ram", OBJECT(ram), errp)) {
        object_unref(ram);
        return false;
    }
    memory_region_transaction_begin();
    good = sysbus_realize_and_unref(SYS_BUS_DEVICE(ram), errp) &&
           sysbus_mmio_map(SYS_BUS_DEVICE(ram), 0, 0, errp) &&
           sysbus_mmio_map(SYS_BUS_DEVICE(ram), 1, high, errp) &&
           memory_region_transaction_check(errp);
    memory_region_transaction_commit();
    if (good) {
        advise(machine, backend, SYS_BUS_DEVICE(ram));
    }
    return good;
}

/*
 * Takes the words of @kv that are about features: "+avx2", "-avx2", "avx2", "avx2=off". A word that is
 * of neither a feature nor a property is told with the nearest of both.
 */
static bool take_features(KeyVal *kv, X86CPU *cpu, GError **errp)
{
    for (unsigned i = 0; i < kv->items->len; i++) {
        KeyValItem *item = g_ptr_array_index(kv->items, i);
        const bool sign = item->key[0] == '+' || item->key[0] == '-';
        const char *name = item->key + sign;
        bool on = item->key[0] != '-';

        if (item->used ||
            (!sign && object_class_property_find(object_get_class(OBJECT(cpu)), name))) {
            continue;
        }
        if (!x86_features_set(&cpu->features, name, on)) {
            g_autofree char *near = x86_features_did_you_mean(name);

            if (!sign && !*near) {
                continue; /* as a property it may be near to something */
            }
            qom_error_set(errp, QOM_ERROR_NOT_FOUND, "'%s' is no feature of a CPU%s", name,
                          *near ? near : " (-cpu help lists those that there are)");
            return false;
        }
        if (!sign && (!value_parse_bool(item->text, &on, errp) ||
                      !x86_features_set(&cpu->features, name, on))) {
            g_prefix_error(errp, "%s: ", name);
            return false;
        }
        item->used = true;
    }
    return true;
}

/* "-cpu MODEL[,+feature][,-feature][,property=value]..." */
static DeviceState *new_cpu(const char *words, GError **errp)
{
    g_autoptr(KeyVal) kv = keyval_parse(words, "model", errp);
    const char *model = kv ? keyval_take(kv, "model") : NULL;
    ObjectClass *klass;
    DeviceState *dev;

    if (!kv) {
        return NULL;
    }
    if (!model) {
        qom_error_set(errp, QOM_ERROR_VALUE, "a model is missing, as in -cpu host");
        return NULL;
    }
    klass = x86_cpu_class_by_name(model, errp);
    dev = klass ? qdev_new(object_class_get_name(klass), errp) : NULL;
    if (dev && !(take_features(kv, X86_CPU(dev), errp) && keyval_apply(kv, OBJECT(dev), errp))) {
        object_unref(dev);
        return NULL;
    }
    return dev;
}

bool machine_create_cpus(MachineState *machine, GError **errp)
{
    const char *words =
        machine->cpu_type ? machine->cpu_type : MACHINE_GET_CLASS(machine)->default_cpu_type;

    if (!ACCEL_GET_CLASS(current_accel())->has_cpus) {
        return true;
    }
    for (uint32_t i = 0; i < machine->smp_cpus; i++) {
        DeviceState *dev = new_cpu(words, errp);

        if (!dev) {
            g_prefix_error(errp, "-cpu %s: ", words);
            return false;
        }
        CPU(dev)->topology = machine_topology(machine);
        CPU(dev)->triple_fault_resets = MACHINE_GET_CLASS(machine)->triple_fault_resets;
        if (!object_property_add_child(OBJECT(machine), "cpu[*]", OBJECT(dev), errp)) {
            object_unref(dev);
            return false;
        }
        if (!qdev_realize_and_unref(dev, NULL, errp)) {
            return false;
        }
    }
    return true;
}

bool machine_check_words(const MachineState *machine, unsigned takes, const char *runs,
                         GError **errp)
{
    const struct {
        unsigned kind;
        const char *value, *option;
    } words[] = {
        { MACHINE_KERNEL, machine->kernel_filename, "-kernel" },
        { MACHINE_INITRD, machine->initrd_filename, "-initrd" },
        { MACHINE_FIRMWARE, machine->firmware, "-bios" },
        { MACHINE_CMDLINE, machine->kernel_cmdline, "-append" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        if (words[i].value && !(takes & words[i].kind)) {
            g_autofree char *name = machine_name(MACHINE_GET_CLASS(machine));

            qom_error_set(errp, QOM_ERROR_VALUE, "%s means nothing to the machine '%s', which %s",
                          words[i].option, name, runs);
            return false;
        }
    }
    return true;
}

/* ---- Serial ports ---- */

void machine_add_serial_words(MachineState *machine, const char *words)
{
    if (!machine->serial_words) {
        machine->serial_words = g_ptr_array_new_with_free_func(g_free);
    }
    g_ptr_array_add(machine->serial_words, g_strdup(words));
}

unsigned machine_serial_count(const MachineState *machine)
{
    return machine->serial_words ? machine->serial_words->len : !machine->no_defaults;
}

const char *machine_serial_words(const MachineState *machine, unsigned n)
{
    const char *words;

    if (n >= machine_serial_count(machine)) {
        return NULL;
    }
    words = machine->serial_words ? g_ptr_array_index(machine->serial_words, n)
            : is_daemonized()     ? "null"
                                  : "stdio";
    return strcmp(words, "none") != 0 ? words : NULL;
}

/* ---- The end ---- */

/* Has the guest see all that is mapped, or nothing. */
static void show_maps(bool shown)
{
    memory_region_transaction_begin();
    memory_region_set_enabled(get_system_memory(), shown);
    memory_region_set_enabled(get_system_io(), shown);
    memory_region_transaction_commit();
}

void machine_cleanup(void)
{
    /* Their threads end first, they themselves last: lines and messages of devices lead to them. */
    g_autoptr(GPtrArray) cpus = g_ptr_array_new_with_free_func(object_unref);

    qdev_set_machine_ready(false);
    /* No vCPU may run while its devices go. */
    for (unsigned i = cpu_count(); i-- > 0;) {
        CPUState *cpu = qemu_get_cpu(i);

        if (cpu) {
            g_ptr_array_add(cpus, object_ref(cpu));
            object_unparent(OBJECT(cpu));
        }
    }
    if (the_machine) {
        Object *machine = OBJECT(the_machine);

        the_machine = NULL;
        runstate_set_reset_hook(NULL, NULL);
        /* At once: with each of very many devices that go, the maps would be made anew. */
        show_maps(false);
        object_unparent(machine);
        show_maps(true);
    }
}

/* ---- The type ---- */

static const Property machine_props[] = {
    DEFINE_PROP_SIZE("ram-size", MachineState, ram_size, 0,
                     .help = "RAM in bytes (-m); 0: as the machine's type has it"),
    DEFINE_PROP_STRING("memory-backend", MachineState, memory_backend,
                       .help = "id of the object (-object memory-backend-ram) that RAM comes from"),
    DEFINE_PROP_UINT32("smp", MachineState, smp_cpus, 1, .help = "number of vCPUs (-smp)"),
    DEFINE_PROP_UINT32("sockets", MachineState, smp_sockets, 0, PROP_RANGE_U(0, 1023),
                       .help = "sockets that the vCPUs are in (-smp); 0: as it follows"),
    DEFINE_PROP_UINT32("cores", MachineState, smp_cores, 0, PROP_RANGE_U(0, 1023),
                       .help = "cores of each socket (-smp); 0: as it follows"),
    DEFINE_PROP_UINT32("threads", MachineState, smp_threads, 0, PROP_RANGE_U(0, 1023),
                       .help = "threads of each core (-smp); 0: as it follows"),
    DEFINE_PROP_UINT32("maxcpus", MachineState, smp_maxcpus, 0, PROP_RANGE_U(0, 1023),
                       .help = "number of vCPUs that there may ever be (-smp); 0: those of smp"),
    DEFINE_PROP_STRING("cpu", MachineState, cpu_type,
                       .help = "model of the vCPUs and their properties (-cpu)"),
    DEFINE_PROP_STRING("kernel", MachineState, kernel_filename,
                       .help = "file that is loaded and started (-kernel)"),
    DEFINE_PROP_STRING("append", MachineState, kernel_cmdline,
                       .help = "the kernel's command line (-append)"),
    DEFINE_PROP_STRING("initrd", MachineState, initrd_filename,
                       .help = "file of the initial RAM disk (-initrd)"),
    DEFINE_PROP_STRING("firmware", MachineState, firmware, .help = "file of the firmware (-bios)"),
    DEFINE_PROP_BOOL("mem-merge", MachineState, mem_merge, true,
                     .help = "let the host have pages of RAM once that are equal"),
    DEFINE_PROP_BOOL("dump-guest-core", MachineState, dump_guest_core, true,
                     .help = "have RAM in a core dump of this process"),
    DEFINE_PROP_BOOL("nodefaults", MachineState, no_defaults, false,
                     .help = "leave out the devices that nobody asked for (-nodefaults)"),
    DEFINE_PROP_STRING("guest-name", MachineState, guest_name, .live = true,
                       .help = "what the user calls the machine (-name)"),
};

static bool machine_may_set(Object *obj, const Property *prop, GError **errp)
{
    if (MACHINE(obj)->made && !prop->live) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "property '%s' of '%s' cannot change once the machine is made", prop->name,
                      object_get_typename(obj));
        return false;
    }
    return true;
}

static void machine_finalize(Object *obj)
{
    g_clear_pointer(&MACHINE(obj)->serial_words, g_ptr_array_unref);
}

/* A class made from another one is neither the default nor what the other's alias means. */
static void machine_class_base_init(ObjectClass *klass, const void *data)
{
    (void)data;
    MACHINE_CLASS(klass)->alias = NULL;
    MACHINE_CLASS(klass)->is_default = false;
}

static void machine_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    klass->may_set = machine_may_set;
    object_class_add_properties(klass, machine_props, G_N_ELEMENTS(machine_props));
}

static const TypeInfo machine_types[] = {
    {
        .name = TYPE_MACHINE,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(MachineState),
        .instance_finalize = machine_finalize,
        .class_size = sizeof(MachineClass),
        .class_init = machine_class_init,
        .class_base_init = machine_class_base_init,
        .abstract = true,
    },
};
DEFINE_TYPES(machine_types)

/* SPDX-License-Identifier: MIT */
/*
 * Each device type of the program, realized with its first, second, third... step made to fail: after each failure, and
 * after each unplug, the tree, the maps, the lines, the timers, open descriptors and memory are as they were.
 */
#include "tests/test.h"
#include <inttypes.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/backends/loop.h>
#include <qomet/hw/core/sysbus.h>
#include <qomet/hw/intc/msi-target.h>
#include <qomet/hw/isa/isa-bus.h>
#include <qomet/hw/pci/pci-bus.h>
#include <qomet/memory/main-work.h>

/* Types that need properties to be realized at all ("name=value,..."), or cannot be here (words NULL). */
static const struct {
    const char *type;
    const char *words;
} special[] = {
    { "or-irq", "num-lines=4" },
    { "split-irq", "num-lines=4" },
    { "ram", "size=1M,split=64K" },
    /* These and vCPUs are realized by a machine with an accelerator; accel's own tests fail them. */
    { "accel-apics", NULL },
    { "cpu", NULL },
    /* Chips of one board, which make or need each other: the tests of pc and q35 have them. */
    { "pci-host-bridge", NULL },
    { "i440FX", NULL },
    { "mch", NULL },
    { "PIIX3", NULL },
    { "ICH9-LPC", NULL },
    { "apic", NULL },    /* is a part of "apics", which is failed */
    { "kvm-pit", NULL }, /* is in KVM */
    { "careless-device", NULL },
};

/* ---- Local APICs for those who need some ------------------------------------------------------- */

static bool apics_send(MsiTarget *t G_GNUC_UNUSED, uint64_t addr G_GNUC_UNUSED,
                       uint32_t data G_GNUC_UNUSED)
{
    return false;
}

static void apics_set_eoi_handler(MsiTarget *t G_GNUC_UNUSED,
                                  void (*fn)(void *opaque, uint8_t vector) G_GNUC_UNUSED,
                                  void *opaque G_GNUC_UNUSED)
{
}

static void apics_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    MSI_TARGET_CLASS(klass)->send = apics_send;
    MSI_TARGET_CLASS(klass)->set_eoi_handler = apics_set_eoi_handler;
}

static const TypeInfo apics_types[] = {
    {
        .name = "faults-apics",
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Object),
        .class_init = apics_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_MSI_TARGET }, { NULL } },
    },
};
DEFINE_TYPES(apics_types)

/* ---- What there is -------------------------------------------------------------------------------- */

/* What was counted stays counted. */
static bool is_counter(const char *name)
{
    static const char *const counters[] = { "reads",       "writes",  "read-bytes",
                                            "write-bytes", "entries", "access-ns",
                                            "contended",   "refused", NULL };

    return g_strv_contains(counters, name);
}

static void show_property(GString *out, Object *obj, const ObjectPropertyView *view)
{
    g_autofree char *value = NULL;

    if (is_counter(view->name)) {
        return;
    }
    if (!view->prop) {
        g_string_append_printf(out, " %s", view->name);
        return;
    }
    value = object_property_print(obj, view->name, NULL);
    g_string_append_printf(out, " %s=%s", view->name, value ? value : "?");
}

static bool is_unmapped(Object *obj)
{
    return object_dynamic_cast(obj, TYPE_MEMORY_REGION) &&
           !memory_region_is_mapped(MEMORY_REGION(obj));
}

static int show_object(Object *obj, void *opaque)
{
    GString *out = opaque;
    g_autofree char *path = object_get_canonical_path(obj);
    ObjectPropertyIterator iter;
    ObjectPropertyView view;

    g_string_append_printf(out, "%s (%s) ref=%u", path, object_get_typename(obj), obj->ref);
    object_property_iter_init(&iter, obj);
    /* Where a region was and how large it was means nothing while it is not mapped. */
    while (!is_unmapped(obj) && object_property_iter_next(&iter, &view)) {
        show_property(out, obj, &view);
    }
    if (object_dynamic_cast(obj, TYPE_IRQ)) {
        g_string_append_printf(out, " level=%d", qemu_irq_level(IRQ(obj)));
    }
    g_string_append_c(out, '\n');
    return 0;
}

static bool show_section(const MemoryRegionSection *s, void *opaque)
{
    g_string_append_printf(opaque, "%s 0x%" PRIx64 " 0x%" PRIx64 " %s\n", s->as->name,
                           s->offset_within_address_space, s->size, memory_region_name(s->mr));
    return true;
}

static unsigned open_descriptors(void)
{
    GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    g_dir_close(dir);
    return n;
}

static char *snapshot(void)
{
    GString *out = g_string_new(NULL);

    object_child_foreach_recursive(object_get_root(), show_object, out);
    address_space_foreach(&address_space_memory, show_section, out);
    address_space_foreach(&address_space_io, show_section, out);
    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        bool set = qemu_clock_deadline_ns(type) != INT64_MAX;

        g_string_append_printf(out, "clock %d: %s\n", type, set ? "a timer is set" : "no timer");
    }
    g_string_append_printf(out, "descriptors: %u\n", open_descriptors());
    return g_string_free(out, FALSE);
}

/* Bytes in use, exactly (see main); 0 under sanitizers, which count for themselves. */
static size_t memory_in_use(void)
{
    return mallinfo2().uordblks;
}

/* ---- Where a device is put ------------------------------------------------------------------------ */

static int levels[ISA_NUM_IRQS];

static void keep_level(void *opaque, int n, int level)
{
    (void)opaque;
    levels[n] = level;
}

static int setup(void **state)
{
    GError *error = NULL;
    ISABus *isa;

    (void)state;
    main_loop_init();
    clocks_init();
    if (!module_call_init(MODULE_INIT_QOM, &error)) {
        print_error("%s\n", error->message);
        return -1;
    }
    memory_map_init();
    isa = isa_bus_new(NULL, get_system_io(), NULL);
    for (int i = 0; i < ISA_NUM_IRQS; i++) {
        qemu_irq line = qemu_allocate_irq(keep_level, NULL, i);
        g_autofree char *name = g_strdup_printf("line[%d]", i);

        g_assert_true(object_property_add_child(OBJECT(isa), name, OBJECT(line), NULL));
        isa->irqs[i] = line;
    }
    sysbus_get_default();
    g_assert_nonnull(
        object_new_with_props("faults-apics", qdev_get_machine(), "apics", NULL, NULL));
    /* Made at the first device otherwise, and that is no leak. */
    container_get(qdev_get_machine(), "/peripheral");
    container_get(qdev_get_machine(), "/unattached");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    qdev_fault_inject(0);
    qdev_set_machine_ready(false);
    qemu_chr_cleanup();
    object_root_cleanup();
    memory_map_cleanup();
    clocks_cleanup();
    main_work_run();
    main_loop_cleanup();
    return 0;
}

static BusState *new_bus(const char *type, GError **errp)
{
    ObjectClass *klass = object_class_by_name(type);

    if (object_class_dynamic_cast(klass, TYPE_PCI_BUS)) {
        return (BusState *)pci_root_bus_new(type, NULL, "bus-under-test", get_system_memory(),
                                            get_system_io(), 0, errp);
    }
    return qbus_new(type, NULL, "bus-under-test", errp);
}

static bool is_express(const DeviceClass *dc)
{
    ObjectClass *klass = object_class_dynamic_cast((ObjectClass *)dc, TYPE_PCI_DEVICE);

    return klass && PCI_DEVICE_CLASS(klass)->is_express;
}

/* A bus for devices of @dc: a plain one of the type where setup() has made none. */
static BusState *bus_for(const DeviceClass *dc)
{
    GError *error = NULL;
    const char *type;
    BusState *bus;

    if (!dc->bus_type) {
        return NULL;
    }
    type = is_express(dc) ? TYPE_PCIE_BUS : dc->bus_type;
    bus = qbus_find(NULL, type, NULL);
    if (!bus) {
        bus = new_bus(type, &error);
    }
    if (!bus) {
        fail_msg("no bus of type '%s': %s", dc->bus_type, error->message);
    }
    return bus;
}

/* ---- Failing it ----------------------------------------------------------------------------------- */

typedef struct Case {
    const char *type;
    const char *words;
    bool chardev; /* has a property of that name: it is given one */
    bool hotplug; /* comes when the machine is ready */
} Case;

/* The lines of @a that are not in @b, each after @mark. */
static void show_lines_missing(GString *out, char mark, const char *a, const char *b)
{
    g_auto(GStrv) have = g_strsplit(a, "\n", -1), other = g_strsplit(b, "\n", -1);

    for (char **line = have; *line; line++) {
        if (!g_strv_contains((const char *const *)other, *line)) {
            g_string_append_printf(out, "%c %s\n", mark, *line);
        }
    }
}

static void assert_same(const Case *c, const char *when, unsigned step, const char *before,
                        const char *after)
{
    GString *difference;

    if (strcmp(before, after) == 0) {
        return;
    }
    difference = g_string_new(NULL);
    show_lines_missing(difference, '-', before, after);
    show_lines_missing(difference, '+', after, before);
    print_error("%s", difference->str);
    fail_msg("%s %s step %u", c->type, when, step);
}

static DeviceState *make(const Case *c)
{
    GError *error = NULL;
    DeviceState *dev = qdev_new(c->type, &error);
    g_autoptr(KeyVal) kv = keyval_parse(c->words ? c->words : "", NULL, &error);

    if (!dev || !kv || !keyval_apply(kv, OBJECT(dev), &error) ||
        (c->chardev && !object_property_parse(OBJECT(dev), "chardev", "host", &error)) ||
        !qdev_set_id(dev, "victim", &error)) {
        fail_msg("%s: %s", c->type, error->message);
    }
    return dev;
}

/* One life of a device, its step @n failing (0: none). Returns whether it was realized. */
static bool live(const Case *c, unsigned n)
{
    g_autofree char *before = snapshot(), *made = NULL, *failed = NULL, *after = NULL;
    DeviceState *dev = make(c);
    BusState *bus = bus_for(DEVICE_GET_CLASS(dev));
    g_autoptr(GError) error = NULL;
    bool ok;

    made = snapshot();
    qdev_fault_inject(n);
    ok = qdev_realize(dev, bus, &error);
    qdev_fault_inject(0);
    if (ok) {
        qdev_unrealize(dev);
    } else if (n == 0) {
        fail_msg("%s cannot be realized here; give it properties in this file: %s", c->type,
                 error->message);
    } else {
        assert_non_null(error);
        assert_non_null(strstr(error->message, "a test lets step"));
    }
    failed = snapshot();
    assert_same(c, ok ? "unrealized after" : "failed at", n, made, failed);
    if (ok && n == 0) {
        assert_true(qdev_realize(dev, bus, NULL));
    }
    object_unparent(OBJECT(dev));
    object_unref(dev);
    after = snapshot();
    assert_same(c, "gone after", n, before, after);
    return ok;
}

/* The least that the allocator gives is 32 bytes, and how it cuts them makes some dozens more or less. */
#define LIVES 16
#define LEAST_LEAK (32 * LIVES)

static void leaves_nothing_behind_whichever_step_fails(void **state)
{
    const Case *c = *state;
    bool ok = false;
    unsigned step;

    bus_for(DEVICE_CLASS(object_class_by_name(c->type))); /* is there before, and afterwards */
    qdev_set_machine_ready(c->hotplug);
    if (c->chardev) {
        assert_non_null(qemu_chr_new("host", "null", NULL));
    }
    live(c, 0);
    for (step = 1; !ok; step++) {
        size_t before;

        /* What is made once in a process is made the first time. */
        ok = live(c, step);
        before = memory_in_use();
        for (unsigned i = 0; i < LIVES; i++) {
            live(c, step);
        }
        if (memory_in_use() >= before + LEAST_LEAK / 2) {
            fail_msg("%s keeps %zu bytes in %u lives when step %u fails", c->type,
                     memory_in_use() - before, LIVES, step);
        }
    }
    print_message("# %s: %u steps\n", c->type, step - 2);
}

/* ---- That the comparison sees something ----------------------------------------------------------- */

typedef struct Careless {
    DeviceState parent_obj;
    MemoryRegion region;
    QEMUTimer timer;
    uint32_t what;
} Careless;

static const MemoryRegionOps no_ops;

/* Acquires behind the back of hw/core what nobody will give back. */
static bool careless_realize(DeviceState *dev, GError **errp)
{
    Careless *s = OBJECT_CHECK(Careless, dev, "careless-device");

    if (s->what == 0) {
        Object *obj = object_new("container");

        g_assert_true(object_property_add_child(qdev_get_machine(), "left", obj, NULL));
        object_unref(obj);
    } else if (s->what == 1) {
        memory_region_init_io(&s->region, NULL, &no_ops, s, "left", 4);
        g_assert_true(memory_region_add_subregion(get_system_io(), 0x10, &s->region, NULL));
    } else {
        timer_init_ns(&s->timer, QEMU_CLOCK_REALTIME, NULL, NULL, NULL);
        timer_mod(&s->timer, INT64_MAX - 1);
    }
    return qdev_fault_point("anything", errp);
}

static const Property careless_props[] = {
    DEFINE_PROP_UINT32("what", Careless, what, 0),
};

static void careless_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->realize = careless_realize;
    device_class_set_props(DEVICE_CLASS(klass), careless_props);
}

static const TypeInfo careless_types[] = {
    {
        .name = "careless-device",
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(Careless),
        .class_init = careless_class_init,
    },
};
DEFINE_TYPES(careless_types)

static void what_is_left_behind_is_seen(void **state)
{
    (void)state;
    for (unsigned what = 0; what < 3; what++) {
        g_autofree char *words = g_strdup_printf("what=%u", what), *before = NULL, *after = NULL;
        const Case c = { .type = "careless-device", .words = words };
        DeviceState *dev = make(&c);
        Careless *s = (Careless *)dev;

        before = snapshot();
        qdev_fault_inject(2);
        assert_false(qdev_realize(dev, NULL, NULL));
        qdev_fault_inject(0);
        after = snapshot();
        assert_string_not_equal(before, after);
        if (what == 1) {
            memory_region_del_subregion(get_system_io(), &s->region);
            object_unref(&s->region);
        } else if (what == 2) {
            timer_del(&s->timer);
        }
        object_unparent(OBJECT(dev));
        object_unref(dev);
    }
}

/* ---- Every type ----------------------------------------------------------------------------------- */

/* Whether devices of @klass can be made here, and the words that they need. */
static bool find_words(ObjectClass *klass, const char **words)
{
    *words = NULL;
    for (unsigned i = 0; i < G_N_ELEMENTS(special); i++) {
        if (object_class_dynamic_cast(klass, special[i].type)) {
            *words = special[i].words;
            return special[i].words != NULL;
        }
    }
    return true;
}

static void add_case(GArray *tests, ObjectClass *klass, const char *words, bool chardev,
                     bool hotplug)
{
    Case *c = g_new(Case, 1);
    struct CMUnitTest test = {
        .name = g_strdup_printf("%s%s%s_leaves_nothing_behind_whichever_step_fails",
                                object_class_get_name(klass), chardev ? "_with_a_chardev" : "",
                                hotplug ? "_hotplugged" : ""),
        .test_func = leaves_nothing_behind_whichever_step_fails,
        .setup_func = setup,
        .teardown_func = teardown,
        .initial_state = c,
    };

    *c = (Case){ object_class_get_name(klass), words, chardev, hotplug };
    g_array_append_val(tests, test);
}

/* A device type, with and without a chardev where it takes one, of the board and hotplugged where it may be. */
static void add_cases(GArray *tests, ObjectClass *klass, const char *words)
{
    bool hotpluggable = DEVICE_CLASS(klass)->hotpluggable;

    add_case(tests, klass, words, false, false);
    if (hotpluggable) {
        add_case(tests, klass, words, false, true);
    }
    if (object_class_property_find(klass, "chardev")) {
        add_case(tests, klass, words, true, false);
        if (hotpluggable) {
            add_case(tests, klass, words, true, true);
        }
    }
}

static int run_all(void)
{
    GArray *tests = g_array_new(FALSE, FALSE, sizeof(struct CMUnitTest));
    const struct CMUnitTest seen =
        cmocka_unit_test_setup_teardown(what_is_left_behind_is_seen, setup, teardown);
    GSList *classes = object_class_get_list(TYPE_DEVICE, false);
    int failed;

    g_array_append_val(tests, seen);
    for (GSList *l = classes; l; l = l->next) {
        const char *words;

        if (find_words(l->data, &words)) {
            add_cases(tests, l->data, words);
        }
    }
    g_slist_free(classes);
    /* The macro for groups takes arrays of a fixed size only. */
    failed = _cmocka_run_group_tests("device faults", (struct CMUnitTest *)tests->data, tests->len,
                                     NULL, NULL);
    for (unsigned i = 1; i < tests->len; i++) {
        struct CMUnitTest *test = &g_array_index(tests, struct CMUnitTest, i);

        g_free((char *)test->name);
        g_free(test->initial_state);
    }
    g_array_free(tests, TRUE);
    return failed;
}

int main(int argc, char **argv)
{
    (void)argc;
    /* What the allocator keeps for later would count as in use. */
    if (!g_getenv("GLIBC_TUNABLES")) {
        g_setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0", TRUE);
        execv("/proc/self/exe", argv);
        return 1;
    }
    main_work_init();
    return module_call_init(MODULE_INIT_QOM, NULL) ? run_all() : 1;
}

/* SPDX-License-Identifier: MIT */
/* Hotplug: who is asked, in which order, and what a refusal leaves. */
#include "tests/unit/qdev-fixture.h"
#include <pthread.h>

#define TYPE_ASKER                                                                                 \
    "asker" /* a handler that writes down what it is asked, and refuses what it is told to */

static const char *refuse;

static bool asked(const char *what, DeviceState *dev, GError **errp)
{
    trace("%s%s", what, dev->realized ? "+" : "-");
    if (refuse && g_str_equal(refuse, what)) {
        qom_error_set(errp, QOM_ERROR_STATE, "refused at %s", what);
        return false;
    }
    return true;
}

static bool pre_plug(HotplugHandler *h, DeviceState *dev, GError **errp)
{
    (void)h;
    return asked("pre-plug", dev, errp);
}

static bool plug(HotplugHandler *h, DeviceState *dev, GError **errp)
{
    (void)h;
    return asked("plug", dev, errp);
}

static bool unplug_request(HotplugHandler *h, DeviceState *dev, GError **errp)
{
    (void)h;
    return asked("request", dev, errp);
}

static bool unplug(HotplugHandler *h, DeviceState *dev, GError **errp)
{
    (void)h;
    return asked("unplug", dev, errp);
}

static void asker_class_init(ObjectClass *klass, const void *data)
{
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(klass);

    hc->pre_plug = pre_plug;
    hc->plug = plug;
    hc->unplug = unplug;
    hc->unplug_request = data ? unplug_request : NULL;
}

static void fixed_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->hotpluggable = false;
}

static const InterfaceInfo asker_interfaces[] = { { TYPE_HOTPLUG_HANDLER }, { NULL } };

static const TypeInfo asker_types[] = {
    {
        .name = TYPE_ASKER,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Object),
        .class_init = asker_class_init,
        .interfaces = asker_interfaces,
    },
    {
        .name = "polite-asker",
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Object),
        .class_init = asker_class_init,
        .class_data = (void *)"asks the guest",
        .interfaces = asker_interfaces,
    },
    {
        .name = "fixed-device",
        .parent = TYPE_PROBE,
        .class_init = fixed_class_init,
    },
};
DEFINE_TYPES(asker_types)

static BusState *bus;

static int setup(void **state)
{
    refuse = NULL;
    if (qdev_fixture_setup(state) != 0) {
        return -1;
    }
    bus = qbus_new(TYPE_PROBE_BUS, NULL, "main", NULL);
    return bus ? 0 : -1;
}

/* A handler of @type for the bus. */
static Object *set_handler(const char *type)
{
    Object *handler = object_new(type);

    assert_true(object_property_add_child(qdev_get_machine(), "handler", handler, NULL));
    object_unref(handler);
    assert_true(qbus_set_hotplug_handler(bus, handler, NULL));
    return handler;
}

static void without_a_handler_a_device_comes_and_goes_at_once(void **state)
{
    Probe *p = probe_new(TYPE_BUS_PROBE);

    (void)state;
    assert_works(qdev_set_id(DEVICE(p), "p", errp));
    assert_null(qdev_get_hotplug_handler(DEVICE(p)));
    assert_works(qdev_realize_and_unref(DEVICE(p), bus, errp));
    assert_works(qdev_unplug(DEVICE(p), errp));
    assert_null(qdev_find("p"));
    assert_trace("realize unrealize finalize");
}

static void the_handler_is_asked_before_and_told_after(void **state)
{
    Probe *p = probe_new(TYPE_BUS_PROBE);

    (void)state;
    set_handler(TYPE_ASKER);
    assert_works(qdev_realize_and_unref(DEVICE(p), bus, errp));
    assert_trace("pre-plug- realize plug+");
    assert_works(qdev_unplug(DEVICE(p), errp));
    assert_trace("unplug+ unrealize finalize");
}

static void a_refusal_leaves_nothing(void **state)
{
    static const char *const refusals[][2] = { { "pre-plug", "pre-plug-" },
                                               { "plug", "pre-plug- realize plug+ unrealize" } };
    Probe *p = probe_new(TYPE_BUS_PROBE);

    (void)state;
    set_handler(TYPE_ASKER);
    for (unsigned i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *text = g_strdup_printf("refused at %s", refusals[i][0]);

        refuse = refusals[i][0];
        assert_refused(qdev_realize(DEVICE(p), bus, errp), text);
        assert_trace(refusals[i][1]);
        assert_false(DEVICE(p)->realized);
        assert_int_equal(bus->children->len, 0);
        assert_null(object_get_parent(OBJECT(p)));
    }
    object_unref(p);
}

static void a_refused_unplug_leaves_the_device(void **state)
{
    Probe *p = probe_new(TYPE_BUS_PROBE);

    (void)state;
    set_handler(TYPE_ASKER);
    assert_works(qdev_realize(DEVICE(p), bus, errp));
    refuse = "unplug";
    assert_refused(qdev_unplug(DEVICE(p), errp), "refused at unplug");
    assert_true(DEVICE(p)->realized);
    refuse = NULL;
    assert_works(qdev_unplug(DEVICE(p), errp));
    assert_trace("pre-plug- realize plug+ unplug+ unplug+ unrealize");
    object_unref(p);
}

static void a_device_that_goes_all_the_same_is_unplugged(void **state)
{
    Probe *p = probe_new(TYPE_BUS_PROBE);

    (void)state;
    set_handler(TYPE_ASKER);
    assert_works(qdev_realize(DEVICE(p), bus, errp));
    refuse = "unplug";
    object_unparent(OBJECT(p));
    assert_trace("pre-plug- realize plug+ unplug+ unrealize");
    object_unref(p);
}

static void a_handler_that_asks_the_guest_takes_its_time(void **state)
{
    Probe *p = probe_new(TYPE_BUS_PROBE);

    (void)state;
    set_handler("polite-asker");
    assert_works(qdev_set_id(DEVICE(p), "p", errp));
    assert_works(qdev_realize_and_unref(DEVICE(p), bus, errp));
    refuse = "request";
    assert_refused(qdev_unplug(DEVICE(p), errp), "refused at request");
    assert_false(DEVICE(p)->pending_deleted);
    refuse = NULL;
    assert_works(qdev_unplug(DEVICE(p), errp));
    assert_true(DEVICE(p)->realized);
    assert_true(DEVICE(p)->pending_deleted);
    assert_refused(qdev_unplug(DEVICE(p), errp), "Device p is already in the process of unplug");
    assert_trace("pre-plug- realize plug+ request+ request+");
    /* The guest has agreed. */
    object_unparent(OBJECT(p));
    assert_trace("unplug+ unrealize finalize");
}

static void the_machine_is_asked_when_the_bus_has_no_handler(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    Object *machine = object_new(TYPE_ASKER);

    (void)state;
    object_unparent(qdev_get_machine());
    assert_true(object_property_add_child(object_get_root(), "machine", machine, NULL));
    object_unref(machine);
    assert_ptr_equal(qdev_get_hotplug_handler(DEVICE(p)), machine);
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_trace("pre-plug- realize plug+");
    object_unref(p);
}

static void a_machine_that_is_asked_ends_with_its_devices(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    Object *machine = object_new(TYPE_ASKER);

    (void)state;
    object_unparent(qdev_get_machine());
    assert_true(object_property_add_child(object_get_root(), "machine", machine, NULL));
    assert_works(qdev_realize_and_unref(DEVICE(p), NULL, errp));
    object_unparent(machine);
    assert_int_equal(machine->ref, 1);
    object_unref(machine);
    assert_trace("pre-plug- realize plug+ unrealize finalize");
    assert_null(object_resolve_path("/machine", NULL));
}

static void a_handler_that_goes_is_asked_no_more(void **state)
{
    Probe *p = probe_new(TYPE_BUS_PROBE);
    Object *handler = set_handler(TYPE_ASKER);

    (void)state;
    object_unparent(handler);
    assert_works(qdev_realize(DEVICE(p), bus, errp));
    assert_trace("realize");
    object_unref(p);
}

static void a_device_that_is_not_hotpluggable_stays_or_stays_away(void **state)
{
    Probe *p = probe_new("fixed-device"), *late;

    (void)state;
    assert_false(object_property_get_bool(OBJECT(p), "hotpluggable", NULL));
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_refused(qdev_unplug(DEVICE(p), errp),
                   "Device 'fixed-device' does not support hotplugging");
    qdev_set_machine_ready(true);
    late = probe_new("fixed-device");
    assert_true(object_property_get_bool(OBJECT(late), "hotplugged", NULL));
    assert_refused(qdev_realize(DEVICE(late), NULL, errp),
                   "Device 'fixed-device' does not support hotplugging");
    object_unref(p);
    object_unref(late);
}

static void what_is_not_plugged_is_not_unplugged(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    assert_refused(qdev_unplug(DEVICE(p), errp), "device 'probe-device' is not plugged");
    object_unref(p);
}

/* ---- While a guest is inside ------------------------------------------------------------------------ */

static uint32_t stop;   /* atomic */
static uint32_t inside; /* atomic */

static void slow_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Probe *p = opaque;

    (void)size;
    __atomic_store_n(&inside, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 2000; i++) {
        p->word[addr] += data;
    }
}

static const MemoryRegionOps slow_ops = { .write = slow_write };

static bool maps(Probe *p, GError **errp)
{
    p->word = g_malloc0(4);
    memory_region_init_io(&p->region, OBJECT(p), &slow_ops, p, "registers", 4);
    return qdev_map(DEVICE(p), get_system_io(), 0x80, &p->region, errp);
}

static void gives_back(Probe *p)
{
    g_clear_pointer(&p->word, g_free);
}

static void *guest(void *opaque)
{
    (void)opaque;
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        address_space_store(&address_space_io, 0x80, 1, 1, MEMTXATTRS_UNSPECIFIED);
    }
    entry_thread_unregister();
    return NULL;
}

static void unplug_waits_for_the_guest_to_leave_the_device(void **state)
{
    pthread_t thread;

    (void)state;
    stop = 0;
    qdev_set_machine_ready(true);
    assert_int_equal(pthread_create(&thread, NULL, guest, NULL), 0);
    for (int i = 0; i < 100; i++) {
        Probe *p = probe_new(TYPE_PROBE);

        p->body = maps;
        p->end = gives_back;
        __atomic_store_n(&inside, 0, __ATOMIC_RELEASE);
        assert_works(qdev_realize_and_unref(DEVICE(p), NULL, errp));
        while (!__atomic_load_n(&inside, __ATOMIC_ACQUIRE)) {
        }
        assert_works(qdev_unplug(DEVICE(p), errp));
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
}

int main(void)
{
#define hotplug_test(f) cmocka_unit_test_setup_teardown(f, setup, qdev_fixture_teardown)
    const struct CMUnitTest tests[] = {
        hotplug_test(without_a_handler_a_device_comes_and_goes_at_once),
        hotplug_test(the_handler_is_asked_before_and_told_after),
        hotplug_test(a_refusal_leaves_nothing),
        hotplug_test(a_refused_unplug_leaves_the_device),
        hotplug_test(a_device_that_goes_all_the_same_is_unplugged),
        hotplug_test(a_handler_that_asks_the_guest_takes_its_time),
        hotplug_test(the_machine_is_asked_when_the_bus_has_no_handler),
        hotplug_test(a_machine_that_is_asked_ends_with_its_devices),
        hotplug_test(a_handler_that_goes_is_asked_no_more),
        hotplug_test(a_device_that_is_not_hotpluggable_stays_or_stays_away),
        hotplug_test(what_is_not_plugged_is_not_unplugged),
        hotplug_test(unplug_waits_for_the_guest_to_leave_the_device),
    };

    return cmocka_run_group_tests_name("hotplug", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Options carried out in this process: the machine that they make, devices added to it while it
 * runs, and failures at every step, which leave nothing behind.
 */
#include <stdio.h>
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/options/options.h>
#include "tests/unit/program-fixture.h"

/* ---- A device that cannot be hot-plugged ---- */

static void fixed_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->hotpluggable = false;
}

static const TypeInfo fixed_types[] = { {
    .name = "test-fixed",
    .parent = TYPE_DEVICE,
    .class_init = fixed_class_init,
} };
DEFINE_TYPES(fixed_types)

/* ---- Making a machine of words, and its end ---- */

/* Carries out words separated by spaces; with a failure, *@error is set. */
static OptionsResult apply(OptionPlan **plan, const char *words, GError **error)
{
    g_auto(GStrv) argv = g_strsplit(words, " ", -1);

    *plan = options_parse((int)g_strv_length(argv), argv, error);
    return *plan ? options_apply(*plan, error) : OPTIONS_FAILED;
}

static OptionPlan *the_plan;

static int setup(void **state)
{
    GError *error = NULL;

    (void)state;
    program_setup(NULL);
    assert_int_equal(apply(&the_plan, "qomet -accel qtest -M bare -nodefaults", &error),
                     OPTIONS_READY);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    program_teardown(NULL);
    option_plan_free(the_plan);
    the_plan = NULL;
    return 0;
}

static DeviceState *add(const char *words, GError **errp)
{
    g_autoptr(KeyVal) kv = keyval_parse(words, "driver", errp);

    return kv ? options_device_add(kv, errp) : NULL;
}

static int count_one(Object *child, void *opaque)
{
    (void)child;
    ++*(unsigned *)opaque;
    return 0;
}

/* Objects below @path. */
static unsigned count(const char *path)
{
    Object *obj = object_resolve_path(path, NULL);
    unsigned n = 0;

    if (obj) {
        object_child_foreach_recursive(obj, count_one, &n);
    }
    return n;
}

static void assert_refused(const char *words, const char *why)
{
    unsigned before = count("/machine/peripheral") + count("/machine/peripheral-anon");
    GError *error = NULL;

    assert_null(add(words, &error));
    assert_non_null(error);
    if (!strstr(error->message, why)) {
        fail_msg("%s: '%s' does not say '%s'", words, error->message, why);
    }
    g_error_free(error);
    assert_int_equal(count("/machine/peripheral") + count("/machine/peripheral-anon"), before);
}

static uint64_t inb(hwaddr port)
{
    uint64_t value = 0;

    address_space_load(&address_space_io, port, 1, &value, MEMTXATTRS_UNSPECIFIED);
    return value;
}

/* ---- What holds ---- */

static void a_device_is_made_of_words(void **state)
{
    GError *error = NULL;
    DeviceState *dev = add("isa-debugcon,id=con,iobase=0x402,readback=0x33", &error);

    (void)state;
    assert_non_null(dev);
    assert_true(dev->realized);
    assert_true(dev->hotplugged);
    assert_ptr_equal(object_resolve_path("/machine/peripheral/con", NULL), dev);
    assert_int_equal(inb(0x402), 0x33);
    object_unparent(OBJECT(dev));
    assert_int_equal(inb(0x402), 0xff);
}

static void a_device_is_made_of_json(void **state)
{
    DeviceState *dev =
        add("{\"driver\": \"isa-debugcon\", \"iobase\": 1026, \"readback\": 7}", NULL);

    (void)state;
    assert_non_null(dev);
    assert_int_equal(inb(0x402), 7);
    assert_ptr_equal(object_resolve_path("/machine/peripheral-anon/device[0]", NULL), dev);
}

static void a_bus_may_be_named(void **state)
{
    (void)state;
    assert_non_null(add("isa-debugcon,bus=isa.0", NULL));
    assert_refused("isa-debugcon,bus=nope,iobase=1", "nope");
    assert_refused("test-fixed,bus=isa.0", "sits on no bus");
}

static void what_cannot_be_made_leaves_nothing(void **state)
{
    (void)state;
    assert_non_null(add("isa-debugcon,id=con", NULL));
    assert_refused("iobase=1", "Parameter 'driver' is missing");
    assert_refused("nope", "'nope' is not a valid device model name");
    assert_refused("isa-device", "expects a non-abstract device type");
    assert_refused("isa-debugcom", "did you mean 'isa-debugcon'?");
    assert_refused("host-x86_64-cpu", "'host-x86_64-cpu' is a part of machines");
    assert_refused("isa-debugcon,id=0", "0");
    assert_refused("isa-debugcon,id=con,iobase=1", "con");
    assert_refused("isa-debugcon,iobase=1,nope=1", "nope");
    assert_refused("isa-debugcon,iobase=x", "'x'");
    assert_refused("isa-debugcon", "con");
    assert_refused("isa-debugcon,iobase=0x10000", "0x10000");
    assert_refused("isa-debugcon,iobase=1,chardev=nope", "nope");
    assert_refused("test-fixed", "does not support hotplugging");
    assert_int_equal(inb(1), 0xff);
}

static void every_step_of_adding_may_fail(void **state)
{
    unsigned steps = 0;

    (void)state;
    for (;;) {
        GError *error = NULL;
        DeviceState *dev;

        qdev_fault_inject(steps + 1);
        dev = add("isa-serial,id=com,iobase=0x2f8", &error);
        qdev_fault_inject(0);
        if (dev) {
            break;
        }
        assert_non_null(error);
        g_error_free(error);
        assert_int_equal(count("/machine/peripheral"), 0);
        assert_int_equal(inb(0x2fd), 0xff);
        steps++;
    }
    assert_true(steps >= 3);
    assert_int_equal(inb(0x2fd), 0x60);
}

static void every_step_of_a_machine_may_fail(void **state)
{
    unsigned steps = 0;
    OptionsResult result;

    (void)state;
    do {
        OptionPlan *plan = NULL;
        GError *error = NULL;

        program_setup(NULL);
        qdev_fault_inject(++steps);
        result =
            apply(&plan,
                  "qomet -accel qtest -M bare,kernel-irqchip=on -serial null -chardev null,id=c "
                  "-device isa-debugcon,chardev=c -device port-logger",
                  &error);
        qdev_fault_inject(0);
        assert_true((result == OPTIONS_FAILED) == (error != NULL));
        g_clear_error(&error);
        program_teardown(NULL);
        option_plan_free(plan);
    } while (result == OPTIONS_FAILED);
    assert_true(steps > 5);
}

static void options_are_carried_out_in_qemus_order(void **state)
{
    GError *error = NULL;
    OptionPlan *plan = NULL;

    (void)state;
    program_setup(NULL);
    /*
     * The device stands before its chardev, the chardev before the global that changes it, and -M
     * last.
     */
    assert_int_equal(
        apply(&plan,
              "qomet -device isa-debugcon,chardev=c,iobase=0x402 -chardev ringbuf,id=c "
              "-global isa-debugcon.readback=0x44 -m 2 -S -accel qtest -nodefaults -M bare",
              &error),
        OPTIONS_READY);
    assert_true(options_start_stopped(plan));
    assert_int_equal(current_machine()->ram_size, 2 << 20);
    assert_int_equal(inb(0x402), 0x44);
    assert_false(
        DEVICE(object_resolve_path("/machine/peripheral-anon/device[0]", NULL))->hotplugged);
    program_teardown(NULL);
    option_plan_free(plan);
}

#define ON_BARE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BARE(a_device_is_made_of_words),
        ON_BARE(a_device_is_made_of_json),
        ON_BARE(a_bus_may_be_named),
        ON_BARE(what_cannot_be_made_leaves_nothing),
        ON_BARE(every_step_of_adding_may_fail),
        cmocka_unit_test(every_step_of_a_machine_may_fail),
        cmocka_unit_test(options_are_carried_out_in_qemus_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

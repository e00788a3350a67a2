/* SPDX-License-Identifier: MIT */
/*
 * What the tests of port devices share: an ISA bus over the port space, its lines, ports read and
 * written as a vCPU would, a clock that the test moves, and a chardev whose host side is the test.
 */
#ifndef QOMET_TESTS_UNIT_ISA_FIXTURE_H
#define QOMET_TESTS_UNIT_ISA_FIXTURE_H

#include "tests/unit/host-chardev.h"
#include "tests/unit/program-fixture.h"
#include <string.h>
#include <qomet/accel/runstate.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/hw/isa/isa-bus.h>
#include <qomet/memory/main-work.h>

static ISABus *isa;
static int isa_levels[ISA_NUM_IRQS];
static qemu_irq isa_lines[ISA_NUM_IRQS];

static G_GNUC_UNUSED void run_main(void)
{
    for (int i = 0; i < 5; i++) {
        main_loop_wait(false);
    }
}

/* What the device has written since the last time. */
#define assert_sent(t, text)                                                                       \
    do {                                                                                           \
        assert_string_equal((t)->sent->str, text);                                                 \
        g_string_truncate((t)->sent, 0);                                                           \
    } while (0)

/* ---- Devices ---- */

static G_GNUC_UNUSED DeviceState *isa_try(const char *type, const char *props, GError **errp)
{
    DeviceState *dev = qdev_new(type, errp);
    g_autoptr(KeyVal) kv = dev ? keyval_parse(props, NULL, errp) : NULL;

    if (!dev || !kv || !keyval_apply(kv, OBJECT(dev), errp)) {
        object_unref(dev);
        return NULL;
    }
    return qdev_realize_and_unref(dev, &isa->parent_obj, errp) ? dev : NULL;
}

/* A realized device of these properties ("iobase=0x10,iosize=2"). */
static G_GNUC_UNUSED DeviceState *isa_make(const char *type, const char *props)
{
    GError *err = NULL;
    DeviceState *dev = isa_try(type, props, &err);

    if (!dev) {
        fail_msg("%s,%s: %s", type, props, err->message);
    }
    return dev;
}

#define assert_isa_refused(text, type, props)                                                      \
    do {                                                                                           \
        GError *err_ = NULL;                                                                       \
        assert_null(isa_try(type, props, &err_));                                                  \
        assert_string_equal(err_->message, text);                                                  \
        g_error_free(err_);                                                                        \
    } while (0)

static G_GNUC_UNUSED uint64_t in_size(uint16_t port, unsigned size)
{
    uint64_t value = 0;

    address_space_load(&address_space_io, port, size, &value, MEMTXATTRS_UNSPECIFIED);
    return value;
}

static G_GNUC_UNUSED MemTxResult out_size(uint16_t port, uint64_t value, unsigned size)
{
    return address_space_store(&address_space_io, port, size, value, MEMTXATTRS_UNSPECIFIED);
}

static G_GNUC_UNUSED uint8_t inb(uint16_t port)
{
    return in_size(port, 1);
}

static G_GNUC_UNUSED void outb(uint16_t port, uint8_t value)
{
    assert_int_equal(out_size(port, value, 1), MEMTX_OK);
}

/*
 * Every size at every offset around @n ports from @first, reads and writes: nothing may go wrong
 * with the program.
 */
static G_GNUC_UNUSED void access_everything(uint16_t first, unsigned n)
{
    static const uint64_t values[] = { 0, UINT64_MAX, UINT64_C(0x0123456789abcdef) };

    for (unsigned size = 1; size <= 8; size *= 2) {
        for (int port = first - 8; port < (int)(first + n + 8); port++) {
            for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
                out_size(port, values[i], size);
                in_size(port, size);
            }
        }
    }
}

/* ---- Before and after each test ---- */

static void isa_line(void *opaque G_GNUC_UNUSED, int n, int level)
{
    isa_levels[n] = level;
}

static G_GNUC_UNUSED int isa_setup(void **state)
{
    GError *err = NULL;

    program_setup(state);
    qemu_clock_virtual_manual();
    isa = isa_bus_new(NULL, get_system_io(), &err);
    if (!isa) {
        print_error("%s\n", err->message);
        return -1;
    }
    for (int i = 0; i < ISA_NUM_IRQS; i++) {
        isa_levels[i] = 0;
        isa_lines[i] = qemu_allocate_irq(isa_line, NULL, i);
    }
    isa_bus_register_input_irqs(isa, isa_lines, ISA_NUM_IRQS);
    return 0;
}

/* The end need not wait for a host that a test has made deaf. */
static int test_chr_hear(Object *obj, void *opaque G_GNUC_UNUSED)
{
    if (object_dynamic_cast(obj, TYPE_CHARDEV_TEST)) {
        ((TestChardev *)obj)->room = -1;
    }
    return 0;
}

static G_GNUC_UNUSED int isa_teardown(void **state)
{
    object_child_foreach(container_get(object_get_root(), "/chardevs"), test_chr_hear, NULL);
    qemu_chr_cleanup();
    object_unparent(qdev_get_machine());
    for (int i = 0; i < ISA_NUM_IRQS; i++) {
        object_unref(isa_lines[i]);
    }
    run_main();
    return program_teardown(state);
}

#define isa_test(fn) cmocka_unit_test_setup_teardown(fn, isa_setup, isa_teardown)

#endif

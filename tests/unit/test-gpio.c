/* SPDX-License-Identifier: MIT */
/* The lines of a device: groups, wiring, what the tree shows of them, and what becomes of them. */
#include "tests/unit/qdev-fixture.h"
#include <pthread.h>
#include <sched.h>

static void told(void *opaque, int n, int level)
{
    (void)opaque;
    trace("%d=%d", n, level);
}

static void inputs_are_found_by_group_and_number(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    qdev_init_gpio_in(DEVICE(p), told, 2);
    qdev_init_gpio_in_named(DEVICE(p), told, "reset", 1);
    qdev_init_gpio_in(DEVICE(p), told, 1);
    assert_non_null(qdev_get_gpio_in(DEVICE(p), 0));
    assert_non_null(qdev_get_gpio_in(DEVICE(p), 2));
    assert_null(qdev_get_gpio_in(DEVICE(p), 3));
    assert_null(qdev_get_gpio_in(DEVICE(p), -1));
    assert_non_null(qdev_get_gpio_in_named(DEVICE(p), "reset", 0));
    assert_null(qdev_get_gpio_in_named(DEVICE(p), "reset", 1));
    assert_null(qdev_get_gpio_in_named(DEVICE(p), "nope", 0));
    object_unref(p);
}

static void lines_have_a_place_in_the_tree(void **state)
{
    Probe *p = probe_new(TYPE_PROBE), *q = probe_new(TYPE_PROBE);
    g_autofree char *leads_to = NULL;

    (void)state;
    assert_works(qdev_set_id(DEVICE(p), "p", errp));
    assert_works(qdev_set_id(DEVICE(q), "q", errp));
    qdev_init_gpio_in(DEVICE(p), told, 2);
    qdev_init_gpio_in_named(DEVICE(p), told, "reset", 1);
    qdev_init_gpio_out(DEVICE(q), q->out, 2);
    assert_ptr_equal(object_resolve_path("/machine/peripheral/p/unnamed-gpio-in[1]", NULL),
                     qdev_get_gpio_in(DEVICE(p), 1));
    assert_ptr_equal(object_resolve_path("/machine/peripheral/p/reset[0]", NULL),
                     qdev_get_gpio_in_named(DEVICE(p), "reset", 0));
    assert_works(qdev_connect_gpio_out(DEVICE(q), 1, qdev_get_gpio_in(DEVICE(p), 0), errp));
    leads_to = object_property_print(OBJECT(q), "unnamed-gpio-out[1]", NULL);
    assert_string_equal(leads_to, "/machine/peripheral/p/unnamed-gpio-in[0]");
    assert_false(object_property_set_link(OBJECT(q), "unnamed-gpio-out[1]", NULL, NULL));
    object_unref(p);
    object_unref(q);
}

static void an_output_leads_where_it_was_connected(void **state)
{
    Probe *p = probe_new(TYPE_PROBE), *q = probe_new(TYPE_PROBE);

    (void)state;
    qdev_init_gpio_in(DEVICE(p), told, 2);
    qdev_init_gpio_out_named(DEVICE(q), q->out, "irq", 2);
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_null(qdev_get_gpio_out_connector(DEVICE(q), "irq", 0));
    assert_works(
        qdev_connect_gpio_out_named(DEVICE(q), "irq", 0, qdev_get_gpio_in(DEVICE(p), 1), errp));
    assert_ptr_equal(qdev_get_gpio_out_connector(DEVICE(q), "irq", 0),
                     qdev_get_gpio_in(DEVICE(p), 1));
    assert_trace("realize");
    qemu_irq_raise(q->out[0]);
    assert_trace("1=1");
    assert_works(qdev_connect_gpio_out_named(DEVICE(q), "irq", 0, NULL, errp));
    qemu_irq_lower(q->out[0]);
    assert_trace("");
    assert_refused(qdev_connect_gpio_out_named(DEVICE(q), "irq", 2, NULL, errp),
                   "device 'probe-device' has no output line 2 in group 'irq': it has 2");
    assert_refused(qdev_connect_gpio_out(DEVICE(q), 0, NULL, errp),
                   "device 'probe-device' has no output line 0: it has 0");
    object_unref(p);
    object_unref(q);
}

static void a_group_may_have_inputs_and_outputs_of_one_name(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    qdev_init_gpio_in_named(DEVICE(p), told, "x", 1);
    qdev_init_gpio_out_named(DEVICE(p), p->out, "x", 1);
    assert_works(qdev_connect_gpio_out_named(DEVICE(p), "x", 0,
                                             qdev_get_gpio_in_named(DEVICE(p), "x", 0), errp));
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    qemu_irq_raise(p->out[0]);
    assert_trace("realize 0=1");
    assert_works(qdev_connect_gpio_out_named(DEVICE(p), "x", 0, NULL, errp));
    object_unref(p);
}

static void a_level_set_before_realize_arrives_with_it(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    qdev_init_gpio_in(DEVICE(p), told, 3);
    qemu_irq_raise(qdev_get_gpio_in(DEVICE(p), 0));
    qemu_irq_pulse(qdev_get_gpio_in(DEVICE(p), 1));
    assert_trace("");
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_trace("realize 0=1");
    qdev_unrealize(DEVICE(p));
    qemu_irq_lower(qdev_get_gpio_in(DEVICE(p), 0));
    qemu_irq_raise(qdev_get_gpio_in(DEVICE(p), 2));
    assert_trace("unrealize");
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_trace("realize 2=1");
    object_unref(p);
}

static void rewiring_a_realized_device_tells_its_direct_inputs_nothing_new(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    qemu_irq line = qemu_allocate_irq(told, NULL, 9);

    (void)state;
    qdev_init_gpio_in_direct(DEVICE(p), told, NULL, 1);
    qdev_init_gpio_out(DEVICE(p), p->out, 1);
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    qemu_irq_raise(qdev_get_gpio_in(DEVICE(p), 0));
    assert_trace("realize 0=1");
    assert_works(qdev_connect_gpio_out(DEVICE(p), 0, line, errp));
    assert_trace("");
    object_unref(p);
    object_unref(line);
}

static void a_device_that_goes_lowers_what_it_raised(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    qemu_irq line = qemu_allocate_irq(told, NULL, 9);

    (void)state;
    qdev_init_gpio_out(DEVICE(p), p->out, 1);
    assert_works(qdev_connect_gpio_out(DEVICE(p), 0, line, errp));
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    qemu_irq_raise(p->out[0]);
    object_unparent(OBJECT(p));
    object_unref(p);
    assert_trace("realize 9=1 unrealize 9=0 finalize");
    object_unref(line);
}

static void a_line_outlives_its_device_dead(void **state)
{
    Probe *p = probe_new(TYPE_PROBE), *q = probe_new(TYPE_PROBE);

    (void)state;
    qdev_init_gpio_in(DEVICE(p), told, 1);
    qdev_init_gpio_out(DEVICE(q), q->out, 1);
    assert_works(qdev_connect_gpio_out(DEVICE(q), 0, qdev_get_gpio_in(DEVICE(p), 0), errp));
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    object_unparent(OBJECT(p));
    object_unref(p);
    assert_trace("realize unrealize finalize");
    qemu_irq_raise(q->out[0]);
    assert_trace("");
    assert_int_equal(qemu_irq_level(q->out[0]), 1);
    object_unref(q);
}

/* ---- Within realize --------------------------------------------------------------------------------- */

static qemu_irq board_line;

static bool wires_itself(Probe *p, GError **errp)
{
    qdev_init_gpio_in(DEVICE(p), told, 2);
    qdev_init_gpio_out(DEVICE(p), p->out, 2);
    return qdev_connect_gpio_out(DEVICE(p), 1, board_line, errp);
}

static void lines_of_realize_go_with_it(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    board_line = qemu_allocate_irq(told, NULL, 9);
    p->body = wires_itself;
    for (int i = 0; i < 4; i++) {
        p->fail = i & 1;
        assert_int_equal(qdev_realize(DEVICE(p), NULL, NULL), !p->fail);
        if (!p->fail) {
            assert_non_null(qdev_get_gpio_in(DEVICE(p), 1));
            assert_ptr_equal(p->out[1], board_line);
            qdev_unrealize(DEVICE(p));
        }
        assert_null(qdev_get_gpio_in(DEVICE(p), 0));
        assert_null(p->out[1]);
        assert_false(qdev_connect_gpio_out(DEVICE(p), 0, board_line, NULL));
        assert_false(object_property_exists(OBJECT(p), "unnamed-gpio-in[0]"));
        assert_false(object_property_exists(OBJECT(p), "unnamed-gpio-out[0]"));
        assert_int_equal(OBJECT(board_line)->ref, 1);
    }
    object_unref(p);
    object_unref(board_line);
}

static Probe *other;

static bool wires_another(Probe *p, GError **errp)
{
    (void)p;
    return qdev_connect_gpio_out(DEVICE(other), 0, board_line, errp);
}

static void a_connection_made_for_another_device_is_undone_too(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    qemu_irq before = qemu_allocate_irq(told, NULL, 8);

    (void)state;
    other = probe_new(TYPE_PROBE);
    board_line = qemu_allocate_irq(told, NULL, 9);
    qdev_init_gpio_out(DEVICE(other), other->out, 1);
    assert_works(qdev_connect_gpio_out(DEVICE(other), 0, before, errp));
    p->body = wires_another;
    p->fail = true;
    assert_false(qdev_realize(DEVICE(p), NULL, NULL));
    assert_ptr_equal(other->out[0], before);
    p->fail = false;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_ptr_equal(other->out[0], board_line);
    object_unparent(OBJECT(p));
    assert_ptr_equal(other->out[0], before);
    object_unref(p);
    object_unref(other);
    object_unref(board_line);
    object_unref(before);
}

static void show(const char *name, int n, bool in, qemu_irq irq, void *opaque)
{
    (void)opaque;
    trace("%s%d%s%s", name ? name : "", n, in ? "<" : ">", irq ? "" : "nowhere");
}

static void every_line_is_visited(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    qdev_init_gpio_in(DEVICE(p), told, 2);
    qdev_init_gpio_out_named(DEVICE(p), p->out, "irq", 1);
    qdev_foreach_gpio(DEVICE(p), show, NULL);
    assert_trace("0< 1< irq0>nowhere");
    object_unref(p);
}

/* ---- Threads inside a device that changes or goes --------------------------------------------------- */

typedef struct Visit {
    pthread_t thread;
    Probe *p;
    qemu_irq irq;
    uint32_t inside, over; /* atomic, and relaxed: what is tested is who else orders the threads */
} Visit;

static void wait_for(const uint32_t *flag)
{
    while (!__atomic_load_n(flag, __ATOMIC_RELAXED)) {
        sched_yield();
    }
}

static void *set_an_output(void *opaque)
{
    Visit *v = opaque;
    EntryGuard *guard = &DEVICE(v->p)->guard;

    while (!__atomic_load_n(&v->over, __ATOMIC_RELAXED)) {
        assert_true(entry_enter(guard));
        qemu_set_irq(v->p->out[0], 1);
        entry_leave(guard);
        __atomic_store_n(&v->inside, 1, __ATOMIC_RELAXED);
    }
    entry_thread_unregister();
    return NULL;
}

static void ignore(void *opaque, int n, int level)
{
    (void)opaque;
    (void)n;
    (void)level;
}

static void an_output_is_not_rewired_under_a_method_that_sets_it(void **state)
{
    qemu_irq irq[2] = { qemu_allocate_irq(ignore, NULL, 0), qemu_allocate_irq(ignore, NULL, 1) };
    Visit v = { .p = probe_new(TYPE_PROBE) };

    (void)state;
    qdev_init_gpio_out(DEVICE(v.p), v.p->out, 1);
    assert_works(qdev_realize(DEVICE(v.p), NULL, errp));
    assert_int_equal(pthread_create(&v.thread, NULL, set_an_output, &v), 0);
    wait_for(&v.inside);
    for (int i = 0; i < 200; i++) {
        assert_works(qdev_connect_gpio_out(DEVICE(v.p), 0, irq[i % 2], errp));
    }
    __atomic_store_n(&v.over, 1, __ATOMIC_RELAXED);
    pthread_join(v.thread, NULL);
    object_unparent(OBJECT(v.p));
    object_unref(v.p);
    object_unref(irq[0]);
    object_unref(irq[1]);
}

static void *visit_once(void *opaque)
{
    Visit *v = opaque;
    EntryGuard *guard = &DEVICE(v->p)->guard;

    assert_true(entry_enter(guard));
    __atomic_store_n(&v->inside, 1, __ATOMIC_RELAXED);
    v->p->registers[0] = 1;
    entry_leave(guard);
    wait_for(&v->over);
    entry_thread_unregister();
    return NULL;
}

static void ends_its_state(Probe *p)
{
    p->registers[0] = 2;
}

static void who_is_inside_has_left_before_unrealize(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        Visit v = { .p = probe_new(TYPE_PROBE) };

        v.p->end = ends_its_state;
        assert_works(qdev_realize(DEVICE(v.p), NULL, errp));
        assert_int_equal(pthread_create(&v.thread, NULL, visit_once, &v), 0);
        wait_for(&v.inside);
        qdev_unrealize(DEVICE(v.p));
        assert_int_equal(v.p->registers[0], 2);
        __atomic_store_n(&v.over, 1, __ATOMIC_RELAXED);
        pthread_join(v.thread, NULL);
        object_unparent(OBJECT(v.p));
        object_unref(v.p);
    }
}

/* Stays until another thread waits for the device, and a little longer. */
static void *stay(void *opaque)
{
    Visit *v = opaque;
    EntryGuard *guard = &DEVICE(v->p)->guard;

    assert_true(entry_enter(guard));
    __atomic_store_n(&v->inside, 1, __ATOMIC_RELAXED);
    wait_for(&v->over);
    for (int i = 0; i < 50; i++) {
        sched_yield();
    }
    entry_leave(guard);
    entry_thread_unregister();
    return NULL;
}

static void *raise_line(void *opaque)
{
    Visit *v = opaque;

    qemu_irq_raise(v->irq);
    entry_thread_unregister();
    return NULL;
}

static void a_delivery_that_waits_for_the_device_is_over_before_it_goes(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        Visit staying = { .p = probe_new(TYPE_PROBE) }, raising = { .p = staying.p };
        DeviceState *dev = DEVICE(staying.p);
        EntryCounts counts;

        qdev_init_gpio_in(dev, ignore, 1);
        assert_works(qdev_realize(dev, NULL, errp));
        raising.irq = (qemu_irq)object_ref(qdev_get_gpio_in(dev, 0));
        assert_int_equal(pthread_create(&staying.thread, NULL, stay, &staying), 0);
        wait_for(&staying.inside);
        assert_int_equal(pthread_create(&raising.thread, NULL, raise_line, &raising), 0);
        do {
            sched_yield();
            entry_guard_counts(&dev->guard, &counts);
        } while (!counts.contended);
        __atomic_store_n(&staying.over, 1, __ATOMIC_RELAXED);
        qdev_unrealize(dev);
        object_unparent(OBJECT(dev));
        object_unref(dev);
        pthread_join(staying.thread, NULL);
        pthread_join(raising.thread, NULL);
        object_unref(raising.irq);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        qdev_test(inputs_are_found_by_group_and_number),
        qdev_test(lines_have_a_place_in_the_tree),
        qdev_test(an_output_leads_where_it_was_connected),
        qdev_test(a_group_may_have_inputs_and_outputs_of_one_name),
        qdev_test(a_level_set_before_realize_arrives_with_it),
        qdev_test(rewiring_a_realized_device_tells_its_direct_inputs_nothing_new),
        qdev_test(a_device_that_goes_lowers_what_it_raised),
        qdev_test(a_line_outlives_its_device_dead),
        qdev_test(lines_of_realize_go_with_it),
        qdev_test(a_connection_made_for_another_device_is_undone_too),
        qdev_test(every_line_is_visited),
        qdev_test(an_output_is_not_rewired_under_a_method_that_sets_it),
        qdev_test(who_is_inside_has_left_before_unrealize),
        qdev_test(a_delivery_that_waits_for_the_device_is_over_before_it_goes),
    };

    return cmocka_run_group_tests_name("gpio", tests, NULL, NULL);
}

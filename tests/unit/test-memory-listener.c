/* SPDX-License-Identifier: MIT */
/*
 * Listeners: that what they are told adds up to the view, in which order they are told, and what
 * they refuse.
 */
#include "tests/unit/memory-ear.h"

/* ---- Changes ---- */

static void a_listener_hears_what_is_there_and_what_changes(void **state)
{
    MemoryRegion ram, over;
    Ear ear = { .name = 0 };

    (void)state;
    assert_true(memory_region_init_ram(&ram, NULL, "ram", 0x3000, NULL));
    memory_region_init_io(&over, NULL, &fixture_ops, NULL, "io", 0x1000);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x10000, &ram, NULL));
    ear_open(&ear, &address_space_memory);
    memory_listener_register(&ear.listener, &address_space_memory);
    assert_said(&ear, "b +ram@10000+3000:0m c ");

    memory_region_add_subregion_overlap(get_system_memory(), 0x11000, &over, 1);
    assert_said(
        &ear, "b -ram@10000+3000:0m +ram@10000+1000:0m +io@11000+1000:0 +ram@12000+1000:2000m c ");
    memory_region_set_address(&over, 0x12000);
    assert_said(&ear, "b -ram@10000+1000:0m -io@11000+1000:0 -ram@12000+1000:2000m "
                      "+ram@10000+2000:0m +io@12000+1000:0 c ");
    memory_region_set_readonly(&ram, true);
    assert_said(&ear, "b -ram@10000+2000:0m +ram@10000+2000:0mr c ");
    memory_region_set_readonly(&ram, true);
    assert_said(&ear, "");
    /* A change that nobody can see is none. */
    memory_region_transaction_begin();
    memory_region_set_enabled(&over, false);
    memory_region_set_enabled(&over, true);
    memory_region_transaction_commit();
    assert_said(&ear, "");

    memory_region_del_subregion(get_system_memory(), &over);
    assert_said(&ear, "b -ram@10000+2000:0mr -io@12000+1000:0 +ram@10000+3000:0mr c ");
    memory_listener_unregister(&ear.listener, &address_space_memory);
    assert_said(&ear, "b -ram@10000+3000:0mr c ");
    memory_region_del_subregion(get_system_memory(), &ram);
    assert_said(&ear, "");
    ear_close(&ear);
    object_unref(&over);
    object_unref(&ram);
}

static void listeners_hear_in_order_of_priority(void **state)
{
    GString *said = g_string_new(NULL);
    Ear first = { .name = '1' }, second = { .name = '2' };
    MemoryRegion mr;

    (void)state;
    ear_open(&first, &address_space_memory);
    ear_open(&second, &address_space_memory);
    g_string_free(first.said, TRUE);
    g_string_free(second.said, TRUE);
    first.said = second.said = said;
    first.listener.priority = -1;
    second.listener.priority = 5;
    second.listener.region_nop = on_nop;
    memory_listener_register(&second.listener, &address_space_memory);
    memory_listener_register(&first.listener, &address_space_memory);
    g_string_truncate(said, 0);

    memory_region_init_io(&mr, NULL, &fixture_ops, NULL, "x", 16);
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &mr, NULL));
    assert_said(&first, "1b 2b 1+x@0+10:0 2+x@0+10:0 1c 2c ");
    memory_region_set_address(&mr, 1);
    assert_said(&first, "1b 2b 2-x@0+10:0 1-x@0+10:0 1+x@1+10:0 2+x@1+10:0 1c 2c ");
    memory_region_del_subregion(get_system_memory(), &mr);
    memory_listener_unregister(&first.listener, &address_space_memory);
    memory_listener_unregister(&second.listener, &address_space_memory);
    object_unref(&mr);
    g_string_free(said, TRUE);
}

static void what_stays_is_told_to_who_asks(void **state)
{
    MemoryRegion a, b;
    Ear ear = { .name = 0 };

    (void)state;
    memory_region_init_io(&a, NULL, &fixture_ops, NULL, "a", 16);
    memory_region_init_io(&b, NULL, &fixture_ops, NULL, "b", 16);
    ear_open(&ear, &address_space_io);
    ear.listener.region_nop = on_nop;
    memory_listener_register(&ear.listener, &address_space_io);
    g_string_truncate(ear.said, 0);
    assert_true(memory_region_add_subregion(get_system_io(), 0x80, &a, NULL));
    assert_said(&ear, "b +a@80+10:0 c ");
    assert_true(memory_region_add_subregion(get_system_io(), 0x20, &b, NULL));
    assert_said(&ear, "b =a@80+10:0 +b@20+10:0 c ");
    memory_region_del_subregion(get_system_io(), &a);
    memory_region_del_subregion(get_system_io(), &b);
    memory_listener_unregister(&ear.listener, &address_space_io);
    ear_close(&ear);
    object_unref(&a);
    object_unref(&b);
}

/* ---- Refusals ---- */

static unsigned room; /* for so many sections */

static bool has_room(MemoryListener *l, const MemoryRegionSection *sections, unsigned n,
                     GError **errp)
{
    for (unsigned i = 1; i < n; i++) {
        assert_true(sections[i - 1].offset_within_address_space <
                    sections[i].offset_within_address_space);
    }
    for (unsigned i = 0; i < n; i++) {
        assert_ptr_equal(sections[i].as, ear_of(l)->as);
    }
    if (n > room) {
        qom_error_set(errp, QOM_ERROR_STATE, "there is no room for '%s'",
                      memory_region_name(sections[n - 1].mr));
    }
    return n <= room;
}

static void assert_no_room(bool good, GError *error, const char *name)
{
    g_autofree char *text = g_strdup_printf("there is no room for '%s'", name);

    assert_false(good);
    assert_non_null(error);
    assert_string_equal(error->message, text);
    g_error_free(error);
}

/* A listener who has room for some sections, and two regions. */
typedef struct Refusing {
    Ear ear;
    MemoryRegion a, b;
} Refusing;

static void refusing_begin(Refusing *r, unsigned n)
{
    memset(r, 0, sizeof(*r));
    room = n;
    memory_region_init_io(&r->a, NULL, &fixture_ops, NULL, "a", 16);
    memory_region_init_io(&r->b, NULL, &fixture_ops, NULL, "b", 16);
    ear_open(&r->ear, &address_space_memory);
    r->ear.listener.check = has_room;
    memory_listener_register(&r->ear.listener, &address_space_memory);
    assert_said(&r->ear, "b c ");
}

static void refusing_begin_with_a(Refusing *r)
{
    refusing_begin(r, 1);
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &r->a, NULL));
    assert_said(&r->ear, "b +a@0+10:0 c ");
}

/* @mapped: which one is at last. */
static void refusing_end(Refusing *r, MemoryRegion *mapped)
{
    memory_region_del_subregion(get_system_memory(), mapped);
    memory_listener_unregister(&r->ear.listener, &address_space_memory);
    ear_close(&r->ear);
    object_unref(&r->a);
    object_unref(&r->b);
}

static void a_listener_may_refuse_a_mapping_and_hears_nothing_of_it(void **state)
{
    GError *error = NULL;
    Refusing r;
    bool good;

    (void)state;
    refusing_begin_with_a(&r);
    good = memory_region_add_subregion(get_system_memory(), 0x100, &r.b, &error);
    assert_no_room(good, error, "b");
    assert_said(&r.ear, "");
    assert_false(memory_region_is_mapped(&r.b));

    /* What it does not follow is not asked about: the ports are another space. */
    assert_true(memory_region_add_subregion(get_system_io(), 0x100, &r.b, NULL));
    memory_region_del_subregion(get_system_io(), &r.b);
    memory_region_del_subregion(get_system_memory(), &r.a);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x100, &r.b, NULL));
    assert_said(&r.ear, "b -a@0+10:0 c b +b@100+10:0 c ");
    refusing_end(&r, &r.b);
}

static void a_transaction_is_asked_about_as_a_whole(void **state)
{
    GError *error = NULL;
    Refusing r;
    bool good;

    (void)state;
    refusing_begin_with_a(&r);

    /* One comes, and only then the other goes. */
    memory_region_transaction_begin();
    assert_true(memory_region_add_subregion(get_system_memory(), 0x100, &r.b, NULL));
    good = memory_region_transaction_check(&error);
    assert_no_room(good, error, "b");
    memory_region_del_subregion(get_system_memory(), &r.a);
    assert_true(memory_region_transaction_check(NULL));
    memory_region_transaction_commit();
    assert_said(&r.ear, "b -a@0+10:0 +b@100+10:0 c ");

    /* Within another one there may be more to come. */
    memory_region_transaction_begin();
    memory_region_transaction_begin();
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &r.a, NULL));
    assert_true(memory_region_transaction_check(NULL));
    memory_region_transaction_commit();
    assert_false(memory_region_transaction_check(NULL));
    memory_region_del_subregion(get_system_memory(), &r.a);
    memory_region_transaction_commit();
    assert_said(&r.ear, "");
    refusing_end(&r, &r.b);
}

static void what_cannot_be_refused_is_told_all_the_same(void **state)
{
    Refusing r;

    (void)state;
    refusing_begin(&r, 0);
    memory_region_add_subregion_overlap(get_system_memory(), 0, &r.a, 1);
    assert_said(&r.ear, "b +a@0+10:0 c ");
    memory_region_set_address(&r.a, 0x10);
    assert_said(&r.ear, "b -a@0+10:0 +a@10+10:0 c ");
    refusing_end(&r, &r.a);
}

/* ---- What is told is told before it can be seen ---- */

static MemoryRegion *watched;
static bool seen_at_add, seen_at_commit;

static bool can_be_seen(void)
{
    uint64_t value;

    return address_space_load(&address_space_memory, 0x1000, 1, &value, (MemTxAttrs){ 0 }) ==
           MEMTX_OK;
}

static void look_at_add(MemoryListener *l, const MemoryRegionSection *s)
{
    (void)l;
    (void)s;
    seen_at_add = can_be_seen();
}

static void look_at_commit(MemoryListener *l)
{
    (void)l;
    seen_at_commit = can_be_seen();
}

static void the_view_is_published_between_the_last_word_and_the_commit(void **state)
{
    static const MemoryRegionOps silent;
    MemoryListener l = { .region_add = look_at_add, .commit = look_at_commit };
    MemoryRegion mr;

    (void)state;
    watched = &mr;
    memory_region_init_io(&mr, NULL, &silent, NULL, "mr", 16);
    memory_listener_register(&l, &address_space_memory);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x1000, &mr, NULL));
    assert_false(seen_at_add);
    assert_true(seen_at_commit);
    memory_listener_unregister(&l, &address_space_memory);
    memory_region_del_subregion(get_system_memory(), &mr);
    object_unref(&mr);
}

/* A listener that answers a change with another: that comes in a round of its own. */
static MemoryRegion answer;

static void answer_once(MemoryListener *l, const MemoryRegionSection *s)
{
    (void)l;
    if (s->mr == watched) {
        assert_true(memory_region_add_subregion(get_system_memory(), 0x2000, &answer, NULL));
    }
}

static void a_listener_may_change_the_map(void **state)
{
    MemoryListener l = { .region_add = answer_once };
    Ear ear = { .name = 0 };
    MemoryRegion mr;

    (void)state;
    watched = &mr;
    memory_region_init_io(&mr, NULL, &fixture_ops, NULL, "mr", 16);
    memory_region_init_io(&answer, NULL, &fixture_ops, NULL, "answer", 16);
    ear_open(&ear, &address_space_memory);
    memory_listener_register(&l, &address_space_memory);
    memory_listener_register(&ear.listener, &address_space_memory);
    g_string_truncate(ear.said, 0);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x1000, &mr, NULL));
    assert_said(&ear, "b +mr@1000+10:0 c b +answer@2000+10:0 c ");
    memory_listener_unregister(&l, &address_space_memory);
    memory_listener_unregister(&ear.listener, &address_space_memory);
    memory_region_del_subregion(get_system_memory(), &mr);
    memory_region_del_subregion(get_system_memory(), &answer);
    ear_close(&ear);
    object_unref(&mr);
    object_unref(&answer);
}

/* ---- The sum of all that is told ---- */

#define SPACE 128
#define PARTS 8

typedef struct Sum {
    MemoryListener listener;
    MemoryRegion *at[SPACE];
    uint64_t offset[SPACE];
} Sum;

static void sum_add(MemoryListener *l, const MemoryRegionSection *s)
{
    Sum *sum = (Sum *)l;

    for (uint64_t i = 0; i < s->size; i++) {
        assert_null(sum->at[s->offset_within_address_space + i]);
        sum->at[s->offset_within_address_space + i] = s->mr;
        sum->offset[s->offset_within_address_space + i] = s->offset_within_region + i;
    }
}

static void sum_del(MemoryListener *l, const MemoryRegionSection *s)
{
    Sum *sum = (Sum *)l;

    for (uint64_t i = 0; i < s->size; i++) {
        assert_ptr_equal(sum->at[s->offset_within_address_space + i], s->mr);
        assert_int_equal(sum->offset[s->offset_within_address_space + i],
                         s->offset_within_region + i);
        sum->at[s->offset_within_address_space + i] = NULL;
    }
}

static void all_that_is_told_adds_up_to_the_view(void **state)
{
    Sum *sum = g_new0(Sum, 1);
    MemoryRegion root, parts[PARTS];
    AddressSpace as;
    uint64_t seed = 5;

    (void)state;
    memory_region_init(&root, NULL, "root", SPACE);
    address_space_init(&as, &root, "sum");
    for (int i = 0; i < PARTS; i++) {
        memory_region_init_io(&parts[i], NULL, &fixture_ops, NULL, "part",
                              1 + fixture_random(&seed) % 50);
        memory_region_add_subregion_overlap(&root, fixture_random(&seed) % SPACE, &parts[i], i % 3);
    }
    sum->listener.region_add = sum_add;
    sum->listener.region_del = sum_del;
    memory_listener_register(&sum->listener, &as);
    for (unsigned n = 0; n < fixture_count(2000); n++) {
        MemoryRegion *mr = &parts[fixture_random(&seed) % PARTS];

        if (fixture_random(&seed) % 2) {
            memory_region_set_enabled(mr, !object_property_get_bool(OBJECT(mr), "enabled", NULL));
        } else {
            memory_region_set_address(mr, fixture_random(&seed) % SPACE);
        }
        for (hwaddr a = 0; a < SPACE; a++) {
            MemoryRegionSection s = address_space_find(&as, a);

            assert_ptr_equal(s.mr, sum->at[a]);
            assert_true(!s.mr || s.offset_within_region == sum->offset[a]);
            object_unref(s.mr);
        }
    }
    /* Ending the address space ends what was told. */
    address_space_destroy(&as);
    for (hwaddr a = 0; a < SPACE; a++) {
        assert_null(sum->at[a]);
    }
    object_unref(&root);
    for (int i = 0; i < PARTS; i++) {
        object_unref(&parts[i]);
    }
    g_free(sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_hears_what_is_there_and_what_changes),
        cmocka_unit_test(listeners_hear_in_order_of_priority),
        cmocka_unit_test(what_stays_is_told_to_who_asks),
        cmocka_unit_test(a_listener_may_refuse_a_mapping_and_hears_nothing_of_it),
        cmocka_unit_test(a_transaction_is_asked_about_as_a_whole),
        cmocka_unit_test(what_cannot_be_refused_is_told_all_the_same),
        cmocka_unit_test(the_view_is_published_between_the_last_word_and_the_commit),
        cmocka_unit_test(a_listener_may_change_the_map),
        cmocka_unit_test(all_that_is_told_adds_up_to_the_view),
    };

    return cmocka_run_group_tests_name("memory-listener", tests, fixture_setup, fixture_teardown);
}

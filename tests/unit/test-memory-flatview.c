/* SPDX-License-Identifier: MIT */
/*
 * Flat views: what a tree of regions shows at each address, compared with a model that asks the
 * tree point by point; and the view's own order. Layouts are pseudo-random and the same at every
 * run.
 */
#include "tests/unit/memory-fixture.h"

#define SPACE 512
#define NODES 24

/* ---- A model of the tree ---- */

typedef enum NodeKind { NODE_CONTAINER, NODE_IO, NODE_RAM, NODE_ALIAS } NodeKind;

typedef struct Node {
    MemoryRegion mr;
    NodeKind kind;
    uint64_t size;
    bool enabled;
    int target; /* of an alias */
    uint64_t target_offset;
    int container; /* -1: not mapped */
    uint64_t addr;
    int priority;
    unsigned order;
} Node;

typedef struct Layout {
    Node nodes[NODES]; /* what a node holds or shows has a lower number; the last one is the root */
    unsigned order;
    uint8_t ram[SPACE];
    AddressSpace as;
} Layout;

typedef struct Point {
    int node; /* -1: nothing */
    uint64_t offset;
} Point;

static bool lies_on_top(const Node *a, const Node *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->order > b->order;
}

/* What node @n shows at @offset: of its subregions the topmost that shows anything, else itself. */
static Point look(const Layout *l, int n, uint64_t offset)
{
    const Node *node = &l->nodes[n];
    Point best = { -1, 0 };
    const Node *by = NULL;

    if (!node->enabled || offset >= node->size) {
        return best;
    }
    if (node->kind == NODE_ALIAS) {
        return look(l, node->target, node->target_offset + offset);
    }
    for (int i = 0; i < NODES; i++) {
        const Node *sub = &l->nodes[i];

        if (sub->container == n && offset >= sub->addr && (!by || lies_on_top(sub, by))) {
            Point p = look(l, i, offset - sub->addr);

            if (p.node >= 0) {
                best = p;
                by = sub;
            }
        }
    }
    if (best.node < 0 && node->kind != NODE_CONTAINER) {
        best = (Point){ n, offset };
    }
    return best;
}

/* ---- Making one, and changing it ---- */

static const MemoryRegionOps no_ops;

static void map_somewhere(Layout *l, int n, uint64_t *seed)
{
    Node *node = &l->nodes[n];
    int container = n + 1 + (int)(fixture_random(seed) % (NODES - n - 1));

    while (l->nodes[container].kind == NODE_ALIAS) {
        container++;
    }
    node->container = container;
    node->addr = fixture_random(seed) % l->nodes[container].size;
    node->priority = (int)(fixture_random(seed) % 4) - 1;
    node->order = ++l->order;
    memory_region_add_subregion_overlap(&l->nodes[container].mr, node->addr, &node->mr,
                                        node->priority);
}

static void make_layout(Layout *l, uint64_t *seed)
{
    memset(l, 0, sizeof(*l));
    for (int n = 0; n < NODES; n++) {
        Node *node = &l->nodes[n];
        g_autofree char *name = g_strdup_printf("n%d", n);

        node->kind = n == NODES - 1 ? NODE_CONTAINER
                     : n < 4        ? NODE_IO
                                    : (NodeKind)(fixture_random(seed) % 4);
        node->size = n == NODES - 1 ? SPACE : 1 + fixture_random(seed) % (SPACE / 4);
        node->enabled = true;
        node->container = -1;
        switch (node->kind) {
        case NODE_CONTAINER:
            memory_region_init(&node->mr, NULL, name, node->size);
            break;
        case NODE_IO:
            memory_region_init_io(&node->mr, NULL, &no_ops, NULL, name, node->size);
            break;
        case NODE_RAM:
            memory_region_init_ram_ptr(&node->mr, NULL, name, node->size, l->ram);
            break;
        case NODE_ALIAS:
            node->target = (int)(fixture_random(seed) % n);
            node->target_offset = fixture_random(seed) % 64;
            memory_region_init_alias(&node->mr, NULL, name, &l->nodes[node->target].mr,
                                     node->target_offset, node->size);
            break;
        }
    }
    address_space_init(&l->as, &l->nodes[NODES - 1].mr, "test");
    memory_region_transaction_begin();
    for (int n = 0; n < NODES - 1; n++) {
        map_somewhere(l, n, seed);
    }
    memory_region_transaction_commit();
}

static void unmap(Layout *l, int n)
{
    memory_region_del_subregion(&l->nodes[l->nodes[n].container].mr, &l->nodes[n].mr);
    l->nodes[n].container = -1;
}

static void change_layout(Layout *l, uint64_t *seed)
{
    int n = (int)(fixture_random(seed) % (NODES - 1));
    Node *node = &l->nodes[n];

    switch (fixture_random(seed) % 6) {
    case 0:
        node->enabled = !node->enabled;
        memory_region_set_enabled(&node->mr, node->enabled);
        break;
    case 1:
        if (node->container >= 0) {
            uint64_t addr = fixture_random(seed) % SPACE;

            node->order = addr == node->addr ? node->order : ++l->order;
            node->addr = addr;
            memory_region_set_address(&node->mr, addr);
        }
        break;
    case 2:
        if (node->kind != NODE_RAM) {
            node->size = fixture_random(seed) % (SPACE / 4);
            memory_region_set_size(&node->mr, node->size);
        }
        break;
    case 3:
        if (node->kind == NODE_ALIAS) {
            node->target_offset = fixture_random(seed) % 64;
            memory_region_set_alias_offset(&node->mr, node->target_offset);
        }
        break;
    default:
        if (node->container >= 0) {
            unmap(l, n);
        } else {
            map_somewhere(l, n, seed);
        }
        break;
    }
}

static void drop_layout(Layout *l)
{
    memory_region_transaction_begin();
    for (int n = 0; n < NODES; n++) {
        if (l->nodes[n].container >= 0) {
            unmap(l, n);
        }
    }
    memory_region_transaction_commit();
    address_space_destroy(&l->as);
    for (int n = NODES; n-- > 0;) {
        object_unref(&l->nodes[n].mr);
    }
}

/* ---- Looking ---- */

typedef struct Order {
    uint64_t next;
    MemoryRegionSection before;
} Order;

/* Ranges come by address, do not overlap, and are as long as they can be. */
static bool check_order(const MemoryRegionSection *s, void *opaque)
{
    Order *order = opaque;
    const MemoryRegionSection *b = &order->before;

    assert_true(s->offset_within_address_space >= order->next);
    assert_true(s->size > 0);
    assert_false(b->mr == s->mr && order->next == s->offset_within_address_space &&
                 b->offset_within_region + b->size == s->offset_within_region &&
                 b->readonly == s->readonly);
    order->next = s->offset_within_address_space + s->size;
    order->before = *s;
    return true;
}

static void check_layout(Layout *l)
{
    Order order = { 0 };

    for (uint64_t addr = 0; addr < SPACE + 16; addr++) {
        const Point p = look(l, NODES - 1, addr);
        const MemoryRegionSection s = address_space_find(&l->as, addr);

        if (p.node < 0) {
            assert_null(s.mr);
            continue;
        }
        assert_ptr_equal(s.mr, &l->nodes[p.node].mr);
        assert_int_equal(s.offset_within_region, p.offset);
        assert_int_equal(s.ram, l->nodes[p.node].kind == NODE_RAM);
        object_unref(s.mr);
    }
    address_space_foreach(&l->as, check_order, &order);
    assert_true(order.next <= SPACE);
}

static void a_view_shows_what_the_tree_shows_at_each_address(void **state)
{
    uint64_t seed = 20241;
    Layout *l = g_new(Layout, 1);

    (void)state;
    for (unsigned i = 0; i < fixture_count(300); i++) {
        make_layout(l, &seed);
        check_layout(l);
        for (int k = 0; k < 10; k++) {
            change_layout(l, &seed);
            check_layout(l);
        }
        drop_layout(l);
    }
    g_free(l);
}

/* ---- Particular shapes ---- */

static bool count_ranges(const MemoryRegionSection *s, void *opaque)
{
    (void)s;
    ++*(unsigned *)opaque;
    return true;
}

static unsigned n_ranges(AddressSpace *as)
{
    unsigned n = 0;

    address_space_foreach(as, count_ranges, &n);
    return n;
}

static void a_region_may_fill_all_of_2_to_the_64(void **state)
{
    MemoryRegion all, top;
    MemoryRegionSection s;

    (void)state;
    memory_region_init_io(&all, NULL, &no_ops, NULL, "all", UINT64_MAX);
    memory_region_init_io(&top, NULL, &no_ops, NULL, "top", 0x1000);
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &all, NULL));
    s = address_space_find(&address_space_memory, 0);
    assert_true(s.mr == &all && s.size == UINT64_MAX);
    object_unref(s.mr);
    s = address_space_find(&address_space_memory, UINT64_MAX);
    assert_true(s.mr == &all && s.offset_within_region == UINT64_MAX && s.size == 1);
    object_unref(s.mr);

    /* The last page of all, over it; a part that would lie beyond is cut off. */
    memory_region_add_subregion_overlap(get_system_memory(), UINT64_MAX - 0x7ff, &top, 1);
    s = address_space_find(&address_space_memory, UINT64_MAX);
    assert_true(s.mr == &top && s.offset_within_region == 0x7ff);
    object_unref(s.mr);
    s = address_space_find(&address_space_memory, UINT64_MAX - 0x800);
    assert_true(s.mr == &all);
    object_unref(s.mr);
    assert_int_equal(n_ranges(&address_space_memory), 2);

    memory_region_del_subregion(get_system_memory(), &all);
    memory_region_del_subregion(get_system_memory(), &top);
    object_unref(&all);
    object_unref(&top);
}

static void an_alias_of_its_own_container_is_a_mirror_and_ends(void **state)
{
    MemoryRegion mr, mirror, all;
    MemoryRegionSection s;

    (void)state;
    memory_region_init_io(&mr, NULL, &no_ops, NULL, "mr", 0x10);
    memory_region_init_alias(&mirror, NULL, "mirror", get_system_memory(), 0, 0x1000);
    memory_region_init_alias(&all, NULL, "all", get_system_memory(), 0, UINT64_MAX);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x20, &mr, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0x10000, &mirror, NULL));
    s = address_space_find(&address_space_memory, 0x10025);
    assert_true(s.mr == &mr && s.offset_within_region == 5);
    object_unref(s.mr);
    assert_int_equal(n_ranges(&address_space_memory), 2);

    /* One that shows itself without end is cut off, and said. */
    memory_region_add_subregion_overlap(get_system_memory(), 1, &all, -1);
    assert_true(n_ranges(&address_space_memory) >= 2);
    memory_region_del_subregion(get_system_memory(), &all);
    memory_region_del_subregion(get_system_memory(), &mirror);
    memory_region_del_subregion(get_system_memory(), &mr);
    assert_int_equal(n_ranges(&address_space_memory), 0);
    object_unref(&all);
    object_unref(&mirror);
    object_unref(&mr);
}

static void a_readonly_alias_makes_ram_readonly_there(void **state)
{
    MemoryRegion ram, shadow;
    MemoryRegionSection s;

    (void)state;
    assert_true(memory_region_init_ram(&ram, NULL, "ram", 0x2000, NULL));
    memory_region_init_alias(&shadow, NULL, "shadow", &ram, 0, 0x1000);
    memory_region_set_readonly(&shadow, true);
    memory_region_add_subregion_overlap(get_system_memory(), 0, &ram, 0);
    memory_region_add_subregion_overlap(get_system_memory(), 0, &shadow, 1);
    s = address_space_find(&address_space_memory, 0xfff);
    assert_true(s.mr == &ram && s.ram && s.readonly);
    object_unref(s.mr);
    s = address_space_find(&address_space_memory, 0x1000);
    assert_true(s.mr == &ram && s.ram && !s.readonly);
    object_unref(s.mr);
    memory_region_set_readonly(&shadow, false);
    /* Alike and side by side: one range. */
    assert_int_equal(n_ranges(&address_space_memory), 1);
    memory_region_del_subregion(get_system_memory(), &shadow);
    memory_region_del_subregion(get_system_memory(), &ram);
    object_unref(&shadow);
    object_unref(&ram);
}

static void map_many(unsigned n, uint64_t step, uint64_t base)
{
    MemoryRegion *mrs = g_new0(MemoryRegion, n);

    memory_region_transaction_begin();
    for (unsigned i = 0; i < n; i++) {
        memory_region_init_io(&mrs[i], NULL, &no_ops, NULL, "mr", step / 2);
        assert_true(
            memory_region_add_subregion(get_system_memory(), base + i * step, &mrs[i], NULL));
    }
    memory_region_transaction_commit();
    assert_int_equal(n_ranges(&address_space_memory), n);
    for (unsigned i = 0; i < n; i++) {
        MemoryRegionSection s =
            address_space_find(&address_space_memory, base + i * step + step / 2 - 1);

        assert_ptr_equal(s.mr, &mrs[i]);
        object_unref(s.mr);
        assert_null(address_space_find(&address_space_memory, base + i * step + step / 2).mr);
    }
    memory_region_transaction_begin();
    for (unsigned i = 0; i < n; i++) {
        memory_region_del_subregion(get_system_memory(), &mrs[i]);
    }
    memory_region_transaction_commit();
    for (unsigned i = 0; i < n; i++) {
        object_unref(&mrs[i]);
    }
    g_free(mrs);
}

static void tens_of_thousands_of_regions_stand_side_by_side(void **state)
{
    (void)state;
    map_many(fixture_count(10000), 16, 0);
}

static void many_regions_in_a_corner_of_the_space_are_found(void **state)
{
    MemoryRegion far, mrs[64];

    (void)state;
    /* With one so far away, all the others share one bucket of the index. */
    memory_region_init_io(&far, NULL, &no_ops, NULL, "far", 16);
    assert_true(memory_region_add_subregion(get_system_memory(), UINT64_C(1) << 60, &far, NULL));
    for (unsigned i = 0; i < 64; i++) {
        memory_region_init_io(&mrs[i], NULL, &no_ops, NULL, "near", 3);
        assert_true(
            memory_region_add_subregion(get_system_memory(), 0x1000 + 5 * i, &mrs[i], NULL));
    }
    for (unsigned a = 0; a < 64 * 5; a++) {
        MemoryRegionSection s = address_space_find(&address_space_memory, 0x1000 + a);

        assert_ptr_equal(s.mr, a % 5 < 3 ? &mrs[a / 5] : NULL);
        object_unref(s.mr);
    }
    assert_null(address_space_find(&address_space_memory, 0xfff).mr);
    for (unsigned i = 0; i < 64; i++) {
        memory_region_del_subregion(get_system_memory(), &mrs[i]);
        object_unref(&mrs[i]);
    }
    memory_region_del_subregion(get_system_memory(), &far);
    object_unref(&far);
}

static void a_change_elsewhere_leaves_an_address_space_alone(void **state)
{
    MemoryRegion port, inner, outer, alias;
    const FlatView *memory_view = address_space_memory.current_map;

    (void)state;
    memory_region_init_io(&port, NULL, &no_ops, NULL, "port", 1);
    assert_true(memory_region_add_subregion(get_system_io(), 0x80, &port, NULL));
    assert_ptr_equal(address_space_memory.current_map, memory_view);

    /* But what is shown through an alias counts, also when it is hung elsewhere later. */
    memory_region_init(&inner, NULL, "inner", 0x100);
    memory_region_init(&outer, NULL, "outer", 0x1000);
    memory_region_init_alias(&alias, NULL, "alias", &inner, 0, 0x100);
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &alias, NULL));
    assert_true(memory_region_add_subregion(&outer, 0, &inner, NULL));
    memory_region_del_subregion(get_system_io(), &port);
    assert_true(memory_region_add_subregion(&inner, 0, &port, NULL));
    assert_int_equal(n_ranges(&address_space_memory), 1);
    memory_region_set_enabled(&port, false);
    assert_int_equal(n_ranges(&address_space_memory), 0);
    memory_region_set_enabled(&port, true);
    memory_region_del_subregion(&outer, &inner);
    memory_region_del_subregion(&inner, &port);
    assert_int_equal(n_ranges(&address_space_memory), 0);
    memory_region_del_subregion(get_system_memory(), &alias);
    object_unref(&alias);
    object_unref(&outer);
    object_unref(&inner);
    object_unref(&port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_shows_what_the_tree_shows_at_each_address),
        cmocka_unit_test(a_region_may_fill_all_of_2_to_the_64),
        cmocka_unit_test(an_alias_of_its_own_container_is_a_mirror_and_ends),
        cmocka_unit_test(a_readonly_alias_makes_ram_readonly_there),
        cmocka_unit_test(tens_of_thousands_of_regions_stand_side_by_side),
        cmocka_unit_test(many_regions_in_a_corner_of_the_space_are_found),
        cmocka_unit_test(a_change_elsewhere_leaves_an_address_space_alone),
    };

    return cmocka_run_group_tests_name("memory-flatview", tests, fixture_setup, fixture_teardown);
}

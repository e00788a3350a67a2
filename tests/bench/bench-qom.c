/* SPDX-License-Identifier: MIT */
/*
 * What the object model costs. Prints a row a case, "NAME VALUE UNIT REFERENCE", VALUE being the
 * least of several runs and REFERENCE what QEMU 7.2 needs ("-" where nobody has measured it).
 * "--once NAME N" runs the case NAME N times and nothing else: instructions under callgrind are
 * then (count(N2) - count(N1)) / (N2 - N1), since all that is made ready is the same for every N.
 * "--list" names the cases.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <qomet/qom/module.h>
#include "tests/bench/bench.h"

#define POOL 10000

#define TYPE_PLAIN "bench-plain"
#define TYPE_FIVE "bench-five"
#define TYPE_DEEP "bench-deep"
#define TYPE_BENCH_INTERFACE "bench-interface"

typedef struct Five {
    Object parent_obj;
    uint8_t a;
    uint16_t b;
    uint32_t c;
    uint64_t d;
    bool e;
} Five;

OBJECT_DECLARE_SIMPLE_TYPE(Plain, PLAIN)
OBJECT_DECLARE_SIMPLE_TYPE(Deep, DEEP)
OBJECT_DECLARE_INTERFACE(BenchInterface, BenchInterfaceClass, BENCH_INTERFACE)

struct BenchInterfaceClass {
    InterfaceClass parent_class;
};

static const Property five_properties[] = {
    DEFINE_PROP_UINT8("a", Five, a, 1),   DEFINE_PROP_UINT16("b", Five, b, 2),
    DEFINE_PROP_UINT32("c", Five, c, 3),  DEFINE_PROP_UINT64("d", Five, d, 4),
    DEFINE_PROP_BOOL("e", Five, e, true),
};

static void five_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    object_class_add_properties(klass, five_properties, G_N_ELEMENTS(five_properties));
}

static const TypeInfo types[] = {
    { .name = TYPE_PLAIN, .parent = TYPE_OBJECT },
    {
        .name = TYPE_FIVE,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Five),
        .class_init = five_class_init,
    },
    {
        .name = TYPE_BENCH_INTERFACE,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(BenchInterfaceClass),
    },
    { .name = "bench-1", .parent = TYPE_DEEP },
    { .name = "bench-2", .parent = "bench-1" },
    { .name = "bench-3", .parent = "bench-2" },
    { .name = "bench-4", .parent = "bench-3" },
    { .name = "bench-5", .parent = "bench-4" },
    { .name = "bench-6", .parent = "bench-5" },
    { .name = "bench-7", .parent = "bench-6" },
    { .name = "bench-8", .parent = "bench-7" },
    {
        .name = TYPE_DEEP,
        .parent = TYPE_OBJECT,
        .interfaces = (const InterfaceInfo[]){ { TYPE_BENCH_INTERFACE }, {} },
    },
};

/* Keeps the compiler from knowing what @p is, so that it does not take a cast out of a loop. */
#define HIDE(p) __asm__ volatile("" : "+r"(p) : : "memory")

/* What is measured must not fail. */
static inline void done(bool well)
{
    if (G_UNLIKELY(!well)) {
        g_error("a step of a case failed");
    }
}

/* ---- types: each run has fresh ones ---- */

static TypeInfo *pool;

static void make_pool(void)
{
    static unsigned serial;

    pool = g_new0(TypeInfo, POOL);
    for (unsigned i = 0; i < POOL; i++) {
        pool[i].name = g_strdup_printf("bench-type-%u", serial++);
        pool[i].parent = TYPE_OBJECT;
    }
    object_class_by_name(TYPE_OBJECT);
}

static void register_types(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        type_register_static(&pool[i], NULL);
    }
}

static void make_registered_pool(void)
{
    make_pool();
    register_types(POOL);
}

static void use_types(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        object_class_by_name(pool[i].name);
    }
}

static void register_and_use_types(unsigned n)
{
    register_types(n);
    use_types(n);
}

/* ---- casts ---- */

static Object *obj;

static void make_plain(void)
{
    obj = object_new(TYPE_PLAIN);
}

static void make_deep(void)
{
    obj = object_new("bench-8");
}

static void drop(void)
{
    object_unref(obj);
}

/* One cast whose operand and result the compiler does not know. */
#define CAST(NAME)                                                                                 \
    do {                                                                                           \
        void *p_;                                                                                  \
        HIDE(o);                                                                                   \
        p_ = NAME(o);                                                                              \
        HIDE(p_);                                                                                  \
    } while (0)

/* Four in a row, so that a quarter of the loop is counted with each. */
#define CASTS(function, NAME)                                                                      \
    static void function(unsigned n)                                                               \
    {                                                                                              \
        Object *o = obj;                                                                           \
                                                                                                   \
        for (unsigned i = 0; i < n; i += 4) {                                                      \
            CAST(NAME);                                                                            \
            CAST(NAME);                                                                            \
            CAST(NAME);                                                                            \
            CAST(NAME);                                                                            \
        }                                                                                          \
    }
CASTS(cast_same, PLAIN)
CASTS(cast_deep, DEEP)
CASTS(cast_interface, BENCH_INTERFACE)

/* ---- objects ---- */

static void new_plain(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        object_unref(object_new(TYPE_PLAIN));
    }
}

static void new_five(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        object_unref(object_new(TYPE_FIVE));
    }
}

static void many_objects(unsigned n)
{
    Object **objs = g_new(Object *, n);

    for (unsigned i = 0; i < n; i++) {
        objs[i] = object_new(TYPE_PLAIN);
    }
    for (unsigned i = 0; i < n; i++) {
        object_unref(objs[i]);
    }
    g_free(objs);
}

static void many_children(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        Object *child = object_new(TYPE_PLAIN);

        done(object_property_add_child(obj, "x[*]", child, NULL));
        object_unref(child);
    }
}

/* ---- properties ---- */

static void make_five(void)
{
    obj = object_new(TYPE_FIVE);
}

static void get_typed(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t value = object_property_get_uint(obj, "c", NULL);

        HIDE(value);
    }
}

static void set_typed(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        done(object_property_set_uint(obj, "c", i, NULL));
    }
}

static void get_variant(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        g_variant_unref(object_property_get(obj, "c", NULL));
    }
}

/* A value that is not among those that are shared. */
static void make_five_large(void)
{
    make_five();
    done(object_property_set_uint(obj, "d", UINT64_C(1) << 40, NULL));
}

static void get_variant_large(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        g_variant_unref(object_property_get(obj, "d", NULL));
    }
}

/* ---- the table ---- */

static const BenchCase cases[] = {
    { "type-register", make_pool, register_types, NULL, POOL, false, "400", POOL },
    { "class-first-use", make_registered_pool, use_types, NULL, POOL, false, "330", POOL },
    { "types-1000-registered-and-used", make_pool, register_and_use_types, NULL, 1000, true, "-",
      POOL },
    { "types-10000-registered-and-used", make_pool, register_and_use_types, NULL, 10000, true, "-",
      POOL },
    { "cast-same", make_plain, cast_same, drop, 1000000, false, "2.7", 0 },
    { "cast-depth-8", make_deep, cast_deep, drop, 1000000, false, "15", 0 },
    { "cast-interface", make_deep, cast_interface, drop, 1000000, false, "16.5", 0 },
    { "object-new-unref-plain", NULL, new_plain, NULL, 200000, false, "197", 0 },
    { "object-new-unref-5-properties", NULL, new_five, NULL, 200000, false, "869", 0 },
    { "objects-10000-made-and-freed", NULL, many_objects, NULL, 10000, true, "-", 0 },
    { "objects-100000-made-and-freed", NULL, many_objects, NULL, 100000, true, "-", 0 },
    { "property-get-typed", make_five, get_typed, drop, 1000000, false, "64", 0 },
    { "property-get-variant", make_five, get_variant, drop, 500000, false, "81", 0 },
    { "property-get-variant-large", make_five_large, get_variant_large, drop, 500000, false, "81",
      0 },
    { "property-set-typed", make_five, set_typed, drop, 1000000, false, "-", 0 },
    { "children-400-named-x[*]", make_plain, many_children, drop, 400, true, "-", 0 },
    { "children-4000-named-x[*]", make_plain, many_children, drop, 4000, true, "900", 0 },
};

int main(int argc, char **argv)
{
    GError *error = NULL;

    if (!type_register_static_array(types, G_N_ELEMENTS(types), &error)) {
        fprintf(stderr, "bench-qom: %s\n", error->message);
        return 1;
    }
    return bench_run(cases, G_N_ELEMENTS(cases), argc, argv);
}

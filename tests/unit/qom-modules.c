/* SPDX-License-Identifier: MIT */
/*
 * The modules of test-qom-module: built once for each of them, as modules/NAME.so, with MODULE_NAME
 * defined.
 */
#if !defined(MODULE_no_stamp) && !defined(MODULE_other_abi) && !defined(MODULE_other_sizes)
#define QOMET_MODULE
#endif
#include <qomet/qom/module.h>

#ifdef MODULE_good
/* The child comes first, and its base from another initialiser. */
static const TypeInfo types[] = { { .name = "module-child", .parent = "module-base" } };
DEFINE_TYPES(types)

static const TypeInfo base[] = { { .name = "module-base", .parent = TYPE_OBJECT } };
DEFINE_TYPES(base)
#endif

#ifdef MODULE_direct
/*
 * Registers from the constructor itself, which is not how it is meant, but must not escape the
 * checks.
 */
static void __attribute__((constructor)) register_at_once(void)
{
    static const TypeInfo type = { .name = "module-direct", .parent = TYPE_OBJECT };

    type_register_static(&type, NULL);
}
#endif

#ifdef MODULE_clash
/* "module-child" is in good.so too. */
static const TypeInfo types[] = {
    { .name = "module-clash-own", .parent = TYPE_OBJECT },
    { .name = "module-child", .parent = "module-clash-own" },
};
DEFINE_TYPES(types)
#endif

#ifdef MODULE_clash_program
static const TypeInfo types[] = { { .name = TYPE_CONTAINER, .parent = TYPE_OBJECT } };
DEFINE_TYPES(types)
#endif

#ifdef MODULE_orphan
static const TypeInfo types[] = {
    { .name = "module-orphan-good", .parent = TYPE_OBJECT },
    { .name = "module-orphan", .parent = "module-orphan-god" },
};
DEFINE_TYPES(types)
#endif

#ifdef MODULE_cycle
static const TypeInfo types[] = {
    { .name = "module-cycle-a", .parent = "module-cycle-b" },
    { .name = "module-cycle-b", .parent = "module-cycle-a" },
};
DEFINE_TYPES(types)
#endif

#ifdef MODULE_empty
/* Only the stamp. */
#endif

#ifdef MODULE_no_stamp
static const TypeInfo types[] = { { .name = "module-no-stamp", .parent = TYPE_OBJECT } };
DEFINE_TYPES(types)
#endif

#ifdef MODULE_other_abi
QOM_EXPORT const ModuleStamp qomet_module_stamp = {
    "qomet-abi-0123456789abcd", sizeof(Object),   sizeof(ObjectClass),
    sizeof(TypeInfo),           sizeof(Property),
};
static const TypeInfo types[] = { { .name = "module-other-abi", .parent = TYPE_OBJECT } };
DEFINE_TYPES(types)
#endif

#ifdef MODULE_other_sizes
QOM_EXPORT const ModuleStamp qomet_module_stamp = {
    QOM_ABI_NAME, 1, sizeof(ObjectClass), sizeof(TypeInfo), 2,
};
static const TypeInfo types[] = { { .name = "module-other-sizes", .parent = TYPE_OBJECT } };
DEFINE_TYPES(types)
#endif

#ifdef MODULE_asks_glib
/* Is linked with the shared GLib, and tells by its type's name whether that is the program's. */
static void register_types(void)
{
    bool same = g_quark_try_string("a quark of the program") != 0;
    const TypeInfo type = { .name = same ? "module-same-glib" : "module-other-glib",
                            .parent = TYPE_OBJECT };

    type_register(&type, NULL);
}
type_init(register_types)
#endif

#ifdef MODULE_unresolved
    void nobody_has_this_function(void);

static void register_types(void)
{
    nobody_has_this_function();
}
type_init(register_types)
#endif

/* ---- reached through the index ---- */

#ifdef MODULE_indexed
    static const TypeInfo types[] = {
        {
            .name = "indexed-child",
            .parent = "indexed-base",
            .interfaces = (const InterfaceInfo[]){ { "indexed-interface" }, {} },
        },
    };
DEFINE_TYPES(types)
#endif

#ifdef MODULE_indexed_base
/* "indexed-cousin" is a child of what the other module registers: each needs the other. */
static const TypeInfo types[] = {
    { .name = "indexed-base", .parent = TYPE_OBJECT },
    { .name = "indexed-interface", .parent = TYPE_INTERFACE },
    { .name = "indexed-cousin", .parent = "indexed-child" },
};
DEFINE_TYPES(types)
#endif

#ifdef MODULE_liar
static const TypeInfo types[] = { { .name = "liar-truth", .parent = TYPE_OBJECT } };
DEFINE_TYPES(types)
#endif

#ifdef MODULE_impatient
/* Asks for a class that only this very module has, before it is there. */
static const TypeInfo type = { .name = "impatient", .parent = TYPE_OBJECT };

static void register_types(void)
{
    type_register_static(&type, NULL);
    if (object_class_by_name("impatient")) {
        type_register_static(&type, NULL);
    }
}
type_init(register_types)
#endif

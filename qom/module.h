/* SPDX-License-Identifier: MIT */
/*
 * Where types come from: constructors that queue an initialiser (type_init), the call that runs the
 * queue, and modules - shared objects whose queue is checked as a whole and then committed, or
 * dropped leaving nothing.
 */
#ifndef QOMET_QOM_MODULE_H
#define QOMET_QOM_MODULE_H

#include <qomet/abi.h>
#include <qomet/qom/property.h>

/** What a module exports as qomet_module_stamp, to be compared with the program's own. */
typedef struct ModuleStamp {
    char abi[24];
    uint32_t object_size, class_size, type_info_size, property_size;
} ModuleStamp;

#define QOM_MODULE_STAMP                                                                           \
    {                                                                                              \
        QOM_ABI_NAME, sizeof(Object), sizeof(ObjectClass), sizeof(TypeInfo), sizeof(Property)      \
    }

#ifdef QOMET_MODULE /* defined by qomet.pc's Cflags */
__attribute__((weak, visibility("default"), used)) const ModuleStamp qomet_module_stamp =
    QOM_MODULE_STAMP;
#endif

typedef enum module_init_type {
    MODULE_INIT_QOM,
    MODULE_INIT_MAX,
} module_init_type;

/** Queues @fn; all that a constructor does. */
QOM_EXPORT void register_module_init(void (*fn)(void), module_init_type type);

/** type_init(my_register_types): the function is called when the program runs the queue. */
#define type_init(function)                                                                        \
    static void __attribute__((constructor)) do_qom_init_##function(void)                          \
    {                                                                                              \
        register_module_init(function, MODULE_INIT_QOM);                                           \
    }

/**
 * Registers an array of TypeInfo from a constructor: DEFINE_TYPES(my_types). What runs at each start
 * is marked as cold so that it is linked side by side: a start reads no page of a device that is not
 * used.
 */
#define DEFINE_TYPES(array)                                                                        \
    static void __attribute__((cold)) register_##array(void)                                       \
    {                                                                                              \
        type_register_static_array(array, G_N_ELEMENTS(array), NULL);                              \
    }                                                                                              \
    type_init(register_##array)

/**
 * Runs the queue of @type once; a second call runs only what was queued since. Registers the base
 * types first. False with @errp set at the first registration that failed; the others stand. Main
 * thread.
 */
QOM_EXPORT bool module_call_init(module_init_type type, GError **errp);
/**
 * How many initialisers constructors have queued so far, for the test that none got lost in
 * linking.
 */
QOM_EXPORT unsigned module_init_queued(void);

/**
 * Loads the module at @path: its stamp is compared, its types are checked together, then committed.
 * A module that is loaded already is fine. On failure nothing of it is registered, it is unmapped,
 * and @errp names file and reason.
 */
QOM_EXPORT bool module_load(const char *path, GError **errp);

/**
 * Names the folder of modules and reads its index ("modules.index": a line a type, "TYPE FILE"), so
 * that a type that is asked for by name and not registered loads its module. A missing folder or
 * index is no error; a bad line is.
 */
QOM_EXPORT bool module_set_dir(const char *dir, GError **errp);
/**
 * The same when it is first needed, by a type that is asked for and not registered: @find says
 * which folder (the caller frees). A bad line fails that look-up, and every later one, until it is
 * mended.
 */
QOM_EXPORT void module_set_dir_finder(char *(*find)(void));
/**
 * Loads every module that the index names, so that listings are complete. Modules that fail are
 * skipped. False with @errp set when the index cannot be read.
 */
QOM_EXPORT bool module_load_all(GError **errp);
/**
 * Loads the module that the index names for @type. False: none, or (with @errp) it failed. Used by
 * the registry.
 */
bool module_load_for_type(const char *type, GError **errp);
/** The files of the loaded modules, NULL-terminated; the caller frees with g_strfreev(). */
QOM_EXPORT char **module_list(void);

#endif

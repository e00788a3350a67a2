/* SPDX-License-Identifier: MIT */
/*
 * Choosing the accelerator: "-accel" words become one object of an accelerator class, the first of
 * a list that works.
 */
#include <string.h>
#include <qomet/accel/accel.h>
#include <qomet/qom/keyval.h>
#include "accel/debug-int.h"
#include "accel/exit-int.h"

static AccelState *the_accel;

AccelState *current_accel(void)
{
    return __atomic_load_n(&the_accel, __ATOMIC_ACQUIRE);
}

/* The accelerator without hardware, and what QEMU's users call theirs. It may be missing. */
#define SOFT "soft"
#define SOFT_ALIAS "tcg"

static AccelClass *find_class(const char *name, GError **errp)
{
    g_autofree char *type = g_strconcat(name, ACCEL_CLASS_SUFFIX, NULL);
    ObjectClass *klass = object_class_by_name(type);
    g_autofree char *near = NULL;

    if (klass && object_class_dynamic_cast(klass, TYPE_ACCEL) && !object_class_is_abstract(klass)) {
        return ACCEL_CLASS(klass);
    }
    near = object_class_did_you_mean(name, TYPE_ACCEL, ACCEL_CLASS_SUFFIX, NULL);
    qom_error_set(errp, QOM_ERROR_NOT_FOUND, "invalid accelerator '%s'%s", name,
                  *near ? near : " (-accel help lists those that there are)");
    return NULL;
}

/*
 * The classes of @names, in an array that the caller frees; NULL for the one that may be missing.
 */
static AccelClass **find_classes(char **names, GError **errp)
{
    g_autofree AccelClass **classes = g_new0(AccelClass *, g_strv_length(names));

    for (guint i = 0; names[i]; i++) {
        bool soft = !strcmp(names[i], SOFT) || !strcmp(names[i], SOFT_ALIAS);

        classes[i] = find_class(soft ? SOFT : names[i], soft ? NULL : errp);
        if (!classes[i] && !soft) {
            return NULL;
        }
    }
    return g_steal_pointer(&classes);
}

/* Sets those of the words on @accel that its class knows. */
static bool apply_words(AccelState *accel, const KeyVal *kv, GError **errp)
{
    for (guint i = 0; i < kv->items->len; i++) {
        const KeyValItem *item = g_ptr_array_index(kv->items, i);
        bool ok = true;

        if (item->used || !object_class_property_find(object_get_class(OBJECT(accel)), item->key)) {
            continue;
        }
        if (item->text) {
            ok = object_property_parse(OBJECT(accel), item->key, item->text, errp);
        } else {
            ok = object_property_set(OBJECT(accel), item->key, item->value, errp);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* Each key that is left must mean something to one of the accelerators in the list. */
static bool check_words(const KeyVal *kv, char **names, AccelClass *const *classes, GError **errp)
{
    for (guint i = 0; i < kv->items->len; i++) {
        const KeyValItem *item = g_ptr_array_index(kv->items, i);
        bool known = item->used;

        for (guint c = 0; names[c] && !known; c++) {
            known = classes[c] &&
                    object_class_property_find(OBJECT_CLASS(classes[c]), item->key) != NULL;
        }
        if (!known) {
            qom_error_set(errp, QOM_ERROR_NOT_FOUND, "the accelerator '%s' has no property '%s'",
                          names[0], item->key);
            return false;
        }
    }
    return true;
}

static AccelState *try_class(AccelClass *ac, const KeyVal *kv, GError **errp)
{
    AccelState *accel;

    if (!ac) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "there is no accelerator in software yet");
        return NULL;
    }
    accel = (AccelState *)object_new_with_class(OBJECT_CLASS(ac), errp);
    if (!accel) {
        return NULL;
    }
    if (!apply_words(accel, kv, errp) || !object_apply_global_props(OBJECT(accel), errp) ||
        !qom_method_ok(ac->init(accel, errp), object_get_typename(OBJECT(accel)), "init", errp)) {
        object_unref(accel);
        return NULL;
    }
    return accel;
}

static bool enter_tree(AccelState *accel, GError **errp)
{
    Object *machine = qdev_get_machine();

    return object_property_add_child(machine ? machine : object_get_root(), "accel", OBJECT(accel),
                                     errp);
}

AccelState *accel_init(const char *words, GError **errp)
{
    g_autoptr(KeyVal) kv = keyval_parse(words, "accel", errp);
    const char *list = kv ? keyval_take(kv, "accel") : NULL;
    g_autofree AccelClass **classes = NULL;
    g_autoptr(GString) reasons = g_string_new(NULL);
    g_auto(GStrv) names = NULL;

    g_assert(!the_accel);
    if (!kv) {
        return NULL;
    }
    if (!list || !*list) {
        qom_error_set(errp, QOM_ERROR_VALUE, "an accelerator is to be named, as in -accel kvm");
        return NULL;
    }
    names = g_strsplit(list, ":", -1);
    classes = find_classes(names, errp);
    if (!classes || !check_words(kv, names, classes, errp)) {
        return NULL;
    }
    for (guint i = 0; names[i]; i++) {
        g_autoptr(GError) error = NULL;
        AccelState *accel = try_class(classes[i], kv, &error);

        if (accel) {
            if (!enter_tree(accel, errp)) {
                object_unref(accel);
                return NULL;
            }
            __atomic_store_n(&the_accel, accel, __ATOMIC_RELEASE);
            return accel;
        }
        g_string_append_printf(reasons, "%s%s: %s", i ? "; " : "", names[i], error->message);
    }
    qom_error_set(errp, QOM_ERROR_FAILED, "%s", reasons->str);
    return NULL;
}

void accel_cleanup(void)
{
    AccelState *accel = the_accel;

    if (accel) {
        object_unparent(OBJECT(accel));
        object_unref(accel);
        __atomic_store_n(&the_accel, NULL, __ATOMIC_RELEASE);
    }
    exit_trace_close();
    exit_observers_reset();
}

static void accel_finalize(Object *obj)
{
    cpu_debug_free(((AccelState *)obj)->debug);
}

static const TypeInfo accel_types[] = {
    {
        .name = TYPE_ACCEL,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(AccelState),
        .instance_finalize = accel_finalize,
        .class_size = sizeof(AccelClass),
        .abstract = true,
    },
};
DEFINE_TYPES(accel_types)

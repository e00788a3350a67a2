/* SPDX-License-Identifier: MIT */
/*
 * Character devices that come and go. QEMU says in nested objects what -chardev says in one row of
 * words; both end in the properties of one object.
 */
#include <string.h>
#include <unistd.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/monitor/qmp.h>
#include "monitor/handlers.h"

static int add_chardev(Object *obj, void *opaque)
{
    Chardev *chr = CHARDEV(obj);

    g_variant_builder_add(opaque, "v",
                          qmp_object("label", qmp_text(object_get_canonical_path_component(obj)),
                                     "filename", g_variant_new_take_string(qemu_chr_describe(chr)),
                                     "frontend-open", g_variant_new_boolean(chr->be != NULL),
                                     NULL));
    return 0;
}

bool qmp_do_query_chardev(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    GVariantBuilder list;

    (void)mon;
    (void)args;
    (void)errp;
    g_variant_builder_init(&list, G_VARIANT_TYPE("av"));
    object_child_foreach(container_get(object_get_root(), "/chardevs"), add_chardev, &list);
    *ret = g_variant_builder_end(&list);
    return true;
}

/* ---- From nested objects to properties ---- */

/* What the schema calls otherwise than -chardev does. */
static const char *our_name(const char *theirs)
{
    static const struct {
        const char *theirs, *ours;
    } names[] = {
        { "out", "path" }, { "in", "input-path" }, { "device", "path" }, { "str", "fd" }
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!strcmp(theirs, names[i].theirs)) {
            return names[i].ours;
        }
    }
    return theirs;
}

static void add_word(GVariantDict *words, const char *name, GVariant *value)
{
    g_variant_dict_insert_value(words, our_name(name), value);
}

/* Where datagrams are taken, beside the address where they go. */
static void add_local(GVariantDict *words, GVariant *address)
{
    g_autoptr(GVariant) data = qmp_arg(address, "data");
    const char *host = qmp_arg_str(data, "host"), *port = qmp_arg_str(data, "port");

    add_word(words, "localaddr", g_variant_new_string(host ? host : ""));
    add_word(words, "localport", g_variant_new_string(port ? port : ""));
}

/* The members of @object, those of an address in it too. */
static void flatten(GVariantDict *words, GVariant *object)
{
    GVariantIter iter;
    const char *name;
    GVariant *value;

    g_variant_iter_init(&iter, object);
    while (g_variant_iter_next(&iter, "{&sv}", &name, &value)) {
        if (!strcmp(name, "addr") || !strcmp(name, "remote")) {
            g_autoptr(GVariant) address = g_variant_lookup_value(value, "data", NULL);

            flatten(words, address);
        } else if (!strcmp(name, "local")) {
            add_local(words, value);
        } else {
            add_word(words, name, value);
        }
        g_variant_unref(value);
    }
}

/* In the place of its name, the number of the descriptor that getfd has taken: *@fd. */
static bool resolve_fd(Monitor *mon, GVariantDict *words, int *fd, GError **errp)
{
    g_autoptr(GVariant) name = g_variant_dict_lookup_value(words, "fd", G_VARIANT_TYPE_STRING);
    g_autofree char *number = NULL;

    if (!name) {
        return true;
    }
    *fd = monitor_take_fd(mon, g_variant_get_string(name, NULL), errp);
    number = g_strdup_printf("%d", *fd);
    g_variant_dict_insert_value(words, "fd", g_variant_new_string(number));
    return *fd >= 0;
}

/* What -chardev would have been given; *@fd is set to a descriptor among it. */
static KeyVal *chardev_words(Monitor *mon, GVariant *args, int *fd, GError **errp)
{
    g_autoptr(GVariant) backend = qmp_arg(args, "backend");
    g_autoptr(GVariant) data = qmp_arg(backend, "data");
    const char *type = qmp_arg_str(backend, "type");
    g_autoptr(GVariant) all = NULL;
    GVariantDict words;
    bool ok;

    g_variant_dict_init(&words, NULL);
    add_word(&words, "id", g_variant_new_string(qmp_arg_str(args, "id")));
    add_word(&words, "backend", g_variant_new_string(type));
    if (!strcmp(type, "socket")) {
        add_word(&words, "server", g_variant_new_boolean(true));
        flatten(&words, data);
        /* Whatever was asked for: the machine would stand still. */
        add_word(&words, "wait", g_variant_new_boolean(false));
    } else {
        flatten(&words, data);
    }
    ok = resolve_fd(mon, &words, fd, errp);
    all = g_variant_ref_sink(g_variant_dict_end(&words));
    return ok ? keyval_from_variant(all) : NULL;
}

bool qmp_do_chardev_add(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    const char *id = qmp_arg_str(args, "id");
    g_autoptr(KeyVal) words = NULL;
    g_autofree char *text = NULL;
    Chardev *chr;
    int fd = -1;

    if (qemu_chr_find(id)) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "Chardev with id '%s' already exists", id);
        return false;
    }
    words = chardev_words(mon, args, &fd, errp);
    chr = words ? qemu_chr_new_keyval(words, errp) : NULL;
    if (!chr) {
        if (fd >= 0) {
            close(fd);
        }
        g_prefix_error(errp, "Failed to add chardev '%s': ", id);
        return false;
    }
    text = qemu_chr_describe(chr);
    if (g_str_has_prefix(text, "pty:")) {
        *ret = qmp_object("pty", g_variant_new_string(text + strlen("pty:")), NULL);
    }
    return true;
}

bool qmp_do_chardev_remove(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)ret;
    return qemu_chr_remove(qmp_arg_str(args, "id"), errp);
}

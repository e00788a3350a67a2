/* SPDX-License-Identifier: MIT */
/*
 * From words to chardevs, and their end: "-chardev BACKEND,id=ID,..." and the short forms of
 * "-serial". All chardevs are children of /chardevs.
 */
#include <stdio.h>
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/memory/main-work.h>
#include <qomet/qom/log.h>
#include <qomet/qom/module.h>
#include <qomet/qom/user-creatable.h>
#include <qomet/qom/value.h>
#include "backends/chardev/char-int.h"

/* At the end of the program: how long a peer may take nothing, and how long all of it may last. */
#define FLUSH_PATIENCE_MS 500
#define FLUSH_LIMIT_MS 3000

Object *chr_container(void)
{
    return container_get(object_get_root(), "/chardevs");
}

Chardev *qemu_chr_find(const char *id)
{
    Object *obj = object_resolve_path_component(chr_container(), id);

    return obj ? CHARDEV(obj) : NULL;
}

/* ---- Back ends by name ---- */

static void collect_backend(ObjectClass *klass, void *opaque)
{
    const char *name = CHARDEV_CLASS(klass)->backend_name;

    if (name) {
        g_ptr_array_add(opaque, (void *)name);
    }
}

ChardevClass *qemu_chr_class_by_backend(const char *name, GError **errp)
{
    /* QEMU has two names for this one. */
    g_autofree char *type =
        g_strdup_printf("chardev-%s", strcmp(name, "memory") ? name : "ringbuf");
    ObjectClass *klass = object_class_by_name(type);
    g_autoptr(GPtrArray) known = NULL;
    g_autofree char *list = NULL, *near = NULL;

    if (klass && object_class_dynamic_cast(klass, TYPE_CHARDEV) &&
        CHARDEV_CLASS(klass)->backend_name) {
        return CHARDEV_CLASS(klass);
    }
    module_load_all(NULL);
    known = g_ptr_array_new();
    object_class_foreach(collect_backend, TYPE_CHARDEV, false, known);
    g_ptr_array_add(known, NULL);
    near = qom_did_you_mean(name, (const char *const *)known->pdata);
    list = g_strjoinv(", ", (char **)known->pdata);
    qom_error_set(errp, QOM_ERROR_NOT_FOUND,
                  "'%s' is not a valid char driver name%s. Accepted are %s", name, near, list);
    return NULL;
}

/* ---- Making ---- */

Chardev *chr_new(const char *backend, const char *id, KeyVal *kv, GError **errp)
{
    ChardevClass *klass = qemu_chr_class_by_backend(backend, errp);
    g_autoptr(Chardev) chr = NULL;

    if (!klass) {
        return NULL;
    }
    /* Before anything of the host is touched. */
    if (qemu_chr_find(id)) {
        qom_error_set(errp, QOM_ERROR_EXISTS, "Duplicate ID '%s' for chardev", id);
        return NULL;
    }
    chr = (Chardev *)object_new_with_class(OBJECT_CLASS(klass), errp);
    if (!chr) {
        return NULL;
    }
    chr->label = g_strdup(id);
    if (!object_apply_global_props(OBJECT(chr), errp) || !keyval_apply(kv, OBJECT(chr), errp) ||
        !qom_method_ok(klass->open(chr, errp), object_get_typename(OBJECT(chr)), "open", errp) ||
        !object_property_add_child(chr_container(), id, OBJECT(chr), errp)) {
        return NULL;
    }
    chr->ready = true;
    /* The tree's reference remains. */
    return chr;
}

/* The same, shared when the words say so. */
static Chardev *chr_new_shared(const char *backend, const char *id, KeyVal *kv, GError **errp)
{
    const char *text = keyval_take(kv, "mux");
    bool mux = false;

    if (text && !value_parse_bool(text, &mux, errp)) {
        g_prefix_error(errp, "property 'mux': ");
        return NULL;
    }
    return mux ? chr_new_mux(backend, id, kv, errp) : chr_new(backend, id, kv, errp);
}

Chardev *qemu_chr_new_keyval(KeyVal *kv, GError **errp)
{
    g_autofree char *backend = g_strdup(keyval_take(kv, "backend"));
    g_autofree char *id = g_strdup(keyval_take(kv, "id"));

    if (backend && !qemu_chr_class_by_backend(backend, errp)) {
        return NULL;
    }
    if (!backend || !id) {
        qom_error_set(errp, QOM_ERROR_VALUE, "Parameter '%s' is missing",
                      backend ? "id" : "backend");
        return NULL;
    }
    return id_wellformed(id, errp) ? chr_new_shared(backend, id, kv, errp) : NULL;
}

bool qemu_chr_remove(const char *id, GError **errp)
{
    g_autofree char *base_id = g_strconcat(id, CHR_BASE_SUFFIX, NULL);
    Chardev *chr = qemu_chr_find(id), *base = qemu_chr_find(base_id);
    bool shares;

    if (!chr) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "Chardev '%s' not found", id);
        return false;
    }
    if (chr->be) {
        g_autofree char *holder = chr_owner_text(chr->be);

        qom_error_set(errp, QOM_ERROR_STATE, "Chardev '%s' is busy: %s uses it", id, holder);
        return false;
    }
    shares = base && base->shared;
    object_unparent(OBJECT(chr));
    if (shares) {
        object_unparent(OBJECT(base));
    }
    return true;
}

/* ---- The words of -serial ---- */

/* "HOST:PORT,more" -> words of the socket back end; NULL when there is no port. */
static char *tcp_words(const char *rest)
{
    size_t len = strcspn(rest, ",");
    const char *colon = memrchr(rest, ':', len);

    return colon ? g_strdup_printf("socket,host=%.*s,port=%s", (int)(colon - rest), rest, colon + 1)
                 : NULL;
}

static char *path_words(const char *backend, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, ",", -1);
    g_autofree char *escaped = g_strjoinv(",,", parts);

    return g_strdup_printf("%s,path=%s", backend, escaped);
}

/* "[HOST]:PORT[@[HOST]:PORT]" -> words of the udp back end; NULL when that is no address. */
static char *udp_words(const char *rest)
{
    g_auto(GStrv) ends = g_strsplit(rest, "@", 2);
    const char *remote = *ends ? strrchr(ends[0], ':') : NULL;
    const char *local = remote && ends[1] ? strrchr(ends[1], ':') : NULL;

    if (!remote || (ends[1] && !local)) {
        return NULL;
    }
    return g_strdup_printf("udp,host=%.*s,port=%s%s%.*s%s%s", (int)(remote - ends[0]), ends[0],
                           remote + 1, local ? ",localaddr=" : "",
                           local ? (int)(local - ends[1]) : 0, local ? ends[1] : "",
                           local ? ",localport=" : "", local ? local + 1 : "");
}

/* What "-chardev" would have been given; NULL for words that are none of the short forms. */
static char *plain_words(const char *words)
{
    if (!strcmp(words, "stdio") || !strcmp(words, "null") || !strcmp(words, "pty")) {
        return g_strdup(words);
    }
    if (g_str_has_prefix(words, "file:")) {
        return path_words("file", words + 5);
    }
    if (g_str_has_prefix(words, "pipe:")) {
        return path_words("pipe", words + 5);
    }
    if (g_str_has_prefix(words, "udp:")) {
        return udp_words(words + 4);
    }
    if (g_str_has_prefix(words, "unix:")) {
        return g_strconcat("socket,path=", words + 5, NULL);
    }
    if (g_str_has_prefix(words, "tcp:")) {
        return tcp_words(words + 4);
    }
    return NULL;
}

static char *chardev_words(const char *words)
{
    g_autofree char *plain = NULL;

    if (!g_str_has_prefix(words, "mon:")) {
        return plain_words(words);
    }
    words += strlen("mon:");
    /* With a monitor on the line, as in QEMU, Ctrl-c is for the guest. */
    plain = !strcmp(words, "stdio") ? g_strdup("stdio,signal=off") : plain_words(words);
    return plain ? g_strconcat(plain, ",mux=on", NULL) : NULL;
}

void qemu_chr_announce(Chardev *chr)
{
    g_autofree char *text = qemu_chr_describe(chr);

    /* In QEMU's words, which programs look for. */
    if (g_str_has_prefix(text, "pty:")) {
        printf("char device redirected to %s (label %s)\n", text + strlen("pty:"), chr->label);
        fflush(stdout);
    }
}

Chardev *qemu_chr_new(const char *id, const char *words, GError **errp)
{
    g_autofree char *full = NULL;
    g_autoptr(KeyVal) kv = NULL;
    g_autofree char *backend = NULL;
    Chardev *chr;

    if (g_str_has_prefix(words, "chardev:")) {
        chr = qemu_chr_find(words + 8);
        if (!chr) {
            qom_error_set(errp, QOM_ERROR_NOT_FOUND, "chardev '%s' not found", words + 8);
        }
        return chr;
    }
    full = chardev_words(words);
    if (!full) {
        qom_error_set(
            errp, QOM_ERROR_VALUE,
            "could not connect to character backend '%s': accepted are stdio, null, pty, "
            "file:PATH, pipe:PATH, unix:PATH[,server=on][,wait=off], "
            "tcp:HOST:PORT[,server=on], udp:HOST:PORT[@HOST:PORT], mon:..., chardev:ID and "
            "none",
            words);
        return NULL;
    }
    kv = keyval_parse(full, "backend", errp);
    if (!kv) {
        return NULL;
    }
    backend = g_strdup(keyval_take(kv, "backend"));
    chr = chr_new_shared(backend, id, kv, errp);
    if (chr) {
        qemu_chr_announce(chr);
    }
    return chr;
}

/* ---- The end ---- */

static int flush_one(Object *obj, void *opaque G_GNUC_UNUSED)
{
    chr_flush(CHARDEV(obj), FLUSH_PATIENCE_MS, FLUSH_LIMIT_MS);
    return 0;
}

static int end_one(Object *obj, void *opaque G_GNUC_UNUSED)
{
    Chardev *chr = CHARDEV(obj);

    /* The ports of one that is shared come first: what they have goes there. */
    object_child_foreach(obj, flush_one, NULL);
    flush_one(obj, NULL);
    if (chr->be) {
        qemu_chr_fe_deinit(chr->be);
    }
    object_unparent(obj);
    return 0;
}

/* What its front ends have still goes to what is shared. */
static int end_shared(Object *obj, void *opaque)
{
    return CHARDEV_GET_CLASS(obj)->chr_join ? end_one(obj, opaque) : 0;
}

void qemu_chr_cleanup(void)
{
    Chardev *shared = chr_stdout_take();

    qemu_chr_end_waits();
    if (shared) {
        end_one(OBJECT(shared), NULL);
        object_unref(shared);
    }
    object_child_foreach(chr_container(), end_shared, NULL);
    object_child_foreach(chr_container(), end_one, NULL);
    /* What was handed to main and is not done yet, as that a peer has left, still holds some. */
    while (main_work_run()) {
    }
    qemu_chr_restore_terminal();
    chr_allow_waits();
}

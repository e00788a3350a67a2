/* SPDX-License-Identifier: MIT */
/*
 * The character device's type, how a front end is bound to it, and the way of input: from the main
 * loop, inside the front end's guard, never more than it asked for. The way of output is in
 * output.c.
 */
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/memory/main-work.h>
#include <qomet/memory/memory.h>
#include <qomet/qom/module.h>
#include "backends/chardev/char-int.h"

/* What is read from the host at a time. */
#define INPUT_BYTES 4096

/* ---- Binding ---- */

/*
 * Enters the front end unless a callback of it has called from within; true when it is to be left
 * again.
 */
static bool fe_enter(CharBackend *be)
{
    return be->guard && !entry_inside(be->guard) && entry_enter(be->guard);
}

static void fe_leave(CharBackend *be, bool entered)
{
    if (entered) {
        entry_leave(be->guard);
    }
}

static char *owner_text(const Object *owner)
{
    g_autofree char *path = owner ? object_get_canonical_path(owner) : NULL;

    return path    ? g_strdup_printf("'%s'", path)
           : owner ? g_strdup_printf("a new '%s'", object_get_typename(owner))
                   : g_strdup("another front end");
}

char *chr_owner_text(const CharBackend *be)
{
    return owner_text(be->owner);
}

/* Binds @be, which is @owner's (or NULL). */
static bool bind(CharBackend *be, Chardev *chr, EntryGuard *guard, Object *owner, GError **errp)
{
    if (chr && chr->be && chr->be != be && !CHARDEV_GET_CLASS(chr)->chr_join) {
        g_autofree char *holder = chr_owner_text(chr->be);
        g_autofree char *asker = owner_text(owner);

        qom_error_set(errp, QOM_ERROR_STATE, "chardev '%s' is used by %s, so %s cannot have it",
                      chr->label, holder, asker);
        return false;
    }
    qemu_chr_fe_deinit(be);
    be->guard = guard;
    be->owner = owner;
    if (chr && CHARDEV_GET_CLASS(chr)->chr_join) {
        chr = CHARDEV_GET_CLASS(chr)->chr_join(chr, be);
    }
    if (chr) {
        be->chr = CHARDEV(object_ref(chr));
        chr->be = be;
    }
    return true;
}

bool qemu_chr_fe_init(CharBackend *be, Chardev *chr, EntryGuard *guard, GError **errp)
{
    return bind(be, chr, guard, guard ? guard->owner : NULL, errp);
}

void qemu_chr_fe_deinit(CharBackend *be)
{
    Chardev *chr = be->chr;

    if (chr) {
        chr->be = NULL;
    }
    memset(be, 0, sizeof(*be));
    if (chr && CHARDEV_GET_CLASS(chr)->chr_fe_gone) {
        CHARDEV_GET_CLASS(chr)->chr_fe_gone(chr);
    }
    object_unref(chr);
}

bool qemu_chr_fe_focused(const CharBackend *be)
{
    return !be->chr || !be->chr->unfocused;
}

void qemu_chr_fe_set_handlers(CharBackend *be, IOCanReadHandler *can_read, IOReadHandler *read,
                              IOEventHandler *event, void (*drained)(void *opaque), void *opaque)
{
    bool entered = fe_enter(be);

    be->can_read = can_read;
    be->read = read;
    be->event = event;
    be->drained = drained;
    be->opaque = opaque;
    if (event && be->chr && be->chr->opened) {
        event(opaque, CHR_EVENT_OPENED);
    }
    fe_leave(be, entered);
    qemu_chr_fe_accept_input(be);
}

char *qemu_chr_describe(Chardev *chr)
{
    const ChardevClass *klass = CHARDEV_GET_CLASS(chr);

    return klass->describe ? klass->describe(chr)
                           : g_strdup(klass->backend_name ? klass->backend_name : "");
}

/* ---- Input ---- */

static void accept_input(void *opaque)
{
    Chardev *chr = opaque;
    ChardevClass *klass = CHARDEV_GET_CLASS(chr);

    if (klass->chr_accept_input) {
        klass->chr_accept_input(chr);
    }
    object_unref(chr);
}

void qemu_chr_fe_accept_input(CharBackend *be)
{
    Chardev *chr = be->chr;

    /* Cheap where nothing waits: a device may say so after each byte that the guest has read. */
    if (chr && __atomic_load_n(&chr->input_paused, __ATOMIC_ACQUIRE) &&
        __atomic_exchange_n(&chr->input_paused, 0, __ATOMIC_ACQ_REL)) {
        main_work_post(accept_input, object_ref(chr));
    }
}

static int be_room(const CharBackend *be)
{
    return be && be->can_read && be->read ? be->can_read(be->opaque) : 0;
}

int qemu_chr_be_pull(Chardev *chr, int (*fetch)(Chardev *chr, uint8_t *buf, int max))
{
    CharBackend *be = chr->be;
    bool entered = be && fe_enter(be);
    int room = be_room(be);
    int n = CHR_PAUSED;
    uint8_t buf[INPUT_BYTES];

    if (room > 0) {
        /* In one entry: a vCPU cannot fill the front end between its answer and the bytes. */
        n = fetch(chr, buf, MIN(room, INPUT_BYTES));
        if (n > 0) {
            be->read(be->opaque, buf, n);
        }
    } else {
        /*
         * Marked inside the guard, where the front end says accept_input: neither comes in between.
         */
        __atomic_store_n(&chr->input_paused, 1, __ATOMIC_RELEASE);
    }
    if (entered) {
        fe_leave(be, true);
    }
    return n;
}

void qemu_chr_be_event(Chardev *chr, QEMUChrEvent event)
{
    CharBackend *be = chr->be;

    if (event == CHR_EVENT_OPENED || event == CHR_EVENT_CLOSED) {
        pthread_mutex_lock(&chr->lock);
        chr->opened = event == CHR_EVENT_OPENED;
        chr->stuck = false;
        /* What the old peer did not take is not for the next one. */
        chr->out_len = 0;
        pthread_mutex_unlock(&chr->lock);
    }
    if (be && be->event) {
        bool entered = fe_enter(be);

        be->event(be->opaque, event);
        fe_leave(be, entered);
    }
    if (event == CHR_EVENT_CLOSED) {
        qemu_chr_be_writable(chr);
    }
}

void chr_drained(Chardev *chr)
{
    CharBackend *be = chr->be;

    if (be && be->drained) {
        bool entered = fe_enter(be);

        be->drained(be->opaque);
        fe_leave(be, entered);
    }
}

/* ---- The session ---- */

int qemu_chr_fe_take_fd(CharBackend *be)
{
    const ChardevClass *klass = be->chr ? CHARDEV_GET_CLASS(be->chr) : NULL;

    return klass && klass->chr_take_fd ? klass->chr_take_fd(be->chr) : -1;
}

bool qemu_chr_add_client(Chardev *chr, int fd, GError **errp)
{
    const ChardevClass *klass = CHARDEV_GET_CLASS(chr);

    if (!klass->chr_add_client) {
        qom_error_set(errp, QOM_ERROR_STATE, "chardev '%s' takes no clients: it is no socket",
                      chr->label);
        return false;
    }
    if (!klass->chr_add_client(chr, fd)) {
        qom_error_set(errp, QOM_ERROR_STATE, "chardev '%s' has a client already", chr->label);
        return false;
    }
    return true;
}

void qemu_chr_fe_set_talks(CharBackend *be)
{
    be->talks = true;
}

static void disconnect(void *opaque)
{
    Chardev *chr = opaque;

    CHARDEV_GET_CLASS(chr)->chr_disconnect(chr);
    object_unref(chr);
}

bool qemu_chr_fe_disconnect(CharBackend *be)
{
    if (!be->chr || !CHARDEV_GET_CLASS(be->chr)->chr_disconnect) {
        return false;
    }
    main_work_post(disconnect, object_ref(be->chr));
    return true;
}

/* ---- The property of a front end ---- */

static CharBackend *prop_field(Object *obj, const Property *prop)
{
    return (CharBackend *)((char *)obj + prop->offset);
}

static GVariant *prop_chr_get(Object *obj, const Property *prop, GError **errp G_GNUC_UNUSED)
{
    const Chardev *chr = prop_field(obj, prop)->chr;

    return g_variant_new_string(chr ? chr->label : "");
}

static int collect_label(Object *child, void *opaque)
{
    g_ptr_array_add(opaque, (void *)object_get_canonical_path_component(child));
    return 0;
}

static bool prop_chr_set(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    const char *id = g_variant_get_string(value, NULL);
    Object *owner = object_dynamic_cast(obj, TYPE_ENTRY_OWNER);
    EntryGuard *guard = owner ? ENTRY_OWNER_GET_CLASS(owner)->get_guard(ENTRY_OWNER(owner)) : NULL;
    Chardev *chr = NULL;

    if (*id) {
        chr = qemu_chr_find(id);
        if (!chr) {
            g_autoptr(GPtrArray) labels = g_ptr_array_new();
            g_autofree char *near = NULL;

            object_child_foreach(chr_container(), collect_label, labels);
            g_ptr_array_add(labels, NULL);
            near = qom_did_you_mean(id, (const char *const *)labels->pdata);
            qom_error_set(errp, QOM_ERROR_NOT_FOUND,
                          "can't find value '%s': no chardev has that id%s", id, near);
            return false;
        }
    }
    return bind(prop_field(obj, prop), chr, guard, obj, errp);
}

static GVariant *prop_chr_parse(const Property *prop G_GNUC_UNUSED, const char *text,
                                GError **errp G_GNUC_UNUSED)
{
    return g_variant_new_string(text);
}

static char *prop_chr_print(const Property *prop G_GNUC_UNUSED, GVariant *value)
{
    return g_variant_dup_string(value, NULL);
}

static void prop_chr_release(Object *obj, const Property *prop)
{
    qemu_chr_fe_deinit(prop_field(obj, prop));
}

const PropertyInfo prop_info_chr = {
    .name = "str",
    .variant_type = "s",
    .kind = PROP_KIND_OTHER,
    .get = prop_chr_get,
    .set = prop_chr_set,
    .parse = prop_chr_parse,
    .print = prop_chr_print,
    .release = prop_chr_release,
};

/* ---- The type ---- */

static GVariant *get_opened(Object *obj, const Property *prop G_GNUC_UNUSED,
                            GError **errp G_GNUC_UNUSED)
{
    Chardev *chr = CHARDEV(obj);
    bool opened;

    pthread_mutex_lock(&chr->lock);
    opened = chr->opened;
    pthread_mutex_unlock(&chr->lock);
    return g_variant_new_boolean(opened);
}

static GVariant *get_dropped(Object *obj, const Property *prop G_GNUC_UNUSED,
                             GError **errp G_GNUC_UNUSED)
{
    Chardev *chr = CHARDEV(obj);
    uint64_t dropped;

    pthread_mutex_lock(&chr->lock);
    dropped = chr->dropped;
    pthread_mutex_unlock(&chr->lock);
    return g_variant_new_uint64(dropped);
}

static const Property chardev_props[] = {
    { .name = "opened",
      .info = &prop_info_accessor_bool,
      .help = "whether a peer is there",
      .read_only = true,
      .get = get_opened },
    { .name = "dropped",
      .info = &prop_info_accessor_uint,
      .help = "bytes of output that could not be written",
      .read_only = true,
      .get = get_dropped },
};

static bool chardev_may_set(Object *obj, const Property *prop, GError **errp)
{
    if (CHARDEV(obj)->ready && !prop->live) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "chardev '%s' is open: '%s' cannot be changed any more", CHARDEV(obj)->label,
                      prop->name);
        return false;
    }
    return true;
}

static void chardev_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    klass->may_set = chardev_may_set;
    object_class_add_properties(klass, chardev_props, G_N_ELEMENTS(chardev_props));
}

static void chardev_init(Object *obj)
{
    pthread_mutex_init(&CHARDEV(obj)->lock, NULL);
}

static void chardev_finalize(Object *obj)
{
    Chardev *chr = CHARDEV(obj);

    pthread_mutex_destroy(&chr->lock);
    g_free(chr->out);
    g_free(chr->label);
}

static const TypeInfo chardev_types[] = {
    {
        .name = TYPE_CHARDEV,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Chardev),
        .instance_init = chardev_init,
        .instance_finalize = chardev_finalize,
        .abstract = true,
        .class_size = sizeof(ChardevClass),
        .class_init = chardev_class_init,
    },
};

DEFINE_TYPES(chardev_types)

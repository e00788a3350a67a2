/* SPDX-License-Identifier: MIT */
/*
 * A chardev that several front ends share: a serial port and a monitor on one terminal. What any of
 * them writes is shown; what is typed goes to the one that has the focus, and Ctrl-a c gives it to
 * the next. Each front end has a chardev of its own, a port, so that one that takes or is given
 * nothing is not in the way of the others.
 */
#include <string.h>
#include <qomet/memory/main-work.h>
#include <qomet/qom/module.h>
#include "backends/chardev/char-int.h"

#define TYPE_CHARDEV_MUX "chardev-mux"
OBJECT_DECLARE_SIMPLE_TYPE(MuxChardev, CHARDEV_MUX)
#define TYPE_CHARDEV_MUX_PORT "chardev-mux-port"
OBJECT_DECLARE_SIMPLE_TYPE(MuxPort, CHARDEV_MUX_PORT)

/* What may be typed ahead while a front end takes nothing. */
#define TYPE_AHEAD 4096

struct MuxChardev {
    Chardev parent_obj; /* its front end: that of the last port */
    char *chardev;      /* id of what is shared */
    CharBackend base;   /* the hold on what is shared */
    GPtrArray *ports;   /* of MuxPort *, in order of joining; children, not referenced */
    MuxPort *focus;     /* whose input it is; NULL until the main loop runs */
    bool settling;      /* the last port is about to get the focus */
    ChrEscape keys;
};

struct MuxPort {
    Chardev parent_obj;
    MuxChardev *mux;     /* it is a child of that; NULL when it has been taken out */
    GByteArray *pending; /* input that the front end has not taken yet */
};

/* ---- Input ----------------------------------------------------------------------------------- */

static int fetch_pending(Chardev *chr, uint8_t *buf, int max)
{
    GByteArray *pending = CHARDEV_MUX_PORT(chr)->pending;
    int n = MIN(max, (int)pending->len);

    memcpy(buf, pending->data, (size_t)n);
    g_byte_array_remove_range(pending, 0, (guint)n);
    return n;
}

/* Hands on what waits, as far as the front end takes it. */
static void offer(MuxPort *port)
{
    object_ref(port);
    while (port->pending->len && qemu_chr_be_pull(CHARDEV(port), fetch_pending) > 0) {
        /* There may be more than fits at a time. */
    }
    object_unref(port);
}

static void port_accept_input(Chardev *chr)
{
    MuxPort *port = CHARDEV_MUX_PORT(chr);

    offer(port);
    if (port->mux) {
        qemu_chr_fe_accept_input(&port->mux->base);
    }
}

static void set_focus(MuxChardev *mux, MuxPort *port)
{
    MuxPort *old = mux->focus;

    if (old == port) {
        return;
    }
    mux->focus = port;
    if (old) {
        CHARDEV(old)->unfocused = true;
        qemu_chr_be_event(CHARDEV(old), CHR_EVENT_MUX_OUT);
    }
    if (port) {
        CHARDEV(port)->unfocused = false;
        qemu_chr_be_event(CHARDEV(port), CHR_EVENT_MUX_IN);
        qemu_chr_fe_accept_input(&mux->base);
    }
}

/* Who has joined last has the focus, but not before all that come together have joined. */
static void settle(void *opaque)
{
    MuxChardev *mux = opaque;
    guint n = mux->ports->len;

    mux->settling = false;
    set_focus(mux, n ? g_ptr_array_index(mux->ports, n - 1) : NULL);
    object_unref(mux);
}

static void settle_soon(MuxChardev *mux)
{
    if (!mux->settling) {
        mux->settling = true;
        main_work_post(settle, object_ref(mux));
    }
}

static void focus_next(ChrEscape *e)
{
    MuxChardev *mux = e->opaque;
    guint i;

    if (mux->focus && g_ptr_array_find(mux->ports, mux->focus, &i)) {
        offer(mux->focus);
        set_focus(mux, g_ptr_array_index(mux->ports, (i + 1) % mux->ports->len));
    }
}

static void send_break(ChrEscape *e)
{
    MuxChardev *mux = e->opaque;

    if (mux->focus) {
        qemu_chr_be_event(CHARDEV(mux->focus), CHR_EVENT_BREAK);
    }
}

static void leave(ChrEscape *e)
{
    ChardevClass *klass = CHARDEV_GET_CLASS(e->chr);

    if (klass->chr_leave) {
        klass->chr_leave(e->chr);
    } else {
        chr_escape_quit(e);
    }
}

static const ChrEscapeKey mux_keys[] = {
    { 'x', "end the machine, or take away what was attached", leave },
    { 'b', "send a break", send_break },
    { 'c', "switch between the guest and the monitor", focus_next },
    { 0, NULL, NULL },
};

/* A person is always heard, for Ctrl-a; others wait until there is room. */
static int base_can_read(void *opaque)
{
    const MuxChardev *mux = opaque;
    int room = mux->focus ? TYPE_AHEAD - (int)mux->focus->pending->len : 0;

    return mux->base.chr->interactive ? TYPE_AHEAD : MAX(room, 0);
}

static void base_read(void *opaque, const uint8_t *buf, int size)
{
    MuxChardev *mux = opaque;

    object_ref(mux);
    for (int i = 0; i < size; i++) {
        if (chr_escape_passes(&mux->keys, buf[i]) && mux->focus &&
            mux->focus->pending->len < TYPE_AHEAD) {
            g_byte_array_append(mux->focus->pending, &buf[i], 1);
        }
    }
    if (mux->focus) {
        offer(mux->focus);
    }
    object_unref(mux);
}

/* ---- Events and output ----------------------------------------------------------------------- */

/* Calls @fn for each port; it may take ports away. */
static void foreach_port(MuxChardev *mux, void (*fn)(MuxPort *port, QEMUChrEvent event),
                         QEMUChrEvent event)
{
    g_autoptr(GPtrArray) ports = g_ptr_array_new_with_free_func(object_unref);

    for (guint i = 0; i < mux->ports->len; i++) {
        g_ptr_array_add(ports, object_ref(g_ptr_array_index(mux->ports, i)));
    }
    for (guint i = 0; i < ports->len; i++) {
        fn(g_ptr_array_index(ports, i), event);
    }
}

static void pass_event(MuxPort *port, QEMUChrEvent event)
{
    if (event == CHR_EVENT_CLOSED) {
        g_byte_array_set_size(port->pending, 0);
    }
    qemu_chr_be_event(CHARDEV(port), event);
}

static void base_event(void *opaque, QEMUChrEvent event)
{
    MuxChardev *mux = opaque;

    if (event == CHR_EVENT_BREAK) {
        send_break(&mux->keys);
    } else {
        foreach_port(mux, pass_event, event);
    }
}

static void pass_drained(MuxPort *port, QEMUChrEvent event)
{
    (void)event;
    qemu_chr_be_writable(CHARDEV(port));
}

static void base_drained(void *opaque)
{
    foreach_port(opaque, pass_drained, CHR_EVENT_OPENED);
}

/* Called with the port's lock; that of the base is taken within. */
static int port_write(Chardev *chr, const uint8_t *buf, int len)
{
    MuxPort *port = CHARDEV_MUX_PORT(chr);

    return port->mux ? qemu_chr_fe_write(&port->mux->base, buf, len) : len;
}

static bool port_wait_writable(Chardev *chr, int timeout_ms)
{
    const MuxPort *port = CHARDEV_MUX_PORT(chr);

    (void)timeout_ms;
    if (port->mux && port->mux->base.chr) {
        chr_wait_writable(port->mux->base.chr);
    }
    return true;
}

/* ---- Joining and leaving --------------------------------------------------------------------- */

static void update_front_end(MuxChardev *mux)
{
    guint n = mux->ports->len;

    CHARDEV(mux)->be = n ? CHARDEV(g_ptr_array_index(mux->ports, n - 1))->be : NULL;
}

static Chardev *mux_join(Chardev *chr, CharBackend *be)
{
    MuxChardev *mux = CHARDEV_MUX(chr);
    MuxPort *port = CHARDEV_MUX_PORT(object_new(TYPE_CHARDEV_MUX_PORT));

    CHARDEV(port)->label = g_strdup(chr->label);
    CHARDEV(port)->ready = true;
    CHARDEV(port)->unfocused = true;
    CHARDEV(port)->opened = mux->base.chr && mux->base.chr->opened;
    port->mux = mux;
    /* The name is free, so this cannot fail. */
    if (!object_property_add_child(OBJECT(mux), "port[*]", OBJECT(port), NULL)) {
        object_unref(port);
        return NULL;
    }
    object_unref(port);
    g_ptr_array_add(mux->ports, port);
    chr->be = be;
    settle_soon(mux);
    return CHARDEV(port);
}

static void port_fe_gone(Chardev *chr)
{
    MuxPort *port = CHARDEV_MUX_PORT(chr);
    MuxChardev *mux = port->mux;

    if (!mux) {
        return;
    }
    g_ptr_array_remove(mux->ports, port);
    if (mux->focus == port) {
        mux->focus = NULL;
        settle_soon(mux);
    }
    update_front_end(mux);
    /* vCPUs may be writing: what they write vanishes with the port's peer. */
    qemu_chr_be_event(chr, CHR_EVENT_CLOSED);
    port->mux = NULL;
    object_unparent(OBJECT(port));
}

/* ---- The mux --------------------------------------------------------------------------------- */

static Chardev *find_base(const char *id, GError **errp)
{
    Chardev *base = id && *id ? qemu_chr_find(id) : NULL;

    if (!id || !*id) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "chardev: mux: no chardev given: chardev=... is missing");
        return NULL;
    }
    if (!base) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "chardev '%s' not found", id);
        return NULL;
    }
    if (CHARDEV_GET_CLASS(base)->chr_join) {
        qom_error_set(errp, QOM_ERROR_STATE, "chardev '%s' is shared already", id);
        return NULL;
    }
    return base;
}

static bool mux_open(Chardev *chr, GError **errp)
{
    MuxChardev *mux = CHARDEV_MUX(chr);
    Chardev *base = find_base(mux->chardev, errp);

    if (!base || !qemu_chr_fe_init(&mux->base, base, NULL, errp)) {
        return false;
    }
    mux->base.owner = OBJECT(mux);
    base->shared = true;
    mux->keys = (ChrEscape){ .keys = mux_keys, .chr = base, .opaque = mux };
    qemu_chr_fe_set_handlers(&mux->base, base_can_read, base_read, base_event, base_drained, mux);
    return true;
}

Chardev *chr_new_mux(const char *backend, const char *id, KeyVal *kv, GError **errp)
{
    g_autofree char *base_id = g_strconcat(id, CHR_BASE_SUFFIX, NULL);
    g_autofree char *words = g_strconcat("chardev=", base_id, NULL);
    g_autoptr(KeyVal) share = keyval_parse(words, NULL, NULL);
    Chardev *base, *mux;

    /* Before anything of the host is touched. */
    if (qemu_chr_find(id)) {
        qom_error_set(errp, QOM_ERROR_EXISTS, "Duplicate ID '%s' for chardev", id);
        return NULL;
    }
    base = chr_new(backend, base_id, kv, errp);
    mux = base ? chr_new("mux", id, share, errp) : NULL;
    if (base && !mux) {
        object_unparent(OBJECT(base));
    }
    return mux;
}

static char *mux_describe(Chardev *chr)
{
    (void)chr;
    return g_strdup("mux");
}

/* What was shared is anybody's again. */
static void let_go(MuxChardev *mux)
{
    if (mux->base.chr) {
        mux->base.chr->shared = false;
    }
    qemu_chr_fe_deinit(&mux->base);
}

static void mux_unparent(Object *obj)
{
    MuxChardev *mux = CHARDEV_MUX(obj);

    while (CHARDEV(mux)->be) {
        qemu_chr_fe_deinit(CHARDEV(mux)->be);
    }
    let_go(mux);
}

static void mux_init(Object *obj)
{
    CHARDEV_MUX(obj)->ports = g_ptr_array_new();
}

static void mux_finalize(Object *obj)
{
    MuxChardev *mux = CHARDEV_MUX(obj);

    let_go(mux);
    g_ptr_array_unref(mux->ports);
}

static const Property mux_props[] = {
    DEFINE_PROP_STRING("chardev", MuxChardev, chardev, .help = "the chardev that is shared"),
};

static void mux_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    klass->unparent = mux_unparent;
    cc->open = mux_open;
    cc->chr_join = mux_join;
    cc->describe = mux_describe;
    cc->backend_name = "mux";
    cc->help = "lets several share a chardev, as mux=on does with a new one";
    object_class_add_properties(klass, mux_props, G_N_ELEMENTS(mux_props));
}

static void port_init(Object *obj)
{
    CHARDEV_MUX_PORT(obj)->pending = g_byte_array_new();
}

static void port_finalize(Object *obj)
{
    g_byte_array_unref(CHARDEV_MUX_PORT(obj)->pending);
}

static void port_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->chr_write = port_write;
    cc->chr_wait_writable = port_wait_writable;
    cc->chr_accept_input = port_accept_input;
    cc->chr_fe_gone = port_fe_gone;
}

static const TypeInfo mux_types[] = {
    {
        .name = TYPE_CHARDEV_MUX,
        .parent = TYPE_CHARDEV,
        .instance_size = sizeof(MuxChardev),
        .instance_init = mux_init,
        .instance_finalize = mux_finalize,
        .class_init = mux_class_init,
    },
    {
        .name = TYPE_CHARDEV_MUX_PORT,
        .parent = TYPE_CHARDEV,
        .instance_size = sizeof(MuxPort),
        .instance_init = port_init,
        .instance_finalize = port_finalize,
        .class_init = port_class_init,
    },
};

DEFINE_TYPES(mux_types)

/* SPDX-License-Identifier: MIT */
/*
 * What all monitors have in common: the character device that they stand on, output that waits for
 * a slow peer while nothing more is read from it, and descriptors that were handed over.
 */
#include <string.h>
#include <unistd.h>
#include <qomet/monitor/monitor.h>
#include <qomet/qom/module.h>

/* A buffer that a large answer has left is given back. */
#define KEPT_BYTES 65536
/* What is read from a peer at a time. */
#define INPUT_BYTES 4096

/* ---- Output ---- */

/* Gives the chardev what it takes; what it does not take has to wait, and the peer's words too. */
static void push(Monitor *mon)
{
    size_t left = mon->out->len - mon->out_done;

    while (left && !mon->away) {
        int n = qemu_chr_fe_write(&mon->be, (const uint8_t *)mon->out->str + mon->out_done,
                                  (int)MIN(left, INT_MAX));

        if (n <= 0) {
            break;
        }
        mon->out_done += (size_t)n;
        left -= (size_t)n;
    }
    /* What is done with is given back now and then, even if there is always something left. */
    if (!left && mon->out->allocated_len > KEPT_BYTES) {
        g_string_free(mon->out, TRUE);
        mon->out = g_string_new(NULL);
        mon->out_done = 0;
    } else if (mon->out_done >= mon->out->len / 2) {
        g_string_erase(mon->out, 0, (gssize)mon->out_done);
        mon->out_done = 0;
    }
    mon->paused = left > 0 && !mon->away;
}

void monitor_hang_up(Monitor *mon)
{
    if (qemu_chr_fe_disconnect(&mon->be)) {
        mon->connected = false;
    }
}

void monitor_write(Monitor *mon, const char *text, size_t len)
{
    if (mon->started && (!mon->connected || !mon->be.chr)) {
        return;
    }
    if (mon->started && mon->out->len - mon->out_done >= MONITOR_OUT_MAX) {
        /* The peer reads nothing, and more than can be kept has been said. */
        monitor_hang_up(mon);
        return;
    }
    g_string_append_len(mon->out, text, (gssize)len);
    if (mon->started && !mon->paused) {
        push(mon);
    }
}

char *monitor_with_returns(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    return g_strjoinv("\r\n", lines);
}

void monitor_puts(Monitor *mon, const char *text)
{
    g_autofree char *shown = MONITOR_GET_CLASS(mon)->returns ? monitor_with_returns(text) : NULL;

    text = shown ? shown : text;
    monitor_write(mon, text, strlen(text));
}

void monitor_printf(Monitor *mon, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    monitor_puts(mon, text);
}

/* ---- Input ---- */

static bool ready(Monitor *mon)
{
    const MonitorClass *klass = MONITOR_GET_CLASS(mon);

    return mon->connected && (klass->ready ? klass->ready(mon) : !mon->paused);
}

static int can_read(void *opaque)
{
    Monitor *mon = opaque;

    return ready(mon) && !mon->in->len ? INPUT_BYTES : 0;
}

static void take_input(void *opaque, const uint8_t *buf, int size)
{
    Monitor *mon = opaque;
    size_t len = (size_t)size, done = 0;

    /* It may be told to delete itself. */
    object_ref(mon);
    while (done < len && ready(mon)) {
        done += MONITOR_GET_CLASS(mon)->input(mon, (const char *)buf + done, len - done);
    }
    g_byte_array_append(mon->in, buf + done, (guint)(len - done));
    object_unref(mon);
}

/* The chardev takes output again. */
static void go_on(void *opaque)
{
    Monitor *mon = opaque;
    const MonitorClass *klass = MONITOR_GET_CLASS(mon);
    GByteArray *waiting = mon->in;

    object_ref(mon);
    push(mon);
    if (!mon->paused && klass->resumed) {
        klass->resumed(mon);
    }
    if (waiting->len && ready(mon)) {
        mon->in = g_byte_array_new();
        take_input(mon, waiting->data, (int)waiting->len);
        g_byte_array_unref(waiting);
    }
    if (can_read(mon)) {
        qemu_chr_fe_accept_input(&mon->be);
    }
    object_unref(mon);
}

static void forget_peer(Monitor *mon)
{
    g_string_truncate(mon->out, 0);
    mon->out_done = 0;
    mon->paused = false;
    g_byte_array_set_size(mon->in, 0);
}

static void turn(Monitor *mon, bool in)
{
    MonitorClass *klass = MONITOR_GET_CLASS(mon);

    if (in) {
        mon->away = false;
        push(mon);
    }
    if (klass->focus) {
        klass->focus(mon, in);
    }
    mon->away = !in;
}

static void peer_event(void *opaque, QEMUChrEvent event)
{
    Monitor *mon = opaque;
    MonitorClass *klass = MONITOR_GET_CLASS(mon);

    if (event == CHR_EVENT_MUX_IN || event == CHR_EVENT_MUX_OUT) {
        turn(mon, event == CHR_EVENT_MUX_IN);
    } else if (event == CHR_EVENT_OPENED) {
        forget_peer(mon);
        mon->connected = true;
        mon->away = !qemu_chr_fe_focused(&mon->be);
        if (klass->opened) {
            klass->opened(mon);
        }
    } else if (event == CHR_EVENT_CLOSED) {
        mon->connected = false;
        forget_peer(mon);
        if (klass->closed) {
            klass->closed(mon);
        }
    }
}

/* ---- One that gathers ---- */

Monitor *monitor_gathering_new(void)
{
    return MONITOR(object_new(TYPE_MONITOR));
}

char *monitor_gathered(Monitor *mon)
{
    GString *text = mon->out;

    mon->out = g_string_new(NULL);
    return g_string_free(text, FALSE);
}

/* ---- The type ---- */

bool monitor_start(UserCreatable *uc, GError **errp)
{
    Monitor *mon = MONITOR(uc);

    if (!mon->be.chr) {
        qom_error_set(errp, QOM_ERROR_VALUE, "Parameter 'chardev' is missing");
        return false;
    }
    mon->started = true;
    qemu_chr_fe_set_talks(&mon->be);
    qemu_chr_fe_set_handlers(&mon->be, can_read, take_input, peer_event, go_on, mon);
    return true;
}

static bool monitor_may_set(Object *obj, const Property *prop, GError **errp)
{
    if (MONITOR(obj)->started && !prop->live) {
        qom_error_set(errp, QOM_ERROR_STATE, "a monitor that runs keeps its '%s'", prop->name);
        return false;
    }
    return true;
}

static void close_fd(void *fd)
{
    close(GPOINTER_TO_INT(fd));
}

static void monitor_init(Object *obj)
{
    MONITOR(obj)->out = g_string_new(NULL);
    MONITOR(obj)->in = g_byte_array_new();
    MONITOR(obj)->fds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_fd);
}

static void monitor_finalize(Object *obj)
{
    g_string_free(MONITOR(obj)->out, TRUE);
    g_byte_array_unref(MONITOR(obj)->in);
    g_hash_table_unref(MONITOR(obj)->fds);
}

static const Property monitor_props[] = {
    DEFINE_PROP_CHR("chardev", Monitor, be, .help = "the character device that it stands on"),
};

static void monitor_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    klass->may_set = monitor_may_set;
    object_class_add_properties(klass, monitor_props, G_N_ELEMENTS(monitor_props));
}

static const TypeInfo monitor_types[] = {
    {
        .name = TYPE_MONITOR,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Monitor),
        .instance_init = monitor_init,
        .instance_finalize = monitor_finalize,
        .class_size = sizeof(MonitorClass),
        .class_init = monitor_class_init,
    },
};

DEFINE_TYPES(monitor_types)

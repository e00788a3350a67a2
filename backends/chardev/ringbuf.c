/* SPDX-License-Identifier: MIT */
/*
 * The chardev that keeps the last bytes written: when it is full, the oldest ones go.
 */
#include <string.h>
#include <qomet/backends/chardev/ringbuf.h>
#include <qomet/qom/module.h>

#define MAX_SIZE (UINT64_C(1) << 30)

struct RingBufChardev {
    Chardev parent_obj;
    uint64_t size;
    uint8_t *data;
    uint64_t prod, cons; /* count on for ever; the place is the rest modulo size. Under the lock */
};

static bool ringbuf_open(Chardev *chr, GError **errp)
{
    RingBufChardev *s = CHARDEV_RINGBUF(chr);

    if (!s->size || (s->size & (s->size - 1)) || s->size > MAX_SIZE) {
        qom_error_set(
            errp, QOM_ERROR_VALUE,
            "size of ringbuf chardev must be power of two from 1 to 1G, not %" G_GUINT64_FORMAT,
            s->size);
        return false;
    }
    s->data = g_try_malloc(s->size);
    if (!s->data) {
        qom_error_set(errp, QOM_ERROR_FAILED,
                      "no memory for a ringbuf of %" G_GUINT64_FORMAT " bytes", s->size);
        return false;
    }
    qemu_chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static int ringbuf_write(Chardev *chr, const uint8_t *buf, int len)
{
    RingBufChardev *s = CHARDEV_RINGBUF(chr);

    for (int i = 0; i < len; i++) {
        s->data[s->prod++ & (s->size - 1)] = buf[i];
    }
    if (s->prod - s->cons > s->size) {
        s->cons = s->prod - s->size;
    }
    return len;
}

size_t ringbuf_chardev_count(RingBufChardev *s)
{
    size_t count;

    pthread_mutex_lock(&CHARDEV(s)->lock);
    count = s->prod - s->cons;
    pthread_mutex_unlock(&CHARDEV(s)->lock);
    return count;
}

size_t ringbuf_chardev_take(RingBufChardev *s, uint8_t *buf, size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&CHARDEV(s)->lock);
    while (n < max && s->cons != s->prod) {
        buf[n++] = s->data[s->cons++ & (s->size - 1)];
    }
    pthread_mutex_unlock(&CHARDEV(s)->lock);
    return n;
}

static GVariant *get_count(Object *obj, const Property *prop G_GNUC_UNUSED,
                           GError **errp G_GNUC_UNUSED)
{
    return g_variant_new_uint64(ringbuf_chardev_count(CHARDEV_RINGBUF(obj)));
}

static GVariant *get_text(Object *obj, const Property *prop G_GNUC_UNUSED,
                          GError **errp G_GNUC_UNUSED)
{
    RingBufChardev *s = CHARDEV_RINGBUF(obj);
    g_autoptr(GString) bytes = g_string_new(NULL);

    pthread_mutex_lock(&CHARDEV(s)->lock);
    for (uint64_t i = s->cons; i != s->prod; i++) {
        g_string_append_c(bytes, s->data[i & (s->size - 1)]);
    }
    pthread_mutex_unlock(&CHARDEV(s)->lock);
    /* A value of type string is UTF-8 without a NUL; what is not is shown as a replacement. */
    return g_variant_new_take_string(g_utf8_make_valid(bytes->str, bytes->len));
}

static const Property ringbuf_props[] = {
    DEFINE_PROP_SIZE("size", RingBufChardev, size, 65536, .help = "bytes kept, a power of two"),
    { .name = "count",
      .info = &prop_info_accessor_uint,
      .help = "bytes that wait to be taken",
      .read_only = true,
      .get = get_count },
    { .name = "text",
      .info = &prop_info_accessor_string,
      .help = "these bytes as text, without taking them",
      .read_only = true,
      .get = get_text },
};

static void ringbuf_finalize(Object *obj)
{
    g_free(CHARDEV_RINGBUF(obj)->data);
}

static void ringbuf_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->open = ringbuf_open;
    cc->chr_write = ringbuf_write;
    cc->backend_name = "ringbuf";
    cc->help = "keeps the last bytes written";
    object_class_add_properties(klass, ringbuf_props, G_N_ELEMENTS(ringbuf_props));
}

static const TypeInfo ringbuf_types[] = {
    {
        .name = TYPE_CHARDEV_RINGBUF,
        .parent = TYPE_CHARDEV,
        .instance_size = sizeof(RingBufChardev),
        .instance_finalize = ringbuf_finalize,
        .class_init = ringbuf_class_init,
    },
};

DEFINE_TYPES(ringbuf_types)

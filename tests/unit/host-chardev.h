/* SPDX-License-Identifier: MIT */
/*
 * A chardev whose host side is the test: it decides how much output is taken, sees it, and types.
 */
#ifndef QOMET_TESTS_UNIT_HOST_CHARDEV_H
#define QOMET_TESTS_UNIT_HOST_CHARDEV_H

#include <stdlib.h>
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/qom/module.h>

#define TYPE_CHARDEV_TEST "chardev-test"

typedef struct TestChardev {
    Chardev parent_obj;
    GString *sent;     /* what the device wrote */
    int room;          /* how much more it may write; -1: any */
    GByteArray *typed; /* what the device has not taken yet */
} TestChardev;

static bool test_chr_open(Chardev *chr, GError **errp G_GNUC_UNUSED)
{
    qemu_chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static int test_chr_write(Chardev *chr, const uint8_t *buf, int len)
{
    TestChardev *t = (TestChardev *)chr;

    if (t->room >= 0) {
        len = len < t->room ? len : t->room;
        t->room -= len;
    }
    g_string_append_len(t->sent, (const char *)buf, len);
    return len;
}

static int test_chr_fetch(Chardev *chr, uint8_t *buf, int max)
{
    GByteArray *typed = ((TestChardev *)chr)->typed;
    int n = (guint)max < typed->len ? max : (int)typed->len;

    memcpy(buf, typed->data, n);
    g_byte_array_remove_range(typed, 0, n);
    return n;
}

static void test_chr_accept_input(Chardev *chr)
{
    while (((TestChardev *)chr)->typed->len &&
           qemu_chr_be_pull(chr, test_chr_fetch) != CHR_PAUSED) {
    }
}

static void test_chr_init(Object *obj)
{
    TestChardev *t = (TestChardev *)obj;

    t->sent = g_string_new(NULL);
    t->typed = g_byte_array_new();
    t->room = -1;
}

static void test_chr_finalize(Object *obj)
{
    TestChardev *t = (TestChardev *)obj;

    g_string_free(t->sent, TRUE);
    g_byte_array_unref(t->typed);
}

static void test_chr_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->open = test_chr_open;
    cc->chr_write = test_chr_write;
    cc->chr_accept_input = test_chr_accept_input;
    cc->backend_name = "test";
}

static const TypeInfo test_chr_types[] = {
    {
        .name = TYPE_CHARDEV_TEST,
        .parent = TYPE_CHARDEV,
        .instance_size = sizeof(TestChardev),
        .instance_init = test_chr_init,
        .instance_finalize = test_chr_finalize,
        .class_init = test_chr_class_init,
    },
};

DEFINE_TYPES(test_chr_types)

static G_GNUC_UNUSED TestChardev *test_chr(const char *id)
{
    g_autofree char *words = g_strdup_printf("test,id=%s", id);
    g_autoptr(KeyVal) kv = keyval_parse(words, "backend", NULL);
    Chardev *chr = qemu_chr_new_keyval(kv, NULL);

    if (!chr) {
        abort();
    }
    return (TestChardev *)chr;
}

/* Bytes from the host; what the device does not take now waits for it. */
static G_GNUC_UNUSED void type_bytes(TestChardev *t, const void *bytes, int len)
{
    g_byte_array_append(t->typed, bytes, len);
    test_chr_accept_input(&t->parent_obj);
}

static G_GNUC_UNUSED void type_text(TestChardev *t, const char *text)
{
    type_bytes(t, text, strlen(text));
}

/* The host takes @n more bytes of output. */
static G_GNUC_UNUSED void take_output(TestChardev *t, int n)
{
    t->room = n;
    qemu_chr_be_writable(&t->parent_obj);
}

#endif

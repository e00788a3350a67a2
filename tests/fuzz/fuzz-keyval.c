/* SPDX-License-Identifier: MIT */
/*
 * Words of an option, in both forms: whatever they are, they are read or refused with a reason;
 * what was read can be written again and reads the same; and it reaches an object or is refused.
 */
#include <stdlib.h>
#include <string.h>
#include <qomet/qom/keyval.h>
#include "tests/fuzz/fuzz.h"

#define TYPE_TARGET "fuzz-target"

typedef struct Target {
    Object parent_obj;
    bool flag;
    uint16_t port;
    uint64_t size;
    char *text;
    PropertyArray numbers, words;
} Target;

static const Property target_properties[] = {
    DEFINE_PROP_BOOL("flag", Target, flag, true),
    DEFINE_PROP_UINT16("port", Target, port, 0xe9),
    DEFINE_PROP_SIZE("size", Target, size, 4096),
    DEFINE_PROP_STRING("text", Target, text),
    DEFINE_PROP_LIST("numbers", Target, numbers, prop_info_int32),
    DEFINE_PROP_LIST("words", Target, words, prop_info_string),
};

static void target_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    object_class_add_properties(klass, target_properties, G_N_ELEMENTS(target_properties));
}

static const TypeInfo target_info = {
    .name = TYPE_TARGET,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(Target),
    .class_init = target_class_init,
};

/* key=value words that mean what @kv holds. */
static char *write_words(const KeyVal *kv)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < kv->items->len; i++) {
        const KeyValItem *item = kv->items->pdata[i];

        g_string_append_printf(out, "%s%s=", i ? "," : "", item->key);
        for (const char *p = item->text; *p; p++) {
            g_string_append(out, *p == ',' ? "," : "");
            g_string_append_c(out, *p);
        }
    }
    return g_string_free(out, FALSE);
}

static void check_words(const KeyVal *kv)
{
    g_autofree char *words = write_words(kv);
    g_autoptr(KeyVal) again = NULL;

    /* Words that begin with a brace are read as JSON. */
    if (words[strspn(words, " \t\r\n")] == '{') {
        return;
    }
    again = keyval_parse(words, NULL, NULL);
    MUST(again && again->items->len == kv->items->len);
    for (guint i = 0; i < kv->items->len; i++) {
        const KeyValItem *one = kv->items->pdata[i], *other = again->items->pdata[i];

        MUST(strcmp(one->key, other->key) == 0 && strcmp(one->text, other->text) == 0);
    }
}

static void check_json(const KeyVal *kv)
{
    for (guint i = 0; i < kv->items->len; i++) {
        const KeyValItem *item = kv->items->pdata[i];
        g_autofree char *text = json_from_variant(item->value);
        g_autoptr(GVariant) again = json_to_variant(text, NULL);

        MUST(again && g_variant_equal(item->value, again));
    }
}

static void check_object(KeyVal *kv)
{
    g_autoptr(Object) obj = object_new(TYPE_TARGET);
    GError *err = NULL;

    MUST(obj);
    keyval_take(kv, "driver");
    keyval_take(kv, "id");
    if (keyval_apply(kv, obj, &err)) {
        MUST(!err && keyval_check_all_used(kv, NULL));
    } else {
        MUST(err && !keyval_check_all_used(kv, NULL));
    }
    g_clear_error(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *words = g_malloc(size + 1);
    g_autoptr(KeyVal) kv = NULL;
    GError *err = NULL;

    /* Registered by the first input. */
    if (!object_class_by_name(TYPE_TARGET)) {
        type_register_static(&target_info, NULL);
    }
    memcpy(words, data, size);
    words[size] = '\0';
    kv = keyval_parse(words, size % 2 ? "driver" : NULL, &err);
    MUST(!kv == !!err);
    g_clear_error(&err);
    if (kv && kv->items->len) {
        if (((const KeyValItem *)kv->items->pdata[0])->value) {
            check_json(kv);
        } else {
            check_words(kv);
        }
        check_object(kv);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Text and values: numbers, sizes, switches, names and card addresses as a user writes them, read
 * without rounding, wrapping or guessing, and integers of any width taken out of a GVariant.
 */
#include <string.h>
#include <qomet/qom/value.h>

static const char size_suffixes[] = "BKMGTPE";

/** A number without its sign. */
typedef struct Magnitude {
    uint64_t value;
    bool overflow; /* it is larger than 2^64 - 1 */
} Magnitude;

static void set_not_a(GError **errp, const char *text, const char *what)
{
    qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is not %s", text, what);
}

static void magnitude_add_digit(Magnitude *m, unsigned base, unsigned digit)
{
    m->overflow |= __builtin_mul_overflow(m->value, (uint64_t)base, &m->value);
    m->overflow |= __builtin_add_overflow(m->value, (uint64_t)digit, &m->value);
}

/* Reads decimal digits and returns where they end, which is @text itself when there are none. */
static const char *read_decimal(const char *text, Magnitude *m)
{
    *m = (Magnitude){ 0 };
    for (; g_ascii_isdigit(*text); text++) {
        magnitude_add_digit(m, 10, *text - '0');
    }
    return text;
}

static bool has_hex_prefix(const char *text)
{
    return text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
}

static bool read_hex(const char *text, Magnitude *m)
{
    *m = (Magnitude){ 0 };
    text += 2;
    if (!*text) {
        return false;
    }
    for (; g_ascii_isxdigit(*text); text++) {
        magnitude_add_digit(m, 16, g_ascii_xdigit_value(*text));
    }
    return !*text;
}

/* Whether all of @text is one number without a sign. */
static bool read_magnitude(const char *text, Magnitude *m)
{
    if (has_hex_prefix(text)) {
        return read_hex(text, m);
    }
    /* Half of all C programs read 010 as eight, the others as ten. */
    if (text[0] == '0' && text[1]) {
        return false;
    }
    return g_ascii_isdigit(*text) && !*read_decimal(text, m);
}

/* -2^63 has a magnitude that no positive int64_t has. */
static bool magnitude_to_int(Magnitude m, bool negative, int64_t *value)
{
    if (m.overflow || m.value > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *value = negative ? (int64_t)(0 - m.value) : (int64_t)m.value;
    return true;
}

bool value_parse_int(const char *text, int64_t min, int64_t max, int64_t *value, GError **errp)
{
    bool negative = *text == '-';
    Magnitude m;
    int64_t read;

    if (!read_magnitude(text + negative, &m)) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'%s' is not a number, accepted are %" G_GINT64_FORMAT
                      " to %" G_GINT64_FORMAT,
                      text, min, max);
        return false;
    }
    if (!magnitude_to_int(m, negative, &read) || read < min || read > max) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'%s' is out of range, accepted are %" G_GINT64_FORMAT
                      " to %" G_GINT64_FORMAT,
                      text, min, max);
        return false;
    }
    *value = read;
    return true;
}

bool value_parse_uint(const char *text, uint64_t min, uint64_t max, uint64_t *value, GError **errp)
{
    bool negative = *text == '-';
    Magnitude m;

    if (!read_magnitude(text + negative, &m)) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'%s' is not a number, accepted are %" G_GUINT64_FORMAT
                      " to %" G_GUINT64_FORMAT,
                      text, min, max);
        return false;
    }
    if ((negative && (m.value || m.overflow)) || m.overflow || m.value < min || m.value > max) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'%s' is out of range, accepted are %" G_GUINT64_FORMAT
                      " to %" G_GUINT64_FORMAT,
                      text, min, max);
        return false;
    }
    *value = m.value;
    return true;
}

bool value_parse_bool(const char *text, bool *value, GError **errp)
{
    static const char *const words[2][5] = { { "off", "no", "false", "n" },
                                             { "on", "yes", "true", "y" } };

    for (int i = 0; i < 2; i++) {
        if (g_strv_contains(words[i], text)) {
            *value = i;
            return true;
        }
    }
    set_not_a(errp, text, "a bool, accepted are on, off");
    return false;
}

/* 20 digits after the point fit 128 bits when multiplied by 2^60. */
#define FRACTION_DIGITS 20

/**
 * Reads the digits after the point as a part of @unit. False when there are none or too many.
 * *@whole: they come out as a whole number.
 */
static bool read_fraction(const char **text, uint64_t unit, uint64_t *bytes, bool *whole)
{
    const char *start = *text;
    const char *end = start;
    unsigned __int128 numerator = 0, denominator = 1;

    while (g_ascii_isdigit(*end)) {
        end++;
    }
    *text = end;
    if (end == start) {
        return false;
    }
    while (end > start && end[-1] == '0') {
        end--;
    }
    if (end - start > FRACTION_DIGITS) {
        return false;
    }
    for (const char *p = start; p < end; p++) {
        numerator = numerator * 10 + (*p - '0');
        denominator *= 10;
    }
    numerator *= unit;
    *bytes = numerator / denominator;
    *whole = numerator % denominator == 0;
    return true;
}

/*
 * The value of the suffix at the end of @text, @unit when there is none, 0 when it is something
 * else.
 */
static uint64_t read_suffix(const char *text, uint64_t unit)
{
    const char *suffix;

    if (!*text) {
        return unit;
    }
    suffix = text[1] ? NULL : strchr(size_suffixes, g_ascii_toupper(*text));
    return suffix ? 1ull << (10 * (suffix - size_suffixes)) : 0;
}

static bool set_bad_size(const char *text, GError **errp)
{
    set_not_a(errp, text, "a size, accepted is a number with an optional suffix K, M, G, T, P, E");
    return false;
}

bool value_parse_size(const char *text, uint64_t unit, uint64_t min, uint64_t max, uint64_t *value,
                      GError **errp)
{
    const char *end = text, *point;
    uint64_t part = 0, bytes;
    bool whole = true, overflow;
    bool negative = *text == '-';
    Magnitude m;

    if (has_hex_prefix(text)) {
        if (!read_hex(text, &m)) {
            return set_bad_size(text, errp);
        }
    } else {
        end = read_decimal(text + negative, &m);
        if (end == text + negative ||
            (text[negative] == '0' && g_ascii_isdigit(text[negative + 1]))) {
            return set_bad_size(text, errp);
        }
        point = *end == '.' ? end + 1 : NULL;
        if (point) {
            end += 1 + strspn(point, "0123456789");
        }
        unit = read_suffix(end, unit);
        if (!unit || (point && !read_fraction(&point, unit, &part, &whole))) {
            return set_bad_size(text, errp);
        }
    }
    if (!whole) {
        set_not_a(errp, text, "a whole number of bytes");
        return false;
    }
    overflow = m.overflow;
    overflow |= __builtin_mul_overflow(m.value, unit, &bytes);
    overflow |= __builtin_add_overflow(bytes, part, &bytes);
    if (overflow || (negative && bytes) || bytes < min || bytes > max) {
        g_autofree char *low = value_print_size(min);
        g_autofree char *high = value_print_size(max);

        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is out of range, accepted are %s to %s", text,
                      low, high);
        return false;
    }
    *value = bytes;
    return true;
}

char *value_print_size(uint64_t bytes)
{
    int suffix = 0;

    while (bytes && bytes % 1024 == 0 && size_suffixes[suffix + 1]) {
        bytes /= 1024;
        suffix++;
    }
    if (!suffix) {
        return g_strdup_printf("%" G_GUINT64_FORMAT, bytes);
    }
    return g_strdup_printf("%" G_GUINT64_FORMAT "%c", bytes, size_suffixes[suffix]);
}

bool value_parse_enum(const EnumLookup *table, const char *text, int *value, GError **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *list = NULL, *near = NULL;

    for (int i = 0; i < table->size; i++) {
        const char *name = table->array[i];

        if (name && strcmp(name, text) == 0) {
            *value = i;
            return true;
        }
        if (name) {
            g_ptr_array_add(names, (void *)name);
        }
    }
    g_ptr_array_add(names, NULL);
    list = g_strjoinv(", ", (char **)names->pdata);
    near = qom_did_you_mean(text, (const char *const *)names->pdata);
    qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is not a known name, accepted are %s%s", text, list,
                  near);
    return false;
}

bool value_parse_macaddr(const char *text, MACAddr *value, GError **errp)
{
    size_t len = sizeof(value->a) * 3 - 1;
    bool good = strlen(text) == len;
    MACAddr mac = { 0 };

    for (size_t i = 0; good && i < len; i++) {
        if (i % 3 == 2) {
            good = text[i] == ':';
        } else {
            good = g_ascii_isxdigit(text[i]);
            mac.a[i / 3] = mac.a[i / 3] << 4 | (g_ascii_xdigit_value(text[i]) & 0xf);
        }
    }
    if (!good) {
        set_not_a(errp, text,
                  "the address of a network card, accepted are six bytes like 52:54:00:12:34:56");
        return false;
    }
    *value = mac;
    return true;
}

char *value_print_macaddr(const MACAddr *value)
{
    const uint8_t *a = value->a;

    return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5]);
}

const char *value_kind(GVariant *value)
{
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_BOOLEAN:
        return "a bool";
    case G_VARIANT_CLASS_BYTE:
    case G_VARIANT_CLASS_INT16:
    case G_VARIANT_CLASS_UINT16:
    case G_VARIANT_CLASS_INT32:
    case G_VARIANT_CLASS_UINT32:
    case G_VARIANT_CLASS_INT64:
    case G_VARIANT_CLASS_UINT64:
    case G_VARIANT_CLASS_HANDLE:
        return "an integer";
    case G_VARIANT_CLASS_DOUBLE:
        return "a number with a fraction";
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
        return "a string";
    case G_VARIANT_CLASS_MAYBE:
        return "null";
    case G_VARIANT_CLASS_ARRAY:
        return g_variant_is_of_type(value, G_VARIANT_TYPE_DICTIONARY) ? "an object" : "a list";
    default:
        return "a value of another kind";
    }
}

/* Splits an integer of any width into sign and magnitude; false when @value is none. */
static bool integer_of(GVariant *value, bool *negative, Magnitude *m)
{
    int64_t i = 0;

    *m = (Magnitude){ 0 };
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_BYTE:
        m->value = g_variant_get_byte(value);
        break;
    case G_VARIANT_CLASS_UINT16:
        m->value = g_variant_get_uint16(value);
        break;
    case G_VARIANT_CLASS_UINT32:
        m->value = g_variant_get_uint32(value);
        break;
    case G_VARIANT_CLASS_UINT64:
        m->value = g_variant_get_uint64(value);
        break;
    case G_VARIANT_CLASS_INT16:
        i = g_variant_get_int16(value);
        break;
    case G_VARIANT_CLASS_INT32:
        i = g_variant_get_int32(value);
        break;
    case G_VARIANT_CLASS_INT64:
        i = g_variant_get_int64(value);
        break;
    default:
        return false;
    }
    *negative = i < 0;
    if (i) {
        m->value = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    }
    return true;
}

static void set_expected_integer(GVariant *value, GError **errp)
{
    qom_error_set(errp, QOM_ERROR_VALUE, "expected an integer, got %s", value_kind(value));
}

bool value_get_int(GVariant *value, int64_t min, int64_t max, int64_t *out, GError **errp)
{
    bool negative;
    Magnitude m;
    int64_t read;

    if (!integer_of(value, &negative, &m)) {
        set_expected_integer(value, errp);
        return false;
    }
    if (!magnitude_to_int(m, negative, &read) || read < min || read > max) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'%s%" G_GUINT64_FORMAT "' is out of range, accepted are %" G_GINT64_FORMAT
                      " to %" G_GINT64_FORMAT,
                      negative ? "-" : "", m.value, min, max);
        return false;
    }
    *out = read;
    return true;
}

bool value_get_uint(GVariant *value, uint64_t min, uint64_t max, uint64_t *out, GError **errp)
{
    bool negative;
    Magnitude m;

    if (!integer_of(value, &negative, &m)) {
        set_expected_integer(value, errp);
        return false;
    }
    if (negative || m.value < min || m.value > max) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'%s%" G_GUINT64_FORMAT "' is out of range, accepted are %" G_GUINT64_FORMAT
                      " to %" G_GUINT64_FORMAT,
                      negative ? "-" : "", m.value, min, max);
        return false;
    }
    *out = m.value;
    return true;
}

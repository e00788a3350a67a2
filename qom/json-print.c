/* SPDX-License-Identifier: MIT */
/*
 * Values -> JSON text, on one line or indented.
 */
#include <math.h>
#include <string.h>
#include <qomet/qom/keyval.h>

/* Spaces for each level of brackets. */
#define INDENT 4

/** Where the text goes, and how. */
typedef struct Printer {
    GString *out;
    bool pretty;
    unsigned level; /* of brackets */
} Printer;

/* Whether @c stands for itself in a string. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

static void print_escaped(GString *out, unsigned char c)
{
    switch (c) {
    case '\n':
        g_string_append(out, "\\n");
        break;
    case '\r':
        g_string_append(out, "\\r");
        break;
    case '\t':
        g_string_append(out, "\\t");
        break;
    case '"':
    case '\\':
        g_string_append_c(out, '\\');
        g_string_append_c(out, (char)c);
        break;
    default:
        g_string_append_printf(out, "\\u%04x", c);
        break;
    }
}

/* How many bytes at the beginning of @text stand for themselves. */
static size_t plain_length(const char *text)
{
    size_t n = 0;

    while (is_plain((unsigned char)text[n])) {
        n++;
    }
    return n;
}

/* In one step, since nearly all strings are so: @n bytes of @text, all plain, in quotes. */
static void append_plain(GString *out, const char *text, size_t n)
{
    gsize at = out->len;

    g_string_set_size(out, at + n + 2);
    out->str[at] = '"';
    memcpy(out->str + at + 1, text, n);
    out->str[at + n + 1] = '"';
}

void json_append_string(GString *out, const char *text)
{
    size_t n = plain_length(text);

    if (!text[n]) {
        append_plain(out, text, n);
        return;
    }
    g_string_append_c(out, '"');
    while (*text) {
        g_string_append_len(out, text, (gssize)n);
        text += n;
        if (*text) {
            print_escaped(out, (unsigned char)*text++);
        }
        n = plain_length(text);
    }
    g_string_append_c(out, '"');
}

void json_append_uint(GString *out, uint64_t number)
{
    char digits[20];
    unsigned n = sizeof(digits);

    do {
        digits[--n] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    g_string_append_len(out, digits + n, (gssize)(sizeof(digits) - n));
}

void json_append_int(GString *out, int64_t number)
{
    if (number < 0) {
        g_string_append_c(out, '-');
    }
    json_append_uint(out, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

/*
 * The shortest digits that give the same number back, and something in them that an integer has
 * not.
 */
static void print_double(GString *out, double number)
{
    static const char *const formats[] = { "%.15g", "%.16g", "%.17g" };
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (!isfinite(number)) {
        g_string_append(out, "null");
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(text, sizeof(text), formats[i], number);
        if (g_ascii_strtod(text, NULL) == number) {
            break;
        }
    }
    g_string_append(out, text);
    if (!strpbrk(text, ".e")) {
        g_string_append(out, ".0");
    }
}

static void print_value(Printer *p, GVariant *value);

/* Before a member or an element, and before the bracket that closes. */
static void new_line(Printer *p)
{
    if (p->pretty) {
        g_string_append_c(p->out, '\n');
        for (unsigned i = 0; i < p->level * INDENT; i++) {
            g_string_append_c(p->out, ' ');
        }
    }
}

static void print_member(Printer *p, GVariant *entry)
{
    g_autoptr(GVariant) key = g_variant_get_child_value(entry, 0);
    g_autoptr(GVariant) member = g_variant_get_child_value(entry, 1);

    json_append_string(p->out, g_variant_get_string(key, NULL));
    g_string_append(p->out, ": ");
    print_value(p, member);
}

/* The children of @value, each by @print, between @brackets. */
static void print_container(Printer *p, GVariant *value, const char *brackets,
                            void (*print)(Printer *p, GVariant *child))
{
    gsize n = g_variant_n_children(value);

    g_string_append_c(p->out, brackets[0]);
    p->level++;
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(value, i);

        g_string_append(p->out, i == 0 ? "" : p->pretty ? "," : ", ");
        new_line(p);
        print(p, child);
    }
    p->level--;
    if (n) {
        new_line(p);
    }
    g_string_append_c(p->out, brackets[1]);
}

/* ---- Text that is JSON already ---- */

/* A tuple of one string: no value that is read or that a property has is one. */
#define TEXT_TYPE "(s)"

GVariant *json_new_text(char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new_take(text, strlen(text) + 1);
    GVariant *string = g_variant_new_from_bytes(G_VARIANT_TYPE_STRING, bytes, true);

    return g_variant_new_tuple(&string, 1);
}

/* The length of the string that begins at @text, its quotes included. */
static size_t string_length(const char *text)
{
    size_t n = 1;

    while (text[n] != '"') {
        n += text[n] == '\\' ? 2 : 1;
    }
    return n + 1;
}

/* On lines of their own what was on one; an empty pair of brackets stays together. */
static void print_indented(Printer *p, const char *text)
{
    for (; *text; text++) {
        if (*text == '"') {
            size_t n = string_length(text);

            g_string_append_len(p->out, text, (gssize)n);
            text += n - 1;
        } else if (strchr("]}", *text)) {
            p->level--;
            new_line(p);
            g_string_append_c(p->out, *text);
        } else if (strchr("[{", *text) && strchr("]}", text[1])) {
            g_string_append_len(p->out, text++, 2);
        } else {
            p->level += strchr("[{", *text) != NULL;
            g_string_append_c(p->out, *text);
            if (strchr("[{,", *text)) {
                new_line(p);
                text += text[1] == ' ';
            }
        }
    }
}

static void print_text(Printer *p, GVariant *value)
{
    const char *text;

    g_variant_get(value, "(&s)", &text);
    if (p->pretty) {
        print_indented(p, text);
    } else {
        g_string_append(p->out, text);
    }
}

/* ---- Values ---- */

/* The value in its box, or null for an empty one. */
static void print_boxed(Printer *p, GVariant *boxed)
{
    if (boxed) {
        print_value(p, boxed);
        g_variant_unref(boxed);
    } else {
        g_string_append(p->out, "null");
    }
}

static void print_value(Printer *p, GVariant *value)
{
    GString *out = p->out;

    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_BOOLEAN:
        g_string_append(out, g_variant_get_boolean(value) ? "true" : "false");
        break;
    case G_VARIANT_CLASS_BYTE:
        json_append_uint(out, g_variant_get_byte(value));
        break;
    case G_VARIANT_CLASS_INT16:
        json_append_int(out, g_variant_get_int16(value));
        break;
    case G_VARIANT_CLASS_UINT16:
        json_append_uint(out, g_variant_get_uint16(value));
        break;
    case G_VARIANT_CLASS_INT32:
        json_append_int(out, g_variant_get_int32(value));
        break;
    case G_VARIANT_CLASS_UINT32:
        json_append_uint(out, g_variant_get_uint32(value));
        break;
    case G_VARIANT_CLASS_INT64:
        json_append_int(out, g_variant_get_int64(value));
        break;
    case G_VARIANT_CLASS_UINT64:
        json_append_uint(out, g_variant_get_uint64(value));
        break;
    case G_VARIANT_CLASS_HANDLE:
        json_append_int(out, g_variant_get_handle(value));
        break;
    case G_VARIANT_CLASS_DOUBLE:
        print_double(out, g_variant_get_double(value));
        break;
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
        json_append_string(out, g_variant_get_string(value, NULL));
        break;
    case G_VARIANT_CLASS_VARIANT:
        print_boxed(p, g_variant_get_variant(value));
        break;
    case G_VARIANT_CLASS_MAYBE:
        print_boxed(p, g_variant_get_maybe(value));
        break;
    case G_VARIANT_CLASS_TUPLE:
        if (g_variant_is_of_type(value, G_VARIANT_TYPE(TEXT_TYPE))) {
            print_text(p, value);
        } else {
            print_container(p, value, "[]", print_value);
        }
        break;
    default:
        if (g_variant_is_of_type(value, G_VARIANT_TYPE("a{s*}"))) {
            print_container(p, value, "{}", print_member);
        } else {
            print_container(p, value, "[]", print_value);
        }
        break;
    }
}

static char *print(GVariant *value, bool pretty)
{
    Printer p = { .out = g_string_new(NULL), .pretty = pretty };

    print_value(&p, value);
    return g_string_free(p.out, FALSE);
}

void json_append_variant(GString *out, GVariant *value)
{
    Printer p = { .out = out };

    print_value(&p, value);
}

char *json_from_variant(GVariant *value)
{
    return print(value, false);
}

char *json_from_variant_pretty(GVariant *value)
{
    return print(value, true);
}

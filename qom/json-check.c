/* SPDX-License-Identifier: MIT */
/*
 * The second look at JSON text that json-c 0.16 has accepted. Its strict mode still takes the last
 * of duplicate names, the nearest of numbers that do not fit, NaN, names in single quotes, control
 * characters, and half of a surrogate pair, and changes some whole ones; each of them would reach an
 * object as something that nobody has written.
 */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <json-c/json.h>
#include <qomet/qom/error.h>
#include "qom/json-int.h"

/** Where the second look stands. */
typedef struct Scan {
    const char *text;
    const char *p;
    const char *end;
    GPtrArray *open; /* of the names of each open object (GHashTable *); NULL for an array */
    GError **errp;
} Scan;

void json_error_at(GError **errp, const char *text, size_t offset, const char *what)
{
    size_t n = 1;

    for (size_t i = 0; i < offset; i++) {
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    qom_error_set(errp, QOM_ERROR_SYNTAX, "not valid JSON at character %zu: %s", n, what);
}

static bool fail(const Scan *scan, const char *what)
{
    json_error_at(scan->errp, scan->text, scan->p - scan->text, what);
    return false;
}

static unsigned hex4(const char *p)
{
    unsigned value = 0;

    for (int i = 0; i < 4; i++) {
        value = value << 4 | (g_ascii_xdigit_value(p[i]) & 0xf);
    }
    return value;
}

/* ---- What json-c changes ---- */

/* The character that the escapes at @p and behind it stand for, if it is one of those; else 0. */
static gunichar misread_pair(const char *p, const char *end)
{
    unsigned high, low;
    gunichar c;

    if (end - p < 12 || p[6] != '\\' || p[7] != 'u') {
        return 0;
    }
    high = hex4(p + 2);
    low = hex4(p + 8);
    if ((high & 0xfc00) != 0xd800 || (low & 0xfc00) != 0xdc00) {
        return 0;
    }
    c = 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
    return (c & 0xf800) == 0xd800 ? c : 0;
}

/*
 * Of a pair of escapes that stands for U+1D800, or another whose last four digits are those of a
 * surrogate, json-c makes U+FFFD.
 */
char *json_spell_out(const char *text, size_t len)
{
    const char *end = text + len, *done = text, *p = memchr(text, '\\', len);
    GString *out = NULL;

    while (p && p + 1 < end) {
        gunichar c = p[1] == 'u' ? misread_pair(p, end) : 0;

        if (c) {
            out = out ? out : g_string_new(NULL);
            g_string_append_len(out, done, p - done);
            g_string_append_unichar(out, c);
            done = p + 12;
        }
        p += c ? 12 : 2;
        p = p < end ? memchr(p, '\\', (size_t)(end - p)) : NULL;
    }
    if (!out) {
        return NULL;
    }
    g_string_append_len(out, done, end - done);
    return g_string_free(out, FALSE);
}

/* ---- The second look ---- */

/* At the 'u' of an escape, whose digits json-c has seen. Steps to its last character. */
static bool scan_unicode_escape(Scan *scan)
{
    unsigned unit = hex4(scan->p + 1);

    if (!unit) {
        return fail(scan, "a string cannot hold \\u0000");
    }
    if (unit >= 0xd800 && unit < 0xe000) {
        const char *low = scan->p + 5;

        if (unit >= 0xdc00 || low[0] != '\\' || low[1] != 'u' || hex4(low + 2) < 0xdc00 ||
            hex4(low + 2) >= 0xe000) {
            return fail(scan, "a string holds half of a surrogate pair");
        }
        scan->p += 6;
    }
    scan->p += 4;
    return true;
}

/* From the opening quote to behind the closing one. */
static bool scan_string(Scan *scan)
{
    for (scan->p++; *scan->p != '"'; scan->p++) {
        if ((unsigned char)*scan->p < 0x20) {
            return fail(scan, "a control character in a string is written as an escape");
        }
        if (*scan->p == '\\' && *++scan->p == 'u' && !scan_unicode_escape(scan)) {
            return false;
        }
    }
    scan->p++;
    return true;
}

/* The name between the quotes at @start and @end, escapes undone. The caller frees. */
static char *decode_name(const char *start, const char *end)
{
    g_autofree char *quoted = g_strndup(start, end - start);
    g_autofree char *spelled_out = NULL;
    json_object *json;
    char *name;

    if (!strchr(quoted, '\\')) {
        return g_strndup(start + 1, end - start - 2);
    }
    spelled_out = json_spell_out(quoted, strlen(quoted));
    json = json_tokener_parse(spelled_out ? spelled_out : quoted);
    name = g_strdup(json_object_get_string(json));
    json_object_put(json);
    return name;
}

/* The string from @start to here, if it is the name of a member, must be new in its object. */
static bool note_name(Scan *scan, const char *start)
{
    GHashTable *names = scan->open->len ? scan->open->pdata[scan->open->len - 1] : NULL;
    g_autofree char *name = NULL;
    g_autofree char *problem = NULL;

    if (!names || scan->p[strspn(scan->p, " \t\r\n")] != ':') {
        return true;
    }
    name = decode_name(start, scan->p);
    if (!g_hash_table_contains(names, name)) {
        g_hash_table_add(names, g_steal_pointer(&name));
        return true;
    }
    problem = g_strdup_printf("'%s' is given twice", name);
    scan->p = start;
    return fail(scan, problem);
}

static bool scan_number(Scan *scan)
{
    size_t len = MIN(strspn(scan->p, "+-.0123456789eE"), (size_t)(scan->end - scan->p));
    g_autofree char *number = g_strndup(scan->p, len);
    size_t whole = strspn(number, "-0123456789");
    const char *point = strchr(number, '.');

    if (point && !g_ascii_isdigit(point[1])) {
        return fail(scan, "expected a digit after the point");
    }
    errno = 0;
    if (whole < len) {
        if (!isfinite(g_ascii_strtod(number, NULL))) {
            return fail(scan, "the number is too large");
        }
    } else if (*number == '-') {
        g_ascii_strtoll(number, NULL, 10);
    } else {
        g_ascii_strtoull(number, NULL, 10);
    }
    if (whole == len && errno == ERANGE) {
        return fail(scan, "the number is out of range, accepted are -9223372036854775808 to "
                          "18446744073709551615");
    }
    scan->p += len;
    return true;
}

static bool scan_word(Scan *scan)
{
    static const char *const words[] = { "true", "false", "null" };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_str_has_prefix(scan->p, words[i])) {
            scan->p += strlen(words[i]);
            return true;
        }
    }
    return fail(scan, "expected a value");
}

static void names_free(gpointer names)
{
    if (names) {
        g_hash_table_unref(names);
    }
}

static bool scan_token(Scan *scan)
{
    const char *start = scan->p;

    switch (*scan->p) {
    case '{':
        g_ptr_array_add(scan->open, g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL));
        scan->p++;
        return true;
    case '[':
        g_ptr_array_add(scan->open, NULL);
        scan->p++;
        return true;
    case '}':
    case ']':
        g_ptr_array_remove_index(scan->open, scan->open->len - 1);
        scan->p++;
        return true;
    case '"':
        return scan_string(scan) && note_name(scan, start);
    case '\'':
        return fail(scan, "expected a name in double quotes");
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case ',':
    case ':':
        scan->p++;
        return true;
    default:
        return *scan->p == '-' || g_ascii_isdigit(*scan->p) ? scan_number(scan) : scan_word(scan);
    }
}

bool json_check(const char *text, size_t end, GError **errp)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new_with_free_func(names_free);
    Scan scan = { .text = text, .p = text, .end = text + end, .open = open, .errp = errp };

    while (scan.p < scan.end) {
        if (!scan_token(&scan)) {
            return false;
        }
    }
    scan.p += strspn(scan.p, " \t\r\n");
    return !*scan.p || fail(&scan, "expected nothing behind the value");
}

/* SPDX-License-Identifier: MIT */
/*
 * The second look at JSON text that json-c 0.16 has accepted. Its strict mode still takes the last
 * of duplicate names, the nearest of numbers that do not fit, NaN, names in single quotes, control
 * characters, and half of a surrogate pair; each of them would reach an object as something that
 * nobody has written.
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
    json_object *json;
    char *name;

    if (!strchr(quoted, '\\')) {
        return g_strndup(start + 1, end - start - 2);
    }
    json = json_tokener_parse(quoted);
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

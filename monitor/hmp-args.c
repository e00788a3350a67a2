/* SPDX-License-Identifier: MIT */
/*
 * The arguments of a line: read one after the other, as the row of the command says.
 */
#include <string.h>
#include <qomet/qom/value.h>
#include <qomet/monitor/qmp.h>
#include "monitor/hmp-int.h"

static void skip_space(const char **at)
{
    *at += strspn(*at, " ");
}

/* ---- Words ---- */

/* What stands behind a backslash in quotes. */
static bool unescape(char c, GString *word, GError **errp)
{
    switch (c) {
    case 'n':
        g_string_append_c(word, '\n');
        return true;
    case 'r':
        g_string_append_c(word, '\r');
        return true;
    case '\\':
    case '\'':
    case '"':
        g_string_append_c(word, c);
        return true;
    default:
        hmp_syntax_error(errp, "unsupported escape code: '\\%c', there are n r \\ ' and \"",
                         g_ascii_isprint(c) ? c : '?');
        return false;
    }
}

static char *quoted_word(const char **at, GError **errp)
{
    GString *word = g_string_new(NULL);
    const char *p = *at + 1;

    while (*p && *p != '"') {
        if (*p != '\\') {
            g_string_append_c(word, *p++);
            continue;
        }
#ifdef QOMET_PLANTED_BUG
        /* Found by fuzz-hmp: behind a backslash at the end there is nothing to step over. */
        if (p[1] && !unescape(p[1], word, errp)) {
#else
        if (!unescape(p[1], word, errp)) {
#endif
            g_string_free(word, TRUE);
            return NULL;
        }
        p += 2;
    }
    if (!*p) {
        hmp_syntax_error(errp, "unterminated string");
        g_string_free(word, TRUE);
        return NULL;
    }
    *at = p + 1;
    return g_string_free(word, FALSE);
}

/* A word, or one in quotes with backslashes; NULL with @errp set at the end of the line. */
static char *parse_word(const char **at, GError **errp)
{
    size_t len;
    char *word;

    skip_space(at);
    if (**at == '"') {
        return quoted_word(at, errp);
    }
    len = strcspn(*at, " ");
    if (!len) {
        hmp_syntax_error(errp, "string expected");
        return NULL;
    }
    word = g_strndup(*at, len);
    *at += len;
    return word;
}

/* ---- Formats ---- */

static bool format_letter(char letter, HmpFormat *f, GError **errp)
{
    static const char sizes[] = "bwhlg";
    static const unsigned bytes[] = { 1, 4, 2, 4, 8 };
    const char *size = strchr(sizes, letter);

    if (size) {
        f->size = bytes[size - sizes];
    } else if (strchr("xduoci", letter)) {
        f->format = letter;
    } else {
        hmp_syntax_error(errp, "invalid char in format: '%c', there are x d u o c i b h w g",
                         g_ascii_isprint(letter) ? letter : '?');
        return false;
    }
    return true;
}

/* "/10xb" */
static GVariant *read_format(const char **at, GError **errp)
{
    HmpFormat f = { .count = 1 };
    const char *p = *at + 1;
    size_t digits = strspn(p, "0123456789");
    guint64 count;

    if (digits) {
        count = g_ascii_strtoull(p, NULL, 10);
        if (count > HMP_COUNT_MAX) {
            hmp_syntax_error(errp, "count is too large, accepted are 0 to %u", HMP_COUNT_MAX);
            return NULL;
        }
        f.count = (unsigned)count;
    }
    for (p += digits; *p && *p != ' '; p++) {
        if (!format_letter(*p, &f, errp)) {
            return NULL;
        }
    }
    *at = p;
    return g_variant_new("(uyu)", f.count, (guchar)f.format, f.size);
}

HmpFormat hmp_arg_format(GVariant *args, const char *name, HmpFormat defaults)
{
    HmpFormat f = defaults;
    guint32 count, size;
    guchar letter;

    if (g_variant_lookup(args, name, "(uyu)", &count, &letter, &size)) {
        f.count = count;
        f.format = letter ? (char)letter : f.format;
        f.size = size ? size : f.size;
    }
    return f;
}

/* ---- Switches ---- */

/* The row of the flag @name ("f"), of @len bytes, among those that stand next to each other. */
static const SchemaMember *find_flag(const SchemaMember *m, const char *name, size_t len)
{
    for (; m->name && !strcmp(m->type, "flag"); m++) {
        if (strlen(m->name) == len && !strncmp(m->name, name, len)) {
            return m;
        }
    }
    return NULL;
}

/* "-f", "-fo" for "-f -o": all that come now. */
static bool read_flags(const SchemaMember *m, const char **at, GVariantDict *args, GError **errp)
{
    for (skip_space(at); **at == '-' && g_ascii_isalpha((*at)[1]); skip_space(at)) {
        const char *name = *at + 1;
        size_t len = strcspn(name, " ");
        const SchemaMember *whole = find_flag(m, name, len);

        for (size_t i = 0; i < len; i += whole ? len : 1) {
            const SchemaMember *one = whole ? whole : find_flag(m, name + i, 1);

            if (!one) {
                hmp_syntax_error(errp, "unsupported option -%c",
                                 g_ascii_isprint(name[i]) ? name[i] : '?');
                return false;
            }
            g_variant_dict_insert(args, one->name, "b", TRUE);
        }
        *at = name + len;
    }
    return true;
}

/* ---- Values ---- */

static GVariant *read_bool(const char **at, GError **errp)
{
    g_autofree char *word = parse_word(at, errp);
    bool value;

    if (!word) {
        return NULL;
    }
    if (!value_parse_bool(word, &value, NULL)) {
        hmp_syntax_error(errp, "'%s' is neither 'on' nor 'off'", word);
        return NULL;
    }
    return g_variant_new_boolean(value);
}

static GVariant *read_number(const char *type, const char **at, Monitor *mon, GError **errp)
{
    uint64_t value;

    if (!hmp_parse_expression(at, mon, &value, errp)) {
        return NULL;
    }
    return !strcmp(type, "size") ? g_variant_new_uint64(value)
                                 : g_variant_new_int64((int64_t)value);
}

/* The rest of the line without the spaces around it. */
static GVariant *read_rest(const char **at)
{
    g_autofree char *text = g_strchomp(g_strdup(*at));

    *at += strlen(*at);
    return g_variant_new_string(text);
}

bool hmp_takes_rest(const char *type)
{
    static const char *const types[] = { "rest", "command", "device-words", "object-words", NULL };

    return g_strv_contains(types, type);
}

/* A floating value, or NULL. */
static GVariant *read_value(const SchemaMember *m, const char **at, Monitor *mon, GError **errp)
{
    g_autofree char *word = NULL;

    if (!strcmp(m->type, "int") || !strcmp(m->type, "size")) {
        return read_number(m->type, at, mon, errp);
    }
    if (!strcmp(m->type, "bool")) {
        return read_bool(at, errp);
    }
    if (hmp_takes_rest(m->type)) {
        return read_rest(at);
    }
    word = parse_word(at, errp);
    return word ? g_variant_new_string(word) : NULL;
}

static bool read_arg(const SchemaMember *m, const char **at, Monitor *mon, GVariantDict *args,
                     GError **errp)
{
    GVariant *value;

    skip_space(at);
    if (!strcmp(m->type, "fmt")) {
        if (**at != '/') {
            return true;
        }
        value = read_format(at, errp);
    } else if (!**at && m->optional) {
        return true;
    } else if (!**at) {
        hmp_syntax_error(errp, "%s expected: %s", m->name, m->help);
        return false;
    } else {
        value = read_value(m, at, mon, errp);
    }
    if (value) {
        g_variant_dict_insert_value(args, m->name, value);
    }
    return value != NULL;
}

GVariant *hmp_parse_args(const HmpCommand *row, const char *at, Monitor *mon, GError **errp)
{
    GVariantDict args;

    g_variant_dict_init(&args, NULL);
    for (const SchemaMember *m = row->args; m && m->name; m++) {
        bool flag = !strcmp(m->type, "flag");

        if (flag ? !read_flags(m, &at, &args, errp) : !read_arg(m, &at, mon, &args, errp)) {
            g_variant_dict_clear(&args);
            return NULL;
        }
    }
    skip_space(&at);
    if (*at) {
        hmp_syntax_error(errp, "extraneous characters at the end of line");
        g_variant_dict_clear(&args);
        return NULL;
    }
    return g_variant_ref_sink(g_variant_dict_end(&args));
}

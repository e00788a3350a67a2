/* SPDX-License-Identifier: MIT */
/*
 * -readconfig: QEMU's configuration files. Each section becomes a word of the option that it names,
 * with the same text that the command line would have had.
 */
#include <stdlib.h>
#include <string.h>
#include "backends/read-file.h"
#include "options/options-int.h"

/* Nothing that a person writes is longer. */
#define FILE_BYTES_MAX (1 << 20)

/* Sections that QEMU calls otherwise than the option. */
static const struct {
    const char *section, *option;
} section_names[] = {
    { "smp-opts", "smp" },
    { "memory", "m" },
};

typedef struct ConfigReader {
    const char *file;
    unsigned line;    /* from 1 */
    GPtrArray *words; /* of OptionWord *: what came so far */
    /* The section being read; option NULL: none yet. */
    const Option *option;
    char *given;
    GString *text;
} ConfigReader;

static bool fail(const ConfigReader *r, GError **errp, const char *what)
{
    qom_error_set(errp, QOM_ERROR_SYNTAX, "%s:%u: %s", r->file, r->line, what);
    return false;
}

/* ---- Sections ---- */

static bool takes_keys(const Option *option)
{
    /* -accel takes its words apart later. */
    return option->read || !strcmp(option->name, "accel");
}

static const Option *find_option(const ConfigReader *r, const char *name, GError **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *near = NULL, *what = NULL;
    const Option *option;

    for (unsigned i = 0; i < G_N_ELEMENTS(section_names); i++) {
        if (!strcmp(section_names[i].section, name)) {
            return option_find(section_names[i].option);
        }
        g_ptr_array_add(names, (void *)section_names[i].section);
    }
    option = option_find(name);
    if (option && takes_keys(option)) {
        return option;
    }
    for (option = option_table; option->name; option++) {
        if (takes_keys(option)) {
            g_ptr_array_add(names, (void *)(option->alias ? option->alias : option->name));
        }
    }
    g_ptr_array_add(names, NULL);
    near = qom_did_you_mean(name, (const char *const *)names->pdata);
    what = g_strdup_printf("there is no option group '%s'%s", name, near);
    fail(r, errp, what);
    return NULL;
}

/* Makes a word of the section that has been read, if there is one. */
static bool end_section(ConfigReader *r, GError **errp)
{
    OptionWord *word;

    if (!r->option) {
        return true;
    }
    word = option_word_new(r->option, g_steal_pointer(&r->given), g_strdup(r->text->str), errp);
    if (word) {
        g_ptr_array_add(r->words, word);
    }
    r->option = NULL;
    return word != NULL;
}

static void add_key(ConfigReader *r, const char *key, const char *value, gssize len)
{
    g_autofree char *quoted = option_quote_commas(value, len);

    g_string_append_printf(r->text, "%s%s=%s", r->text->len ? "," : "", key, quoted);
}

/* "[device]" or "[device "con"]". */
static bool begin_section(ConfigReader *r, char *line, GError **errp)
{
    char *name = g_strstrip(line + 1), *id = strchr(name, '"');
    char *end = strrchr(name, ']');

    if (!end || end[1] || (id && (end - id < 2 || end[-1] != '"'))) {
        return fail(r, errp, "expected [GROUP] or [GROUP \"ID\"]");
    }
    if (!end_section(r, errp)) {
        return false;
    }
    r->given = g_strdup_printf("%s:%u: [%s", r->file, r->line, name);
    *end = '\0';
    if (id) {
        end[-1] = '\0';
        *id++ = '\0';
    }
    r->option = find_option(r, g_strstrip(name), errp);
    g_string_truncate(r->text, 0);
    if (r->option && id) {
        add_key(r, "id", id, -1);
    }
    return r->option != NULL;
}

/* key = "value" */
static bool read_key(ConfigReader *r, char *line, GError **errp)
{
    char *equals = strchr(line, '='), *value = equals ? g_strstrip(equals + 1) : NULL;
    size_t len = value ? strlen(value) : 0;
    char *key;

    if (len < 2 || value[0] != '"' || value[len - 1] != '"' ||
        memchr(value + 1, '"', len - 2) != NULL) {
        return fail(r, errp, "expected KEY = \"VALUE\"");
    }
    if (!r->option) {
        return fail(r, errp, "a key before the first [GROUP]");
    }
    *equals = '\0';
    key = g_strstrip(line);
    if (!*key || strpbrk(key, " \t,\"")) {
        return fail(r, errp, "expected KEY = \"VALUE\"");
    }
    add_key(r, key, value + 1, len - 2);
    return true;
}

static bool read_lines(ConfigReader *r, char *text, GError **errp)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **p = lines; *p; p++) {
        char *line = g_strstrip(*p);

        r->line++;
        if (*line && *line != '#' &&
            !(*line == '[' ? begin_section(r, line, errp) : read_key(r, line, errp))) {
            return false;
        }
    }
    return end_section(r, errp);
}

/* ---- Files ---- */

/* The text of the file; the caller frees. */
static char *read_file(const char *path, GError **errp)
{
    g_autoptr(GBytes) bytes = host_read_file(path, FILE_BYTES_MAX, "a configuration is read", errp);
    size_t len = 0;
    const char *data = bytes ? g_bytes_get_data(bytes, &len) : NULL;

    if (!bytes) {
        return NULL;
    }
    if (len && memchr(data, 0, len)) {
        qom_error_set(errp, QOM_ERROR_SYNTAX, "'%s' is no configuration: it has a byte of zero",
                      path);
        return NULL;
    }
    return g_strndup(data ? data : "", len);
}

/* Puts the words of the file behind place @at of the plan; moves *@at behind them. */
static bool read_config(OptionPlan *plan, const char *path, unsigned *at, GError **errp)
{
    g_autofree char *text = read_file(path, errp);
    ConfigReader r = { .file = path, .words = g_ptr_array_new(), .text = g_string_new(NULL) };
    bool good = text && read_lines(&r, text, errp);

    /* Also after a failure: the plan ends them. */
    for (unsigned i = 0; i < r.words->len; i++) {
        g_ptr_array_insert(plan->words, (int)++*at, g_ptr_array_index(r.words, i));
    }
    g_ptr_array_free(r.words, TRUE);
    g_string_free(r.text, TRUE);
    g_free(r.given);
    return good;
}

bool option_read_configs(OptionPlan *plan, GError **errp)
{
    for (unsigned i = 0; i < plan->words->len; i++) {
        const OptionWord *word = g_ptr_array_index(plan->words, i);

        if (!strcmp(word->option->name, "readconfig") && !read_config(plan, word->arg, &i, errp)) {
            g_prefix_error(errp, "%s: ", word->given);
            return false;
        }
    }
    return true;
}

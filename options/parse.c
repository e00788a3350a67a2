/* SPDX-License-Identifier: MIT */
/*
 * Words into a plan: each word of the command line is matched with the table and taken apart.
 * Nothing else is touched, so a fuzzer may call this.
 */
#include "config.h"

#include <string.h>
#include "options/options-int.h"

static void option_word_free(void *opaque)
{
    OptionWord *word = opaque;

    g_free(word->given);
    g_free(word->arg);
    if (word->kv) {
        keyval_free(word->kv);
    }
    g_free(word);
}

void option_plan_free(OptionPlan *plan)
{
    if (plan) {
        option_pidfile_remove(plan);
        g_ptr_array_free(plan->accels, TRUE);
        g_ptr_array_free(plan->words, TRUE);
        g_free(plan->machine_accel);
        g_free(plan);
    }
}

bool options_start_stopped(const OptionPlan *plan)
{
    return plan->stopped;
}

static const OptionKey *find_key(const OptionKey *keys, const char *name)
{
    while (keys->name && strcmp(keys->name, name) != 0) {
        keys++;
    }
    return keys->name ? keys : NULL;
}

static void unknown_key(const OptionKey *keys, const char *name, GError **errp)
{
    g_autofree char *near = qom_did_you_mean_row(name, keys, sizeof(*keys));

    qom_error_set(errp, QOM_ERROR_NOT_FOUND, "unexpected parameter '%s'%s", name, near);
}

bool option_read_keyval(OptionWord *word, GError **errp)
{
    const Option *option = word->option;

    word->kv = keyval_parse(word->arg, option->implied_key, errp);
    for (guint i = 0; word->kv && option->keys && !option->keys_of && i < word->kv->items->len;
         i++) {
        const KeyValItem *item = g_ptr_array_index(word->kv->items, i);

        if (!find_key(option->keys, item->key)) {
            unknown_key(option->keys, item->key, errp);
            return false;
        }
    }
    return word->kv != NULL;
}

char *option_quote_commas(const char *text, gssize len)
{
    GString *out = g_string_new_len(text, len);

    g_string_replace(out, ",", ",,", 0);
    return g_string_free(out, FALSE);
}

/* "driver.property=value", where the value is all that follows; or the three keys. */
bool option_read_global(OptionWord *word, GError **errp)
{
    const char *equals = strchr(word->arg, '=');
    const char *dot = equals ? memchr(word->arg, '.', (size_t)(equals - word->arg)) : NULL;
    g_autofree char *driver = NULL, *property = NULL, *value = NULL, *words = NULL;

    if (!dot || word->arg[0] == '{') {
        if (!option_read_keyval(word, errp)) {
            return false;
        }
        for (const OptionKey *key = word->option->keys; key->name; key++) {
            if (!keyval_find(word->kv, key->name)) {
                qom_error_set(errp, QOM_ERROR_SYNTAX,
                              "'%s' is missing: write DRIVER.PROPERTY=VALUE, or driver=, property= "
                              "and value=",
                              key->name);
                return false;
            }
        }
        return true;
    }
    driver = option_quote_commas(word->arg, dot - word->arg);
    property = option_quote_commas(dot + 1, equals - dot - 1);
    value = option_quote_commas(equals + 1, -1);
    words = g_strdup_printf("driver=%s,property=%s,value=%s", driver, property, value);
    word->kv = keyval_parse(words, NULL, errp);
    return word->kv != NULL;
}

/* The dashes that @text begins with: 1 or 2, or 0 for a word that is no option. */
static int dashes(const char *text)
{
    if (text[0] != '-' || !text[1]) {
        return 0;
    }
    return text[1] != '-' ? 1 : text[2] && text[2] != '-' ? 2 : 0;
}

/* @live: only what a machine that runs takes is of use. */
static void unknown_option(const char *text, bool live, GError **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    for (const Option *option = option_table; option->name; option++) {
        if (live && !option->live) {
            continue;
        }
        g_ptr_array_add(names, (void *)option->name);
        if (option->alias) {
            g_ptr_array_add(names, (void *)option->alias);
        }
    }
    g_ptr_array_add(names, NULL);
    near = qom_nearest(text + dashes(text), (const char *const *)names->pdata);
    if (near) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "%s: invalid option (did you mean '-%s'?)", text,
                      near);
    } else if (live) {
        g_autofree char *takes = option_live_names();

        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "%s: invalid option: a machine that runs takes %s",
                      text, takes);
    } else {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "%s: invalid option ('-help' lists them)", text);
    }
}

/* @text has no dash, and is for a machine that runs. */
static void not_a_live_option(const char *text, GError **errp)
{
    const Option *option = option_find(text);
    g_autofree char *names = option_live_names();

    if (option && option->live) {
        qom_error_set(errp, QOM_ERROR_SYNTAX, "%s: not an option (did you mean '-%s'?)", text,
                      text);
    } else {
        qom_error_set(
            errp, QOM_ERROR_SYNTAX,
            "%s: not an option: a machine that runs takes %s, and commands at the monitor "
            "that 'qomet attach NAME' alone is",
            text, names);
    }
}

/* @text has no dash; as the @first word it may have been meant as a command. */
static void not_an_option(const char *text, bool first, GError **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    for (const OptionCommand *command = option_commands; command->name; command++) {
        g_ptr_array_add(names, (void *)command->name);
    }
    g_ptr_array_add(names, NULL);
    near = first ? qom_nearest(text, (const char *const *)names->pdata) : NULL;
    if (near || option_find(text)) {
        qom_error_set(errp, QOM_ERROR_SYNTAX, "%s: not an option (did you mean '%s%s'?)", text,
                      near ? "" : "-", near ? near : text);
    } else {
        qom_error_set(errp, QOM_ERROR_SYNTAX,
                      "%s: not an option ('-kernel FILE' names what the machine starts)", text);
    }
}

/* Whether there is a word at @at. */
static bool has_word(int argc, int at)
{
#ifdef QOMET_PLANTED_BUG
    /* Found by fuzz-options: the word after the last one is NULL. */
    argc++;
#endif
    return at < argc;
}

OptionWord *option_word_new(const Option *option, char *given, char *arg, GError **errp)
{
    OptionWord *word = g_new0(OptionWord, 1);

    word->option = option;
    word->given = given;
    word->arg = arg;
    if (option->read && !option->read(word, errp)) {
        g_prefix_error(errp, "%s: ", word->given);
        option_word_free(word);
        return NULL;
    }
    return word;
}

/* Reads the option at argv[*at] and moves *@at behind it. */
static OptionWord *read_word(int argc, char **argv, int *at, bool live, GError **errp)
{
    const char *text = argv[*at];
    const Option *option;
    const char *arg;

    if (!dashes(text)) {
        if (live) {
            not_a_live_option(text, errp);
        } else {
            not_an_option(text, *at == 1, errp);
        }
        return NULL;
    }
    option = option_find(text + dashes(text));
    if (!option) {
        unknown_option(text, live, errp);
        return NULL;
    }
    ++*at;
    if (option->arg && !has_word(argc, *at)) {
        qom_error_set(errp, QOM_ERROR_SYNTAX, "%s: requires an argument: %s", text, option->arg);
        return NULL;
    }
    if (!option->arg) {
        return option_word_new(option, g_strdup(text), NULL, errp);
    }
    arg = argv[(*at)++];
    return option_word_new(option, g_strdup_printf("%s %s", text, arg), g_strdup(arg), errp);
}

static OptionPlan *parse(int argc, char **argv, bool live, GError **errp)
{
    OptionPlan *plan = g_new0(OptionPlan, 1);

    plan->words = g_ptr_array_new_with_free_func(option_word_free);
    plan->accels = g_ptr_array_new();
    plan->pidfile_fd = -1;
    for (int at = 1; at < argc;) {
        OptionWord *word = read_word(argc, argv, &at, live, errp);

        if (!word) {
            option_plan_free(plan);
            return NULL;
        }
        g_ptr_array_add(plan->words, word);
    }
    return plan;
}

OptionPlan *options_parse(int argc, char **argv, GError **errp)
{
    return parse(argc, argv, false, errp);
}

OptionPlan *options_parse_live(int argc, char **argv, GError **errp)
{
    return parse(argc, argv, true, errp);
}

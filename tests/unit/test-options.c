/* SPDX-License-Identifier: MIT */
/*
 * The reading of the command line: words, the option table, and what is said about words that
 * cannot be read.
 */
#include <string.h>
#include "tests/test.h"
#include "options/options-int.h"

/* Reads the words that are given; the plan, or NULL with *error set. */
#define PARSE(error, ...)                                                                          \
    options_parse(G_N_ELEMENTS(((char *[]){ "qomet", __VA_ARGS__ })),                              \
                  (char *[]){ "qomet", __VA_ARGS__ }, error)

static const OptionWord *word_at(const OptionPlan *plan, unsigned i)
{
    assert_true(i < plan->words->len);
    return g_ptr_array_index(plan->words, i);
}

static const char *text_of(const OptionWord *word, const char *key)
{
    KeyValItem *item;

    assert_non_null(word->kv);
    item = keyval_find(word->kv, key);
    assert_non_null(item);
    return item->text;
}

static void assert_fails(OptionPlan *plan, GError *error, const char *message)
{
    assert_null(plan);
    assert_non_null(error);
    assert_string_equal(error->message, message);
    g_error_free(error);
}

static void no_words_make_an_empty_plan(void **state)
{
    OptionPlan *plan = options_parse(1, (char *[]){ "qomet" }, NULL);

    (void)state;
    assert_non_null(plan);
    assert_int_equal(plan->words->len, 0);
    assert_false(options_start_stopped(plan));
    option_plan_free(plan);
    option_plan_free(NULL);
}

static void words_stand_in_the_order_written(void **state)
{
    OptionPlan *plan = PARSE(NULL, "-device", "a", "-S", "-M", "none", "-device", "b");

    (void)state;
    assert_non_null(plan);
    assert_int_equal(plan->words->len, 4);
    assert_string_equal(word_at(plan, 0)->given, "-device a");
    assert_string_equal(word_at(plan, 1)->given, "-S");
    assert_string_equal(word_at(plan, 2)->given, "-M none");
    assert_string_equal(text_of(word_at(plan, 3), "driver"), "b");
    option_plan_free(plan);
}

static void one_dash_and_two_are_the_same(void **state)
{
    OptionPlan *plan = PARSE(NULL, "-nodefaults", "--nodefaults");

    (void)state;
    assert_non_null(plan);
    assert_ptr_equal(word_at(plan, 0)->option, word_at(plan, 1)->option);
    assert_string_equal(word_at(plan, 1)->given, "--nodefaults");
    option_plan_free(plan);
}

static void a_second_name_is_the_same_option(void **state)
{
    OptionPlan *plan = PARSE(NULL, "-M", "none", "-machine", "none", "-h", "-help");

    (void)state;
    assert_non_null(plan);
    assert_ptr_equal(word_at(plan, 0)->option, word_at(plan, 1)->option);
    assert_ptr_equal(word_at(plan, 2)->option, word_at(plan, 3)->option);
    option_plan_free(plan);
}

static void an_argument_may_begin_with_a_dash(void **state)
{
    OptionPlan *plan = PARSE(NULL, "-append", "-S", "-append", "");

    (void)state;
    assert_non_null(plan);
    assert_int_equal(plan->words->len, 2);
    assert_string_equal(word_at(plan, 0)->arg, "-S");
    assert_string_equal(word_at(plan, 1)->arg, "");
    option_plan_free(plan);
}

static void an_unknown_option_names_the_nearest(void **state)
{
    GError *error = NULL;
    OptionPlan *plan = PARSE(&error, "-devise", "x");

    (void)state;
    assert_fails(plan, error, "-devise: invalid option (did you mean '-device'?)");
    error = NULL;
    plan = PARSE(&error, "--kernal", "x");
    assert_fails(plan, error, "--kernal: invalid option (did you mean '-kernel'?)");
    error = NULL;
    plan = PARSE(&error, "-xyzzyplugh");
    assert_fails(plan, error, "-xyzzyplugh: invalid option ('-help' lists them)");
}

static void an_abbreviation_is_no_option(void **state)
{
    GError *error = NULL;
    OptionPlan *plan = PARSE(&error, "-nodef");

    (void)state;
    assert_null(plan);
    assert_true(g_str_has_prefix(error->message, "-nodef: invalid option"));
    g_error_free(error);
}

static void a_missing_argument_is_told(void **state)
{
    GError *error = NULL;
    OptionPlan *plan = PARSE(&error, "-S", "-kernel");

    (void)state;
    assert_fails(plan, error, "-kernel: requires an argument: FILE");
}

static void a_word_that_is_no_option_is_refused(void **state)
{
    static char *const words[] = { "hi.bin", "-", "--", "---S", "" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        GError *error = NULL;
        g_autofree char *message = g_strdup_printf(
            "%s: not an option ('-kernel FILE' names what the machine starts)", words[i]);
        OptionPlan *plan = PARSE(&error, words[i]);

        assert_fails(plan, error, message);
    }
}

static void a_word_that_lacks_a_dash_names_what_is_near(void **state)
{
    GError *error = NULL;
    OptionPlan *plan = PARSE(&error, "help");

    (void)state;
    assert_fails(plan, error, "help: not an option (did you mean '-help'?)");
    error = NULL;
    plan = PARSE(&error, "-S", "device", "isa-debugcon");
    assert_fails(plan, error, "device: not an option (did you mean '-device'?)");
    error = NULL;
    plan = PARSE(&error, "atach", "demo");
    assert_fails(plan, error, "atach: not an option (did you mean 'attach'?)");
    error = NULL;
    plan = PARSE(&error, "-S", "atach");
    assert_fails(plan, error,
                 "atach: not an option ('-kernel FILE' names what the machine starts)");
}

static void the_first_word_of_properties_has_a_key(void **state)
{
    OptionPlan *plan = PARSE(NULL, "-M", "bare,load-address=0x1000", "-device", "x,a=1,,2", "-m",
                             "1G", "-smp", "4", "-object", "o,id=i", "-chardev", "null,id=c");

    (void)state;
    assert_non_null(plan);
    assert_string_equal(text_of(word_at(plan, 0), "type"), "bare");
    assert_string_equal(text_of(word_at(plan, 0), "load-address"), "0x1000");
    assert_string_equal(text_of(word_at(plan, 1), "a"), "1,2");
    assert_string_equal(text_of(word_at(plan, 2), "size"), "1G");
    assert_string_equal(text_of(word_at(plan, 3), "cpus"), "4");
    assert_string_equal(text_of(word_at(plan, 4), "qom-type"), "o");
    assert_string_equal(text_of(word_at(plan, 5), "backend"), "null");
    option_plan_free(plan);
}

static void json_is_taken(void **state)
{
    OptionPlan *plan = PARSE(NULL, "-device", "{\"driver\": \"x\", \"iobase\": 241}");

    (void)state;
    assert_non_null(plan);
    assert_string_equal(keyval_take(word_at(plan, 0)->kv, "driver"), "x");
    assert_non_null(keyval_find(word_at(plan, 0)->kv, "iobase")->value);
    option_plan_free(plan);
}

static void what_does_not_parse_is_told_with_its_words(void **state)
{
    static char *const words[] = { "{\"driver\": ", "{x", "x,=1", "x," };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *prefix = g_strdup_printf("--device %s: ", words[i]);
        GError *error = NULL;
        OptionPlan *plan = PARSE(&error, "--device", words[i]);

        assert_null(plan);
        assert_true(g_str_has_prefix(error->message, prefix));
        assert_true(strlen(error->message) > strlen(prefix));
        g_error_free(error);
    }
}

static void a_global_keeps_dots_commas_and_equal_signs_in_its_value(void **state)
{
    OptionPlan *plan = PARSE(NULL, "-global", "isa-serial.path=/a.b,c=d,,e");
    const OptionWord *word;

    (void)state;
    assert_non_null(plan);
    word = word_at(plan, 0);
    assert_string_equal(text_of(word, "driver"), "isa-serial");
    assert_string_equal(text_of(word, "property"), "path");
    assert_string_equal(text_of(word, "value"), "/a.b,c=d,,e");
    option_plan_free(plan);
}

static void a_global_may_be_three_keys(void **state)
{
    OptionPlan *plan = PARSE(NULL, "-global", "driver=a.b,property=c,value=1");
    GError *error = NULL;

    (void)state;
    assert_non_null(plan);
    assert_string_equal(text_of(word_at(plan, 0), "driver"), "a.b");
    option_plan_free(plan);
    plan = PARSE(&error, "-global", "driver=a,value=1");
    assert_fails(plan, error,
                 "-global driver=a,value=1: 'property' is missing: write DRIVER.PROPERTY=VALUE, or "
                 "driver=, property= and value=");
}

static void a_name_takes_only_its_keys(void **state)
{
    OptionPlan *plan = PARSE(NULL, "-name", "vm,process=p,debug-threads=on");
    GError *error = NULL;

    (void)state;
    assert_non_null(plan);
    option_plan_free(plan);
    plan = PARSE(&error, "-name", "vm,colour=red");
    assert_null(plan);
    assert_true(g_str_has_prefix(error->message, "-name vm,colour=red: "));
    assert_non_null(strstr(error->message, "colour"));
    g_error_free(error);
}

static void every_name_is_there_once(void **state)
{
    static const char *const names[] = {
        "M",       "machine", "accel",   "cpu",        "m",         "smp",        "kernel",
        "initrd",  "append",  "bios",    "display",    "nographic", "h",          "device",
        "object",  "global",  "chardev", "serial",     "module",    "nodefaults", "no-user-config",
        "S",       "name",    "pidfile", "qtest",      "qtest-log", "d",          "D",
        "version", "help",    "qmp",     "qmp-pretty", "monitor",   "mon",
    };
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    (void)state;
    for (const Option *option = option_table; option->name; option++) {
        assert_true(g_hash_table_add(seen, (void *)option->name));
        assert_true(!option->alias || g_hash_table_add(seen, (void *)option->alias));
        assert_true(option->help && g_str_has_suffix(option->help, "."));
        assert_true(!option->read || option->arg);
        assert_true(option->stage != OPTION_STAGE_ANSWER || option->answer);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        assert_non_null(option_find(names[i]));
    }
}

static void the_help_text_shows_every_option(void **state)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    option_print_help(out);
    fclose(out);
    for (const Option *option = option_table; option->name; option++) {
        g_autofree char *line = g_strdup_printf("\n  -%s", option->name);

        assert_non_null(strstr(text, line));
    }
    for (char **line = g_strsplit(text, "\n", -1), **at = line;; at++) {
        if (!*at) {
            g_strfreev(line);
            break;
        }
        assert_true(strlen(*at) <= 110);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_words_make_an_empty_plan),
        cmocka_unit_test(words_stand_in_the_order_written),
        cmocka_unit_test(one_dash_and_two_are_the_same),
        cmocka_unit_test(a_second_name_is_the_same_option),
        cmocka_unit_test(an_argument_may_begin_with_a_dash),
        cmocka_unit_test(an_unknown_option_names_the_nearest),
        cmocka_unit_test(an_abbreviation_is_no_option),
        cmocka_unit_test(a_missing_argument_is_told),
        cmocka_unit_test(a_word_that_is_no_option_is_refused),
        cmocka_unit_test(a_word_that_lacks_a_dash_names_what_is_near),
        cmocka_unit_test(the_first_word_of_properties_has_a_key),
        cmocka_unit_test(json_is_taken),
        cmocka_unit_test(what_does_not_parse_is_told_with_its_words),
        cmocka_unit_test(a_global_keeps_dots_commas_and_equal_signs_in_its_value),
        cmocka_unit_test(a_global_may_be_three_keys),
        cmocka_unit_test(a_name_takes_only_its_keys),
        cmocka_unit_test(every_name_is_there_once),
        cmocka_unit_test(the_help_text_shows_every_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

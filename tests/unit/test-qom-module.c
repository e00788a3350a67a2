/* SPDX-License-Identifier: MIT */
/*
 * Modules: what is loaded stays, what is refused leaves nothing, and types are found through the
 * index. The modules are made of qom-modules.c and lie in the folder modules/ beside this program.
 */
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include <qomet/qom/module.h>

static char *modules; /* the folder */
static char *scratch; /* a folder for what a test writes */

static char *in_folder(const char *folder, const char *name)
{
    return g_build_filename(folder, name, NULL);
}

/* The text of @format, with each "%M" standing for the folder of modules. */
static char *expand(const char *format)
{
    g_auto(GStrv) parts = g_strsplit(format, "%M", -1);

    return g_strjoinv(modules, parts);
}

static bool is_mapped(const char *path)
{
    g_autofree char *maps = NULL;

    assert_true(g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
    return strstr(maps, path) != NULL;
}

static unsigned count_loaded(void)
{
    g_auto(GStrv) list = module_list();

    return g_strv_length(list);
}

/* That modules/@name is refused with the message @format, and that nothing of it stays. */
static void assert_refused(const char *name, const char *format)
{
    g_autofree char *path = in_folder(modules, name), *message = expand(format);
    unsigned types = type_count(), loaded = count_loaded(), queued = module_init_queued();
    GError *error = NULL;

    assert_false(module_load(path, &error));
    assert_non_null(error);
    assert_string_equal(error->message, message);
    assert_int_equal(error->domain, QOM_ERROR);
    g_clear_error(&error);
    assert_int_equal(type_count(), types);
    assert_int_equal(count_loaded(), loaded);
    assert_int_equal(module_init_queued(), queued);
    assert_false(is_mapped(path));
    assert_true(module_call_init(MODULE_INIT_QOM, NULL));
    assert_int_equal(type_count(), types);
}

static int setup(void **state)
{
    g_autofree char *exe = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = exe ? g_path_get_dirname(exe) : NULL;

    (void)state;
    /* What the program itself registers is there before anything is counted. */
    module_call_init(MODULE_INIT_QOM, NULL);
    modules = folder ? in_folder(folder, "modules") : NULL;
    scratch = g_dir_make_tmp("qomet-modules-XXXXXX", NULL);
    return modules && scratch ? 0 : 1;
}

static int teardown(void **state)
{
    g_autofree char *index = in_folder(scratch, "modules.index");

    (void)state;
    g_unlink(index);
    g_rmdir(scratch);
    g_free(modules);
    g_free(scratch);
    return 0;
}

static void write_index(const char *text)
{
    g_autofree char *index = in_folder(scratch, "modules.index");

    assert_true(g_file_set_contents(index, text, -1, NULL));
}

/* ---- loading ---- */

static void the_types_of_a_module_are_registered_and_it_stays(void **state)
{
    g_autofree char *path = in_folder(modules, "good.so");
    g_auto(GStrv) list = NULL;
    GError *error = NULL;

    (void)state;
    assert_null(object_class_by_name("module-child"));
    assert_true(module_load(path, &error));
    assert_null(error);
    assert_non_null(object_class_by_name("module-child"));
    assert_string_equal(
        object_class_get_name(object_class_get_parent(object_class_by_name("module-child"))),
        "module-base");
    list = module_list();
    assert_int_equal(g_strv_length(list), 1);
    assert_true(g_str_has_suffix(list[0], "/modules/good.so"));
}

static void a_module_that_is_loaded_already_is_fine(void **state)
{
    g_autofree char *path = in_folder(modules, "good.so");
    g_autofree char *detour = in_folder(modules, "../modules/./good.so");
    g_autofree char *link = in_folder(scratch, "link.so");
    g_autofree char *hard = in_folder(modules, "good-too.so");
    unsigned types = type_count();

    (void)state;
    assert_true(module_load(path, NULL));
    assert_true(module_load(detour, NULL));
    assert_int_equal(symlink(path, link), 0);
    assert_true(module_load(link, NULL));
    g_unlink(link);
    g_unlink(hard);
    if (linkat(AT_FDCWD, path, AT_FDCWD, hard, 0) == 0) {
        assert_true(module_load(hard, NULL));
        g_unlink(hard);
    }
    assert_int_equal(type_count(), types);
    assert_int_equal(count_loaded(), 1);
}

static void a_registration_from_a_constructor_is_part_of_the_module(void **state)
{
    g_autofree char *path = in_folder(modules, "direct.so");
    GError *error = NULL;

    (void)state;
    assert_true(module_load(path, &error));
    assert_null(error);
    assert_non_null(object_class_by_name("module-direct"));
}

static void a_clash_of_two_modules_names_both_files(void **state)
{
    (void)state;
    assert_refused("clash.so",
                   "module '%M/clash.so': type 'module-child' is registered twice: first as a "
                   "child of 'module-base' by %M/good.so, then as a child of 'module-clash-own' by "
                   "%M/clash.so");
    assert_null(object_class_by_name("module-clash-own"));
}

static void a_clash_with_the_program_says_so(void **state)
{
    (void)state;
    assert_refused("clash_program.so",
                   "module '%M/clash_program.so': type 'container' is registered twice: first as a "
                   "child of 'object' by the program, then as a child of 'object' by "
                   "%M/clash_program.so");
}

static void one_bad_type_drops_the_module_whole(void **state)
{
    (void)state;
    assert_refused("orphan.so", "module '%M/orphan.so': type 'module-orphan': parent "
                                "'module-orphan-god' is not registered");
    assert_null(object_class_by_name("module-orphan-good"));
    assert_refused("cycle.so", "module '%M/cycle.so': type cycle: module-cycle-a -> "
                               "module-cycle-b -> module-cycle-a");
}

static void a_stamp_that_differs_is_told_by_what_differs(void **state)
{
    g_autofree char *sizes = g_strdup_printf(
        "module '%%M/other_sizes.so' was built against other headers than this program: "
        "sizeof(Object) is 1 there and %zu here, sizeof(Property) is 2 there and %zu here",
        sizeof(Object), sizeof(Property));

    (void)state;
    assert_refused("other_abi.so", "module '%M/other_abi.so' was built for QOM ABI "
                                   "'qomet-abi-0123456789abcd', this program has '" QOM_ABI_NAME
                                   "': build it again with the headers of this one "
                                   "('pkg-config --cflags qomet')");
    assert_refused("other_sizes.so", sizes);
}

static void a_library_without_a_stamp_is_no_module(void **state)
{
    (void)state;
    assert_refused("no_stamp.so",
                   "'%M/no_stamp.so' is not a module of Qomet: it has no qomet_module_stamp "
                   "(compile it with the flags of 'pkg-config --cflags qomet')");
    assert_null(object_class_by_name("module-no-stamp"));
}

static void a_module_that_registers_nothing_is_refused(void **state)
{
    (void)state;
    assert_refused("empty.so", "module '%M/empty.so' registers no type");
}

static void a_name_that_the_program_lacks_is_told_at_once(void **state)
{
    g_autofree char *path = in_folder(modules, "unresolved.so");
    GError *error = NULL;

    (void)state;
    assert_false(module_load(path, &error));
    assert_non_null(strstr(error->message, "unresolved.so' cannot be loaded: "));
    assert_non_null(strstr(error->message, "nobody_has_this_function"));
    g_clear_error(&error);
}

static void what_is_no_shared_object_is_said_what_it_is(void **state)
{
    g_autofree char *text = in_folder(scratch, "modules.index"),
                    *empty = in_folder(scratch, "none");
    g_autofree char *real = realpath(scratch, NULL);
    g_autofree char *not_elf =
        g_strdup_printf("'%s/modules.index' is not a module: it is no ELF file", real);
    g_autofree char *not_file =
        g_strdup_printf("'%s' is not a module: it is no regular file", real);
    g_autofree char *missing =
        g_strdup_printf("module '%s' cannot be read: No such file or directory", empty);
    GError *error = NULL;

    (void)state;
    write_index("this is text, and more than a header of ELF takes, so all of it can be read\n");
    assert_false(module_load(text, &error));
    assert_string_equal(error->message, not_elf);
    g_clear_error(&error);
    write_index("");
    assert_false(module_load(text, &error));
    assert_string_equal(error->message, not_elf);
    g_clear_error(&error);
    assert_false(module_load(scratch, &error));
    assert_string_equal(error->message, not_file);
    g_clear_error(&error);
    assert_false(module_load(empty, &error));
    assert_string_equal(error->message, missing);
    g_clear_error(&error);
    assert_false(module_load("/proc/self/exe", &error));
    assert_non_null(error);
    g_clear_error(&error);
    assert_false(module_load("", NULL));
}

/* ---- the index ---- */

/* The index has to lie beside the modules, and the folder of the build may be read-only. */
static void use_index(const char *text)
{
    static const char *const names[] = { "indexed.so", "indexed_base.so", "liar.so", "impatient.so",
                                         "empty.so" };
    GError *error = NULL;

    write_index(text);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *from = in_folder(modules, names[i]), *to = in_folder(scratch, names[i]);

        g_unlink(to);
        assert_int_equal(symlink(from, to), 0);
    }
    assert_true(module_set_dir(scratch, &error));
    assert_null(error);
}

static void stop_using_index(void)
{
    static const char *const names[] = { "indexed.so", "indexed_base.so", "liar.so", "impatient.so",
                                         "empty.so" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *to = in_folder(scratch, names[i]);

        g_unlink(to);
    }
    assert_true(module_set_dir("/nonexistent", NULL));
}

static void a_type_that_is_asked_for_loads_its_module_and_those_above(void **state)
{
    unsigned loaded = count_loaded();
    ObjectClass *klass;
    GError *error = NULL;

    (void)state;
    use_index("# a comment\n\n  indexed-child \t indexed.so\nindexed-base indexed_base.so\n"
              "indexed-interface indexed_base.so\nindexed-cousin indexed_base.so");
    assert_int_equal(count_loaded(), loaded);
    klass = object_class_by_name_err("indexed-child", &error);
    assert_null(error);
    assert_non_null(klass);
    assert_int_equal(count_loaded(), loaded + 2);
    assert_non_null(object_class_dynamic_cast(klass, "indexed-interface"));
    assert_non_null(object_class_dynamic_cast(klass, "indexed-base"));
    klass = object_class_by_name_err("indexed-cousin", &error);
    assert_non_null(klass);
    assert_non_null(object_class_dynamic_cast(klass, "indexed-child"));
    stop_using_index();
}

static void a_module_that_does_not_keep_the_promise_of_the_index_is_named(void **state)
{
    g_autofree char *liar = NULL, *empty = NULL;
    GError *error = NULL;

    (void)state;
    use_index("liar liar.so\nempty empty.so\nbelow-empty empty.so\n");
    liar = g_strdup_printf("module '%s/liar.so' does not register the type 'liar', as its index "
                           "says",
                           scratch);
    empty = expand("module '%M/empty.so' registers no type");
    for (int i = 0; i < 2; i++) {
        assert_null(object_class_by_name_err("liar", &error));
        assert_string_equal(error->message, liar);
        g_clear_error(&error);
        assert_null(object_class_by_name_err("empty", &error));
        assert_string_equal(error->message, empty);
        g_clear_error(&error);
    }
    assert_non_null(object_class_by_name("liar-truth"));
    stop_using_index();
}

static void a_parent_whose_module_fails_is_named_with_the_reason(void **state)
{
    const TypeInfo info = { .name = "below-empty-child", .parent = "below-empty" };
    g_autofree char *message = expand("type 'below-empty-child': parent 'below-empty': module "
                                      "'%M/empty.so' registers no type");
    GError *error = NULL;

    (void)state;
    use_index("below-empty empty.so\n");
    assert_non_null(type_register(&info, NULL));
    assert_null(object_class_by_name_err("below-empty-child", &error));
    assert_string_equal(error->message, message);
    g_clear_error(&error);
    stop_using_index();
}

static void an_initialiser_that_asks_for_its_own_module_does_not_hang(void **state)
{
    GError *error = NULL;

    (void)state;
    use_index("impatient impatient.so\n");
    assert_non_null(object_class_by_name_err("impatient", &error));
    assert_null(error);
    stop_using_index();
}

static void a_name_that_is_nearly_that_of_a_type_in_a_module_is_told(void **state)
{
    g_autofree char *device = NULL, *other = NULL;
    GError *error = NULL;

    (void)state;
    use_index(
        "indexed-child indexed.so\nindexed-base indexed_base.so\n"
        "indexed-interface indexed_base.so\nindexed-cousin indexed_base.so\nempty-x empty.so\n");
    assert_null(object_class_by_name_err("indexed-cuosin", &error));
    assert_non_null(strstr(error->message, " (did you mean 'indexed-cousin'?)"));
    g_clear_error(&error);
    /* One whose class has to be looked at: a module that fails offers nothing. */
    device = object_class_did_you_mean("indexed-chidl", "indexed-base", NULL, NULL);
    assert_string_equal(device, " (did you mean 'indexed-child'?)");
    other = object_class_did_you_mean("empty-y", "indexed-base", NULL, NULL);
    assert_string_equal(other, "");
    assert_null(object_class_by_name_err("empty-x", &error));
    assert_null(strstr(error->message, "did you mean"));
    g_clear_error(&error);
    stop_using_index();
}

static void loading_everything_skips_what_fails(void **state)
{
    GError *error = NULL;

    (void)state;
    use_index("nowhere nowhere.so\nliar liar.so\nindexed-child indexed.so\nempty empty.so\n");
    assert_true(module_load_all(&error));
    assert_null(error);
    assert_non_null(object_class_by_name("indexed-child"));
    stop_using_index();
}

static void a_bad_line_of_the_index_is_named_and_the_old_index_stays(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "good g.so\nalone\n", ":2: expected 'TYPE FILE', FILE being in the same folder, not "
                                "'alone'" },
        { "a b c", ":1: expected 'TYPE FILE', FILE being in the same folder, not 'a b c'" },
        { "a ../b.so", ":1: expected 'TYPE FILE', FILE being in the same folder, not 'a ../b.so'" },
    };
    GError *error = NULL;

    (void)state;
    use_index("liar liar.so\n");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = g_strconcat(scratch, "/modules.index", cases[i].message, NULL);

        write_index(cases[i].text);
        assert_false(module_set_dir(scratch, &error));
        assert_string_equal(error->message, message);
        g_clear_error(&error);
    }
    write_index("a x.so\nb y.so\na y.so\na x.so\n");
    assert_false(module_set_dir(scratch, &error));
    assert_non_null(strstr(error->message, "modules.index:3: type 'a' is said to be in '"));
    g_clear_error(&error);
    assert_null(object_class_by_name_err("liar", &error));
    assert_non_null(strstr(error->message, "as its index says"));
    g_clear_error(&error);
    stop_using_index();
}

static unsigned n_found; /* how often the folder of modules was asked for */

static char *find_scratch(void)
{
    n_found++;
    return g_strdup(scratch);
}

static void an_index_is_looked_for_once_a_type_is_missing_and_not_before(void **state)
{
    (void)state;
    use_index("liar liar.so\n");
    module_set_dir_finder(find_scratch);
    n_found = 0;
    assert_non_null(object_class_by_name(TYPE_OBJECT));
    assert_int_equal(n_found, 0);
    assert_null(object_class_by_name("nowhere"));
    assert_int_equal(n_found, 1);
    assert_null(object_class_by_name("nowhere"));
    assert_int_equal(n_found, 1);
    stop_using_index();
}

static void an_index_that_is_bad_when_it_is_needed_is_told_until_it_is_mended(void **state)
{
    GError *error = NULL;

    (void)state;
    use_index("");
    write_index("alone\n");
    module_set_dir_finder(find_scratch);
    for (int i = 0; i < 2; i++) {
        assert_null(object_class_by_name_err("liar", &error));
        assert_non_null(strstr(error->message, "modules.index:1: expected 'TYPE FILE'"));
        g_clear_error(&error);
    }
    assert_false(module_load_all(&error));
    assert_non_null(strstr(error->message, "modules.index:1: expected 'TYPE FILE'"));
    g_clear_error(&error);
    write_index("liar liar.so\n");
    assert_null(object_class_by_name_err("liar", &error));
    assert_non_null(strstr(error->message, "as its index says"));
    g_clear_error(&error);
    stop_using_index();
}

static void a_module_that_asks_for_the_shared_glib_has_that_of_the_program(void **state)
{
    g_autofree char *path = in_folder(modules, "asks_glib.so");

    (void)state;
    g_quark_from_static_string("a quark of the program");
    assert_true(module_load(path, NULL));
    assert_non_null(object_class_by_name("module-same-glib"));
}

static void a_folder_without_an_index_is_no_error(void **state)
{
    GError *error = NULL;

    (void)state;
    assert_true(module_set_dir("/nonexistent", &error));
    assert_true(module_set_dir(modules, &error));
    assert_true(module_set_dir("/dev/null", &error));
    assert_null(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_types_of_a_module_are_registered_and_it_stays),
        cmocka_unit_test(a_module_that_is_loaded_already_is_fine),
        cmocka_unit_test(a_registration_from_a_constructor_is_part_of_the_module),
        cmocka_unit_test(a_clash_of_two_modules_names_both_files),
        cmocka_unit_test(a_clash_with_the_program_says_so),
        cmocka_unit_test(one_bad_type_drops_the_module_whole),
        cmocka_unit_test(a_stamp_that_differs_is_told_by_what_differs),
        cmocka_unit_test(a_library_without_a_stamp_is_no_module),
        cmocka_unit_test(a_module_that_registers_nothing_is_refused),
        cmocka_unit_test(a_name_that_the_program_lacks_is_told_at_once),
        cmocka_unit_test(what_is_no_shared_object_is_said_what_it_is),
        cmocka_unit_test(a_type_that_is_asked_for_loads_its_module_and_those_above),
        cmocka_unit_test(a_module_that_does_not_keep_the_promise_of_the_index_is_named),
        cmocka_unit_test(a_parent_whose_module_fails_is_named_with_the_reason),
        cmocka_unit_test(an_initialiser_that_asks_for_its_own_module_does_not_hang),
        cmocka_unit_test(a_name_that_is_nearly_that_of_a_type_in_a_module_is_told),
        cmocka_unit_test(loading_everything_skips_what_fails),
        cmocka_unit_test(a_bad_line_of_the_index_is_named_and_the_old_index_stays),
        cmocka_unit_test(an_index_is_looked_for_once_a_type_is_missing_and_not_before),
        cmocka_unit_test(an_index_that_is_bad_when_it_is_needed_is_told_until_it_is_mended),
        cmocka_unit_test(a_folder_without_an_index_is_no_error),
        cmocka_unit_test(a_module_that_asks_for_the_shared_glib_has_that_of_the_program),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

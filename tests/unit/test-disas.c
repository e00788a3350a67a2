/* SPDX-License-Identifier: MIT */
/*
 * Disassembly: the module is found through the index that the build wrote, and loaded by whoever asks
 * first; what is no instruction has no text; without the module a sentence says why.
 */
#include "tests/test.h"
#include <stdlib.h>
#include <string.h>
#include <glib/gstdio.h>
#include <qomet/accel/disas.h>
#include <qomet/qom/module.h>

static const uint8_t mov_al[] = { 0xb0, 0x48 };

/* Whether configure found capstone; a build without it has to say so. */
static bool module_was_built(void)
{
    g_auto(GStrv) built = g_strsplit(getenv("MODULES"), " ", -1);

    return g_strv_contains((const char *const *)built, "disas.so");
}

static unsigned count_loaded(void)
{
    g_auto(GStrv) list = module_list();

    return g_strv_length(list);
}

static void assert_not_available(const char *why)
{
    unsigned length = 5;
    GError *error = NULL;

    assert_false(disas_available(&error));
    assert_string_equal(error->message, why);
    g_clear_error(&error);
    assert_false(disas_available(NULL));
    assert_null(disas_instruction(mov_al, sizeof(mov_al), 16, 0, &length));
    assert_int_equal(length, 0);
}

static const char no_module[] =
    "there is no disassembler: no module in the folder of modules has the type 'x86-disassembler' "
    "(disas.so is built where the library capstone is installed)";

static void without_an_index_a_sentence_says_what_is_missing(void **state)
{
    (void)state;
    assert_true(module_set_dir("/nonexistent", NULL));
    assert_not_available(no_module);
}

static void a_module_that_cannot_be_loaded_is_named(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("qomet-disas-XXXXXX", NULL);
    g_autofree char *index = g_build_filename(folder, "modules.index", NULL);
    g_autofree char *why =
        g_strdup_printf("there is no disassembler: module '%s/gone.so' cannot be "
                        "read: No such file or directory",
                        folder);

    (void)state;
    assert_true(g_file_set_contents(index, TYPE_X86_DISASSEMBLER " gone.so\n", -1, NULL));
    assert_true(module_set_dir(folder, NULL));
    assert_not_available(why);
    g_unlink(index);
    g_rmdir(folder);
}

/* From here on the module is there, when it was built. */
static void the_module_is_loaded_when_it_is_asked_for(void **state)
{
    GError *error = NULL;

    (void)state;
    assert_true(module_set_dir(getenv("abs_top_builddir"), &error));
    assert_null(error);
    if (!module_was_built()) {
        assert_not_available(no_module);
        return;
    }
    assert_int_equal(count_loaded(), 0);
    assert_true(disas_available(&error));
    assert_null(error);
    assert_int_equal(count_loaded(), 1);
    assert_true(disas_available(NULL));
    assert_int_equal(count_loaded(), 1);
}

/* That the @len bytes at @code, which stand at @addr in their segment, are the instructions of @expected, one a line. */
static void assert_program(const uint8_t *code, size_t len, unsigned bits, uint64_t addr,
                           const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);
    size_t done = 0;

    if (!module_was_built()) {
        return;
    }
    while (done < len) {
        unsigned length;
        g_autofree char *line =
            disas_instruction(code + done, len - done, bits, addr + done, &length);

        assert_non_null(line);
        assert_in_range(length, 1, len - done);
        g_string_append_printf(text, "%s\n", line);
        done += length;
    }
    assert_string_equal(text->str, expected);
}

static void the_three_teaching_guests_can_be_read(void **state)
{
    static const uint8_t hi[] = { 0xb0, 0x48, 0xe6, 0xf1, 0xb0, 0x69, 0xe6,
                                  0xf1, 0xb0, 0x0a, 0xe6, 0xf1, 0xf4 };
    static const uint8_t four[] = { 0xba, 0xf8, 0x03, 0x00, 0xd8, 0x04,
                                    0x30, 0xee, 0xb0, 0x0a, 0xee, 0xf4 };
    static const uint8_t count[] = { 0x31, 0xc0, 0xe7, 0x10, 0x40, 0xeb, 0xfb };

    (void)state;
    assert_program(hi, sizeof(hi), 16, 0x7c00,
                   "movb $0x48, %al\noutb %al, $0xf1\nmovb $0x69, %al\noutb %al, $0xf1\n"
                   "movb $0xa, %al\noutb %al, $0xf1\nhlt\n");
    assert_program(four, sizeof(four), 16, 0x1000,
                   "movw $0x3f8, %dx\naddb %bl, %al\naddb $0x30, %al\noutb %al, %dx\n"
                   "movb $0xa, %al\noutb %al, %dx\nhlt\n");
    assert_program(count, sizeof(count), 16, 0,
                   "xorw %ax, %ax\noutw %ax, $0x10\nincw %ax\njmp 2\n");
}

static void the_size_of_the_segment_says_how_bytes_are_read(void **state)
{
    static const uint8_t code[] = { 0x48, 0x89, 0xc8 };
    static const uint8_t jump[] = { 0xeb, 0xfe };

    (void)state;
    assert_program(code, sizeof(code), 16, 0, "decw %ax\nmovw %cx, %ax\n");
    assert_program(code, sizeof(code), 32, 0, "decl %eax\nmovl %ecx, %eax\n");
    assert_program(code, sizeof(code), 64, 0, "movq %rcx, %rax\n");
    assert_program(jump, sizeof(jump), 64, 0xffffffff81000000, "jmp 0xffffffff81000000\n");
}

static void what_is_no_instruction_or_ends_within_one_has_no_text(void **state)
{
    static const uint8_t bad[] = { 0x06, 0x90, 0x90, 0x90 }; /* PUSH ES, of 32-bit code */
    static const uint8_t cut[] = { 0x48, 0xb8, 1, 2, 3 };
    uint8_t prefixes[64];
    unsigned length = 1;

    (void)state;
    memset(prefixes, 0x66, sizeof(prefixes));
    assert_null(disas_instruction(bad, sizeof(bad), 64, 0, &length));
    assert_int_equal(length, 0);
    assert_null(disas_instruction(cut, sizeof(cut), 64, 0, &length));
    assert_null(disas_instruction(prefixes, sizeof(prefixes), 64, 0, &length));
    assert_null(disas_instruction(cut, 0, 64, 0, &length));
    assert_int_equal(length, 0);
}

static int setup(void **state)
{
    (void)state;
    return module_call_init(MODULE_INIT_QOM, NULL) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_index_a_sentence_says_what_is_missing),
        cmocka_unit_test(a_module_that_cannot_be_loaded_is_named),
        cmocka_unit_test(the_module_is_loaded_when_it_is_asked_for),
        cmocka_unit_test(the_three_teaching_guests_can_be_read),
        cmocka_unit_test(the_size_of_the_segment_says_how_bytes_are_read),
        cmocka_unit_test(what_is_no_instruction_or_ends_within_one_has_no_text),
    };

    return cmocka_run_group_tests_name("disas", tests, setup, NULL);
}

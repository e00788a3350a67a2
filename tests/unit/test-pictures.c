/* SPDX-License-Identifier: MIT */
/*
 * Pictures: that Graphviz takes the text whatever things are called, and that what the graph holds
 * is in it.
 */
#include "tests/unit/qdev-fixture.h"
#include <qomet/hw/core/irq.h>
#include <qomet/hw/core/sysbus.h>
#include <qomet/monitor/picture.h>

/* ---- Is it Graphviz's language? ---- */

/* Past a quoted name; NULL where it does not end. */
static const char *skip_quoted(const char *text)
{
    for (text++; *text && *text != '"'; text++) {
        if (*text == '\\' && text[1]) {
            text++;
        }
    }
    return *text ? text + 1 : NULL;
}

/* Past a label in HTML's manner, whose tags are closed in their order; NULL where they are not. */
static const char *skip_label(const char *text)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new_with_free_func(g_free);

    for (text++; *text && *text != '>'; text++) {
        const char *end, *name = text + 1;

        if (*text == '"' || (*text == '&' && !strchr(text, ';'))) {
            return NULL;
        }
        if (*text != '<') {
            continue;
        }
        end = strchr(text, '>');
        if (!end) {
            return NULL;
        }
        if (*name == '/') {
            g_autofree char *closed = g_strndup(name + 1, end - name - 1);

            if (!open->len || strcmp(g_ptr_array_index(open, open->len - 1), closed) != 0) {
                return NULL;
            }
            g_ptr_array_remove_index(open, open->len - 1);
        } else if (end[-1] != '/') {
            g_ptr_array_add(open, g_strndup(name, strcspn(name, " >")));
        }
        text = end;
    }
    return *text && !open->len ? text + 1 : NULL;
}

/* What can be told without Graphviz: quotes, labels and brackets end. */
static bool is_balanced(const char *text)
{
    int braces = 0, brackets = 0;

    while (text && *text) {
        if (*text == '"') {
            text = skip_quoted(text);
        } else if (*text == '=' && text[1] == '<') {
            text = skip_label(text + 1);
        } else {
            braces += (*text == '{') - (*text == '}');
            brackets += (*text == '[') - (*text == ']');
            text++;
        }
    }
    return text && !braces && !brackets;
}

static void assert_drawable(const char *text)
{
    g_autofree char *dot = g_find_program_in_path("dot");
    g_autofree char *file = NULL, *said = NULL;
    char *argv[] = { dot, (char *)"-Tcanon", (char *)"-o/dev/null", NULL, NULL };
    int status = -1;

    assert_true(g_utf8_validate(text, -1, NULL));
    assert_true(is_balanced(text));
    if (!dot) {
        return;
    }
    close(g_file_open_tmp("qomet-picture-XXXXXX", &file, NULL));
    argv[3] = file;
    assert_true(g_file_set_contents(file, text, -1, NULL));
    assert_true(g_spawn_sync(NULL, argv, NULL, 0, NULL, NULL, NULL, &said, &status, NULL));
    unlink(file);
    if (status != 0 || *said) {
        fail_msg("dot says: %s", said);
    }
}

static void assert_shows(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        fail_msg("not in the picture: %s", part);
    }
}

static void assert_hides(const char *text, const char *part)
{
    if (strstr(text, part)) {
        fail_msg("in the picture: %s", part);
    }
}

/* ---- The object tree ---- */

static Object *add_object(const char *path, const char *name, const char *type)
{
    Object *obj = object_new(type);

    assert_works(
        object_property_add_child(container_get(object_get_root(), path), name, obj, errp));
    object_unref(obj);
    return obj;
}

static void an_empty_tree_is_a_picture_of_its_root(void **state)
{
    g_autofree char *text = NULL;

    (void)state;
    text = picture_qom_tree(object_get_root());
    assert_drawable(text);
    assert_shows(text, "\"/\" [");
    assert_hides(text, "->");
}

static void an_object_stands_behind_its_owner_and_says_its_type(void **state)
{
    g_autofree char *text = NULL;

    (void)state;
    add_object("/board/shelf", "probe", TYPE_PROBE);
    text = picture_qom_tree(object_get_root());
    assert_drawable(text);
    assert_shows(text, "\"/\" -> \"/board\"\n");
    assert_shows(text, "\"/board/shelf\" -> \"/board/shelf/probe\"\n");
    assert_shows(text, "<B>probe</B><BR/><FONT POINT-SIZE=\"9\" COLOR=\"#444444\">probe-device<");
    assert_shows(text, ">device<"); /* the legend */
    assert_hides(text, ">vCPU<");   /* has only what there is */
}

static void elements_of_an_array_that_are_alike_share_a_box(void **state)
{
    g_autofree char *text = NULL;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        add_object("/board", "line[*]", TYPE_IRQ);
    }
    add_object("/board", "line[9]", TYPE_CONTAINER);
    add_object("/board", "liner[0]", TYPE_CONTAINER);
    text = picture_qom_tree(object_get_root());
    assert_drawable(text);
    assert_shows(text, "<B>line[0&#93; \u2026 [2&#93;</B>");
    assert_shows(text, "irq \u00d7 3");
    assert_shows(text, "<B>line[9&#93;</B>");
    assert_shows(text, "<B>liner[0&#93;</B>");
}

static void a_device_tells_on_which_bus_it_sits(void **state)
{
    Probe *p;
    g_autofree char *text = NULL;

    (void)state;
    assert_non_null(qbus_new(TYPE_PROBE_BUS, NULL, "probe.0", NULL));
    p = probe_new(TYPE_BUS_PROBE);
    assert_works(qdev_set_id(DEVICE(p), "sitter", errp));
    assert_works(qdev_realize_and_unref(DEVICE(p), NULL, errp));
    text = picture_qom_tree(object_get_root());
    assert_drawable(text);
    assert_shows(text, ">on probe.0<");
    assert_hides(text, "parent_bus");
}

static void a_name_may_hold_anything(void **state)
{
    static const char *const names[] = {
        "a \"quoted\" name",
        "<B>markup<B> & more >",
        "back\\slash\\",
        "ends in \\\"",
        "new\nline\ttab",
        "\x01\x1b[31mred\x7f",
        "not \xff\xfe UTF-8 \xc3",
        "\u202eturned",
        "{ braces } [ brackets ] ;:",
        "gr\u00fc\u00df \u4e16\u754c",
        "]]>",
        "a[",
        "]",
        "[]",
        "x[0]",
        "--",
    };
    g_autofree char *long_name = g_strnfill(40000, 'x'), *text = NULL, *maps = NULL, *wires = NULL;
    MemoryRegion mr[G_N_ELEMENTS(names)];

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        Object *obj = add_object("/board", names[i], TYPE_PROBE);

        qdev_init_gpio_out_named(DEVICE(obj), PROBE(obj)->out, names[i], 1);
        memory_region_init_io(&mr[i], obj, &probe_ops, obj, names[i], 4);
        assert_works(memory_region_add_subregion(get_system_io(), 8 * i, &mr[i], errp));
    }
    add_object("/board", long_name, TYPE_CONTAINER);
    text = picture_qom_tree(object_get_root());
    assert_drawable(text);
    assert_shows(text, "a &quot;quoted&quot; name");
    assert_shows(text, "&lt;B&gt;markup&lt;B&gt; &amp; more &gt;");
    assert_shows(text, "new\\x0aline\\x09tab");
    assert_shows(text, "not \\xff\\xfe UTF-8 \\xc3");
    assert_shows(text, "gr\u00fc\u00df \u4e16\u754c");
    assert_shows(text, "xxxxxxxx\u2026<");
    maps = picture_mtree();
    assert_drawable(maps);
    assert_shows(maps, "a &quot;quoted&quot; name");
    wires = picture_wires();
    assert_drawable(wires);
    assert_shows(wires, "a &quot;quoted&quot; name[0&#93;");
    object_unparent(object_resolve_path("/board", NULL));
}

/* ---- The memory map ---- */

static void an_empty_map_says_that_nothing_answers(void **state)
{
    g_autofree char *text = NULL;

    (void)state;
    text = picture_mtree();
    assert_drawable(text);
    assert_shows(text, "address space memory");
    assert_shows(text, ">0x0-0xffffffffffffffff&#160;");
    assert_shows(text, "address space I/O");
    assert_shows(text, ">0x0-0xffff&#160;");
}

static void a_flat_view_shows_ranges_with_sizes_owners_and_gaps(void **state)
{
    Object *obj = add_object("/board", "dev", TYPE_PROBE);
    MemoryRegion io, one, ram;
    g_autofree char *text = NULL;

    (void)state;
    memory_region_init_io(&io, obj, &probe_ops, obj, "regs", 8);
    memory_region_init_io(&one, obj, &probe_ops, obj, "one", 1);
    assert_works(memory_region_init_ram(&ram, obj, "ram", 0xa0000, errp));
    assert_works(memory_region_add_subregion(get_system_io(), 0x3f8, &io, errp));
    assert_works(memory_region_add_subregion(get_system_io(), 0xffff, &one, errp));
    assert_works(memory_region_add_subregion(get_system_memory(), 0, &ram, errp));
    text = picture_mtree();
    assert_drawable(text);
    assert_shows(text, ">0x0-0x3f7&#160;");
    assert_shows(text, ">0x3f8-0x3ff&#160;");
    assert_shows(text, ">0x400-0xfffe&#160;");
    assert_shows(text, ">0xffff&#160;");
    assert_shows(text, ">640 KiB&#160;");
    assert_shows(text, ">8 bytes&#160;");
    assert_shows(text, ">1 byte&#160;");
    assert_shows(text, ">of dev<");
    assert_shows(text, "\"/board/dev/regs\" -> \"address space I/O\":r0:w");
    assert_shows(text, "\"/board/dev/one\" -> \"address space I/O\":r1:w");
    object_unparent(object_resolve_path("/board", NULL));
}

static void a_region_of_all_addresses_leaves_no_gap(void **state)
{
    MemoryRegion all;
    g_autofree char *text = NULL;

    (void)state;
    memory_region_init_io(&all, NULL, &probe_ops, NULL, "all", UINT64_MAX);
    assert_works(memory_region_add_subregion(get_system_memory(), 0, &all, errp));
    text = picture_mtree();
    assert_drawable(text);
    assert_shows(text, ">0x0-0xffffffffffffffff&#160;");
    assert_shows(text, ">16 EiB&#160;");
    /* It has no owner, and so no path. */
    assert_shows(text, "\"memory-region 0x");
    memory_region_del_subregion(get_system_memory(), &all);
    object_unref(&all);
}

static void aliases_priorities_and_what_is_disabled_are_shown(void **state)
{
    Object *obj = add_object("/board", "dev", TYPE_PROBE);
    MemoryRegion ram, alias, over, none;
    g_autofree char *text = NULL;

    (void)state;
    assert_works(memory_region_init_ram(&ram, obj, "ram", 0x10000, errp));
    memory_region_init_alias(&alias, obj, "window", &ram, 0x8000, 0x1000);
    memory_region_init_io(&over, obj, &probe_ops, obj, "over", 0x100);
    memory_region_init_io(&none, obj, &probe_ops, obj, "none", 0);
    assert_works(memory_region_add_subregion(get_system_memory(), 0xe0000, &alias, errp));
    memory_region_add_subregion_overlap(get_system_memory(), 0xe0000, &over, 7);
    memory_region_add_subregion_overlap(get_system_memory(), 0, &none, 0);
    memory_region_set_enabled(&over, false);
    text = picture_mtree();
    assert_drawable(text);
    assert_shows(text, "\"/board/dev/window\" -> \"/board/dev/ram\" "
                       "[style=dashed label=\"from 0x8000\"]");
    assert_shows(text, ">priority 7<");
    assert_shows(text, ">disabled<");
    assert_hides(text, "<B>none</B>");
    object_unparent(object_resolve_path("/board", NULL));
}

/* ---- Wires ---- */

static void ignore(void *opaque, int n, int level)
{
    (void)opaque;
    (void)n;
    (void)level;
}

/* A probe as the child @name of /board, with @out outputs "out" and @in inputs without a name. */
static DeviceState *add_wired(const char *name, int out, int in)
{
    Object *obj = add_object("/board", name, TYPE_PROBE);

    if (out) {
        qdev_init_gpio_out_named(DEVICE(obj), PROBE(obj)->out, "out", out);
    }
    if (in) {
        qdev_init_gpio_in_direct(DEVICE(obj), ignore, NULL, in);
    }
    return DEVICE(obj);
}

static void without_lines_the_picture_says_so(void **state)
{
    g_autofree char *text = NULL, *list = NULL;

    (void)state;
    add_wired("dumb", 0, 0);
    text = picture_wires();
    assert_drawable(text);
    assert_shows(text, "No device has lines.");
    assert_hides(text, "dumb");
    list = listing_wires();
    assert_string_equal(list, "");
}

static void a_wire_leads_from_an_output_to_an_input(void **state)
{
    DeviceState *from = add_wired("from", 3, 0), *to = add_wired("to", 0, 16);
    qemu_irq line = qemu_allocate_irq(ignore, NULL, 0);
    g_autofree char *text = NULL, *list = NULL;

    (void)state;
    assert_works(qdev_connect_gpio_out_named(from, "out", 0, qdev_get_gpio_in(to, 4), errp));
    assert_works(qdev_connect_gpio_out_named(from, "out", 2, line, errp));
    qemu_set_irq(PROBE(from)->out[0], 1);
    text = picture_wires();
    assert_drawable(text);
    assert_shows(text, "\"/board/from\":p0:e -> \"/board/to\":p4:w [color=\"#c62828\" penwidth=2]");
    assert_shows(text, "\"/board/from\":p2:e -> \"irq 0x");
    assert_hides(text, "\"/board/from\":p1:e");
    assert_shows(text, ">15 others free<");
    list = listing_wires();
    assert_string_equal(list, "/board/from out[0] -> /board/to [4], high\n"
                              "/board/from out[1] -> nowhere\n"
                              "/board/from out[2] -> a line of no device\n");
    object_unparent(object_resolve_path("/board", NULL));
    object_unref(line);
}

static void what_combines_lines_stands_between(void **state)
{
    DeviceState *one = add_wired("one", 1, 0), *other = add_wired("other", 1, 0);
    DeviceState *to = add_wired("to", 0, 1), * or = DEVICE(add_object("/board", "or", TYPE_OR_IRQ));
    g_autofree char *text = NULL;

    (void)state;
    assert_works(object_property_set_uint(OBJECT(or), "num-lines", 2, errp));
    assert_works(qdev_realize(or, NULL, errp));
    assert_works(qdev_connect_gpio_out_named(one, "out", 0, qdev_get_gpio_in(or, 0), errp));
    assert_works(qdev_connect_gpio_out_named(other, "out", 0, qdev_get_gpio_in(or, 1), errp));
    assert_works(qdev_connect_gpio_out(or, 0, qdev_get_gpio_in(to, 0), errp));
    text = picture_wires();
    assert_drawable(text);
    assert_shows(text, ">combines lines<");
    assert_shows(text, "\"/board/other\":p0:e -> \"/board/or\":p");
    assert_shows(text, "\"/board/or\":p2:e -> \"/board/to\":p0:w");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        qdev_test(an_empty_tree_is_a_picture_of_its_root),
        qdev_test(an_object_stands_behind_its_owner_and_says_its_type),
        qdev_test(elements_of_an_array_that_are_alike_share_a_box),
        qdev_test(a_device_tells_on_which_bus_it_sits),
        qdev_test(a_name_may_hold_anything),
        qdev_test(an_empty_map_says_that_nothing_answers),
        qdev_test(a_flat_view_shows_ranges_with_sizes_owners_and_gaps),
        qdev_test(a_region_of_all_addresses_leaves_no_gap),
        qdev_test(aliases_priorities_and_what_is_disabled_are_shown),
        qdev_test(without_lines_the_picture_says_so),
        qdev_test(a_wire_leads_from_an_output_to_an_input),
        qdev_test(what_combines_lines_stands_between),
    };

    return cmocka_run_group_tests_name("pictures", tests, NULL, NULL);
}

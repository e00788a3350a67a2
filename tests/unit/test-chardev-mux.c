/* SPDX-License-Identifier: MIT */
/*
 * A chardev that is shared: who is heard, who is shown, Ctrl-a, and front ends that come and go.
 */
#include "tests/unit/chardev-fixture.h"

#define CTRL_A "\001"
#define AHEAD 4096

static int peer = -1; /* of the shared chardev "m", a socket */

static void share(void)
{
    g_autofree char *path = test_path("m");

    chr_make("socket,id=m,path=%s,server=on,wait=off,mux=on", path);
    peer = unix_connect(path);
    assert_true(peer >= 0);
    run_until(qemu_chr_find("m-base")->opened);
}

/* Two front ends, of which the second has the focus. */
static void share_between(Front **a, Front **b)
{
    share();
    *a = front_new("m");
    *b = front_new("m");
    run_until(qemu_chr_fe_focused(&(*b)->chr));
}

static void assert_got(Front *f, const char *text)
{
    run_until(f->got->len >= strlen(text));
    run_for(10);
    assert_string_equal(f->got->str, text);
    g_string_truncate(f->got, 0);
}

/* ---- Tests ---- */

static void who_joins_last_has_the_focus(void **state)
{
    Front *a, *b;

    (void)state;
    share();
    a = front_new("m");
    b = front_new("m");
    assert_false(qemu_chr_fe_focused(&a->chr));
    assert_false(qemu_chr_fe_focused(&b->chr));
    assert_string_equal(a->events->str, "o");
    run_until(qemu_chr_fe_focused(&b->chr));
    assert_string_equal(a->events->str, "o");
    assert_string_equal(b->events->str, "oi");
    send_text(peer, "hello");
    assert_got(b, "hello");
    assert_got(a, "");
}

static void ctrl_a_c_gives_the_input_to_the_next(void **state)
{
    Front *a, *b;

    (void)state;
    share();
    a = front_new("m");
    b = front_new("m");
    send_text(peer, "1" CTRL_A "c2" CTRL_A "c3" CTRL_A "c4");
    assert_got(a, "24");
    assert_got(b, "13");
    assert_string_equal(a->events->str, "oiui");
    assert_string_equal(b->events->str, "oiuiu");
}

static void what_any_of_them_writes_is_shown(void **state)
{
    Front *a, *b;

    (void)state;
    share_between(&a, &b);
    fe_write(a, "one ");
    fe_write(b, "two ");
    fe_write(a, "three");
    assert_reads(peer, "one two three");
}

static void ctrl_a_knows_its_other_keys(void **state)
{
    Front *f;

    (void)state;
    share();
    f = front_new("m");
    send_text(peer, CTRL_A CTRL_A "x" CTRL_A "z" CTRL_A "c" CTRL_A "by");
    assert_got(f, CTRL_A "xy");
    assert_string_equal(f->events->str, "oib");
    send_text(peer, CTRL_A "h");
    assert_reads(peer, "\nC-a h    this help\n"
                       "C-a x    end the machine, or take away what was attached\n"
                       "C-a b    send a break\n"
                       "C-a c    switch between the guest and the monitor\n"
                       "C-a C-a  send C-a\n");
}

static bool has_quit;

static void quit(void)
{
    has_quit = true;
}

static void ctrl_a_x_ends_the_program(void **state)
{
    (void)state;
    share();
    front_new("m");
    qemu_chr_set_quit_hook(quit);
    send_text(peer, CTRL_A "x");
    run_until(has_quit);
    qemu_chr_set_quit_hook(NULL);
    assert_reads(peer, "qomet: terminated\n");
}

static void one_that_takes_nothing_keeps_its_input(void **state)
{
    g_autofree char *much = g_strnfill(3 * AHEAD, 'x');
    Front *a, *b;

    (void)state;
    share_between(&a, &b);
    b->room = 10;
    send_text(peer, much);
    run_until(b->got->len == 10);
    run_for(20);
    /* The rest is not lost, and waits where it comes from. */
    b->room = 1 << 20;
    qemu_chr_fe_accept_input(&b->chr);
    run_until(b->got->len == 3 * AHEAD);
    send_text(peer, CTRL_A "cy");
    assert_got(a, "y");
    assert_true(b->got->len == 3 * AHEAD);
}

static void output_waits_for_a_slow_peer_and_then_goes_on(void **state)
{
    g_autofree char *much = g_strnfill(1 << 20, 'x');
    Front *a, *b;
    int taken = 0;
    g_autofree char *read = NULL;

    (void)state;
    share_between(&a, &b);
    /* Not all fits; both are told when there is room. */
    taken += qemu_chr_fe_write(&a->chr, (const uint8_t *)much, 1 << 20);
    assert_true(taken < 1 << 20);
    taken += qemu_chr_fe_write(&b->chr, (const uint8_t *)much, 1 << 20);
    read = read_text(peer, (size_t)taken);
    assert_int_equal(strspn(read, "x"), taken);
    run_until(strchr(a->events->str, 'd') && strchr(b->events->str, 'd'));
}

static void a_peer_that_leaves_and_comes_is_told_to_all(void **state)
{
    g_autofree char *path = test_path("m");
    Front *a, *b;

    (void)state;
    share_between(&a, &b);
    close(peer);
    run_until(g_str_has_suffix(a->events->str, "c") && g_str_has_suffix(b->events->str, "c"));
    assert_int_equal(fe_write(a, "lost"), 4);
    peer = unix_connect(path);
    run_until(g_str_has_suffix(a->events->str, "o") && g_str_has_suffix(b->events->str, "o"));
    fe_write(a, "found");
    assert_reads(peer, "found");
    send_text(peer, "b");
    assert_got(b, "b");
}

static void one_that_goes_gives_the_focus_back(void **state)
{
    Front *a, *b;
    GError *err = NULL;

    (void)state;
    share();
    a = front_new("m");
    b = front_new("m");
    send_text(peer, "1");
    assert_got(b, "1");
    object_unparent(OBJECT(b));
    run_until(qemu_chr_fe_focused(&a->chr));
    send_text(peer, "2");
    assert_got(a, "2");
    assert_false(qemu_chr_remove("m", &err));
    assert_non_null(strstr(err->message, "Chardev 'm' is busy: '/front/dev[0]' uses it"));
    g_clear_error(&err);
    assert_false(qemu_chr_remove("m-base", &err));
    g_clear_error(&err);
    object_unparent(OBJECT(a));
    assert_true(qemu_chr_remove("m", NULL));
    assert_null(qemu_chr_find("m"));
    assert_null(qemu_chr_find("m-base"));
}

static void the_property_names_what_is_shared(void **state)
{
    g_autofree char *id = NULL, *text = NULL;
    Front *f;

    (void)state;
    share();
    f = front_new("m");
    id = object_property_get_str(OBJECT(f), "chardev", NULL);
    assert_string_equal(id, "m");
    text = qemu_chr_describe(qemu_chr_find("m"));
    assert_string_equal(text, "mux");
    /* Naming it again is no second hold. */
    assert_true(object_property_set_str(OBJECT(f), "chardev", "m", NULL));
    assert_true(object_property_set_str(OBJECT(f), "chardev", "", NULL));
    assert_null(qemu_chr_find("m")->be);
}

static void wrong_words_leave_nothing(void **state)
{
    (void)state;
    assert_refused("property 'mux': 'maybe' is not a bool, accepted are on, off",
                   "null,id=m,mux=maybe");
    assert_refused("size of ringbuf chardev must be power of two from 1 to 1G, not 3",
                   "ringbuf,id=m,size=3,mux=on");
    assert_null(qemu_chr_find("m"));
    chr_make("null,id=m-base");
    assert_refused("Duplicate ID 'm-base' for chardev", "null,id=m,mux=on");
    assert_null(qemu_chr_find("m"));
    chr_make("null,id=n,mux=on");
    assert_refused("Duplicate ID 'n' for chardev", "null,id=n,mux=on");
}

static void at_the_end_what_was_written_is_still_sent(void **state)
{
    g_autofree char *path = test_path("out"), *text = NULL;
    Front *a, *b;

    (void)state;
    chr_make("file,id=m,path=%s,mux=on", path);
    a = front_new("m");
    b = front_new("m");
    fe_write(a, "one ");
    fe_write(b, "two");
    qemu_chr_cleanup();
    assert_null(a->chr.chr);
    assert_null(b->chr.chr);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, "one two");
}

static void a_chardev_that_is_there_can_be_shared_and_had_back(void **state)
{
    Front *f;

    (void)state;
    chr_make("ringbuf,id=r");
    chr_make("mux,id=m,chardev=r");
    f = front_new("m");
    fe_write(f, "x");
    assert_int_equal(ringbuf_chardev_count(CHARDEV_RINGBUF(qemu_chr_find("r"))), 1);
    assert_refused("chardev 'r' is used by '/chardevs/m', so another front end cannot have it",
                   "mux,id=n,chardev=r");
    assert_refused("chardev 'm' is shared already", "mux,id=n,chardev=m");
    assert_refused("chardev 'nope' not found", "mux,id=n,chardev=nope");
    assert_refused("chardev: mux: no chardev given: chardev=... is missing", "mux,id=n");
    assert_false(qemu_chr_remove("m", NULL));
    qemu_chr_fe_deinit(&f->chr);
    assert_true(qemu_chr_remove("m", NULL));
    f = front_new("r");
    assert_non_null(f->chr.chr);
}

static void at_the_end_what_a_port_has_goes_to_a_chardev_that_was_there_first(void **state)
{
    g_autofree char *path = test_path("out"), *text = NULL;

    (void)state;
    chr_make("file,id=a,path=%s", path);
    chr_make("mux,id=m,chardev=a");
    fe_write(front_new("m"), "all of it");
    qemu_chr_cleanup();
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, "all of it");
}

static int end(void **state)
{
    if (peer >= 0) {
        close(peer);
    }
    peer = -1;
    return chardev_end(state);
}

#define mux_test(f) cmocka_unit_test_teardown(f, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        mux_test(who_joins_last_has_the_focus),
        mux_test(ctrl_a_c_gives_the_input_to_the_next),
        mux_test(what_any_of_them_writes_is_shown),
        mux_test(ctrl_a_knows_its_other_keys),
        mux_test(ctrl_a_x_ends_the_program),
        mux_test(one_that_takes_nothing_keeps_its_input),
        mux_test(output_waits_for_a_slow_peer_and_then_goes_on),
        mux_test(a_peer_that_leaves_and_comes_is_told_to_all),
        mux_test(one_that_goes_gives_the_focus_back),
        mux_test(the_property_names_what_is_shared),
        mux_test(wrong_words_leave_nothing),
        mux_test(at_the_end_what_was_written_is_still_sent),
        mux_test(a_chardev_that_is_there_can_be_shared_and_had_back),
        mux_test(at_the_end_what_a_port_has_goes_to_a_chardev_that_was_there_first),
    };

    return cmocka_run_group_tests(tests, chardev_setup, chardev_teardown);
}

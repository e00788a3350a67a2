/* SPDX-License-Identifier: MIT */
/* Pseudo-terminals: peers that open, close and open again. */
#include "tests/unit/chardev-fixture.h"
#include <termios.h>

static Front *pty(char **path)
{
    Chardev *chr = chr_make("pty,id=p");

    *path = object_property_get_str(OBJECT(chr), "path", NULL);
    assert_true(g_str_has_prefix(*path, "/dev/pts/"));
    return front_new("p");
}

static int open_pty(const char *path)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static void nobody_is_there_until_somebody_opens_it(void **state)
{
    g_autofree char *path = NULL;
    Front *f = pty(&path);
    int peer;

    (void)state;
    run_for(50);
    assert_string_equal(f->events->str, "");
    assert_int_equal(fe_write(f, "lost"), 4);
    peer = open_pty(path);
    run_until(f->chr.chr->opened);
    fe_write(f, "heard");
    assert_reads(peer, "heard");
    send_text(peer, "answer\r");
    run_until(f->got->len == 7);
    assert_string_equal(f->got->str, "answer\r");
    close(peer);
}

static void a_peer_may_close_and_open_again(void **state)
{
    g_autofree char *path = NULL;
    Front *f = pty(&path);

    (void)state;
    for (int i = 0; i < 3; i++) {
        int peer = open_pty(path);

        run_until(f->chr.chr->opened);
        fe_write(f, "x");
        assert_reads(peer, "x");
        send_text(peer, "y");
        close(peer);
        run_until(!f->chr.chr->opened);
    }
    assert_string_equal(f->events->str, "ocococ");
    assert_string_equal(f->got->str, "yyy");
}

static void what_a_short_visit_left_is_read(void **state)
{
    g_autofree char *path = NULL;
    Front *f = pty(&path);
    int peer = open_pty(path);

    (void)state;
    send_text(peer, "quick");
    close(peer);
    run_until(f->got->len == 5);
    run_until(!f->chr.chr->opened);
    assert_string_equal(f->events->str, "oc");
}

static void bytes_pass_as_they_are(void **state)
{
    g_autofree char *path = NULL;
    Front *f = pty(&path);
    int peer = open_pty(path);
    uint8_t bytes[255];

    (void)state;
    for (int i = 0; i < 255; i++) {
        bytes[i] = i + 1;
    }
    run_until(f->chr.chr->opened);
    assert_int_equal(write(peer, bytes, sizeof(bytes)), sizeof(bytes));
    run_until(f->got->len == sizeof(bytes));
    assert_memory_equal(f->got->str, bytes, sizeof(bytes));
    /* No echo came back. */
    fe_write(f, "end");
    assert_reads(peer, "end");
    close(peer);
}

static void an_absent_peer_does_not_turn_the_loop(void **state)
{
    g_autofree char *path = NULL;
    int rounds = 0, peer;
    Front *f = pty(&path);
    int64_t end;

    (void)state;
    peer = open_pty(path);
    run_until(f->chr.chr->opened);
    close(peer);
    run_until(!f->chr.chr->opened);
    end = now_ms() + 100;
    while (now_ms() < end) {
        rounds += g_main_context_pending(NULL);
        main_loop_wait(false);
        usleep(1000);
    }
    assert_true(rounds <= 3);
}

static void a_peer_that_leaves_while_its_input_waits_is_noticed(void **state)
{
    g_autofree char *path = NULL;
    Front *f = pty(&path);
    int peer = open_pty(path);

    (void)state;
    f->room = 2;
    run_until(f->chr.chr->opened);
    send_text(peer, "abcd");
    run_until(f->got->len == 2);
    run_for(10);
    close(peer);
    run_until(!f->chr.chr->opened);
    f->room = 10;
    qemu_chr_fe_accept_input(&f->chr);
    run_until(f->got->len == 4);
    run_for(20);
    assert_string_equal(f->got->str, "abcd");
    assert_string_equal(f->events->str, "oc");
}

static void a_peer_that_never_reads_holds_nothing_up_for_ever(void **state)
{
    g_autofree char *path = NULL;
    g_autofree char *much = g_strnfill(200000, 'x');
    Front *f = pty(&path);
    int peer = open_pty(path);
    int64_t start;

    (void)state;
    run_until(f->chr.chr->opened);
    start = now_ms();
    assert_true(fe_write(f, much) < 200000);
    assert_true(now_ms() - start < 2500);
    start = now_ms();
    qemu_chr_cleanup();
    assert_true(now_ms() - start < 1000);
    close(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        chardev_test(nobody_is_there_until_somebody_opens_it),
        chardev_test(a_peer_may_close_and_open_again),
        chardev_test(what_a_short_visit_left_is_read),
        chardev_test(bytes_pass_as_they_are),
        chardev_test(an_absent_peer_does_not_turn_the_loop),
        chardev_test(a_peer_that_leaves_while_its_input_waits_is_noticed),
        chardev_test(a_peer_that_never_reads_holds_nothing_up_for_ever),
    };

    return cmocka_run_group_tests(tests, chardev_setup, chardev_teardown);
}

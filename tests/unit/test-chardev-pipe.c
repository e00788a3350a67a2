/* SPDX-License-Identifier: MIT */
/* The chardev over named pipes: who has the other ends may come and go. */
#include "tests/unit/chardev-fixture.h"

/* The pipe @name in the folder of the test. */
static char *make_pipe(const char *name)
{
    char *path = test_path(name);

    assert_int_equal(mkfifo(path, 0600), 0);
    return path;
}

static void what_is_written_and_read_goes_through_two_pipes(void **state)
{
    g_autofree char *in = make_pipe("p.in"), *out = make_pipe("p.out"), *path = test_path("p");
    int reader = open(out, O_RDONLY | O_NONBLOCK), writer;
    Front *f;

    (void)state;
    chr_make("pipe,id=p,path=%s", path);
    f = front_new("p");
    assert_string_equal(f->events->str, "o");
    fe_write(f, "out");
    assert_reads(reader, "out");
    writer = open(in, O_WRONLY);
    send_text(writer, "in");
    run_until(f->got->len == 2);
    /* Another comes. */
    close(writer);
    close(reader);
    run_for(10);
    reader = open(out, O_RDONLY | O_NONBLOCK);
    writer = open(in, O_WRONLY);
    fe_write(f, "again");
    assert_reads(reader, "again");
    send_text(writer, "!");
    run_until(f->got->len == 3);
    assert_string_equal(f->got->str, "in!");
    assert_string_equal(f->events->str, "o");
    close(writer);
    close(reader);
}

static void one_pipe_serves_both_directions(void **state)
{
    g_autofree char *path = make_pipe("q");
    int peer = open(path, O_RDWR | O_NONBLOCK);
    Front *f;

    (void)state;
    chr_make("pipe,id=p,path=%s", path);
    f = front_new("p");
    send_text(peer, "hello");
    run_until(f->got->len == 5);
    qemu_chr_fe_set_handlers(&f->chr, NULL, NULL, NULL, NULL, NULL);
    fe_write(f, "you");
    assert_reads(peer, "you");
    close(peer);
}

static void nobody_at_the_other_end_is_not_waited_for(void **state)
{
    g_autofree char *path = test_path("n");

    (void)state;
    g_free(make_pipe("n.in"));
    g_free(make_pipe("n.out"));
    chr_make("pipe,id=p,path=%s", path);
    fe_write(front_new("p"), "x");
}

static void what_is_no_pipe_is_refused(void **state)
{
    g_autofree char *path = test_path("file");
    g_autofree char *half = test_path("half"), *no_pipe = NULL, *no_half = NULL;

    (void)state;
    g_free(make_pipe("half.in"));
    assert_refused("chardev: pipe: no device path given: path=... is missing", "pipe,id=p");
    assert_true(g_file_set_contents(path, "", 0, NULL));
    no_pipe = g_strdup_printf("'%s' is no named pipe: make one with mkfifo", path);
    assert_refused(no_pipe, "pipe,id=p,path=%s", path);
    no_half = g_strdup_printf("Could not open '%s.out': No such file or directory", half);
    assert_refused(no_half, "pipe,id=p,path=%s", half);
    assert_null(qemu_chr_find("p"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        chardev_test(what_is_written_and_read_goes_through_two_pipes),
        chardev_test(one_pipe_serves_both_directions),
        chardev_test(nobody_at_the_other_end_is_not_waited_for),
        chardev_test(what_is_no_pipe_is_refused),
    };

    return cmocka_run_group_tests(tests, chardev_setup, chardev_teardown);
}

/* SPDX-License-Identifier: MIT */
/*
 * Output to peers that are slow, never read, or leave: nothing waits for ever, nothing is lost
 * while the peer takes something now and then, and the order is kept. Standard output in a child
 * process of its own.
 */
#include "tests/unit/chardev-fixture.h"
#include <sys/ioctl.h>

/* More than a socket and the queue hold together. */
#define MUCH (4 << 20)

/* A server with a front end and a client that is connected. */
static Front *serve(int *peer)
{
    g_autofree char *path = test_path("s");
    Front *f;

    chr_make("socket,id=s,path=%s,server=on,wait=off", path);
    f = front_new("s");
    *peer = unix_connect(path);
    assert_true(*peer >= 0);
    run_until(f->chr.chr->opened);
    return f;
}

static uint8_t *pattern(size_t len)
{
    uint8_t *data = g_malloc(len);

    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    return data;
}

static uint64_t dropped(const Front *f)
{
    return object_property_get_uint(OBJECT(f->chr.chr), "dropped", NULL);
}

/* ---- Without waiting ---- */

static void output_is_there_at_once_while_the_peer_takes_it(void **state)
{
    int peer;
    Front *f = serve(&peer);
    char buf[16] = { 0 };

    (void)state;
    /* No round of the loop in between. */
    assert_int_equal(qemu_chr_fe_write(&f->chr, (const uint8_t *)"now", 3), 3);
    assert_int_equal(recv(peer, buf, sizeof(buf), MSG_DONTWAIT), 3);
    assert_string_equal(buf, "now");
    close(peer);
}

static void a_write_takes_what_fits_and_the_rest_goes_on_when_the_peer_reads(void **state)
{
    g_autofree uint8_t *data = pattern(MUCH), *got = g_malloc0(MUCH);
    int sent = 0, have = 0, peer;
    Front *f = serve(&peer);

    (void)state;
    sent = qemu_chr_fe_write(&f->chr, data, MUCH);
    assert_true(sent > CHR_OUT_BYTES && sent < MUCH);
    assert_int_equal(qemu_chr_fe_write(&f->chr, data + sent, MUCH - sent), 0);
    run_for(20);
    assert_string_equal(f->events->str, "o");
    while (have < MUCH) {
        ssize_t n = recv(peer, got + have, MUCH - have, MSG_DONTWAIT);

        have += MAX(n, 0);
        main_loop_wait(false);
        if (strchr(f->events->str, 'd')) {
            g_string_truncate(f->events, 0);
            sent += qemu_chr_fe_write(&f->chr, data + sent, MUCH - sent);
        }
    }
    assert_int_equal(sent, MUCH);
    assert_memory_equal(got, data, MUCH);
    assert_int_equal(dropped(f), 0);
    close(peer);
}

static void a_front_end_that_was_refused_hears_when_the_peer_leaves(void **state)
{
    g_autofree uint8_t *data = pattern(MUCH);
    int peer;
    Front *f = serve(&peer);

    (void)state;
    qemu_chr_fe_write(&f->chr, data, MUCH);
    close(peer);
    run_until(strchr(f->events->str, 'd'));
    assert_string_equal(f->events->str, "ocd");
    /* Nobody is there: everything vanishes. */
    assert_int_equal(qemu_chr_fe_write(&f->chr, data, MUCH), MUCH);
}

static void what_an_old_peer_did_not_read_is_not_for_the_next(void **state)
{
    g_autofree uint8_t *data = pattern(MUCH);
    g_autofree char *path = test_path("s");
    int peer;
    Front *f = serve(&peer);

    (void)state;
    qemu_chr_fe_write(&f->chr, data, MUCH);
    close(peer);
    run_until(!f->chr.chr->opened);
    peer = unix_connect(path);
    run_until(f->chr.chr->opened);
    fe_write(f, "fresh");
    assert_reads(peer, "fresh");
    close(peer);
}

/* ---- Waiting ---- */

static void a_peer_that_never_reads_holds_a_write_for_a_second_and_the_next_not_at_all(void **state)
{
    g_autofree uint8_t *data = pattern(MUCH);
    int64_t start = now_ms(), waited;
    int peer, taken;
    Front *f = serve(&peer);

    (void)state;
    taken = qemu_chr_fe_write_all(&f->chr, data, MUCH);
    waited = now_ms() - start;
    assert_true(taken > 0 && taken < MUCH);
    assert_true(waited >= 1000 && waited < 2500);
    assert_int_equal(dropped(f), MUCH - taken);
    start = now_ms();
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(fe_write(f, "more"), 0);
    }
    assert_true(now_ms() - start < 500);
    assert_int_equal(dropped(f), MUCH - taken + 4000);
    close(peer);
}

static void a_peer_that_reads_again_is_waited_for_again(void **state)
{
    g_autofree uint8_t *data = pattern(MUCH);
    g_autofree char *buf = g_malloc(MUCH);
    int peer, have = 0, taken;
    Front *f = serve(&peer);

    (void)state;
    taken = qemu_chr_fe_write_all(&f->chr, data, MUCH);
    while (have < taken) {
        ssize_t n = recv(peer, buf, MUCH, MSG_DONTWAIT);

        have += MAX(n, 0);
        main_loop_wait(false);
    }
    assert_int_equal(fe_write(f, "back"), 4);
    assert_reads(peer, "back");
    assert_false(f->chr.chr->stuck);
    close(peer);
}

typedef struct Slow {
    int fd;
    size_t len;
    uint8_t *data;
    size_t have;
} Slow;

/* Reads in small pieces with pauses. */
static void *slow_reader(void *opaque)
{
    Slow *s = opaque;

    while (s->have < s->len) {
        ssize_t n = read(s->fd, s->data + s->have, MIN(s->len - s->have, 100000));

        if (n <= 0) {
            break;
        }
        s->have += n;
        usleep(2000);
    }
    return NULL;
}

static void all_reaches_a_slow_peer_in_order(void **state)
{
    g_autofree uint8_t *data = pattern(MUCH), *got = g_malloc0(MUCH);
    Slow slow = { .len = MUCH, .data = got };
    pthread_t thread;
    Front *f = serve(&slow.fd);

    (void)state;
    pthread_create(&thread, NULL, slow_reader, &slow);
    for (int i = 0; i < MUCH; i += 4096) {
        assert_int_equal(qemu_chr_fe_write_all(&f->chr, data + i, 4096), 4096);
    }
    qemu_chr_cleanup();
    pthread_join(thread, NULL);
    assert_int_equal(slow.have, MUCH);
    assert_memory_equal(got, data, MUCH);
    close(slow.fd);
}

typedef struct Writer {
    Front *f;
    const uint8_t *data;
    int len, taken;
    int64_t ms;
    uint32_t done;
    bool in_guard;
} Writer;

static void *writer(void *opaque)
{
    Writer *w = opaque;
    int64_t start = now_ms();
    bool entered = w->in_guard && entry_enter(&w->f->guard);

    w->taken = qemu_chr_fe_write_all(&w->f->chr, w->data, w->len);
    if (entered) {
        entry_leave(&w->f->guard);
    }
    w->ms = now_ms() - start;
    __atomic_store_n(&w->done, 1, __ATOMIC_RELEASE);
    entry_thread_unregister();
    return NULL;
}

static void a_writer_inside_its_device_gets_on_while_main_waits_for_the_device(void **state)
{
    g_autofree uint8_t *data = pattern(MUCH), *got = g_malloc0(MUCH);
    Slow slow = { .len = MUCH, .data = got };
    pthread_t reader_thread, writer_thread;
    Front *f = serve(&slow.fd);
    Writer w = { .f = f, .data = data, .len = MUCH, .in_guard = true };

    (void)state;
    pthread_create(&writer_thread, NULL, writer, &w);
    while (__atomic_load_n(&f->guard.holder, __ATOMIC_ACQUIRE) == 0 &&
           !__atomic_load_n(&w.done, __ATOMIC_ACQUIRE)) {
        usleep(100);
    }
    pthread_create(&reader_thread, NULL, slow_reader, &slow);
    /* Main is not in its loop but waits, as for a device that has input. */
    assert_true(entry_enter(&f->guard));
    assert_true(__atomic_load_n(&w.taken, __ATOMIC_ACQUIRE) == MUCH);
    entry_leave(&f->guard);
    pthread_join(writer_thread, NULL);
    qemu_chr_cleanup();
    pthread_join(reader_thread, NULL);
    assert_memory_equal(got, data, MUCH);
    close(slow.fd);
}

static void a_wait_ends_when_the_peer_leaves(void **state)
{
    g_autofree uint8_t *data = pattern(MUCH);
    pthread_t thread;
    int peer;
    Front *f = serve(&peer);
    Writer w = { .f = f, .data = data, .len = MUCH };

    (void)state;
    pthread_create(&thread, NULL, writer, &w);
    run_for(100);
    assert_false(__atomic_load_n(&w.done, __ATOMIC_ACQUIRE));
    close(peer);
    run_until(__atomic_load_n(&w.done, __ATOMIC_ACQUIRE));
    pthread_join(thread, NULL);
    assert_int_equal(w.taken, MUCH);
    assert_true(w.ms < 900);
}

static void a_wait_ends_when_the_program_does(void **state)
{
    g_autofree uint8_t *data = pattern(MUCH);
    pthread_t thread;
    int peer;
    Front *f = serve(&peer);
    Writer w = { .f = f, .data = data, .len = MUCH };
    int64_t start;

    (void)state;
    pthread_create(&thread, NULL, writer, &w);
    run_for(100);
    assert_false(__atomic_load_n(&w.done, __ATOMIC_ACQUIRE));
    start = now_ms();
    qemu_chr_end_waits();
    pthread_join(thread, NULL);
    assert_true(now_ms() - start < 300);
    assert_true(w.taken < MUCH);
    qemu_chr_cleanup();
    close(peer);
}

/* ---- The end ---- */

static void the_end_waits_for_a_peer_that_reads(void **state)
{
    g_autofree uint8_t *data = pattern(MUCH), *got = g_malloc0(MUCH);
    Slow slow = { .data = got };
    pthread_t thread;
    Front *f = serve(&slow.fd);

    (void)state;
    slow.len = qemu_chr_fe_write(&f->chr, data, MUCH);
    pthread_create(&thread, NULL, slow_reader, &slow);
    qemu_chr_cleanup();
    pthread_join(thread, NULL);
    assert_int_equal(slow.have, slow.len);
    assert_memory_equal(got, data, slow.len);
    close(slow.fd);
}

static void the_end_does_not_wait_long_for_a_peer_that_never_reads(void **state)
{
    g_autofree uint8_t *data = pattern(MUCH);
    int64_t start;
    int peer;
    Front *f = serve(&peer);

    (void)state;
    qemu_chr_fe_write(&f->chr, data, MUCH);
    start = now_ms();
    qemu_chr_cleanup();
    assert_true(now_ms() - start < 1000);
    assert_null(f->chr.chr);
    assert_null(qemu_chr_find("s"));
    close(peer);
}

/* ---- Standard output ---- */

/* Runs @fn in a child whose standard output is a pipe; gives the end to read and the child. */
static pid_t in_child(void (*fn)(void), int *out)
{
    int fds[2];
    pid_t pid;

    fflush(NULL);
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        fn();
        qemu_chr_cleanup();
        _exit(7);
    }
    close(fds[1]);
    *out = fds[0];
    return pid;
}

static void assert_child_ends(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
}

static void print_much(void)
{
    g_autofree uint8_t *data = pattern(1 << 20);
    CharBackend nobody = { 0 };

    for (int i = 0; i < 1 << 20; i += 1024) {
        qemu_chr_fe_print(&nobody, data + i, 1024);
    }
}

static void all_that_is_printed_reaches_a_slow_pipe_before_the_end(void **state)
{
    g_autofree uint8_t *data = pattern(1 << 20), *got = g_malloc0(1 << 20);
    Slow slow = { .len = 1 << 20, .data = got };
    pid_t pid = in_child(print_much, &slow.fd);

    (void)state;
    slow_reader(&slow);
    assert_child_ends(pid);
    assert_int_equal(slow.have, slow.len);
    assert_memory_equal(got, data, slow.len);
    close(slow.fd);
}

static void a_reader_that_leaves_kills_nothing(void **state)
{
    int out;
    pid_t pid = in_child(print_much, &out);

    (void)state;
    close(out);
    assert_child_ends(pid);
}

static void print_and_stay(void)
{
    CharBackend nobody = { 0 };

    qemu_chr_fe_print(&nobody, (const uint8_t *)"here", 4);
    pause();
}

static void what_is_printed_is_there_before_the_end(void **state)
{
    int out;
    pid_t pid = in_child(print_and_stay, &out);

    (void)state;
    assert_reads(out, "here");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(out);
}

static void *print_lines(void *opaque)
{
    CharBackend nobody = { 0 };
    g_autofree char *line = g_strnfill(99, *(const char *)opaque);

    line[98] = '\n';
    for (int i = 0; i < 5000; i++) {
        qemu_chr_fe_print(&nobody, (const uint8_t *)line, 99);
    }
    return NULL;
}

static void print_from_two_threads(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, print_lines, (void *)"a");
    pthread_create(&b, NULL, print_lines, (void *)"b");
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

static void the_lines_of_two_threads_stay_whole_on_a_full_pipe(void **state)
{
    g_autofree uint8_t *got = g_malloc0(2 * 5000 * 99);
    Slow slow = { .len = 2 * 5000 * 99, .data = got };
    pid_t pid = in_child(print_from_two_threads, &slow.fd);

    (void)state;
    slow_reader(&slow);
    assert_child_ends(pid);
    assert_int_equal(slow.have, slow.len);
    for (size_t i = 0; i < slow.len; i += 99) {
        for (size_t k = 1; k < 98; k++) {
            assert_int_equal(got[i + k], got[i]);
        }
        assert_int_equal(got[i + 98], '\n');
    }
    close(slow.fd);
}

static void nothing_shared_with_other_processes_is_made_non_blocking(void **state)
{
    int out;
    pid_t pid = in_child(print_and_stay, &out);

    (void)state;
    assert_reads(out, "here");
    assert_int_equal(fcntl(out, F_GETFL) & O_NONBLOCK, 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(out);
}

static void print_between(void)
{
    CharBackend nobody = { 0 };
    g_autofree char *path = test_path("shared");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    dup2(fd, STDOUT_FILENO);
    assert_int_equal(write(STDOUT_FILENO, "one ", 4), 4);
    qemu_chr_fe_print(&nobody, (const uint8_t *)"two ", 4);
    assert_int_equal(write(STDOUT_FILENO, "three", 5), 5);
}

static void a_file_as_standard_output_keeps_its_place(void **state)
{
    g_autofree char *path = test_path("shared");
    g_autofree char *text = NULL;
    int out;
    pid_t pid = in_child(print_between, &out);

    (void)state;
    assert_child_ends(pid);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, "one two three");
    close(out);
}

static void print_to_nowhere(void)
{
    CharBackend nobody = { 0 };

    close(STDOUT_FILENO);
    qemu_chr_fe_print(&nobody, (const uint8_t *)"lost", 4);
}

static void a_closed_standard_output_takes_everything(void **state)
{
    int out;
    pid_t pid = in_child(print_to_nowhere, &out);

    (void)state;
    assert_child_ends(pid);
    close(out);
}

static void standard_output_is_an_object_too(void **state)
{
    Chardev *chr;
    CharBackend nobody = { 0 };

    (void)state;
    assert_int_equal(qemu_chr_fe_print(&nobody, (const uint8_t *)"", 0), 0);
    main_loop_wait(false);
    chr = qemu_chr_find("#stdout");
    assert_non_null(chr);
    assert_string_equal(object_get_typename(OBJECT(chr)), "chardev-stdout");
    qemu_chr_cleanup();
    assert_null(qemu_chr_find("#stdout"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        chardev_test(output_is_there_at_once_while_the_peer_takes_it),
        chardev_test(a_write_takes_what_fits_and_the_rest_goes_on_when_the_peer_reads),
        chardev_test(a_front_end_that_was_refused_hears_when_the_peer_leaves),
        chardev_test(what_an_old_peer_did_not_read_is_not_for_the_next),
        chardev_test(a_peer_that_never_reads_holds_a_write_for_a_second_and_the_next_not_at_all),
        chardev_test(a_peer_that_reads_again_is_waited_for_again),
        chardev_test(all_reaches_a_slow_peer_in_order),
        chardev_test(a_writer_inside_its_device_gets_on_while_main_waits_for_the_device),
        chardev_test(a_wait_ends_when_the_peer_leaves),
        chardev_test(a_wait_ends_when_the_program_does),
        chardev_test(the_end_waits_for_a_peer_that_reads),
        chardev_test(the_end_does_not_wait_long_for_a_peer_that_never_reads),
        chardev_test(all_that_is_printed_reaches_a_slow_pipe_before_the_end),
        chardev_test(a_reader_that_leaves_kills_nothing),
        chardev_test(what_is_printed_is_there_before_the_end),
        chardev_test(the_lines_of_two_threads_stay_whole_on_a_full_pipe),
        chardev_test(nothing_shared_with_other_processes_is_made_non_blocking),
        chardev_test(a_file_as_standard_output_keeps_its_place),
        chardev_test(a_closed_standard_output_takes_everything),
        chardev_test(standard_output_is_an_object_too),
    };

    return cmocka_run_group_tests(tests, chardev_setup, chardev_teardown);
}

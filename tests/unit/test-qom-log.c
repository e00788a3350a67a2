/* SPDX-License-Identifier: MIT */
/* Messages and the log: where they go, and what becomes of them when nobody reads. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <qomet/qom/log.h>
#include "tests/test.h"

static int saved = -1, reader = -1;

/* Standard error becomes a pipe that reader reads. */
static void take_stderr(void)
{
    int fds[2];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    fflush(stderr);
    saved = dup(STDERR_FILENO);
    dup2(fds[1], STDERR_FILENO);
    close(fds[1]);
    reader = fds[0];
}

static void give_stderr_back(void)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(reader);
}

/* What has been written; the caller frees it. */
static char *read_all(void)
{
    struct pollfd pfd = { .fd = reader, .events = POLLIN };
    GString *text = g_string_new(NULL);
    char part[4096];

    while (poll(&pfd, 1, 0) > 0 && pfd.revents & POLLIN) {
        ssize_t n = read(reader, part, sizeof(part));

        assert_true(n > 0);
        g_string_append_len(text, part, n);
    }
    return g_string_free(text, FALSE);
}

/* Until nothing more goes in. */
static void fill(void)
{
    static const char dots[4096] = { [0 ... 4095] = '.' };
    int flags = fcntl(STDERR_FILENO, F_GETFL);

    fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
    while (write(STDERR_FILENO, dots, sizeof(dots)) > 0) {
    }
    fcntl(STDERR_FILENO, F_SETFL, flags);
}

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

static void messages_carry_the_name_of_the_program(void **state)
{
    g_autofree char *text = NULL;

    (void)state;
    take_stderr();
    error_report("%s is %d", "one", 1);
    warn_report("two");
    info_report("three");
    qemu_log("four\n");
    text = read_all();
    give_stderr_back();
    assert_string_equal(text, "qomet: one is 1\nqomet: warning: two\nqomet: info: three\nfour\n");
}

static void the_log_goes_to_its_file_and_back(void **state)
{
    g_autofree char *path = g_strdup_printf("%s/qomet-log-%d-%%d", g_get_tmp_dir(), (int)getpid());
    g_autofree char *name =
        g_strdup_printf("%s/qomet-log-%d-%d", g_get_tmp_dir(), (int)getpid(), (int)getpid());
    g_autofree char *text = NULL, *logged = NULL;

    (void)state;
    take_stderr();
    assert_true(qemu_set_log_filename(path, NULL));
    qemu_log("to the file\n");
    error_report("to the user");
    assert_true(qemu_set_log_filename(NULL, NULL));
    qemu_log("to the user too\n");
    text = read_all();
    give_stderr_back();
    assert_true(g_file_get_contents(name, &logged, NULL, NULL));
    unlink(name);
    assert_string_equal(logged, "to the file\n");
    assert_string_equal(text, "qomet: to the user\nto the user too\n");
}

static void a_long_message_is_whole(void **state)
{
    g_autofree char *want = g_strnfill(100000, 'x'), *got = NULL;

    (void)state;
    take_stderr();
    assert_true(fcntl(STDERR_FILENO, F_SETPIPE_SZ, 1 << 20) > 0);
    qemu_log("%s", want);
    got = read_all();
    give_stderr_back();
    assert_string_equal(got, want);
}

static void when_nobody_reads_messages_are_left_out_and_counted(void **state)
{
    g_autofree char *first = NULL, *second = NULL;
    int64_t start, took;

    (void)state;
    take_stderr();
    fill();
    start = now_ms();
    qemu_log("lost 1\n");
    took = now_ms() - start;
    assert_in_range(took, 500, 30000);
    /* Patience ends once, not with each message. */
    start = now_ms();
    for (int i = 0; i < 998; i++) {
        qemu_log("lost too\n");
    }
    error_report("lost as well");
    assert_true(now_ms() - start < 500);
    first = read_all();
    assert_null(strstr(first, "lost"));
    error_report("read again");
    second = read_all();
    give_stderr_back();
    assert_string_equal(second,
                        "(messages left out, since nobody read them: 1000)\nqomet: read again\n");
}

static void *read_late(void *opaque)
{
    g_usleep(200000);
    *(char **)opaque = read_all();
    return NULL;
}

static void one_who_reads_late_gets_all(void **state)
{
    g_autofree char *first = NULL, *second = NULL;
    pthread_t thread;

    (void)state;
    take_stderr();
    fill();
    pthread_create(&thread, NULL, read_late, &first);
    qemu_log("in time\n");
    pthread_join(thread, NULL);
    second = read_all();
    give_stderr_back();
    assert_true(g_str_has_suffix(first, "in time\n") || !strcmp(second, "in time\n"));
}

static void at_the_end_nothing_waits(void **state)
{
    g_autofree char *text = NULL;
    int64_t start;

    (void)state;
    take_stderr();
    fill();
    qemu_log_end_waits(true);
    start = now_ms();
    error_report("lost");
    assert_true(now_ms() - start < 500);
    text = read_all();
    qemu_log_end_waits(false);
    error_report("read");
    g_free(text);
    text = read_all();
    give_stderr_back();
    assert_string_equal(text, "(messages left out, since nobody read them: 1)\nqomet: read\n");
}

static void a_reader_who_has_gone_is_no_matter(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    take_stderr();
    close(reader);
    reader = open("/dev/null", O_RDONLY | O_CLOEXEC);
    error_report("lost");
    error_report("lost too");
    give_stderr_back();
    signal(SIGPIPE, SIG_DFL);
    /* What was left out is told to the next one who reads. */
    take_stderr();
    error_report("read");
    {
        g_autofree char *text = read_all();

        give_stderr_back();
        assert_string_equal(text, "(messages left out, since nobody read them: 2)\nqomet: read\n");
    }
}

static void a_log_ends_at_a_gibibyte_and_goes_on_when_it_is_emptied(void **state)
{
    const off_t gib = 1 << 30;
    g_autofree char *folder = g_dir_make_tmp("qomet-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "log", NULL);
    g_autofree char *told = NULL, *text = NULL;
    struct stat st;

    (void)state;
    take_stderr();
    assert_true(qemu_set_log_filename(path, NULL));
    assert_int_equal(truncate(path, gib - 4), 0);
    for (int i = 0; i < 100; i++) {
        qemu_log("line %d\n", i);
    }
    assert_int_equal(stat(path, &st), 0);
    assert_in_range(st.st_size, gib, gib + 100);
    assert_int_equal(truncate(path, 0), 0);
    qemu_log("again\n");
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, "again\n");
    assert_true(qemu_set_log_filename(NULL, NULL));
    told = read_all();
    give_stderr_back();
    assert_string_equal(
        told, "qomet: warning: the log has reached 1 GiB and goes on when its file is emptied\n");
    unlink(path);
    rmdir(folder);
}

static void what_a_guest_does_at_any_rate_is_logged_at_a_bounded_one(void **state)
{
    g_autofree char *text = NULL;
    unsigned lines = 0;

    (void)state;
    take_stderr();
    qemu_loglevel = LOG_GUEST_ERROR;
    for (int i = 0; i < 1000; i++) {
        qemu_log_mask(LOG_GUEST_ERROR, "again\n");
        qemu_log_mask(LOG_UNIMP, "not asked for\n");
    }
    qemu_loglevel = 0;
    text = read_all();
    give_stderr_back();
    assert_null(strstr(text, "not asked for"));
    for (const char *p = text; (p = strstr(p, "again")); p++) {
        lines++;
    }
    assert_in_range(lines, 10, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_carry_the_name_of_the_program),
        cmocka_unit_test(the_log_goes_to_its_file_and_back),
        cmocka_unit_test(a_long_message_is_whole),
        cmocka_unit_test(when_nobody_reads_messages_are_left_out_and_counted),
        cmocka_unit_test(one_who_reads_late_gets_all),
        cmocka_unit_test(at_the_end_nothing_waits),
        cmocka_unit_test(a_reader_who_has_gone_is_no_matter),
        cmocka_unit_test(a_log_ends_at_a_gibibyte_and_goes_on_when_it_is_emptied),
        cmocka_unit_test(what_a_guest_does_at_any_rate_is_logged_at_a_bounded_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

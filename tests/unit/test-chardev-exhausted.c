/* SPDX-License-Identifier: MIT */
/* Sockets of a process that has no descriptor left: nobody comes in, and nothing is lost by that. */
#include "tests/unit/chardev-fixture.h"
#include <sys/resource.h>

/* No descriptor from @fd on until the limit that is returned is set again. */
static struct rlimit allow_below(int fd)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){ (rlim_t)fd, limit.rlim_max });
    return limit;
}

/* The number that the next descriptor would have. */
static int next_fd(void)
{
    int fd = dup(STDERR_FILENO), number = fd;

    close(fd);
    return number;
}

static void a_peer_waits_until_there_is_a_descriptor_for_it(void **state)
{
    g_autofree char *path = test_path("s");
    struct rlimit limit;
    Front *f;
    int peer;

    (void)state;
    chr_make("socket,id=s,path=%s,server=on,wait=off", path);
    f = front_new("s");
    peer = unix_connect(path);
    limit = allow_below(next_fd());
    run_for(50);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_string_equal(f->events->str, "");
    run_until(f->chr.chr->opened);
    close(peer);
}

static void a_socket_that_is_given_and_not_taken_stays_its_givers(void **state)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_autofree char *words = g_strdup_printf("socket,id=s,fd=%d,server=on,wait=off", fd);
    struct rlimit limit;

    (void)state;
    assert_int_equal(bind(fd, &(struct sockaddr){ .sa_family = AF_UNIX }, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(fd, 1), 0);
    limit = allow_below(next_fd());
    assert_refused("Failed to create a timer: Too many open files", words);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    assert_non_null(chr_make("%s", words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        chardev_test(a_peer_waits_until_there_is_a_descriptor_for_it),
        chardev_test(a_socket_that_is_given_and_not_taken_stays_its_givers),
    };

    return cmocka_run_group_tests(tests, chardev_setup, chardev_teardown);
}

/* SPDX-License-Identifier: MIT */
/*
 * Sockets: servers whose peers come, leave and come again, clients that try again, what is left at
 * the path, and what cannot be.
 */
#include "tests/unit/chardev-fixture.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/time.h>

static Front *server(const char *more)
{
    g_autofree char *path = test_path("s");

    chr_make("socket,id=s,path=%s,server=on,wait=off%s", path, more);
    return front_new("s");
}

static int come(Front *f)
{
    g_autofree char *path = test_path("s");
    int peer = unix_connect(path);

    assert_true(peer >= 0);
    run_until(f->chr.chr->opened);
    return peer;
}

static int tcp_connect(unsigned port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A listening socket of the test on a port that the kernel chose. */
static int tcp_listen(unsigned *port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET };
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    *port = ntohs(sa.sin_port);
    return fd;
}

/* ---- Servers ---- */

static void bytes_go_both_ways(void **state)
{
    Front *f = server("");
    int peer;

    (void)state;
    assert_string_equal(f->events->str, "");
    peer = come(f);
    assert_string_equal(f->events->str, "o");
    fe_write(f, "hello");
    assert_reads(peer, "hello");
    send_text(peer, "world");
    run_until(f->got->len == 5);
    assert_string_equal(f->got->str, "world");
    close(peer);
}

static void a_peer_may_leave_and_come_again(void **state)
{
    Front *f = server("");

    (void)state;
    for (int i = 0; i < 5; i++) {
        int peer = come(f);

        fe_write(f, "x");
        assert_reads(peer, "x");
        close(peer);
        run_until(!f->chr.chr->opened);
        /* Nobody hears. */
        assert_int_equal(fe_write(f, "lost"), 4);
    }
    assert_string_equal(f->events->str, "ocococococ");
}

static void a_second_peer_waits_until_the_first_has_left(void **state)
{
    Front *f = server("");
    int first = come(f), second;
    g_autofree char *path = test_path("s");

    (void)state;
    second = unix_connect(path);
    assert_true(second >= 0);
    send_text(second, "two");
    send_text(first, "one");
    run_for(30);
    assert_string_equal(f->got->str, "one");
    close(first);
    run_until(f->got->len == 6);
    assert_string_equal(f->got->str, "onetwo");
    close(second);
}

static void a_peer_that_leaves_while_it_is_written_to_kills_nothing(void **state)
{
    Front *f = server("");
    int peer = come(f);

    (void)state;
    close(peer);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(fe_write(f, "x"), 1);
    }
    run_until(!f->chr.chr->opened);
    peer = come(f);
    fe_write(f, "again");
    assert_reads(peer, "again");
    close(peer);
}

static void what_a_peer_sent_before_it_left_is_not_lost(void **state)
{
    Front *f = server("");
    int peer;

    (void)state;
    f->room = 3;
    peer = come(f);
    send_text(peer, "all of this");
    run_until(f->got->len == 3);
    close(peer);
    /* The front end takes no more, yet the next peer may come. */
    run_until(!f->chr.chr->opened);
    peer = come(f);
    send_text(peer, " and that");
    run_for(30);
    assert_string_equal(f->got->str, "all");
    f->room = 100;
    qemu_chr_fe_accept_input(&f->chr);
    run_until(f->got->len == strlen("all of this and that"));
    assert_string_equal(f->got->str, "all of this and that");
    close(peer);
}

static void what_a_peer_sent_before_it_hung_up_is_not_for_the_next_one(void **state)
{
    Front *f = server("");
    int peer;

    (void)state;
    qemu_chr_fe_set_talks(&f->chr);
    peer = come(f);
    f->room = 0;
    send_text(peer, "not taken");
    run_for(10);
    close(peer);
    run_until(!f->chr.chr->opened);
    f->room = 100;
    qemu_chr_fe_accept_input(&f->chr);
    peer = come(f);
    send_text(peer, "mine");
    run_until(f->got->len == 4);
    assert_string_equal(f->got->str, "mine");
    /* It is there and gone before anybody looks. */
    send_text(peer, "more");
    close(peer);
    run_until(!f->chr.chr->opened);
    assert_string_equal(f->got->str, "mine");
    /* One that has only no more to say is still there. */
    peer = come(f);
    f->room = 0;
    send_text(peer, " and his");
    shutdown(peer, SHUT_WR);
    run_for(10);
    assert_true(f->chr.chr->opened);
    f->room = 100;
    qemu_chr_fe_accept_input(&f->chr);
    run_until(!f->chr.chr->opened);
    assert_string_equal(f->got->str, "mine and his");
    close(peer);
}

static void a_peer_that_only_ends_its_own_output_has_left(void **state)
{
    Front *f = server("");
    int peer = come(f);

    (void)state;
    send_text(peer, "bye");
    shutdown(peer, SHUT_WR);
    run_until(!f->chr.chr->opened);
    assert_string_equal(f->got->str, "bye");
    close(peer);
}

static void input_waits_for_room_without_turning_the_loop(void **state)
{
    Front *f = server("");
    int peer, rounds = 0;
    int64_t end;

    (void)state;
    f->room = 0;
    peer = come(f);
    send_text(peer, "x");
    run_for(20);
    assert_int_equal(f->got->len, 0);
    end = now_ms() + 50;
    while (now_ms() < end) {
        rounds += g_main_context_pending(NULL);
        usleep(1000);
    }
    assert_int_equal(rounds, 0);
    f->room = 1;
    qemu_chr_fe_accept_input(&f->chr);
    run_until(f->got->len == 1);
    close(peer);
}

static void *accept_later(void *opaque)
{
    Front *f = opaque;

    usleep(20000);
    if (entry_enter(&f->guard)) {
        f->room = 100;
        qemu_chr_fe_accept_input(&f->chr);
        entry_leave(&f->guard);
    }
    entry_thread_unregister();
    return NULL;
}

static void another_thread_may_say_that_there_is_room(void **state)
{
    Front *f = server("");
    pthread_t thread;
    int peer;

    (void)state;
    f->room = 0;
    peer = come(f);
    send_text(peer, "text");
    assert_int_equal(pthread_create(&thread, NULL, accept_later, f), 0);
    while (__atomic_load_n(&f->got->len, __ATOMIC_RELAXED) < 4) {
        main_loop_wait(true);
    }
    pthread_join(thread, NULL);
    close(peer);
}

static void without_a_front_end_the_bytes_wait(void **state)
{
    g_autofree char *path = test_path("s");
    Front *f;
    int peer;

    (void)state;
    chr_make("socket,id=s,path=%s,server=on,wait=off", path);
    peer = unix_connect(path);
    send_text(peer, "early");
    run_for(20);
    f = front_new("s");
    run_until(f->got->len == 5);
    assert_string_equal(f->events->str, "o");
    close(peer);
}

static void a_front_end_may_go_while_its_peer_talks(void **state)
{
    Front *f = server("");
    int peer = come(f);

    (void)state;
    send_text(peer, "text");
    object_unparent(OBJECT(f));
    run_for(20);
    f = front_new("s");
    run_until(f->got->len == 4);
    close(peer);
}

/* ---- Paths ---- */

static void the_path_is_gone_at_the_end(void **state)
{
    g_autofree char *path = test_path("s");

    (void)state;
    server("");
    assert_int_equal(access(path, F_OK), 0);
    qemu_chr_cleanup();
    assert_int_equal(access(path, F_OK), -1);
}

static void a_path_that_has_become_somebody_elses_stays(void **state)
{
    g_autofree char *path = test_path("s");

    (void)state;
    server("");
    assert_int_equal(unlink(path), 0);
    assert_true(g_file_set_contents(path, "mine", -1, NULL));
    qemu_chr_cleanup();
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);
}

static void a_path_left_by_a_program_that_died_is_taken_over(void **state)
{
    g_autofree char *path = test_path("s");
    Front *f;

    (void)state;
    close(unix_listen(path));
    f = server("");
    close(come(f));
}

static void a_path_in_use_is_refused_and_stays(void **state)
{
    g_autofree char *path = test_path("s");
    g_autofree char *text =
        g_strdup_printf("Failed to bind socket to 'unix:%s': Address already in use", path);
    int other = unix_listen(path);

    (void)state;
    assert_refused(text, "socket,id=s,path=%s,server=on,wait=off", path);
    assert_int_equal(access(path, F_OK), 0);
    close(other);
    unlink(path);
    /* Nor is a file that is no socket overwritten. */
    assert_true(g_file_set_contents(path, "text", -1, NULL));
    assert_refused(text, "socket,id=s,path=%s,server=on,wait=off", path);
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);
}

static void a_name_in_the_abstract_namespace_has_no_file(void **state)
{
    g_autofree char *name = g_strdup_printf("qomet-test-%d", (int)getpid());
    g_autofree char *again = g_strdup_printf(
        "Failed to bind socket to 'unix:%s,abstract=on': Address already in use", name);
    Front *f, *g;

    (void)state;
    chr_make("socket,id=s,path=%s,abstract=on,server=on,wait=off", name);
    f = front_new("s");
    assert_refused(again, "socket,id=t,path=%s,abstract=on,server=on,wait=off", name);
    chr_make("socket,id=c,path=%s,abstract=on", name);
    g = front_new("c");
    fe_write(g, "in the void");
    run_until(f->got->len == 11);
    assert_int_equal(access(name, F_OK), -1);
}

/* ---- Clients ---- */

static void a_client_connects_when_it_is_made(void **state)
{
    g_autofree char *path = test_path("l");
    int listening = unix_listen(path), peer;
    Front *f;

    (void)state;
    chr_make("socket,id=c,path=%s", path);
    f = front_new("c");
    assert_string_equal(f->events->str, "o");
    peer = accept(listening, NULL, NULL);
    fe_write(f, "hi");
    assert_reads(peer, "hi");
    close(peer);
    run_until(!f->chr.chr->opened);
    close(listening);
    unlink(path);
}

static void a_client_without_a_server_is_refused(void **state)
{
    g_autofree char *path = test_path("nobody");
    g_autofree char *text =
        g_strdup_printf("Failed to connect to 'unix:%s': No such file or directory", path);
    g_autofree char *refused = NULL;
    unsigned port;

    (void)state;
    close(tcp_listen(&port));
    refused = g_strdup_printf("Failed to connect to 'tcp:127.0.0.1:%u': Connection refused", port);
    assert_refused(text, "socket,id=c,path=%s", path);
    assert_refused(refused, "socket,id=c,port=%u", port);
}

static void with_reconnect_a_client_tries_until_the_server_is_there_and_again(void **state)
{
    g_autofree char *path = test_path("later");
    int listening, peer;
    Front *f;

    (void)state;
    chr_make("socket,id=c,path=%s,reconnect=1", path);
    f = front_new("c");
    run_for(20);
    assert_string_equal(f->events->str, "");
    listening = unix_listen(path);
    run_until(f->chr.chr->opened);
    peer = accept(listening, NULL, NULL);
    fe_write(f, "one");
    assert_reads(peer, "one");
    close(peer);
    run_until(!f->chr.chr->opened);
    run_until(f->chr.chr->opened);
    peer = accept(listening, NULL, NULL);
    fe_write(f, "two");
    assert_reads(peer, "two");
    assert_string_equal(f->events->str, "oco");
    close(peer);
    close(listening);
    unlink(path);
}

static void a_tcp_client_reconnects_too(void **state)
{
    unsigned port;
    int listening = tcp_listen(&port), peer;
    Front *f;

    (void)state;
    chr_make("socket,id=c,host=localhost,port=%u,reconnect=1", port);
    f = front_new("c");
    run_until(f->chr.chr->opened);
    peer = accept(listening, NULL, NULL);
    close(peer);
    run_until(!f->chr.chr->opened);
    run_until(f->chr.chr->opened);
    peer = accept(listening, NULL, NULL);
    fe_write(f, "back");
    assert_reads(peer, "back");
    close(peer);
    close(listening);
}

/* ---- TCP ---- */

static void a_tcp_server_says_which_port_the_kernel_chose(void **state)
{
    Chardev *chr = chr_make("socket,id=s,host=127.0.0.1,port=0,server=on,wait=off");
    g_autofree char *port = object_property_get_str(OBJECT(chr), "port", NULL);
    Front *f = front_new("s");
    int peer = tcp_connect(atoi(port));

    (void)state;
    assert_true(atoi(port) > 0);
    assert_true(peer >= 0);
    run_until(f->chr.chr->opened);
    fe_write(f, "over tcp");
    assert_reads(peer, "over tcp");
    send_text(peer, "and back");
    run_until(f->got->len == 8);
    close(peer);
    run_until(!f->chr.chr->opened);
}

static void a_connection_that_is_reset_is_a_peer_that_left(void **state)
{
    Chardev *chr = chr_make("socket,id=s,port=0,server=on,wait=off");
    g_autofree char *port = object_property_get_str(OBJECT(chr), "port", NULL);
    Front *f = front_new("s");
    struct linger hard = { .l_onoff = 1 };
    int peer = tcp_connect(atoi(port));

    (void)state;
    run_until(f->chr.chr->opened);
    f->room = 0;
    send_text(peer, "x");
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    run_for(10);
    close(peer);
    run_until(!f->chr.chr->opened);
    peer = tcp_connect(atoi(port));
    run_until(f->chr.chr->opened);
    close(peer);
}

/* ---- Waiting for the first peer ---- */

static void *connect_later(void *opaque)
{
    int fd;

    usleep(50000);
    fd = unix_connect(opaque);
    send_text(fd, "here");
    return GINT_TO_POINTER(fd);
}

static void a_server_waits_for_its_first_peer_by_default(void **state)
{
    g_autofree char *path = test_path("w");
    int64_t start = now_ms();
    pthread_t thread;
    void *fd;
    Front *f;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, connect_later, path), 0);
    chr_make("socket,id=s,path=%s,server=on", path);
    assert_true(now_ms() - start >= 45);
    f = front_new("s");
    assert_string_equal(f->events->str, "o");
    run_until(f->got->len == 4);
    pthread_join(thread, &fd);
    close(GPOINTER_TO_INT(fd));
}

static void on_alarm(int sig)
{
    (void)sig;
}

static void a_signal_ends_the_wait_for_the_first_peer(void **state)
{
    g_autofree char *path = test_path("w");
    g_autofree char *text =
        g_strdup_printf("waiting for a connection on unix:%s: Interrupted system call", path);
    struct sigaction act = { .sa_handler = on_alarm, .sa_flags = SA_RESTART }, old;
    struct itimerval soon = { .it_value.tv_usec = 30000 };

    (void)state;
    sigaction(SIGALRM, &act, &old);
    setitimer(ITIMER_REAL, &soon, NULL);
    assert_refused(text, "socket,id=s,path=%s,server=on", path);
    sigaction(SIGALRM, &old, NULL);
    assert_int_equal(access(path, F_OK), -1);
}

/* ---- What cannot be ---- */

static void options_that_make_no_sense_are_refused(void **state)
{
    g_autofree char *longest = g_strnfill(107, 'x');
    g_autofree char *long_text = g_strdup_printf("UNIX socket path '/tmp/%s' is too long: at most "
                                                 "107 bytes are possible",
                                                 longest);

    (void)state;
    assert_refused("chardev: socket: no path=... (unix) and no port=... (TCP) given",
                   "socket,id=s");
    assert_refused("chardev: socket: path and port given: a socket has one of them",
                   "socket,id=s,path=/x,port=1");
    assert_refused(long_text, "socket,id=s,path=/tmp/%s", longest);
    assert_refused("UNIX socket path '' is empty", "socket,id=s,path=");
    assert_refused("host 'example.org' is neither an IPv4 address nor 'localhost'",
                   "socket,id=s,host=example.org,port=1");
    assert_refused("port '65536' is not a number from 0 to 65535", "socket,id=s,port=65536");
    assert_refused("port 'http' is not a number from 0 to 65535", "socket,id=s,port=http");
    assert_refused("'reconnect' option is incompatible with socket in server listen mode",
                   "socket,id=s,port=0,server=on,reconnect=1");
}

static void what_main_is_still_to_do_does_not_keep_the_path(void **state)
{
    g_autofree char *path = test_path("busy");
    Front *f;
    int fd;

    (void)state;
    chr_make("socket,id=s,path=%s,server=on,wait=off", path);
    f = front_new("s");
    fd = unix_connect(path);
    run_until(f->events->len);
    assert_true(qemu_chr_fe_disconnect(&f->chr));
    qemu_chr_cleanup();
    assert_int_not_equal(access(path, F_OK), 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        chardev_test(bytes_go_both_ways),
        chardev_test(a_peer_may_leave_and_come_again),
        chardev_test(a_second_peer_waits_until_the_first_has_left),
        chardev_test(a_peer_that_leaves_while_it_is_written_to_kills_nothing),
        chardev_test(what_a_peer_sent_before_it_left_is_not_lost),
        chardev_test(what_a_peer_sent_before_it_hung_up_is_not_for_the_next_one),
        chardev_test(a_peer_that_only_ends_its_own_output_has_left),
        chardev_test(input_waits_for_room_without_turning_the_loop),
        chardev_test(another_thread_may_say_that_there_is_room),
        chardev_test(without_a_front_end_the_bytes_wait),
        chardev_test(a_front_end_may_go_while_its_peer_talks),
        chardev_test(the_path_is_gone_at_the_end),
        chardev_test(a_path_that_has_become_somebody_elses_stays),
        chardev_test(a_path_left_by_a_program_that_died_is_taken_over),
        chardev_test(a_path_in_use_is_refused_and_stays),
        chardev_test(a_name_in_the_abstract_namespace_has_no_file),
        chardev_test(a_client_connects_when_it_is_made),
        chardev_test(a_client_without_a_server_is_refused),
        chardev_test(with_reconnect_a_client_tries_until_the_server_is_there_and_again),
        chardev_test(a_tcp_client_reconnects_too),
        chardev_test(a_tcp_server_says_which_port_the_kernel_chose),
        chardev_test(a_connection_that_is_reset_is_a_peer_that_left),
        chardev_test(a_server_waits_for_its_first_peer_by_default),
        chardev_test(a_signal_ends_the_wait_for_the_first_peer),
        chardev_test(options_that_make_no_sense_are_refused),
        chardev_test(what_main_is_still_to_do_does_not_keep_the_path),
    };

    return cmocka_run_group_tests(tests, chardev_setup, chardev_teardown);
}

/* SPDX-License-Identifier: MIT */
/* The chardev over UDP: datagrams, which may be lost, and are taken piece by piece. */
#include "tests/unit/chardev-fixture.h"
#include <arpa/inet.h>
#include <netinet/in.h>

/* A socket at a free port of this host, *@port. */
static int bound_socket(unsigned *port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    *port = ntohs(sa.sin_port);
    return fd;
}

/* Where the next datagram comes from, which must hold @text; answers go there from now on. */
static void answer_to(int fd, const char *text)
{
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    char buf[64] = { 0 };

    assert_int_equal(recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len),
                     strlen(text));
    assert_string_equal(buf, text);
    assert_int_equal(connect(fd, (struct sockaddr *)&from, len), 0);
}

static void datagrams_go_and_come(void **state)
{
    unsigned port;
    int peer = bound_socket(&port);
    g_autofree char *text = NULL, *expected = NULL;
    Front *f;

    (void)state;
    chr_make("udp,id=u,port=%u", port);
    f = front_new("u");
    fe_write(f, "hello");
    answer_to(peer, "hello");
    send_text(peer, "you");
    run_until(f->got->len == 3);
    assert_string_equal(f->got->str, "you");
    text = qemu_chr_describe(qemu_chr_find("u"));
    expected = g_strdup_printf("udp:127.0.0.1:%u", port);
    assert_string_equal(text, expected);
    close(peer);
}

static void a_datagram_is_taken_piece_by_piece(void **state)
{
    unsigned port;
    int peer = bound_socket(&port);
    Front *f;

    (void)state;
    chr_make("udp,id=u,host=localhost,port=%u", port);
    f = front_new("u");
    f->room = 4;
    fe_write(f, "x");
    answer_to(peer, "x");
    send_text(peer, "0123456789");
    send_text(peer, "abc");
    run_until(f->got->len == 4);
    run_for(10);
    assert_string_equal(f->got->str, "0123");
    f->room = 100;
    qemu_chr_fe_accept_input(&f->chr);
    run_until(f->got->len == 13);
    assert_string_equal(f->got->str, "0123456789abc");
    close(peer);
}

static void an_empty_datagram_and_nobody_there_are_no_end(void **state)
{
    unsigned port;
    int peer = bound_socket(&port), other;
    Front *f;

    (void)state;
    chr_make("udp,id=u,port=%u", port);
    f = front_new("u");
    fe_write(f, "x");
    answer_to(peer, "x");
    assert_int_equal(send(peer, "", 0, 0), 0);
    run_for(10);
    close(peer);
    for (int i = 0; i < 3; i++) {
        fe_write(f, "nobody");
        run_for(5);
    }
    /* Somebody is there again. */
    other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        bind(other,
             (struct sockaddr *)&(struct sockaddr_in){ .sin_family = AF_INET,
                                                       .sin_port = htons(port),
                                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
             sizeof(struct sockaddr_in)),
        0);
    fe_write(f, "again");
    answer_to(other, "again");
    send_text(other, "here");
    run_until(f->got->len == 4);
    assert_string_equal(f->events->str, "o");
    close(other);
}

static void the_local_address_can_be_chosen(void **state)
{
    unsigned port, local;
    int peer = bound_socket(&port), free_one = bound_socket(&local);
    g_autofree char *taken = g_strdup_printf(
        "Failed to make a UDP socket from port %u to %u: Address already in use", local, port);

    (void)state;
    assert_refused(taken, "udp,id=u,port=%u,localaddr=127.0.0.1,localport=%u", port, local);
    close(free_one);
    chr_make("udp,id=u,port=%u,localaddr=127.0.0.1,localport=%u", port, local);
    fe_write(front_new("u"), "x");
    answer_to(peer, "x");
    close(peer);
}

static void an_address_that_is_none_is_refused(void **state)
{
    (void)state;
    assert_refused("chardev: udp: no remote port: port=... is missing", "udp,id=u");
    assert_refused("port '70000' is not a number from 0 to 65535", "udp,id=u,port=70000");
    assert_refused("host 'nowhere' is neither an IPv4 address nor 'localhost'",
                   "udp,id=u,port=1,host=nowhere");
    assert_refused("host '::1' is neither an IPv4 address nor 'localhost'",
                   "udp,id=u,port=1,localaddr=::1");
    assert_null(qemu_chr_find("u"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        chardev_test(datagrams_go_and_come),
        chardev_test(a_datagram_is_taken_piece_by_piece),
        chardev_test(an_empty_datagram_and_nobody_there_are_no_end),
        chardev_test(the_local_address_can_be_chosen),
        chardev_test(an_address_that_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, chardev_setup, chardev_teardown);
}

/* SPDX-License-Identifier: MIT */
/*
 * Messages under KVM: sent by a call, and by an eventfd through a route. The ioctl() of this program
 * stands before that of the C library, and counts the tables of routes that KVM is given, and how
 * often a guest was left.
 */
#include <linux/kvm.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <qomet/hw/intc/msi-target.h>
#include "tests/guest/guest.h"
#include "tests/unit/two-threads.h"

#define DOORBELL UINT64_C(0xfee00000)
#define WILD UINT64_C(0x1fee00000) /* in memory, if anywhere */

static MsiTarget *target;
static MsiTargetClass *mc;
static int fd;
static unsigned writes, tables;
static unsigned exits; /* of vCPUs, for a reason of their own; atomic */

int ioctl(int file, unsigned long request, ...);

int ioctl(int file, unsigned long request, ...)
{
    va_list args;
    void *arg;
    int result;

    va_start(args, request);
    arg = va_arg(args, void *);
    va_end(args);
    if (request == KVM_SET_GSI_ROUTING) {
        tables++;
    }
    result = (int)syscall(SYS_ioctl, file, request, arg);
    if (request == KVM_RUN && result == 0) {
        __atomic_add_fetch(&exits, 1, __ATOMIC_RELAXED);
    }
    return result;
}

/* A local APIC that is switched on, and interrupts off: what arrives is waited for in its IRR. */
static const uint8_t waits_for_two[] = {
    0xb8, 0xff, 0x01, 0x00, 0x00, /* 1000: mov eax,0x1ff */
    0xa3, 0xf0, 0x00, 0xe0, 0xfe, /* 1005: mov ds:0xfee000f0,eax */
    0xe6, 0xf1,                   /* 100a: out 0xf1,al */
    0xa1, 0x20, 0x02, 0xe0, 0xfe, /* 100c: mov eax,ds:0xfee00220 */
    0xa8, 0x02,                   /* 1011: test al,0x2 */
    0x74, 0xf7,                   /* 1013: je 100c */
    0xe6, 0xf1,                   /* 1015: out 0xf1,al */
    0xa1, 0x20, 0x02, 0xe0, 0xfe, /* 1017: mov eax,ds:0xfee00220 */
    0xa8, 0x04,                   /* 101c: test al,0x4 */
    0x74, 0xf7,                   /* 101e: je 1017 */
    0xe6, 0xf1,                   /* 1020: out 0xf1,al */
    0xf4,                         /* 1022: hlt */
};

static void send_next(Recorder *r, hwaddr addr, uint64_t value, unsigned size)
{
    (void)r;
    (void)addr;
    (void)value;
    (void)size;
    writes++;
    if (writes == 1) {
        assert_false(mc->send(target, 0x1000, 0x42));
        assert_false(mc->send(target, 0xe0000000, 0x42));
        assert_false(mc->send(target, WILD, 0x42));
        assert_true(mc->send(target, DOORBELL, 0x41));
    } else if (writes == 2) {
        assert_int_equal(eventfd_write(fd, 1), 0);
    }
}

static void begin_with(const uint8_t *code, size_t bytes)
{
    guest_begin("protected-mode=on,kernel-irqchip=on", code, bytes);
    target = msi_target_find();
    assert_non_null(target);
    mc = MSI_TARGET_GET_CLASS(target);
    fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    writes = 0;
}

static void begin(void)
{
    begin_with(waits_for_two, sizeof(waits_for_two));
}

static void a_message_arrives_by_a_call_and_by_an_eventfd(void **state)
{
    Recorder *port;
    int route;

    (void)state;
    begin();
    route = mc->route_add(target, DOORBELL, 0x50, NULL);
    assert_true(route >= 24);
    mc->route_set(target, route, DOORBELL, 0x42);
    assert_true(mc->irqfd(target, route, fd, true, NULL));
    port = guest_recorder(false, 0xf1, 1);
    port->on_write = send_next;
    port->limit = 3;
    assert_int_equal(guest_run(), 0);
    assert_int_equal(writes, 3);
    assert_true(mc->irqfd(target, route, fd, false, NULL));
    mc->route_del(target, route);
    close(fd);
    guest_end();
}

/* ---- Without leaving the guest ---- */

#define BELL UINT64_C(0xd0000000)
#define FIRST 0x40 /* as in rings */
#define LAST 0xbf

/* Writes each number from FIRST to LAST to BELL, and waits for its vector before the next. */
static const uint8_t rings[] = {
    0xb8, 0xff, 0x01, 0x00, 0x00,       /* 1000: mov eax,0x1ff */
    0xa3, 0xf0, 0x00, 0xe0, 0xfe,       /* 1005: mov ds:0xfee000f0,eax */
    0xe6, 0xf1,                         /* 100a: out 0xf1,al */
    0xb9, 0x40, 0x00, 0x00, 0x00,       /* 100c: mov ecx,0x40 */
    0x89, 0x0d, 0x00, 0x00, 0x00, 0xd0, /* 1011: mov ds:0xd0000000,ecx */
    0x89, 0xca,                         /* 1017: mov edx,ecx */
    0xc1, 0xea, 0x05,                   /* 1019: shr edx,0x5 */
    0xc1, 0xe2, 0x04,                   /* 101c: shl edx,0x4 */
    0xbb, 0x01, 0x00, 0x00, 0x00,       /* 101f: mov ebx,0x1 */
    0xd3, 0xe3,                         /* 1024: shl ebx,cl */
    0x8b, 0x82, 0x00, 0x02, 0xe0, 0xfe, /* 1026: mov eax,[edx+0xfee00200] */
    0x85, 0xd8,                         /* 102c: test eax,ebx */
    0x74, 0xf6,                         /* 102e: je 1026 */
    0x41,                               /* 1030: inc ecx */
    0x81, 0xf9, 0xc0, 0x00, 0x00, 0x00, /* 1031: cmp ecx,0xc0 */
    0x75, 0xd8,                         /* 1037: jne 1011 */
    0xe6, 0xf1,                         /* 1039: out 0xf1,al */
    0xf4,                               /* 103b: hlt */
};

static unsigned exits_at[2];

static void note_exits(Recorder *r, hwaddr addr, uint64_t value, unsigned size)
{
    (void)addr;
    (void)value;
    (void)size;
    exits_at[r->count > 1] = __atomic_load_n(&exits, __ATOMIC_RELAXED);
}

static void a_doorbell_and_the_message_that_it_rings_for_do_not_leave_the_guest(void **state)
{
    MemoryRegionIoeventfd bells[LAST - FIRST + 1];
    int routes[LAST - FIRST + 1];
    Recorder *bell, *port;
    EntryCounts counts;

    (void)state;
    begin_with(rings, sizeof(rings));
    bell = guest_recorder(true, BELL, 0x1000);
    for (unsigned i = 0; i < G_N_ELEMENTS(bells); i++) {
        bells[i] = (MemoryRegionIoeventfd){ .size = 4, .match_data = true, .data = FIRST + i };
        bells[i].fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        memory_region_add_eventfd(&bell->mr, &bells[i]);
        routes[i] = mc->route_add(target, DOORBELL, FIRST + i, NULL);
        assert_true(mc->irqfd(target, routes[i], bells[i].fd, true, NULL));
    }
    port = guest_recorder(false, 0xf1, 1);
    port->on_write = note_exits;
    port->limit = 2;
    assert_int_equal(guest_run(), 0);
    /* The one exit is the second write to the port; nobody has seen the others. */
    assert_int_equal(exits_at[1] - exits_at[0], 1);
    assert_int_equal(bell->count, 0);
    entry_guard_counts(&DEVICE(bell)->guard, &counts);
    assert_int_equal(counts.reads + counts.writes + counts.other, 0);

    for (unsigned i = 0; i < G_N_ELEMENTS(bells); i++) {
        assert_true(mc->irqfd(target, routes[i], bells[i].fd, false, NULL));
        mc->route_del(target, routes[i]);
        memory_region_del_eventfd(&bell->mr, &bells[i]);
        close(bells[i].fd);
    }
    close(fd);
    guest_end();
}

static int wild_route;

/* Before the guest waits: signals that stand for nothing, time for them to arrive all the same. */
static void signal_wild_first(Recorder *r, hwaddr addr, uint64_t value, unsigned size)
{
    static const uint64_t wild[] = { 0, 0x1000, 0xfed00000, 0xfef00000, WILD, UINT64_MAX };

    if (writes == 1) {
        for (size_t i = 0; i < G_N_ELEMENTS(wild); i++) {
            mc->route_set(target, wild_route, wild[i], 0x42);
            assert_int_equal(eventfd_write(fd, 1), 0);
        }
        g_usleep(10000);
        mc->route_set(target, wild_route, DOORBELL, 0x43);
    }
    send_next(r, addr, value, size);
}

/* Waits for the vector 0x43, and writes to the port which of 0x40 to 0x47 were asked for till then. */
static const uint8_t waits_for_0x43[] = {
    0xb8, 0xff, 0x01, 0x00, 0x00, /* 1000: mov eax,0x1ff */
    0xa3, 0xf0, 0x00, 0xe0, 0xfe, /* 1005: mov ds:0xfee000f0,eax */
    0xe6, 0xf1,                   /* 100a: out 0xf1,al */
    0xe6, 0xf1,                   /* 100c: out 0xf1,al */
    0xa1, 0x20, 0x02, 0xe0, 0xfe, /* 100e: mov eax,ds:0xfee00220 */
    0xa8, 0x08,                   /* 1013: test al,0x8 */
    0x74, 0xf7,                   /* 1015: je 100e */
    0xe6, 0xf1,                   /* 1017: out 0xf1,al */
    0xf4,                         /* 1019: hlt */
};

static void an_address_that_is_nobodys_interrupts_nobody(void **state)
{
    Recorder *port;

    (void)state;
    begin_with(waits_for_0x43, sizeof(waits_for_0x43));
    wild_route = mc->route_add(target, WILD, 0x42, NULL);
    assert_true(wild_route >= 24);
    assert_true(mc->irqfd(target, wild_route, fd, true, NULL));
    port = guest_recorder(false, 0xf1, 1);
    port->on_write = signal_wild_first;
    port->limit = 3;
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->log[2].value, 1 << 1 | 1 << 3);
    assert_true(mc->irqfd(target, wild_route, fd, false, NULL));
    mc->route_del(target, wild_route);
    close(fd);
    guest_end();
}

static void numbers_of_routes_are_used_again(void **state)
{
    int first, second, third;

    (void)state;
    begin();
    first = mc->route_add(target, DOORBELL, 0x50, NULL);
    second = mc->route_add(target, DOORBELL, 0x51, NULL);
    third = mc->route_add(target, DOORBELL, 0x52, NULL);
    assert_int_not_equal(first, second);
    assert_int_not_equal(second, third);
    mc->route_del(target, second);
    mc->route_del(target, second);
    assert_int_equal(mc->route_add(target, DOORBELL, 0x53, NULL), second);
    mc->route_del(target, first);
    mc->route_del(target, second);
    mc->route_del(target, third);
    close(fd);
    guest_end();
}

#define MANY 500

static void routes_that_come_together_are_told_at_once(void **state)
{
    int routes[MANY], more;

    (void)state;
    begin();
    tables = 0;
    for (unsigned i = 0; i < MANY; i++) {
        routes[i] = mc->route_add(target, DOORBELL, i % 200 + 0x20, NULL);
        mc->route_set(target, routes[i], DOORBELL, i % 200 + 0x21);
    }
    assert_int_equal(tables, 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(mc->irqfd(target, routes[i], fd, true, NULL));
        assert_int_equal(tables, 1);
        assert_true(mc->irqfd(target, routes[i], fd, false, NULL));
    }
    /* One that comes later, and one that changes while an eventfd sends it. */
    more = mc->route_add(target, DOORBELL, 0x50, NULL);
    assert_true(mc->irqfd(target, more, fd, true, NULL));
    assert_int_equal(tables, 2);
    mc->route_set(target, more, DOORBELL, 0x50);
    mc->route_set(target, routes[1], DOORBELL, 0x51);
    assert_int_equal(tables, 2);
    mc->route_set(target, more, DOORBELL, 0x51);
    assert_int_equal(tables, 3);
    assert_true(mc->irqfd(target, more, fd, false, NULL));
    for (unsigned i = 0; i < MANY; i++) {
        mc->route_del(target, routes[i]);
    }
    assert_int_equal(tables, 3);
    close(fd);
    guest_end();
}

static void there_are_so_many_routes(void **state)
{
    GError *error = NULL;
    unsigned n = 0;

    (void)state;
    begin();
    while (mc->route_add(target, DOORBELL, 0x50, &error) >= 0) {
        n++;
    }
    assert_true(n > MANY && n < 1 << 20);
    assert_non_null(strstr(error->message, "routes of KVM are taken"));
    g_error_free(error);
    mc->route_del(target, 100);
    assert_int_equal(mc->route_add(target, DOORBELL, 0x50, NULL), 100);
    assert_int_equal(mc->route_add(target, DOORBELL, 0x50, NULL), -1);
    close(fd);
    guest_end();
}

static void use_routes(unsigned number, void *opaque)
{
    (void)opaque;
    for (unsigned i = 0; i < 100; i++) {
        int route = mc->route_add(target, DOORBELL, 0x50 + number, NULL);

        assert_true(route >= 24);
        mc->route_set(target, route, DOORBELL, 0x60 + number);
        mc->route_del(target, route);
        keep_pace(number);
    }
}

static void two_threads_have_routes_of_their_own(void **state)
{
    Two two;

    (void)state;
    begin();
    two_begin(&two, use_routes, NULL);
    two_end(&two);
    close(fd);
    guest_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_arrives_by_a_call_and_by_an_eventfd),
        cmocka_unit_test(a_doorbell_and_the_message_that_it_rings_for_do_not_leave_the_guest),
        cmocka_unit_test(an_address_that_is_nobodys_interrupts_nobody),
        cmocka_unit_test(numbers_of_routes_are_used_again),
        cmocka_unit_test(routes_that_come_together_are_told_at_once),
        cmocka_unit_test(there_are_so_many_routes),
        cmocka_unit_test(two_threads_have_routes_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

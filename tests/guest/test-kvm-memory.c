/* SPDX-License-Identifier: MIT */
/*
 * Ports and registers in memory on KVM: strings, every size and alignment, what is not there,
 * eventfds.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "tests/guest/guest.h"

/* ---- Ports ---- */

static void string_output_arrives_element_by_element(void **state)
{
    static const uint8_t code[] = {
        0xbe, 0x15, 0x10, /* 1000: mov si,0x1015 */
        0xb9, 0x05, 0x00, /* 1003: mov cx,0x5 */
        0xba, 0xf1, 0x00, /* 1006: mov dx,0xf1 */
        0xfc,             /* 1009: cld */
        0xf3, 0x6e,       /* 100a: rep outs dx,BYTE PTR ds:[si] */
        0xbe, 0x15, 0x10, /* 100c: mov si,0x1015 */
        0xb9, 0x02, 0x00, /* 100f: mov cx,0x2 */
        0xf3, 0x6f,       /* 1012: rep outs dx,WORD PTR ds:[si] */
        0xf4,             /* 1014: hlt */
        0x68, 0x65, 0x6c, /* 1015: push 0x6c65 */
        0x6c,             /* 1018: ins BYTE PTR es:[di],dx */
        0x6f,             /* 1019: outs dx,WORD PTR ds:[si] */
    };
    static const char text[] = "hello";
    Recorder *port;

    (void)state;
    guest_begin("", code, sizeof(code));
    port = guest_recorder(false, 0xf1, 2);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->count, 7);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(port->log[i].size, 1);
        assert_int_equal(port->log[i].addr, 0);
        assert_int_equal(port->log[i].value, text[i]);
    }
    assert_int_equal(port->log[5].size, 2);
    assert_int_equal(port->log[5].value, 'h' | 'e' << 8);
    assert_int_equal(port->log[6].value, 'l' | 'l' << 8);
    guest_end();
}

static uint64_t count_up(Recorder *r, hwaddr addr, unsigned size)
{
    (void)addr;
    (void)size;
    return r->answer++;
}

static void string_input_fills_memory(void **state)
{
    static const uint8_t code[] = {
        0xbf, 0x00, 0x20, /* 1000: mov di,0x2000 */
        0xb9, 0x2c, 0x01, /* 1003: mov cx,0x12c */
        0xba, 0xf1, 0x00, /* 1006: mov dx,0xf1 */
        0xfc,             /* 1009: cld */
        0xf3, 0x6c,       /* 100a: rep ins BYTE PTR es:[di],dx */
        0xa0, 0x00, 0x20, /* 100c: mov al,ds:0x2000 */
        0xe6, 0xf8,       /* 100f: out 0xf8,al */
        0xa0, 0x2b, 0x21, /* 1011: mov al,ds:0x212b */
        0xe6, 0xf8,       /* 1014: out 0xf8,al */
        0xa1, 0x2c, 0x21, /* 1016: mov ax,ds:0x212c */
        0xe6, 0xf8,       /* 1019: out 0xf8,al */
        0xf4,             /* 101b: hlt */
    };
    Recorder *port, *result;

    (void)state;
    guest_begin("", code, sizeof(code));
    port = guest_recorder(false, 0xf1, 1);
    port->on_read = count_up;
    port->answer = 1;
    result = guest_recorder(false, 0xf8, 1);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->count, 300);
    assert_int_equal(result->log[0].value, 1);
    assert_int_equal(result->log[1].value, 300 & 0xff);
    assert_int_equal(result->log[2].value, 0);
    guest_end();
}

static void reads_of_nothing_give_all_ones_and_are_told_once(void **state)
{
    static const uint8_t code[] = {
        0xb9, 0x64, 0x00,       /* 1000: mov cx,0x64 */
        0xe4, 0x80,             /* 1003: in al,0x80 */
        0xe6, 0x81,             /* 1005: out 0x81,al */
        0xe2, 0xfa,             /* 1007: loop 1003 <again> */
        0xe6, 0xf8,             /* 1009: out 0xf8,al */
        0xe5, 0x82,             /* 100b: in ax,0x82 */
        0xe7, 0xf8,             /* 100d: out 0xf8,ax */
        0xb8, 0x00, 0xd0,       /* 100f: mov ax,0xd000 */
        0x8e, 0xd8,             /* 1012: mov ds,ax */
        0x66, 0xa1, 0x00, 0x00, /* 1014: mov eax,ds:0x0 */
        0x66, 0xe7, 0xf8,       /* 1018: out 0xf8,eax */
        0x66, 0xa1, 0x10, 0x00, /* 101b: mov eax,ds:0x10 */
        0xf4,                   /* 101f: hlt */
    };
    Recorder *result;
    const char *said;

    (void)state;
    guest_begin("protected-mode=off,ram-size=512K", code, sizeof(code));
    guest_capture_stderr();
    result = guest_recorder(false, 0xf8, 4);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(result->log[0].value, 0xff);
    assert_int_equal(result->log[1].value, 0xffff);
    assert_int_equal(result->log[2].value, 0xffffffff);
    guest_end();
    said = guest_captured_stderr();
    assert_non_null(strstr(said, "port 0x80"));
    assert_non_null(strstr(said, "port 0x81"));
    assert_non_null(strstr(said, "address 0xd0000"));
    assert_null(strstr(strstr(said, "port 0x80") + 1, "port 0x80"));
    assert_null(strstr(strstr(said, "address 0xd00") + 1, "address 0xd00"));
}

static void unassigned_stop_ends_the_guest_with_a_report(void **state)
{
    static const uint8_t code[] = {
        0xb0, 0x12, /* 1000: mov al,0x12 */
        0xe6, 0x80, /* 1002: out 0x80,al */
        0xe6, 0xf1, /* 1004: out 0xf1,al */
        0xf4,       /* 1006: hlt */
    };
    Recorder *port;

    (void)state;
    guest_begin("unassigned=stop", code, sizeof(code));
    guest_capture_stderr();
    port = guest_recorder(false, 0xf1, 1);
    assert_int_equal(guest_run(), 1);
    assert_int_equal(port->count, 0);
    guest_end();
    assert_non_null(
        strstr(guest_captured_stderr(), "a write of 0x12 (size 1) to port 0x80, where nothing is"));
    assert_non_null(strstr(guest_captured_stderr(), "EAX="));
}

static void unassigned_ignore_is_silent(void **state)
{
    static const uint8_t code[] = {
        0xe6, 0x80, /* 1000: out 0x80,al */
        0xe4, 0x80, /* 1002: in al,0x80 */
        0xf4,       /* 1004: hlt */
    };
    (void)state;
    guest_begin("unassigned=ignore", code, sizeof(code));
    guest_capture_stderr();
    assert_int_equal(guest_run(), 0);
    guest_end();
    assert_string_equal(guest_captured_stderr(), "");
}

/* ---- Memory that is a device ---- */

static void registers_in_memory_take_every_size_and_alignment(void **state)
{
    static const uint8_t code[] = {
        0x48, 0xbf, 0x00, 0x00, 0x00,
        0xd0, 0x00, 0x00, 0x00, 0x00, /* 1000: movabs rdi,0xd0000000 */
        0xb0, 0x11,                   /* 100a: mov al,0x11 */
        0x88, 0x07,                   /* 100c: mov BYTE PTR [rdi],al */
        0x66, 0xb8, 0x22, 0x22,       /* 100e: mov ax,0x2222 */
        0x66, 0x89, 0x47, 0x02,       /* 1012: mov WORD PTR [rdi+0x2],ax */
        0xb8, 0x44, 0x44, 0x44, 0x44, /* 1016: mov eax,0x44444444 */
        0x89, 0x47, 0x04,             /* 101b: mov DWORD PTR [rdi+0x4],eax */
        0x48, 0xb8, 0x88, 0x88, 0x88,
        0x88, 0x88, 0x88, 0x88, 0x88, /* 101e: movabs rax,0x8888888888888888 */
        0x48, 0x89, 0x47, 0x08,       /* 1028: mov QWORD PTR [rdi+0x8],rax */
        0xb8, 0x33, 0x33, 0x33, 0x33, /* 102c: mov eax,0x33333333 */
        0x89, 0x47, 0x11,             /* 1031: mov DWORD PTR [rdi+0x11],eax */
        0x8a, 0x07,                   /* 1034: mov al,BYTE PTR [rdi] */
        0x66, 0x8b, 0x47, 0x02,       /* 1036: mov ax,WORD PTR [rdi+0x2] */
        0x8b, 0x47, 0x04,             /* 103a: mov eax,DWORD PTR [rdi+0x4] */
        0x48, 0x8b, 0x47, 0x08,       /* 103d: mov rax,QWORD PTR [rdi+0x8] */
        0xf4,                         /* 1041: hlt */
    };
    static const RecordedAccess expected[] = {
        { 0, 0x11, 1, true },        { 2, 0x2222, 2, true },
        { 4, 0x44444444, 4, true },  { 8, UINT64_C(0x8888888888888888), 8, true },
        { 17, 0x33333333, 4, true }, { 0, 0x5a, 1, false },
        { 2, 0x5a, 2, false },       { 4, 0x5a, 4, false },
        { 8, 0x5a, 8, false },
    };
    Recorder *memory;

    (void)state;
    guest_begin("long-mode=on", code, sizeof(code));
    memory = guest_recorder(true, 0xd0000000, 64);
    memory->answer = 0x5a;
    assert_int_equal(guest_run(), 0);
    assert_int_equal(memory->count, G_N_ELEMENTS(expected));
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        assert_int_equal(memory->log[i].addr, expected[i].addr);
        assert_int_equal(memory->log[i].size, expected[i].size);
        assert_int_equal(memory->log[i].is_write, expected[i].is_write);
        assert_int_equal(memory->log[i].value, expected[i].value);
    }
    guest_end();
}

static uint64_t address_bytes(Recorder *r, hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    (void)r;
    for (unsigned i = 0; i < size; i++) {
        value |= ((addr + i) & 0xff) << (8 * i);
    }
    return value;
}

static void an_access_across_a_page_reaches_each_byte_once(void **state)
{
    static const uint8_t code[] = {
        0x48, 0xbf, 0xfd, 0x0f, 0x00,
        0xd0, 0x00, 0x00, 0x00, 0x00, /* 1000: movabs rdi,0xd0000ffd */
        0xb8, 0x11, 0x22, 0x33, 0x44, /* 100a: mov eax,0x44332211 */
        0x89, 0x07,                   /* 100f: mov DWORD PTR [rdi],eax */
        0x8b, 0x07,                   /* 1011: mov eax,DWORD PTR [rdi] */
        0xe7, 0xf0,                   /* 1013: out 0xf0,eax */
        0xf4,                         /* 1015: hlt */
    };
    uint8_t seen[8] = { 0 };
    Recorder *memory, *port;

    (void)state;
    guest_begin("long-mode=on", code, sizeof(code));
    memory = guest_recorder(true, 0xd0000000, 0x2000);
    memory->on_read = address_bytes;
    port = guest_recorder(false, 0xf0, 4);
    assert_int_equal(guest_run(), 0);
    for (unsigned i = 0; i < memory->count; i++) {
        const RecordedAccess *a = &memory->log[i];

        for (unsigned b = 0; b < a->size && a->is_write; b++) {
            assert_in_range(a->addr + b, 0xffd, 0x1000);
            seen[a->addr + b - 0xffd] += (a->value >> (8 * b)) & 0xff;
        }
    }
    assert_int_equal(seen[0], 0x11);
    assert_int_equal(seen[1], 0x22);
    assert_int_equal(seen[2], 0x33);
    assert_int_equal(seen[3], 0x44);
    assert_int_equal(port->log[0].value, 0x00fffefd);
    guest_end();
}

/* ---- Eventfds ---- */

static void an_eventfd_takes_the_place_of_a_write(void **state)
{
    static const uint8_t code[] = {
        0xb8, 0x07, 0x00, 0x00, 0x00,       /* 1000: mov eax,0x7 */
        0xa3, 0x10, 0x00, 0x00, 0xd0,       /* 1005: mov ds:0xd0000010,eax */
        0xb8, 0x08, 0x00, 0x00, 0x00,       /* 100a: mov eax,0x8 */
        0xa3, 0x10, 0x00, 0x00, 0xd0,       /* 100f: mov ds:0xd0000010,eax */
        0xb8, 0x01, 0x00, 0x00, 0x00,       /* 1014: mov eax,0x1 */
        0x66, 0xa3, 0x20, 0x00, 0x00, 0xd0, /* 1019: mov ds:0xd0000020,ax */
        0xa3, 0x20, 0x00, 0x00, 0xd0,       /* 101f: mov ds:0xd0000020,eax */
        0xb0, 0x03,                         /* 1024: mov al,0x3 */
        0xe6, 0xf1,                         /* 1026: out 0xf1,al */
        0xe6, 0xf2,                         /* 1028: out 0xf2,al */
        0xf4,                               /* 102a: hlt */
    };
    MemoryRegionIoeventfd matched = { .addr = 0x10, .size = 4, .match_data = true, .data = 7 };
    MemoryRegionIoeventfd any_size = { .addr = 0x20, .size = 0 };
    MemoryRegionIoeventfd port_write = { .addr = 0, .size = 1 };
    Recorder *memory, *port;
    eventfd_t count = 0;

    (void)state;
    guest_begin("protected-mode=on", code, sizeof(code));
    memory = guest_recorder(true, 0xd0000000, 0x100);
    port = guest_recorder(false, 0xf1, 2);
    matched.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    any_size.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    port_write.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    memory_region_add_eventfd(&memory->mr, &matched);
    memory_region_add_eventfd(&memory->mr, &any_size);
    memory_region_add_eventfd(&port->mr, &port_write);
    assert_int_equal(guest_run(), 0);

    assert_int_equal(eventfd_read(matched.fd, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(eventfd_read(any_size.fd, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(eventfd_read(port_write.fd, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(memory->count, 1);
    assert_int_equal(memory->log[0].value, 8);
    assert_int_equal(port->count, 1);
    assert_int_equal(port->log[0].addr, 1);

    memory_region_del_eventfd(&memory->mr, &matched);
    memory_region_del_eventfd(&memory->mr, &any_size);
    memory_region_del_eventfd(&port->mr, &port_write);
    guest_end();
    close(matched.fd);
    close(any_size.fd);
    close(port_write.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        guest_test(string_output_arrives_element_by_element),
        guest_test(string_input_fills_memory),
        guest_test(reads_of_nothing_give_all_ones_and_are_told_once),
        guest_test(unassigned_stop_ends_the_guest_with_a_report),
        guest_test(unassigned_ignore_is_silent),
        guest_test(registers_in_memory_take_every_size_and_alignment),
        guest_test(an_access_across_a_page_reaches_each_byte_once),
        guest_test(an_eventfd_takes_the_place_of_a_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

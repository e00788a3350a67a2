/* SPDX-License-Identifier: MIT */
/*
 * Guest memory and ports on KVM: slots that follow the map, registers of any size, ROM, eventfds,
 * dirty pages.
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
    assert_non_null(strstr(guest_captured_stderr(), "RAX="));
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

/* ---- Slots ---- */

static MemoryRegion *add_memory(hwaddr addr, uint64_t size, bool rom, const char *contents)
{
    MemoryRegion *mr = g_new0(MemoryRegion, 1);
    GError *error = NULL;
    g_autofree char *name = g_strdup_printf("extra-%" PRIx64, addr);

    if (rom) {
        assert_true(memory_region_init_rom(mr, OBJECT(current_machine()), name, size, &error));
    } else {
        assert_true(memory_region_init_ram(mr, OBJECT(current_machine()), name, size, &error));
    }
    if (contents) {
        memcpy(memory_region_get_ram_ptr(mr), contents, strlen(contents));
    }
    memory_region_add_subregion_overlap(get_system_memory(), addr, mr, 1);
    return mr;
}

static void remove_memory(MemoryRegion *mr)
{
    object_unparent(OBJECT(mr));
    g_free(mr);
}

static void rom_is_read_and_executed_and_drops_writes(void **state)
{
    static const uint8_t code[] = {
        0xa0, 0x00, 0x00, 0x00, 0xe0,             /* 1000: mov al,ds:0xe0000000 */
        0xe6, 0xf1,                               /* 1005: out 0xf1,al */
        0xc6, 0x05, 0x00, 0x00, 0x00, 0xe0, 0x78, /* 1007: mov BYTE PTR ds:0xe0000000,0x78 */
        0xa0, 0x00, 0x00, 0x00, 0xe0,             /* 100e: mov al,ds:0xe0000000 */
        0xe6, 0xf1,                               /* 1013: out 0xf1,al */
        0xb8, 0x01, 0x00, 0x00, 0xe0,             /* 1015: mov eax,0xe0000001 */
        0xff, 0xd0,                               /* 101a: call eax */
        0xe6, 0xf1,                               /* 101c: out 0xf1,al */
        0xf4,                                     /* 101e: hlt */
    };
    MemoryRegion *rom;
    Recorder *port;

    (void)state;
    guest_begin("protected-mode=on", code, sizeof(code));
    /* 'R', then: mov al,'!'; ret */
    rom = add_memory(0xe0000000, 0x10000, true, "R\xb0!\xc3");
    port = guest_recorder(false, 0xf1, 1);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->count, 3);
    assert_int_equal(port->log[0].value, 'R');
    assert_int_equal(port->log[1].value, 'R');
    assert_int_equal(port->log[2].value, '!');
    remove_memory(rom);
    guest_end();
}

static void a_device_over_ram_hides_it_and_ram_on_both_sides_stays(void **state)
{
    static const uint8_t code[] = {
        0xc7, 0x05, 0xfc, 0xff, 0x7f,
        0x00, 0x11, 0x11, 0x11, 0x11, /* 1000: mov DWORD PTR ds:0x7ffffc,0x11111111 */
        0xc7, 0x05, 0x00, 0x00, 0x80,
        0x00, 0x22, 0x22, 0x22, 0x22, /* 100a: mov DWORD PTR ds:0x800000,0x22222222 */
        0xc7, 0x05, 0x00, 0x10, 0x80,
        0x00, 0x33, 0x33, 0x33, 0x33, /* 1014: mov DWORD PTR ds:0x801000,0x33333333 */
        0xa1, 0xfc, 0xff, 0x7f, 0x00, /* 101e: mov eax,ds:0x7ffffc */
        0xe7, 0xf0,                   /* 1023: out 0xf0,eax */
        0xa1, 0x00, 0x00, 0x80, 0x00, /* 1025: mov eax,ds:0x800000 */
        0xe7, 0xf0,                   /* 102a: out 0xf0,eax */
        0xa1, 0x00, 0x10, 0x80, 0x00, /* 102c: mov eax,ds:0x801000 */
        0xe7, 0xf0,                   /* 1031: out 0xf0,eax */
        0xf4,                         /* 1033: hlt */
    };
    MemoryRegion hole;
    Recorder *port;

    (void)state;
    guest_begin("protected-mode=on,unassigned=ignore", code, sizeof(code));
    memset(&hole, 0, sizeof(hole));
    memory_region_init_io(&hole, OBJECT(current_machine()), &(MemoryRegionOps){ 0 }, NULL, "hole",
                          0x1000);
    memory_region_add_subregion_overlap(get_system_memory(), 0x800000, &hole, 1);
    port = guest_recorder(false, 0xf0, 4);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->log[0].value, 0x11111111);
    assert_int_equal(port->log[1].value, 0xffffffff);
    assert_int_equal(port->log[2].value, 0x33333333);
    object_unparent(OBJECT(&hole));
    guest_end();
}

/* Small pieces at odd places are no slot, and still memory. */
static void ram_that_is_no_whole_page_is_served_by_exits(void **state)
{
    static const uint8_t code[] = {
        0xc7, 0x05, 0x00, 0x01, 0x00,
        0xe0, 0x78, 0x56, 0x34, 0x12, /* 1000: mov DWORD PTR ds:0xe0000100,0x12345678 */
        0xa1, 0x00, 0x01, 0x00, 0xe0, /* 100a: mov eax,ds:0xe0000100 */
        0xe7, 0xf0,                   /* 100f: out 0xf0,eax */
        0xa1, 0xfc, 0x0f, 0x00, 0xe0, /* 1011: mov eax,ds:0xe0000ffc */
        0xe7, 0xf0,                   /* 1016: out 0xf0,eax */
        0xf4,                         /* 1018: hlt */
    };
    MemoryRegion alias, *ram;
    Recorder *port;

    (void)state;
    guest_begin("protected-mode=on,unassigned=ignore", code, sizeof(code));
    ram = add_memory(0xe8000000, 0x1000, false, NULL);
    memset(&alias, 0, sizeof(alias));
    memory_region_init_alias(&alias, OBJECT(current_machine()), "piece", ram, 0x100, 0x200);
    memory_region_add_subregion_overlap(get_system_memory(), 0xe0000100, &alias, 1);
    port = guest_recorder(false, 0xf0, 4);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->log[0].value, 0x12345678);
    assert_int_equal(port->log[1].value, 0xffffffff);
    assert_int_equal(*(uint32_t *)((uint8_t *)memory_region_get_ram_ptr(ram) + 0x100), 0x12345678);
    object_unparent(OBJECT(&alias));
    remove_memory(ram);
    guest_end();
}

typedef struct Toggle {
    MemoryRegion *mr;
    Recorder *port;
    unsigned rounds;
} Toggle;

static bool toggle_until_seen(void *opaque)
{
    Toggle *t = opaque;

    memory_region_set_enabled(t->mr, t->rounds % 2 == 0);
    t->rounds++;
    return __atomic_load_n(&t->port->count, __ATOMIC_ACQUIRE) >= 40;
}

static void slots_change_while_vcpus_run(void **state)
{
    static const uint8_t code[] = {
        0xbb, 0x00, 0x00, 0x80, 0x00, /* 1000: mov ebx,0x800000 */
        0x8b, 0x03,                   /* 1005: mov eax,DWORD PTR [ebx] */
        0x39, 0xc8,                   /* 1007: cmp eax,ecx */
        0x74, 0xfa,                   /* 1009: je 1005 <again> */
        0x89, 0xc1,                   /* 100b: mov ecx,eax */
        0xe7, 0xf0,                   /* 100d: out 0xf0,eax */
        0xeb, 0xf4,                   /* 100f: jmp 1005 <again> */
    };
    Toggle t = { 0 };
    uint32_t seen = 0;

    (void)state;
    guest_begin("protected-mode=on,smp=2", code, sizeof(code));
    assert_int_equal(address_space_write(&address_space_memory, 0x800000, MEMTXATTRS_UNSPECIFIED,
                                         &(uint32_t){ 1 }, 4),
                     MEMTX_OK);
    t.mr = add_memory(0x800000, 0x1000, false, NULL);
    *(uint32_t *)memory_region_get_ram_ptr(t.mr) = 2;
    memory_region_set_enabled(t.mr, false);
    t.port = guest_recorder(false, 0xf0, 4);
    guest_start();
    vm_start();
    assert_true(guest_loop_until(toggle_until_seen, &t));
    vm_stop(RUN_STATE_PAUSED);
    for (unsigned i = 0; i < 40; i++) {
        assert_in_range(t.port->log[i].value, 1, 2);
        seen |= t.port->log[i].value;
    }
    assert_int_equal(seen, 3);
    print_message("# %u changes of a slot, 40 seen by the guest\n", t.rounds);
    remove_memory(t.mr);
    guest_end();
}

static bool nine_hundred(void *opaque)
{
    Recorder *r = opaque;

    return __atomic_load_n(&r->count, __ATOMIC_ACQUIRE) >= 900;
}

static void many_slots_come_and_go(void **state)
{
    static const uint8_t code[] = {
        0xa1, 0x00, 0x00, 0x90, 0x00, /* 1000: mov eax,ds:0x900000 */
        0xe7, 0xf0,                   /* 1005: out 0xf0,eax */
        0xeb, 0xf7,                   /* 1007: jmp 1000 <again> */
    };
    MemoryRegion *mr[300];
    Recorder *port;

    (void)state;
    guest_begin("protected-mode=on", code, sizeof(code));
    port = guest_recorder(false, 0xf0, 4);
    guest_start();
    vm_start();
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(mr); i++) {
            mr[i] = add_memory(0xe0000000 + i * 0x10000, 0x1000, i % 3 == 0, "x");
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(mr); i++) {
            remove_memory(mr[i]);
        }
    }
    assert_true(guest_loop_until(nine_hundred, port));
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

/* ---- Dirty pages ---- */

static void pages_that_the_guest_writes_are_marked(void **state)
{
    static const uint8_t code[] = {
        0xc7, 0x05, 0x00, 0x50, 0x80,
        0x00, 0x01, 0x00, 0x00, 0x00, /* 1000: mov DWORD PTR ds:0x805000,0x1 */
        0xc7, 0x05, 0x10, 0xa0, 0x80,
        0x00, 0x01, 0x00, 0x00, 0x00, /* 100a: mov DWORD PTR ds:0x80a010,0x1 */
        0xa1, 0x00, 0xb0, 0x80, 0x00, /* 1014: mov eax,ds:0x80b000 */
        0xf4,                         /* 1019: hlt */
    };
    MemoryRegion *ram;
    uint64_t bits[1] = { 0 };

    (void)state;
    guest_begin("protected-mode=on", code, sizeof(code));
    ram = add_memory(0x800000, 0x10000, false, NULL);
    memory_region_set_log(ram, true);
    assert_int_equal(guest_run(), 0);
    memory_region_snapshot_dirty(ram, 0, 0x10000, bits);
    assert_int_equal(bits[0], 1u << 5 | 1u << 10);
    memory_region_set_log(ram, false);
    remove_memory(ram);
    guest_end();
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
        guest_test(rom_is_read_and_executed_and_drops_writes),
        guest_test(a_device_over_ram_hides_it_and_ram_on_both_sides_stays),
        guest_test(ram_that_is_no_whole_page_is_served_by_exits),
        guest_test(slots_change_while_vcpus_run),
        guest_test(many_slots_come_and_go),
        guest_test(an_eventfd_takes_the_place_of_a_write),
        guest_test(pages_that_the_guest_writes_are_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * The machine "bare" on KVM: guests in each mode, what their registers hold, several vCPUs, and how
 * they end.
 */
#include <inttypes.h>
#include <string.h>
#include <qomet/hw/isa/isa-bus.h>
#include "tests/guest/guest.h"

/* Writes the low byte of each of the values to port 0xf1 as it goes. */
static void assert_written(const Recorder *r, const char *bytes)
{
    assert_int_equal(r->count, strlen(bytes));
    for (uint32_t i = 0; i < r->count; i++) {
        assert_true(r->log[i].is_write);
        assert_int_equal(r->log[i].value & 0xff, (uint8_t)bytes[i]);
    }
}

/* ---- Real mode ---- */

static void a_flat_guest_writes_to_a_port_and_halts(void **state)
{
    static const uint8_t code[] = {
        0xb0, 0x48, /* 1000: mov al,0x48 */
        0xe6, 0xf1, /* 1002: out 0xf1,al */
        0xb0, 0x69, /* 1004: mov al,0x69 */
        0xe6, 0xf1, /* 1006: out 0xf1,al */
        0xb0, 0x0a, /* 1008: mov al,0xa */
        0xe6, 0xf1, /* 100a: out 0xf1,al */
        0xf4,       /* 100c: hlt */
    };
    Recorder *port;

    (void)state;
    guest_begin("", code, sizeof(code));
    port = guest_recorder(false, 0xf1, 1);
    assert_int_equal(guest_run(), 0);
    assert_written(port, "Hi\n");
    guest_end();
}

static void registers_start_as_the_properties_say(void **state)
{
    static const uint8_t code[] = {
        0x66, 0xe7, 0xf0, /* 1000: out 0xf0,eax */
        0x66, 0x89, 0xd8, /* 1003: mov eax,ebx */
        0x66, 0xe7, 0xf0, /* 1006: out 0xf0,eax */
        0x66, 0x89, 0xc8, /* 1009: mov eax,ecx */
        0x66, 0xe7, 0xf0, /* 100c: out 0xf0,eax */
        0x66, 0x89, 0xd0, /* 100f: mov eax,edx */
        0x66, 0xe7, 0xf0, /* 1012: out 0xf0,eax */
        0x66, 0x89, 0xf0, /* 1015: mov eax,esi */
        0x66, 0xe7, 0xf0, /* 1018: out 0xf0,eax */
        0x66, 0x89, 0xf8, /* 101b: mov eax,edi */
        0x66, 0xe7, 0xf0, /* 101e: out 0xf0,eax */
        0x66, 0x89, 0xe8, /* 1021: mov eax,ebp */
        0x66, 0xe7, 0xf0, /* 1024: out 0xf0,eax */
        0x66, 0x89, 0xe0, /* 1027: mov eax,esp */
        0x66, 0xe7, 0xf0, /* 102a: out 0xf0,eax */
        0x8c, 0xd8,       /* 102d: mov ax,ds */
        0xe7, 0xf0,       /* 102f: out 0xf0,ax */
        0x8c, 0xc0,       /* 1031: mov ax,es */
        0xe7, 0xf0,       /* 1033: out 0xf0,ax */
        0x8c, 0xd0,       /* 1035: mov ax,ss */
        0xe7, 0xf0,       /* 1037: out 0xf0,ax */
        0x8c, 0xe0,       /* 1039: mov ax,fs */
        0xe7, 0xf0,       /* 103b: out 0xf0,ax */
        0x8c, 0xe8,       /* 103d: mov ax,gs */
        0xe7, 0xf0,       /* 103f: out 0xf0,ax */
        0xf4,             /* 1041: hlt */
    };
    static const uint32_t expected[] = { 0x11111111, 0x22222222, 0x33333333, 0x44444444, 0x55555555,
                                         0x66666666, 0x77777777, 0x88888888, 0x10,       0x20,
                                         0x30,       0x40,       0x50 };
    Recorder *port;

    (void)state;
    guest_begin(
        "rax=0x11111111,rbx=0x22222222,rcx=0x33333333,rdx=0x44444444,rsi=0x55555555,rdi=0x66666666,"
        "rbp=0x77777777,rsp=0x88888888,ds=0x10,es=0x20,ss=0x30,fs=0x40,gs=0x50",
        code, sizeof(code));
    port = guest_recorder(false, 0xf0, 4);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->count, G_N_ELEMENTS(expected));
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        assert_int_equal(port->log[i].value, expected[i]);
    }
    guest_end();
}

static void a_segment_begins_at_16_times_its_selector(void **state)
{
    static const uint8_t code[] = {
        0xa0, 0x04, 0x00,       /* 0: mov al,ds:0x4 */
        0xe6, 0xf1,             /* 3: out 0xf1,al */
        0x2e, 0xa0, 0x04, 0x00, /* 5: mov al,cs:0x4 */
        0xe6, 0xf1,             /* 9: out 0xf1,al */
        0xf4,                   /* b: hlt */
    };
    Recorder *port;

    (void)state;
    guest_begin("load-address=0x10000,cs=0x1000,entry=0,ds=0x1000", code, sizeof(code));
    port = guest_recorder(false, 0xf1, 1);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->log[0].value, code[4]);
    assert_int_equal(port->log[1].value, code[4]);
    guest_end();
}

static void ram_of_an_odd_size_is_whole_pages(void **state)
{
    static const uint8_t code[] = {
        0xa0, 0xff, 0x1f, /* 1000: mov al,ds:0x1fff */
        0xe6, 0xf1,       /* 1003: out 0xf1,al */
        0xf4,             /* 1005: hlt */
    };
    Recorder *port;

    (void)state;
    guest_begin("ram-size=4097", code, sizeof(code));
    port = guest_recorder(false, 0xf1, 1);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(current_machine()->ram_size, 8192);
    assert_int_equal(port->count, 1);
    assert_int_equal(port->log[0].value, 0);
    guest_end();
}

static void a_device_that_asks_for_the_end_gets_it_at_once(void **state)
{
    static const uint8_t code[] = {
        0x31, 0xc0, /* 0: xor ax,ax */
        0xe7, 0x10, /* 2: out 0x10,ax */
        0x40,       /* 4: inc ax */
        0xeb, 0xfb, /* 5: jmp 2 <again> */
    };
    Recorder *port;

    (void)state;
    guest_begin("load-address=0x10000,cs=0x1000,entry=0", code, sizeof(code));
    port = guest_recorder(false, 0x10, 2);
    port->limit = 5;
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->count, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(port->log[i].size, 2);
        assert_int_equal(port->log[i].value, i);
    }
    guest_end();
}

/* ---- The other modes ---- */

static void protected_mode_reaches_all_memory_through_flat_segments(void **state)
{
    static const uint8_t code[] = {
        0xc7, 0x05, 0x00, 0x00, 0x80,
        0x00, 0x78, 0x56, 0x34, 0x12, /* 100000: mov DWORD PTR ds:0x800000,0x12345678 */
        0xa1, 0x00, 0x00, 0x80, 0x00, /* 10000a: mov eax,ds:0x800000 */
        0xe7, 0xf0,                   /* 10000f: out 0xf0,eax */
        0x66, 0xb8, 0x10, 0x00,       /* 100011: mov ax,0x10 */
        0x8e, 0xd8,                   /* 100015: mov ds,eax */
        0x8e, 0xc0,                   /* 100017: mov es,eax */
        0x68, 0x5a, 0x5a, 0x00, 0x00, /* 100019: push 0x5a5a */
        0x5b,                         /* 10001e: pop ebx */
        0x89, 0xd8,                   /* 10001f: mov eax,ebx */
        0xe7, 0xf0,                   /* 100021: out 0xf0,eax */
        0xa1, 0x00, 0x00, 0x00, 0xd0, /* 100023: mov eax,ds:0xd0000000 */
        0xe7, 0xf0,                   /* 100028: out 0xf0,eax */
        0x8c, 0xc8,                   /* 10002a: mov eax,cs */
        0xe7, 0xf0,                   /* 10002c: out 0xf0,eax */
        0xf4,                         /* 10002e: hlt */
    };
    Recorder *port, *memory;

    (void)state;
    guest_begin("protected-mode=on,load-address=0x100000", code, sizeof(code));
    port = guest_recorder(false, 0xf0, 4);
    memory = guest_recorder(true, 0xd0000000, 16);
    memory->answer = 0xcafe;
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->count, 4);
    assert_int_equal(port->log[0].value, 0x12345678);
    assert_int_equal(port->log[1].value, 0x5a5a);
    assert_int_equal(port->log[2].value, 0xcafe);
    assert_int_equal(port->log[3].value, 0x08);
    guest_end();
}

static void long_mode_has_64_bits_and_all_memory_mapped_to_itself(void **state)
{
    static const uint8_t code[] = {
        0x48, 0xb8, 0xf0, 0xde, 0xbc, 0x9a, 0x78,
        0x56, 0x34, 0x12,       /* 200000: movabs rax,0x123456789abcdef0 */
        0x50,                   /* 20000a: push rax */
        0x5b,                   /* 20000b: pop rbx */
        0x48, 0xc1, 0xeb, 0x20, /* 20000c: shr rbx,0x20 */
        0x89, 0xd8,             /* 200010: mov eax,ebx */
        0xe7, 0xf0,             /* 200012: out 0xf0,eax */
        0x48, 0xbe, 0x08, 0x00, 0x00, 0xd0, 0x00,
        0x00, 0x00, 0x00,       /* 200014: movabs rsi,0xd0000008 */
        0x48, 0x8b, 0x06,       /* 20001e: mov rax,QWORD PTR [rsi] */
        0x48, 0xc1, 0xe8, 0x20, /* 200021: shr rax,0x20 */
        0xe7, 0xf0,             /* 200025: out 0xf0,eax */
        0x48, 0xb8, 0x88, 0x77, 0x66, 0x55, 0x44,
        0x33, 0x22, 0x11,                         /* 200027: movabs rax,0x1122334455667788 */
        0x48, 0x89, 0x06,                         /* 200031: mov QWORD PTR [rsi],rax */
        0x48, 0xc7, 0xc7, 0x00, 0x00, 0x00, 0x04, /* 200034: mov rdi,0x4000000 */
        0x48, 0x89, 0x07,                         /* 20003b: mov QWORD PTR [rdi],rax */
        0x8b, 0x47, 0x04,                         /* 20003e: mov eax,DWORD PTR [rdi+0x4] */
        0xe7, 0xf0,                               /* 200041: out 0xf0,eax */
        0x44, 0x89, 0xf8,                         /* 200043: mov eax,r15d */
        0xf4,                                     /* 200046: hlt */
    };
    Recorder *port, *memory;

    (void)state;
    guest_begin("long-mode=on,load-address=0x200000,ram-size=128M", code, sizeof(code));
    port = guest_recorder(false, 0xf0, 4);
    memory = guest_recorder(true, 0xd0000000, 16);
    memory->answer = UINT64_C(0xfeedface12345678);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->count, 3);
    assert_int_equal(port->log[0].value, 0x12345678);
    assert_int_equal(port->log[1].value, 0xfeedface);
    assert_int_equal(port->log[2].value, 0x11223344);
    assert_int_equal(memory->count, 2);
    assert_int_equal(memory->log[1].size, 8);
    assert_int_equal(memory->log[1].addr, 8);
    assert_int_equal(memory->log[1].value, UINT64_C(0x1122334455667788));
    guest_end();
}

static void ram_beyond_3_gib_goes_on_at_4_gib(void **state)
{
    static const uint8_t code[] = {
        0x48, 0xbf, 0x00, 0x00, 0x00, 0x00,
        0x01, 0x00, 0x00, 0x00,             /* 1000: movabs rdi,0x100000000 */
        0xc7, 0x07, 0x0d, 0xf0, 0x0d, 0x60, /* 100a: mov DWORD PTR [rdi],0x600df00d */
        0x8b, 0x07,                         /* 1010: mov eax,DWORD PTR [rdi] */
        0xe7, 0xf0,                         /* 1012: out 0xf0,eax */
        0x48, 0xbf, 0xfc, 0xff, 0xff, 0x3f,
        0x01, 0x00, 0x00, 0x00,             /* 1014: movabs rdi,0x13ffffffc */
        0xc7, 0x07, 0x07, 0x00, 0x00, 0x00, /* 101e: mov DWORD PTR [rdi],0x7 */
        0x8b, 0x07,                         /* 1024: mov eax,DWORD PTR [rdi] */
        0xe7, 0xf0,                         /* 1026: out 0xf0,eax */
        0xf4,                               /* 1028: hlt */
    };
    Recorder *port;

    (void)state;
    guest_begin("long-mode=on,ram-size=4G,unassigned=stop", code, sizeof(code));
    port = guest_recorder(false, 0xf0, 4);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->count, 2);
    assert_int_equal(port->log[0].value, 0x600df00d);
    assert_int_equal(port->log[1].value, 7);
    guest_end();
}

/* ---- Several vCPUs ---- */

static void each_vcpu_starts_with_its_index_in_edx(void **state)
{
    static const uint8_t code[] = {
        0x66, 0x89, 0xd0, /* 1000: mov eax,edx */
        0xe6, 0xf1,       /* 1003: out 0xf1,al */
        0xf4,             /* 1005: hlt */
    };
    Recorder *port;
    unsigned seen = 0;

    (void)state;
    guest_begin("smp=4", code, sizeof(code));
    port = guest_recorder(false, 0xf1, 1);
    assert_int_equal(cpu_count(), 4);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->count, 4);
    for (unsigned i = 0; i < 4; i++) {
        seen |= 1u << port->log[i].value;
    }
    assert_int_equal(seen, 0xf);
    guest_end();
}

static void the_machine_ends_when_the_last_vcpu_has_halted(void **state)
{
    static const uint8_t code[] = {
        0x66, 0x85, 0xd2,                   /* 1000: test edx,edx */
        0x75, 0x0a,                         /* 1003: jne 100f <halt> */
        0x66, 0xb9, 0xd0, 0x07, 0x00, 0x00, /* 1005: mov ecx,0x7d0 */
        0xe2, 0xfe,                         /* 100b: loop 100b <again> */
        0xe6, 0xf1,                         /* 100d: out 0xf1,al */
        0xf4,                               /* 100f: hlt */
    };
    Recorder *port;

    (void)state;
    guest_begin("smp=3", code, sizeof(code));
    port = guest_recorder(false, 0xf1, 1);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->count, 1);
    guest_end();
}

/* ---- Interrupts ---- */

static void raise_line(Recorder *r, hwaddr addr, uint64_t value, unsigned size)
{
    (void)addr;
    (void)size;
    qemu_set_irq(r->opaque, (int)value);
}

static void an_isa_line_interrupts_the_guest_through_kvms_pic(void **state)
{
    static const uint8_t code[] = {
        0x31, 0xc0,                         /* 1000: xor ax,ax */
        0x8e, 0xd8,                         /* 1002: mov ds,ax */
        0x8e, 0xd0,                         /* 1004: mov ss,ax */
        0xbc, 0x00, 0x08,                   /* 1006: mov sp,0x800 */
        0xc7, 0x06, 0x90, 0x00, 0x31, 0x10, /* 1009: mov WORD PTR ds:0x90,0x1031 */
        0xc7, 0x06, 0x92, 0x00, 0x00, 0x00, /* 100f: mov WORD PTR ds:0x92,0x0 */
        0xb0, 0x11,                         /* 1015: mov al,0x11 */
        0xe6, 0x20,                         /* 1017: out 0x20,al */
        0xb0, 0x20,                         /* 1019: mov al,0x20 */
        0xe6, 0x21,                         /* 101b: out 0x21,al */
        0xb0, 0x04,                         /* 101d: mov al,0x4 */
        0xe6, 0x21,                         /* 101f: out 0x21,al */
        0xb0, 0x01,                         /* 1021: mov al,0x1 */
        0xe6, 0x21,                         /* 1023: out 0x21,al */
        0xb0, 0xef,                         /* 1025: mov al,0xef */
        0xe6, 0x21,                         /* 1027: out 0x21,al */
        0xfb,                               /* 1029: sti */
        0xb0, 0x01,                         /* 102a: mov al,0x1 */
        0xe6, 0xf2,                         /* 102c: out 0xf2,al */
        0xf4,                               /* 102e: hlt */
        0xeb, 0xfd,                         /* 102f: jmp 102e <wait> */
        0xb0, 0x00,                         /* 1031: mov al,0x0 */
        0xe6, 0xf2,                         /* 1033: out 0xf2,al */
        0xb0, 0x21,                         /* 1035: mov al,0x21 */
        0xe6, 0xf1,                         /* 1037: out 0xf1,al */
        0xb0, 0x20,                         /* 1039: mov al,0x20 */
        0xe6, 0x20,                         /* 103b: out 0x20,al */
        0xcf,                               /* 103d: iret */
    };
    Recorder *line, *port;
    GError *error = NULL;
    BusState *isa;

    (void)state;
    guest_begin("kernel-irqchip=on", code, sizeof(code));
    isa = qbus_find("isa.0", NULL, &error);
    assert_non_null(isa);
    line = guest_recorder(false, 0xf2, 1);
    line->on_write = raise_line;
    line->opaque = ISA_BUS(isa)->irqs[4];
    assert_non_null(line->opaque);
    port = guest_recorder(false, 0xf1, 1);
    port->limit = 1;
    assert_int_equal(guest_run(), 0);
    assert_written(port, "!");
    guest_end();
}

static void the_serial_port_interrupts_on_line_4(void **state)
{
    static const uint8_t code[] = {
        0x31, 0xc0,                         /* 1000: xor ax,ax */
        0x8e, 0xd8,                         /* 1002: mov ds,ax */
        0x8e, 0xd0,                         /* 1004: mov ss,ax */
        0xbc, 0x00, 0x08,                   /* 1006: mov sp,0x800 */
        0xc7, 0x06, 0x90, 0x00, 0x39, 0x10, /* 1009: mov WORD PTR ds:0x90,0x1039 */
        0xc7, 0x06, 0x92, 0x00, 0x00, 0x00, /* 100f: mov WORD PTR ds:0x92,0x0 */
        0xb0, 0x11,                         /* 1015: mov al,0x11 */
        0xe6, 0x20,                         /* 1017: out 0x20,al */
        0xb0, 0x20,                         /* 1019: mov al,0x20 */
        0xe6, 0x21,                         /* 101b: out 0x21,al */
        0xb0, 0x04,                         /* 101d: mov al,0x4 */
        0xe6, 0x21,                         /* 101f: out 0x21,al */
        0xb0, 0x01,                         /* 1021: mov al,0x1 */
        0xe6, 0x21,                         /* 1023: out 0x21,al */
        0xb0, 0xef,                         /* 1025: mov al,0xef */
        0xe6, 0x21,                         /* 1027: out 0x21,al */
        0xba, 0xfc, 0x03,                   /* 1029: mov dx,0x3fc */
        0xb0, 0x08,                         /* 102c: mov al,0x8 */
        0xee,                               /* 102e: out dx,al */
        0xfb,                               /* 102f: sti */
        0xba, 0xf9, 0x03,                   /* 1030: mov dx,0x3f9 */
        0xb0, 0x02,                         /* 1033: mov al,0x2 */
        0xee,                               /* 1035: out dx,al */
        0xf4,                               /* 1036: hlt */
        0xeb, 0xfd,                         /* 1037: jmp 1036 <wait> */
        0xba, 0xfa, 0x03,                   /* 1039: mov dx,0x3fa */
        0xec,                               /* 103c: in al,dx */
        0xe6, 0xf1,                         /* 103d: out 0xf1,al */
        0xb0, 0x20,                         /* 103f: mov al,0x20 */
        0xe6, 0x20,                         /* 1041: out 0x20,al */
        0xcf,                               /* 1043: iret */
    };
    GError *error = NULL;
    DeviceState *serial;
    Recorder *port;

    (void)state;
    guest_begin("kernel-irqchip=on", code, sizeof(code));
    serial = qdev_new("isa-serial", &error);
    assert_non_null(serial);
    assert_true(qdev_realize_and_unref(serial, qbus_find("isa.0", NULL, &error), &error));
    port = guest_recorder(false, 0xf1, 1);
    port->limit = 1;
    assert_int_equal(guest_run(), 0);
    /* Interrupt identification: the transmitter is empty. */
    assert_int_equal(port->log[0].value & 0x0f, 2);
    guest_end();
}

static void the_interrupt_controllers_have_the_vcpus_start_too(void **state)
{
    static const uint8_t code[] = {
        0x66, 0x89, 0xd0, /* 1000: mov eax,edx */
        0xe6, 0xf1,       /* 1003: out 0xf1,al */
        0xeb, 0xfe,       /* 1005: jmp 1005 <spin> */
    };
    Recorder *port;

    (void)state;
    guest_begin("smp=2,kernel-irqchip=on", code, sizeof(code));
    port = guest_recorder(false, 0xf1, 1);
    port->limit = 2;
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->count, 2);
    assert_int_equal(port->log[0].value + port->log[1].value, 1);
    guest_end();
}

/* ---- Models ---- */

/* Tells leaf 1's ECX, 0x40000001's EAX, 0xb's EDX and the first four characters of the name. */
static const uint8_t tell_cpuid[] = {
    0x66, 0xb8, 0x01, 0x00, 0x00, 0x00, /* 1000: mov eax,0x1 */
    0x0f, 0xa2,                         /* 1006: cpuid */
    0x66, 0x89, 0xc8,                   /* 1008: mov eax,ecx */
    0x66, 0xe7, 0xf0,                   /* 100b: out 0xf0,eax */
    0x66, 0xb8, 0x01, 0x00, 0x00, 0x40, /* 100e: mov eax,0x40000001 */
    0x0f, 0xa2,                         /* 1014: cpuid */
    0x66, 0xe7, 0xf4,                   /* 1016: out 0xf4,eax */
    0x66, 0xb8, 0x0b, 0x00, 0x00, 0x00, /* 1019: mov eax,0xb */
    0x66, 0x31, 0xc9,                   /* 101f: xor ecx,ecx */
    0x0f, 0xa2,                         /* 1022: cpuid */
    0x66, 0x89, 0xd0,                   /* 1024: mov eax,edx */
    0x66, 0xe7, 0xf8,                   /* 1027: out 0xf8,eax */
    0x66, 0xb8, 0x02, 0x00, 0x00, 0x80, /* 102a: mov eax,0x80000002 */
    0x0f, 0xa2,                         /* 1030: cpuid */
    0x66, 0xe7, 0xfc,                   /* 1032: out 0xfc,eax */
    0xf4,                               /* 1035: hlt */
};

#define PV_HYPERCALLS (1u << 7 | 1u << 11 | 1u << 13)
/* and asynchronous page faults, ends of interrupts */
#define PV_OF_LAPICS (PV_HYPERCALLS | 1u << 4 | 1u << 6 | 1u << 10 | 1u << 14)

static uint32_t told_by_leaf(const Recorder *r, hwaddr addr, unsigned nth)
{
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->log[i].addr == addr && nth-- == 0) {
            return (uint32_t)r->log[i].value;
        }
    }
    fail_msg("leaf %u was not told", (unsigned)addr);
    return 0;
}

static void the_default_model_is_the_same_everywhere(void **state)
{
    Recorder *r;

    (void)state;
    guest_begin("smp=2", tell_cpuid, sizeof(tell_cpuid));
    r = guest_recorder(false, 0xf0, 16);
    assert_int_equal(guest_run(), 0);
    /* Some KVMs add what they cannot hide. */
    assert_int_equal(told_by_leaf(r, 0, 0) & (0x80002001 | 1u << 21), 0x80002001);
    assert_int_equal(told_by_leaf(r, 4, 0), 0x0100000b);
    assert_int_equal(told_by_leaf(r, 8, 0) + told_by_leaf(r, 8, 1), 1);
    assert_int_equal(told_by_leaf(r, 12, 0), 0x656d6f51); /* "Qome" */
    guest_end();
}

static uint32_t pv_features(const char *words)
{
    Recorder *r;
    uint32_t features;

    guest_begin(words, tell_cpuid, sizeof(tell_cpuid));
    r = guest_recorder(false, 0xf0, 16);
    r->limit = 4;
    assert_int_equal(guest_run(), 0);
    /* A hypervisor is there, and without interrupt controllers no x2APIC. */
    assert_int_equal(told_by_leaf(r, 0, 0) & (1u << 31 | 1u << 21),
                     1u << 31 | (strstr(words, "irqchip=on") ? 1u << 21 : 0));
    features = told_by_leaf(r, 4, 0);
    guest_end();
    return features;
}

static void the_hosts_model_offers_hypercalls_only_when_asked(void **state)
{
    uint32_t without, with;

    (void)state;
    without = pv_features("kernel-irqchip=on,cpu=host");
    with = pv_features("kernel-irqchip=on,cpu=max,,kvm-hypercalls=on");
    assert_int_equal(without & PV_HYPERCALLS, 0);
    assert_int_equal(with & ~PV_HYPERCALLS, without);
}

/* A guest that writes their registers, or calls, would be refused. */
static void without_kvms_local_apics_nothing_is_offered_that_needs_them(void **state)
{
    (void)state;
    assert_int_equal(pv_features("cpu=max,,kvm-hypercalls=on") & PV_OF_LAPICS, 0);
}

/* ---- Reset ---- */

static void reset_then_end(Recorder *r, hwaddr addr, uint64_t value, unsigned size)
{
    (void)addr;
    (void)value;
    (void)size;
    if (r->count < 3) {
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    } else {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    }
}

static void a_reset_starts_the_guest_anew(const char *words)
{
    static const uint8_t code[] = {
        0x2e, 0xfe, 0x06, 0x15, 0x10, /* 1000: inc BYTE PTR cs:0x1015 */
        0x66, 0x40,                   /* 1005: inc eax */
        0x2e, 0x8a, 0x1e, 0x15, 0x10, /* 1007: mov bl,BYTE PTR cs:0x1015 */
        0x00, 0xd8,                   /* 100c: add al,bl */
        0xe6, 0xf1,                   /* 100e: out 0xf1,al */
        0xb0, 0xee,                   /* 1010: mov al,0xee */
        0xe6, 0xf1,                   /* 1012: out 0xf1,al */
        0xf4,                         /* 1014: hlt */
        0x05,                         /* 1015: .byte 0x5 */
    };
    Recorder *port;

    guest_begin(words, code, sizeof(code));
    port = guest_recorder(false, 0xf1, 1);
    port->on_write = reset_then_end;
    assert_int_equal(guest_run(), 0);
    /* Image and registers are as they were: every time the same value, and nothing after it. */
    assert_int_equal(port->count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(port->log[i].value, 0x17);
    }
    guest_end();
}

static void a_reset_gives_image_and_registers_back(void **state)
{
    (void)state;
    a_reset_starts_the_guest_anew("rax=0x10");
}

static void a_reset_with_interrupt_controllers_does_so_too(void **state)
{
    (void)state;
    a_reset_starts_the_guest_anew("rax=0x10,kernel-irqchip=on");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        guest_test(a_flat_guest_writes_to_a_port_and_halts),
        guest_test(registers_start_as_the_properties_say),
        guest_test(a_segment_begins_at_16_times_its_selector),
        guest_test(ram_of_an_odd_size_is_whole_pages),
        guest_test(a_device_that_asks_for_the_end_gets_it_at_once),
        guest_test(protected_mode_reaches_all_memory_through_flat_segments),
        guest_test(long_mode_has_64_bits_and_all_memory_mapped_to_itself),
        guest_test(ram_beyond_3_gib_goes_on_at_4_gib),
        guest_test(each_vcpu_starts_with_its_index_in_edx),
        guest_test(the_machine_ends_when_the_last_vcpu_has_halted),
        guest_test(an_isa_line_interrupts_the_guest_through_kvms_pic),
        guest_test(the_serial_port_interrupts_on_line_4),
        guest_test(the_interrupt_controllers_have_the_vcpus_start_too),
        guest_test(the_default_model_is_the_same_everywhere),
        guest_test(the_hosts_model_offers_hypercalls_only_when_asked),
        guest_test(without_kvms_local_apics_nothing_is_offered_that_needs_them),
        guest_test(a_reset_gives_image_and_registers_back),
        guest_test(a_reset_with_interrupt_controllers_does_so_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

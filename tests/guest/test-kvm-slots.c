/* SPDX-License-Identifier: MIT */
/*
 * Guest memory on KVM: slots that follow the map, ROM, dirty pages, and what is done when there is
 * no slot left.
 */
#include <inttypes.h>
#include <string.h>
#include "accel/kvm/kvm-int.h"
#include "tests/guest/guest.h"

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

/* ---- No slot is left ---- */

#define TYPE_MEMORY_DEVICE "test-memory-device"

/* A device that has a page of memory, at 0xe0000000 and so many pages on. */
typedef struct MemoryDevice {
    DeviceState parent_obj;
    uint32_t page;
    MemoryRegion memory;
} MemoryDevice;

static bool memory_device_realize(DeviceState *dev, GError **errp)
{
    MemoryDevice *d = (MemoryDevice *)dev;

    return memory_region_init_ram(&d->memory, OBJECT(d), "memory", 0x1000, errp) &&
           qdev_map(dev, get_system_memory(), 0xe0000000 + d->page * 0x1000, &d->memory, errp);
}

static const Property memory_device_props[] = {
    DEFINE_PROP_UINT32("page", MemoryDevice, page, 0),
};

static void memory_device_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->realize = memory_device_realize;
    device_class_set_props(DEVICE_CLASS(klass), memory_device_props);
}

static const TypeInfo memory_device_types[] = { {
    .name = TYPE_MEMORY_DEVICE,
    .parent = TYPE_DEVICE,
    .instance_size = sizeof(MemoryDevice),
    .class_init = memory_device_class_init,
} };
DEFINE_TYPES(memory_device_types)

static DeviceState *add_device(const char *id, uint32_t page, GError **errp)
{
    DeviceState *dev = qdev_new(TYPE_MEMORY_DEVICE, errp);

    assert_non_null(dev);
    assert_true(qdev_set_id(dev, id, errp));
    assert_true(object_property_set_uint(OBJECT(dev), "page", page, errp));
    if (!qdev_realize(dev, NULL, errp)) {
        object_unparent(OBJECT(dev));
        g_clear_pointer(&dev, object_unref);
    }
    object_unref(dev);
    return dev;
}

/* Reads 0xe0000000 and 0xe0002000 in turns and writes what was there to a port. */
static const uint8_t reader[] = {
    0xa1, 0x00, 0x00, 0x00, 0xe0, /* 1000: mov eax,ds:0xe0000000 */
    0xe7, 0xf0,                   /* 1005: out 0xf0,eax */
    0xa1, 0x00, 0x20, 0x00, 0xe0, /* 1007: mov eax,ds:0xe0002000 */
    0xe7, 0xf0,                   /* 100c: out 0xf0,eax */
    0xeb, 0xf0,                   /* 100e: jmp 1000 */
};

static uint32_t accesses_wanted;

static bool enough_accesses(void *opaque)
{
    return __atomic_load_n(&((Recorder *)opaque)->count, __ATOMIC_ACQUIRE) >= accesses_wanted;
}

/* The guest goes on: it is waited for. */
static void assert_runs(Recorder *port)
{
    accesses_wanted = __atomic_load_n(&port->count, __ATOMIC_ACQUIRE) + 4;
    assert_true(guest_loop_until(enough_accesses, port));
    assert_true(runstate_is_running());
    assert_int_equal(qemu_shutdown_requested_get(), SHUTDOWN_CAUSE_NONE);
}

static void a_device_for_whose_memory_no_slot_is_left_is_refused_and_the_guest_goes_on(void **state)
{
    g_autoptr(GError) error = NULL;
    DeviceState *first;
    Recorder *port;

    (void)state;
    guest_begin("protected-mode=on,unassigned=ignore", reader, sizeof(reader));
    port = guest_recorder(false, 0xf0, 4);
    guest_start();
    /* One for the board's RAM, one more. */
    KVM_ACCEL(current_accel())->max_slots = 2;
    vm_start();
    guest_capture_stderr();
    first = add_device("first", 0, NULL);
    assert_non_null(first);
    assert_null(add_device("second", 2, &error));
    assert_non_null(error);
    assert_string_equal(error->message,
                        "KVM has no more than 2 memory slots, and none is left for 4 KiB of "
                        "'/machine/peripheral/second/memory' at 0xe0002000");
    assert_null(qdev_find("second"));
    assert_runs(port);

    /* The slot of one that has gone is there for another. */
    assert_true(qdev_unplug(first, NULL));
    assert_non_null(add_device("second", 2, NULL));
    assert_runs(port);
    assert_string_equal(guest_captured_stderr(), "");
    guest_end();
}

/* As when a guest opens the window of a bridge: nobody is there who could be told. */
static void memory_that_comes_unasked_and_has_no_slot_is_reached_by_exits(void **state)
{
    static const uint8_t code[] = {
        0xc7, 0x05, 0x00, 0x00, 0x00,
        0xe0, 0x78, 0x56, 0x34, 0x12, /* 1000: mov DWORD PTR ds:0xe0000000,0x12345678 */
        0xa1, 0x00, 0x00, 0x00, 0xe0, /* 100a: mov eax,ds:0xe0000000 */
        0xe7, 0xf0,                   /* 100f: out 0xf0,eax */
        0xf4,                         /* 1011: hlt */
    };
    MemoryRegion *ram;
    Recorder *port;

    (void)state;
    guest_begin("protected-mode=on", code, sizeof(code));
    KVM_ACCEL(current_accel())->max_slots = 1; /* the board's RAM has it */
    ram = add_memory(0xe0000000, 0x1000, false, NULL);
    port = guest_recorder(false, 0xf0, 4);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->count, 1);
    assert_int_equal(port->log[0].value, 0x12345678);
    assert_int_equal(qemu_shutdown_requested_get(), SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    remove_memory(ram);
    guest_end();
}

/* Reads the pages that test takes, and writes to a port what was there. */
static const uint8_t kernel_page_reader[] = {
    0xa1, 0x00, 0x00, 0xe0, 0xfe, /* 1000: mov eax,ds:0xfee00000 */
    0xe7, 0xf0,                   /* 1005: out 0xf0,eax */
    0xa1, 0x00, 0xf0, 0xff, 0xfe, /* 1007: mov eax,ds:0xfefff000 */
    0xe7, 0xf0,                   /* 100c: out 0xf0,eax */
    0xf4,                         /* 100e: hlt */
};

/* A processor with VMX has those pages in use, and its KVM takes no slot over them. */
static void memory_over_the_pages_of_kvm_takes_no_slot_and_is_there(void **state)
{
    static const uint32_t pages[] = { 0xfee00, 0xfeffc, 0xfeffd, 0xfeffe, 0xfefff };
    Recorder *port;

    (void)state;
    guest_begin("protected-mode=on", kernel_page_reader, sizeof(kernel_page_reader));
    KVM_ACCEL(current_accel())->max_slots = 1; /* the board's RAM has it */
    for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
        g_autofree char *id = g_strdup_printf("page%zu", i);
        DeviceState *dev = add_device(id, pages[i] - 0xe0000, NULL);

        assert_non_null(dev);
        memset(memory_region_get_ram_ptr(&((MemoryDevice *)dev)->memory), pages[i] & 0xff, 4);
    }
    assert_null(add_device("before", 0xfeffb - 0xe0000, NULL));
    assert_null(add_device("behind", 0xff000 - 0xe0000, NULL));
    port = guest_recorder(false, 0xf0, 4);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->log[0].value, 0);
    assert_int_equal(port->log[1].value, 0xffffffff);
    guest_end();
}

static void memory_on_both_sides_of_such_a_page_takes_one_slot_each(void **state)
{
    g_autoptr(GError) error = NULL;
    MemoryRegion *around;

    (void)state;
    guest_begin("protected-mode=on", kernel_page_reader, sizeof(kernel_page_reader));
    KVM_ACCEL(current_accel())->max_slots = 3;
    around = add_memory(0xfedff000, 0x3000, true, NULL);
    assert_null(add_device("one-more", 0, &error));
    assert_non_null(error);
    KVM_ACCEL(current_accel())->max_slots = 4;
    assert_non_null(add_device("one-more", 0, NULL));
    assert_int_equal(qemu_shutdown_requested_get(), SHUTDOWN_CAUSE_NONE);
    remove_memory(around);
    guest_end();
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
        guest_test(rom_is_read_and_executed_and_drops_writes),
        guest_test(a_device_over_ram_hides_it_and_ram_on_both_sides_stays),
        guest_test(ram_that_is_no_whole_page_is_served_by_exits),
        guest_test(slots_change_while_vcpus_run),
        guest_test(many_slots_come_and_go),
        guest_test(a_device_for_whose_memory_no_slot_is_left_is_refused_and_the_guest_goes_on),
        guest_test(memory_that_comes_unasked_and_has_no_slot_is_reached_by_exits),
        guest_test(memory_over_the_pages_of_kvm_takes_no_slot_and_is_there),
        guest_test(memory_on_both_sides_of_such_a_page_takes_one_slot_each),
        guest_test(pages_that_the_guest_writes_are_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

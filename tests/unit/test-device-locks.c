/* SPDX-License-Identifier: MIT */
/*
 * What the locks and guards of a PC's devices are for: two threads do what vCPUs do, and the main
 * thread does what it does meanwhile. The ends are checked where there is something to see, but most
 * of this is told by ThreadSanitizer.
 */
#include <linux/pci.h>
#include <string.h>
#include <qomet/accel/runstate.h>
#include <qomet/hw/acpi/ged.h>
#include <qomet/hw/intc/apic.h>
#include <qomet/hw/intc/ioapic.h>
#include <qomet/hw/intc/msi-target.h>
#include <qomet/hw/misc/fw-cfg.h>
#include <qomet/hw/pci/pci-host.h>
#include "tests/unit/qmp-fixture.h"
#include "tests/unit/two-threads.h"

#define RAM_BYTES (UINT64_C(1) << 20)
#define MEMORY_AT UINT64_C(0xe0000000)
#define UNIT UINT64_C(0x100000)
#define GED_AT UINT64_C(0xfe000000)
#define PM_AT 0x600

/* Functions by their addresses. The two of "edu" share an interrupt line. */
#define HOST PCI_DEVFN(0, 0)
#define SOUTH_BRIDGE PCI_DEVFN(1, 0)
#define PM PCI_DEVFN(1, 3)
#define EDU PCI_DEVFN(4, 0)
#define TESTDEV PCI_DEVFN(5, 0)
#define BRIDGE PCI_DEVFN(6, 0)
#define OTHER_EDU PCI_DEVFN(8, 0)

#define EDU_RAISE 0x60
#define EDU_ACK 0x64

static MachineState *machine;
static DeviceState *gsi, *apics;
static CPUIntc *second_apic;
static FWCfgState *fw_cfg;

/* ---- Accesses of vCPU @cpu ---- */

static uint64_t load(unsigned cpu, bool ports, hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    address_space_load(ports ? &address_space_io : &address_space_memory, addr, size, &value,
                       (MemTxAttrs){ .requester_id = cpu });
    return value;
}

static void store(unsigned cpu, bool ports, hwaddr addr, unsigned size, uint64_t value)
{
    address_space_store(ports ? &address_space_io : &address_space_memory, addr, size, value,
                        (MemTxAttrs){ .requester_id = cpu });
}

/* The ports are shared: one thread of a test uses them, or both write what fits each register. */
static void config_out(uint8_t devfn, uint8_t reg, unsigned size, uint32_t value)
{
    store(0, true, PCI_CONF_PORT, 4, UINT32_C(0x80000000) | (uint32_t)devfn << 8 | (reg & 0xfc));
    store(0, true, PCI_DATA_PORT + (reg & 3), size, value);
}

static uint32_t config_in(uint8_t devfn, uint8_t reg, unsigned size)
{
    store(0, true, PCI_CONF_PORT, 4, UINT32_C(0x80000000) | (uint32_t)devfn << 8 | (reg & 0xfc));
    return load(0, true, PCI_DATA_PORT + (reg & 3), size);
}

/* Memory of the function that @unit stands for. */
static void memory_out(unsigned unit, hwaddr offset, unsigned size, uint64_t value)
{
    store(0, false, MEMORY_AT + unit * UNIT + offset, size, value);
}

/* ---- Before and after each test ---- */

static DeviceState *part(const char *name)
{
    Object *obj = object_resolve_path_component(OBJECT(machine), name);

    assert_non_null(obj);
    return DEVICE(obj);
}

static void add_device(const char *type, const char *addr)
{
    DeviceState *dev = qdev_new(type, NULL);

    assert_non_null(dev);
    assert_true(object_property_parse(OBJECT(dev), "addr", addr, NULL));
    assert_true(qdev_realize_and_unref(dev, qbus_find("pci.0", NULL, NULL), NULL));
}

static void add_devices(void)
{
    DeviceState *ged = qdev_new(TYPE_ACPI_GED, NULL);

    assert_true(sysbus_realize_and_unref(SYS_BUS_DEVICE(ged), NULL));
    assert_true(sysbus_mmio_map(SYS_BUS_DEVICE(ged), 0, GED_AT, NULL));
    add_device("edu", "4");
    add_device("edu", "8");
    add_device("pci-testdev", "5");
    add_device("pci-bridge", "6");
}

static void place(uint8_t devfn, unsigned unit)
{
    config_out(devfn, PCI_BASE_ADDRESS_0, 4, MEMORY_AT + unit * UNIT);
    config_out(devfn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* As firmware leaves it. */
static void set_up(void)
{
    resettable_reset(OBJECT(machine), RESET_TYPE_COLD);
    main_work_run();
    place(EDU, 0);
    place(OTHER_EDU, 1);
    place(TESTDEV, 2);
    config_out(BRIDGE, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    config_out(PM, 0x40, 4, PM_AT);
    config_out(PM, 0x80, 1, 1);
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        store(cpu, false, APICS_ADDR + 0xf0, 4, 0x1ff);
    }
}

static int setup(void **state)
{
    GError *error = NULL;

    program_setup(state);
    qemu_clock_virtual_manual();
    machine = machine_new(machine_class_find("pc", NULL), NULL);
    assert_non_null(machine);
    machine->ram_size = RAM_BYTES;
    machine->smp_cpus = 2;
    if (!object_property_set_str(OBJECT(machine), "kernel-irqchip", "off", &error) ||
        !accel_init("qtest", &error) || !machine_init(machine, &error)) {
        fail_msg("%s", error->message);
    }
    add_devices();
    if (!machine_done(machine, &error)) {
        fail_msg("%s", error->message);
    }
    gsi = part("pic");
    apics = part("apics");
    second_apic = CPU_INTC(apics_get(apics, 1));
    fw_cfg = fw_cfg_find();
    set_up();
    return 0;
}

/* What the two threads do in each turn. */
typedef struct Duties {
    void (*does[2])(unsigned turn);
} Duties;

static void take_turns(unsigned number, void *opaque)
{
    const Duties *duties = opaque;

    for (unsigned turn = 0; turn < TURNS; turn++) {
        duties->does[number](turn);
        keep_pace(number);
    }
}

static void nothing(unsigned turn G_GNUC_UNUSED)
{
}

/* The main thread does its own work and @meanwhile, as long as the two have something to do. */
static void all_do(void (*first)(unsigned turn), void (*second)(unsigned turn),
                   void (*meanwhile)(unsigned turn))
{
    Duties duties = { { first, second } };
    Two two;

    two_begin(&two, take_turns, &duties);
    for (unsigned turn = 0; two_run(&two); turn++) {
        meanwhile(turn);
        main_work_run();
    }
    two_end(&two);
    main_work_run();
}

/* ---- Interrupt controllers ---- */

static void use_pics(unsigned turn)
{
    static const uint16_t ports[] = { 0x21, 0xa1, 0x4d0, 0x4d1, 0x20, 0xa0 };
    const uint16_t port = ports[turn % G_N_ELEMENTS(ports)];

    store(0, true, port, 1, port & 1 ? turn & 0xff : 0x20);
    load(0, true, port, 1);
}

static void change_lines(unsigned turn)
{
    static const uint8_t lines[] = { 3, 5, 9, 16, 18 };

    qemu_set_irq(qdev_get_gpio_in(gsi, lines[turn % G_N_ELEMENTS(lines)]),
                 turn / G_N_ELEMENTS(lines) & 1);
}

static void the_pics_are_read_and_written_while_lines_change(void **state)
{
    (void)state;
    all_do(use_pics, change_lines, nothing);
}

static void use_ioapic(unsigned turn)
{
    store(0, false, IOAPIC_ADDR, 4, 0x10 + turn % (2 * IOAPIC_PINS));
    store(0, false, IOAPIC_ADDR + 0x10, 4, turn & 1 ? 0 : 0x8040 + turn % 16);
    load(0, false, IOAPIC_ADDR + 0x10, 4);
}

static void the_ioapic_is_read_and_written_while_lines_change(void **state)
{
    (void)state;
    all_do(use_ioapic, change_lines, nothing);
}

static void use_apic(unsigned turn)
{
    static const uint16_t registers[] = { 0x80, 0xb0, 0x300, 0x380, 0x320, 0x200, 0x100 };
    const uint16_t reg = registers[turn % G_N_ELEMENTS(registers)];

    /* Of the ICR: a vector to all. */
    store(0, false, APICS_ADDR + reg, 4, reg == 0x300 ? 0x80050 : 0);
    load(0, false, APICS_ADDR + reg, 4);
}

static void take_interrupts(unsigned turn)
{
    (void)CPU_INTC_GET_CLASS(second_apic)->acknowledge(second_apic, NULL);
    assert_true(MSI_TARGET_GET_CLASS(apics)->send(MSI_TARGET(apics), APICS_ADDR | 0xff000,
                                                  0x40 + turn % 16));
}

static void an_apic_is_used_while_messages_come_and_are_taken(void **state)
{
    (void)state;
    all_do(use_apic, take_interrupts, nothing);
}

/* ---- Lines of PCI ---- */

static void interrupt(unsigned turn)
{
    memory_out(0, turn & 1 ? EDU_ACK : EDU_RAISE, 4, 1);
}

static void interrupt_too(unsigned turn)
{
    memory_out(1, turn & 1 ? EDU_ACK : EDU_RAISE, 4, 1);
}

static void two_devices_share_a_line(void **state)
{
    (void)state;
    all_do(interrupt, interrupt_too, nothing);
}

static void route_lines(unsigned turn)
{
    config_out(SOUTH_BRIDGE, 0x60 + turn % 4, 1, turn / 4 & 1 ? 0x80 : 10);
}

static void lines_are_routed_while_they_change(void **state)
{
    (void)state;
    all_do(route_lines, interrupt_too, nothing);
}

/* ---- Configuration space ---- */

static void read_status(unsigned turn G_GNUC_UNUSED)
{
    config_in(OTHER_EDU, PCI_STATUS, 2);
}

static void status_is_read_while_the_device_changes_it(void **state)
{
    (void)state;
    all_do(read_status, interrupt_too, nothing);
}

/* The status, too: nothing of it is cleared. */
static void write_command(unsigned turn G_GNUC_UNUSED)
{
    config_out(OTHER_EDU, PCI_COMMAND, 4, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void status_is_written_while_the_device_changes_it(void **state)
{
    (void)state;
    all_do(write_command, interrupt_too, nothing);
}

static void move_bar(unsigned turn)
{
    config_out(EDU, PCI_BASE_ADDRESS_0, 4, MEMORY_AT + (turn & 1 ? 0 : 8 * UNIT));
}

static void look_at_the_bus(unsigned turn G_GNUC_UNUSED)
{
    Monitor *mon = monitor_gathering_new();
    g_autofree char *text = NULL;

    assert_true(hmp_execute(mon, "info pci", NULL));
    text = monitor_gathered(mon);
    assert_non_null(strstr(text, "PCI device 1234:11e8"));
    object_unref(mon);
}

static void the_bus_is_looked_at_while_a_bar_moves(void **state)
{
    (void)state;
    all_do(move_bar, interrupt_too, look_at_the_bus);
}

/* ---- What the main thread does for a guest: one vCPU waits for it, the other one goes on ---- */

static void move_window(unsigned turn)
{
    config_out(BRIDGE, PCI_MEMORY_BASE, 4, turn & 1 ? 0x0000fff0 : 0xe820e820);
}

static void move_other_window(unsigned turn)
{
    config_out(BRIDGE, PCI_PREF_MEMORY_BASE, 4, turn & 1 ? 0x0000fff0 : 0xe830e830);
}

static void a_bridge_opens_and_closes_its_windows(void **state)
{
    (void)state;
    all_do(move_window, move_other_window, nothing);
}

static void write_pam(unsigned turn)
{
    config_out(HOST, 0x59 + turn % 7, 1, turn / 7 & 1 ? 0x33 : 0);
}

static void read_below_1m(unsigned turn)
{
    load(0, false, 0xc0000 + turn % 0x40000, 1);
}

static void memory_below_1m_is_read_while_it_is_opened_and_closed(void **state)
{
    (void)state;
    all_do(write_pam, write_pam, read_below_1m);
}

static void move_power_management(unsigned turn)
{
    config_out(PM, 0x40, 4, PM_AT + (turn & 1) * 0x40);
}

static void power_management_moves(void **state)
{
    (void)state;
    all_do(move_power_management, move_power_management, nothing);
}

static void choose_test(unsigned turn)
{
    memory_out(2, 0, 1, turn % 3);
}

static void a_test_is_chosen_while_the_eventfd_of_another_is_made(void **state)
{
    (void)state;
    all_do(choose_test, choose_test, nothing);
}

/* ---- The power button ---- */

/* The program ends when everybody has heard of it. */
static void end_when_pressed(RunEvent event, ShutdownCause cause G_GNUC_UNUSED,
                             void *opaque G_GNUC_UNUSED)
{
    if (event == RUN_EVENT_POWERDOWN) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    }
}

static void press_the_button(unsigned turn G_GNUC_UNUSED)
{
    runstate_add_event_listener(end_when_pressed, NULL);
    qemu_system_powerdown_request();
    qemu_main_loop();
    runstate_del_event_listener(end_when_pressed, NULL);
}

static void use_power_management(unsigned turn)
{
    store(0, true, PM_AT + 2, 2, turn & 1 ? 0x100 : 0);
    store(0, true, PM_AT, 2, 0x100);
}

static void read_events(unsigned turn G_GNUC_UNUSED)
{
    load(1, false, GED_AT, 4);
}

static void the_button_is_pressed_while_a_guest_waits_for_it(void **state)
{
    (void)state;
    all_do(use_power_management, read_events, press_the_button);
}

/* ---- The firmware's questions ---- */

static void read_item(unsigned turn G_GNUC_UNUSED)
{
    store(0, true, FW_CFG_IO_BASE, 2, FW_CFG_CMDLINE_DATA);
    for (unsigned i = 0; i < 8; i++) {
        load(0, true, FW_CFG_IO_BASE + 1, 1);
    }
}

static void change_item(unsigned turn)
{
    static const char text[] = "a line of words";

    fw_cfg_add_bytes(fw_cfg, FW_CFG_CMDLINE_DATA, text, 1 + turn % strlen(text));
}

static void an_item_changes_while_it_is_read(void **state)
{
    (void)state;
    all_do(read_item, nothing, change_item);
}

static unsigned selected;

static void change_what_is_selected(void *opaque G_GNUC_UNUSED)
{
    selected++;
    assert_true(fw_cfg_modify_file(fw_cfg, "opt/test", "after", 6, NULL));
}

static void a_file_may_change_when_it_is_selected(void **state)
{
    EntryCounts counts;

    (void)state;
    selected = 0;
    assert_true(fw_cfg_add_file_callback(fw_cfg, "opt/test", change_what_is_selected, NULL, NULL,
                                         "before", 7, true, NULL));
    for (unsigned key = FW_CFG_FILE_FIRST; !selected && key < 0x100; key++) {
        store(0, true, FW_CFG_IO_BASE, 2, key);
    }
    assert_int_equal(selected, 1);
    assert_int_equal(load(0, true, FW_CFG_IO_BASE + 1, 1), 'a');
    /* Nobody has entered the device a second time for that. */
    entry_guard_counts(&DEVICE(fw_cfg)->guard, &counts);
    assert_int_equal(counts.refused, 0);
}

#define pc_test(fn) cmocka_unit_test_setup_teardown(fn, setup, qmp_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        pc_test(the_pics_are_read_and_written_while_lines_change),
        pc_test(the_ioapic_is_read_and_written_while_lines_change),
        pc_test(an_apic_is_used_while_messages_come_and_are_taken),
        pc_test(two_devices_share_a_line),
        pc_test(lines_are_routed_while_they_change),
        pc_test(status_is_read_while_the_device_changes_it),
        pc_test(status_is_written_while_the_device_changes_it),
        pc_test(the_bus_is_looked_at_while_a_bar_moves),
        pc_test(a_bridge_opens_and_closes_its_windows),
        pc_test(memory_below_1m_is_read_while_it_is_opened_and_closed),
        pc_test(power_management_moves),
        pc_test(a_test_is_chosen_while_the_eventfd_of_another_is_made),
        pc_test(the_button_is_pressed_while_a_guest_waits_for_it),
        pc_test(an_item_changes_while_it_is_read),
        pc_test(a_file_may_change_when_it_is_selected),
    };

    return cmocka_run_group_tests_name("device-locks", tests, NULL, NULL);
}

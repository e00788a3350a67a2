/* SPDX-License-Identifier: MIT */
/* Local APICs: registers, priorities, ends, messages to one and to many, the timer, the pins. */
#include <string.h>
#include <qomet/hw/intc/apic.h>
#include <qomet/hw/intc/msi-target.h>
#include "tests/unit/program-fixture.h"

#define CPUS 3
#define ID 0x20
#define TPR 0x80
#define PPR 0xa0
#define EOI 0xb0
#define LDR 0xd0
#define DFR 0xe0
#define SVR 0xf0
#define ISR 0x100
#define TMR 0x180
#define IRR 0x200
#define ESR 0x280
#define ICR 0x300
#define ICR_HIGH 0x310
#define LVT_TIMER 0x320
#define LVT_LINT0 0x350
#define LVT_LINT1 0x360
#define LVT_ERROR 0x370
#define INITIAL 0x380
#define CURRENT 0x390
#define DIVIDE 0x3e0

#define MASKED 0x10000u
#define SELF 0x40000u
#define ALL 0x80000u
#define ALL_BUT_SELF 0xc0000u

static DeviceState *apics;
static int intr[CPUS];
static qemu_irq lines[CPUS];
static GString *ends;

static void intr_changes(void *opaque, int n, int level)
{
    (void)opaque;
    intr[n] = level;
}

static void ended(void *opaque, uint8_t vector)
{
    (void)opaque;
    g_string_append_printf(ends, "%x ", vector);
}

/* ---- What a vCPU does ---- */

static uint64_t load(unsigned cpu, unsigned offset, unsigned size, MemTxResult *result)
{
    uint64_t value = 0;

    *result = address_space_load(&address_space_memory, APICS_ADDR + offset, size, &value,
                                 (MemTxAttrs){ .requester_id = cpu });
    return value;
}

static uint32_t reg(unsigned cpu, unsigned offset)
{
    MemTxResult result;

    return load(cpu, offset, 4, &result);
}

static void set_reg(unsigned cpu, unsigned offset, uint32_t value)
{
    address_space_store(&address_space_memory, APICS_ADDR + offset, 4, value,
                        (MemTxAttrs){ .requester_id = cpu });
}

static int acknowledge(unsigned cpu)
{
    CPUIntc *intc = CPU_INTC(apics_get(apics, cpu));

    return CPU_INTC_GET_CLASS(intc)->acknowledge(intc, NULL);
}

static bool message(uint64_t addr, uint32_t data)
{
    return MSI_TARGET_GET_CLASS(apics)->send(MSI_TARGET(apics), addr, data);
}

/* A vector to the first one. */
static void vector(uint8_t v)
{
    assert_true(message(APICS_ADDR, v));
}

static void pin(unsigned cpu, const char *name, int level)
{
    qemu_set_irq(qdev_get_gpio_in_named(apics_get(apics, cpu), name, 0), level);
}

/* ---- Before and after each test ---- */

static int setup(void **state)
{
    GError *err = NULL;

    program_setup(state);
    qemu_clock_virtual_manual();
    ends = g_string_new(NULL);
    apics = qdev_new(TYPE_APICS, NULL);
    if (!object_property_set_uint(OBJECT(apics), "num-cpus", CPUS, NULL) ||
        !qdev_realize_and_unref(apics, sysbus_get_default(), &err) ||
        !sysbus_mmio_map(SYS_BUS_DEVICE(apics), 0, APICS_ADDR, &err)) {
        fail_msg("%s", err->message);
    }
    for (int i = 0; i < CPUS; i++) {
        intr[i] = 0;
        lines[i] = qemu_allocate_irq(intr_changes, NULL, i);
        assert_true(qdev_connect_gpio_out_named(apics_get(apics, i), "intr", 0, lines[i], NULL));
        resettable_reset(OBJECT(apics_get(apics, i)), RESET_TYPE_COLD);
        set_reg(i, SVR, 0x1ff);
    }
    MSI_TARGET_GET_CLASS(apics)->set_eoi_handler(MSI_TARGET(apics), ended, NULL);
    return 0;
}

static int teardown(void **state)
{
    int result = program_teardown(state);

    for (int i = 0; i < CPUS; i++) {
        object_unref(lines[i]);
    }
    g_string_free(ends, TRUE);
    return result;
}

/* ---- Registers ---- */

static void each_vcpu_finds_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CPUS; i++) {
        assert_int_equal(reg(i, ID), i << 24);
        assert_int_equal(reg(i, 0x30), 0x50014);
        set_reg(i, TPR, 0x10 * i);
    }
    for (unsigned i = 0; i < CPUS; i++) {
        assert_int_equal(reg(i, TPR), 0x10 * i);
    }
}

static void after_a_reset_it_is_off_and_all_is_masked_but_the_pic_of_the_first(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CPUS; i++) {
        resettable_reset(OBJECT(apics_get(apics, i)), RESET_TYPE_COLD);
        assert_int_equal(reg(i, SVR), 0xff);
        assert_int_equal(reg(i, DFR), 0xffffffff);
        for (unsigned lvt = LVT_TIMER; lvt <= LVT_ERROR; lvt += 0x10) {
            assert_int_equal(reg(i, lvt), i == 0 && lvt == LVT_LINT0 ? 0x700 : MASKED);
        }
    }
}

static void nobody_but_a_vcpu_that_it_has_reaches_it(void **state)
{
    MemTxResult result;

    (void)state;
    load(CPUS, ID, 4, &result);
    assert_int_not_equal(result, MEMTX_OK);
    load(0, ID, 1, &result);
    assert_int_not_equal(result, MEMTX_OK);
    load(0, ID, 8, &result);
    assert_int_not_equal(result, MEMTX_OK);
    load(0, ID + 2, 4, &result);
    assert_int_not_equal(result, MEMTX_OK);
    load(0, ID, 4, &result);
    assert_int_equal(result, MEMTX_OK);
}

static void no_register_and_no_value_breaks_it(void **state)
{
    static const uint32_t values[] = { 0, UINT32_MAX, 0x55555555, 0xaaaaaaaa };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        for (unsigned offset = 0; offset < 0x1000; offset += 4) {
            set_reg(i % CPUS, offset, values[i]);
            reg(i % CPUS, offset);
        }
    }
}

static void a_register_that_is_none_is_an_error(void **state)
{
    (void)state;
    set_reg(0, LVT_ERROR, 0x55);
    reg(0, 0x40);
    assert_int_equal(reg(0, ESR), 0);
    set_reg(0, ESR, 0);
    assert_int_equal(reg(0, ESR), 0x80);
    assert_int_equal(acknowledge(0), 0x55);
    set_reg(0, ESR, 0);
    assert_int_equal(reg(0, ESR), 0);
}

/* ---- Priorities ---- */

static void a_vector_is_requested_then_in_service_then_ended(void **state)
{
    (void)state;
    vector(0x41);
    assert_int_equal(intr[0], 1);
    assert_int_equal(reg(0, IRR + 0x20), 2);
    assert_int_equal(acknowledge(0), 0x41);
    assert_int_equal(intr[0], 0);
    assert_int_equal(reg(0, IRR + 0x20), 0);
    assert_int_equal(reg(0, ISR + 0x20), 2);
    assert_int_equal(reg(0, PPR), 0x40);
    set_reg(0, EOI, 0);
    assert_int_equal(reg(0, ISR + 0x20), 0);
    assert_int_equal(reg(0, PPR), 0);
    assert_string_equal(ends->str, ""); /* it was an edge */
    assert_int_equal(acknowledge(0), -1);
}

static void only_a_higher_class_interrupts(void **state)
{
    (void)state;
    vector(0x41);
    assert_int_equal(acknowledge(0), 0x41);
    vector(0x4f);
    assert_int_equal(intr[0], 0);
    vector(0x50);
    assert_int_equal(intr[0], 1);
    assert_int_equal(acknowledge(0), 0x50);
    set_reg(0, EOI, 0); /* ends 0x50 */
    assert_int_equal(intr[0], 0);
    set_reg(0, EOI, 0);
    assert_int_equal(acknowledge(0), 0x4f);
}

static void the_task_priority_holds_back_its_class_and_those_below(void **state)
{
    CPUIntc *intc = CPU_INTC(apics_get(apics, 0));
    const CPUIntcClass *ic = CPU_INTC_GET_CLASS(intc);

    (void)state;
    set_reg(0, TPR, 0x40);
    vector(0x4f);
    assert_int_equal(intr[0], 0);
    assert_int_equal(reg(0, PPR), 0x40);
    assert_int_equal(ic->get_cr8(intc, NULL), 4);
    ic->set_cr8(intc, NULL, 3);
    assert_int_equal(reg(0, TPR), 0x30);
    assert_int_equal(intr[0], 1);
}

static void a_level_that_is_ended_is_told(void **state)
{
    (void)state;
    assert_true(message(APICS_ADDR, 0xc061));
    assert_int_equal(acknowledge(0), 0x61);
    assert_int_equal(reg(0, TMR + 0x30), 2);
    set_reg(0, EOI, 0);
    assert_string_equal(ends->str, "61 ");
}

static void one_that_is_off_takes_no_vector(void **state)
{
    CPUIntc *intc = CPU_INTC(apics_get(apics, 0));

    (void)state;
    set_reg(0, LVT_ERROR, 0x55);
    set_reg(0, SVR, 0xff);
    assert_int_equal(reg(0, LVT_ERROR), MASKED | 0x55);
    set_reg(0, LVT_ERROR, 0x55);
    assert_int_equal(reg(0, LVT_ERROR), MASKED | 0x55);
    assert_false(message(APICS_ADDR, 0x41));
    set_reg(0, SVR, 0x1ff);
    CPU_INTC_GET_CLASS(intc)->set_base(intc, NULL, APICS_ADDR);
    assert_false(message(APICS_ADDR, 0x41));
}

static void a_vector_of_the_processors_own_is_an_error(void **state)
{
    (void)state;
    assert_true(message(APICS_ADDR, 0x0f));
    set_reg(0, ESR, 0);
    assert_int_equal(reg(0, ESR), 0x40);
    set_reg(0, ICR, SELF | 0x0f);
    set_reg(0, ESR, 0);
    assert_int_equal(reg(0, ESR), 0x20);
    assert_int_equal(intr[0], 0);
}

/* ---- Messages ---- */

#define assert_asked(a, b, c)                                                                      \
    do {                                                                                           \
        assert_int_equal(intr[0], a);                                                              \
        assert_int_equal(intr[1], b);                                                              \
        assert_int_equal(intr[2], c);                                                              \
        for (unsigned cpu_ = 0; cpu_ < CPUS; cpu_++) {                                             \
            while (acknowledge(cpu_) >= 0) {                                                       \
                set_reg(cpu_, EOI, 0);                                                             \
            }                                                                                      \
        }                                                                                          \
    } while (0)

static void a_shorthand_names_itself_all_or_all_others(void **state)
{
    (void)state;
    set_reg(1, ICR, SELF | 0x41);
    assert_asked(0, 1, 0);
    set_reg(1, ICR, ALL | 0x41);
    assert_asked(1, 1, 1);
    set_reg(1, ICR, ALL_BUT_SELF | 0x41);
    assert_asked(1, 0, 1);
}

static void a_destination_is_an_id_or_everybody(void **state)
{
    (void)state;
    set_reg(0, ICR_HIGH, 2 << 24);
    set_reg(0, ICR, 0x41);
    assert_asked(0, 0, 1);
    set_reg(0, ICR_HIGH, 0xffu << 24);
    set_reg(0, ICR, 0x41);
    assert_asked(1, 1, 1);
    set_reg(0, ICR_HIGH, 7 << 24);
    set_reg(0, ICR, 0x41);
    assert_asked(0, 0, 0);
    assert_false(message(APICS_ADDR | 7 << 12, 0x41));
    assert_false(message(APICS_ADDR + 0x100000, 0x41));
}

static void a_logical_destination_is_a_set_flat_or_in_clusters(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CPUS; i++) {
        set_reg(i, LDR, 1u << (24 + i));
    }
    assert_true(message(APICS_ADDR | 5 << 12 | 4, 0x41));
    assert_asked(1, 0, 1);
    for (unsigned i = 0; i < CPUS; i++) {
        set_reg(i, DFR, 0x0fffffff);
        set_reg(i, LDR, i == 2 ? 0x21000000 : 0x11000000u << i);
    }
    /* Those are member 0 of cluster 1, member 1 of cluster 2, and member 0 of cluster 2. */
    assert_true(message(APICS_ADDR | 0x23 << 12 | 4, 0x41));
    assert_asked(0, 1, 1);
    assert_true(message(APICS_ADDR | 0xf1 << 12 | 4, 0x41));
    assert_asked(1, 0, 1);
}

static void the_lowest_priority_is_chosen_and_equals_take_turns(void **state)
{
    unsigned turns[CPUS] = { 0 };

    (void)state;
    set_reg(0, TPR, 0x20);
    set_reg(2, TPR, 0x20);
    assert_true(message(APICS_ADDR | 0xff << 12, 0x100 | 0x41));
    assert_asked(0, 1, 0);
    set_reg(1, TPR, 0x20);
    for (unsigned i = 0; i < 2 * CPUS; i++) {
        assert_true(message(APICS_ADDR | 0xff << 12, 0x100 | 0x41));
        for (unsigned n = 0; n < CPUS; n++) {
            turns[n] += intr[n];
            while (acknowledge(n) >= 0) {
                set_reg(n, EOI, 0);
            }
        }
    }
    for (unsigned n = 0; n < CPUS; n++) {
        assert_int_equal(turns[n], 2);
    }
}

static void init_clears_all_but_the_id(void **state)
{
    (void)state;
    set_reg(1, TPR, 0x20);
    set_reg(1, ID, 9u << 24);
    set_reg(0, ICR_HIGH, 9u << 24);
    set_reg(0, ICR, 0x8500); /* that of arbitration does nothing */
    assert_int_equal(reg(1, SVR), 0x1ff);
    set_reg(0, ICR, 0x4500);
    assert_int_equal(reg(1, SVR), 0xff);
    assert_int_equal(reg(1, TPR), 0);
    assert_int_equal(reg(1, ID), 9u << 24);
}

/* ---- The timer ---- */

static void the_timer_comes_once_or_again_and_again(void **state)
{
    (void)state;
    set_reg(0, DIVIDE, 0xb); /* by 1 */
    set_reg(0, LVT_TIMER, 0x31);
    set_reg(0, INITIAL, 1000);
    assert_int_equal(reg(0, CURRENT), 1000);
    qemu_clock_warp_to(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + 400);
    assert_int_equal(reg(0, CURRENT), 600);
    assert_int_equal(intr[0], 0);
    qemu_clock_warp_to(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + 600);
    assert_int_equal(reg(0, CURRENT), 0);
    assert_int_equal(acknowledge(0), 0x31);
    set_reg(0, EOI, 0);
    qemu_clock_warp_to(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + 5000);
    assert_int_equal(acknowledge(0), -1);

    set_reg(0, LVT_TIMER, 0x20031);
    set_reg(0, INITIAL, 1000);
    for (unsigned i = 0; i < 5; i++) {
        qemu_clock_warp_to(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + 1000);
        assert_int_equal(acknowledge(0), 0x31);
        set_reg(0, EOI, 0);
        assert_int_equal(reg(0, CURRENT), 1000);
    }
    set_reg(0, INITIAL, 0);
    qemu_clock_warp_to(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + 5000);
    assert_int_equal(acknowledge(0), -1);
}

static void the_timer_divides_and_has_no_deadline(void **state)
{
    static const uint8_t values[] = { 0xb, 0, 1, 2, 3, 8, 9, 0xa };

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        set_reg(0, DIVIDE, values[i]);
        set_reg(0, INITIAL, 1000);
        qemu_clock_warp_to(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + (INT64_C(10) << i));
        assert_int_equal(reg(0, CURRENT), 990);
    }
    set_reg(0, LVT_TIMER, 0x40031);
    assert_int_equal(reg(0, LVT_TIMER), 0x31);
}

/* ---- Pins ---- */

static void the_pic_is_heard_while_its_pin_says_so(void **state)
{
    CPUIntc *intc = CPU_INTC(apics_get(apics, 0));

    (void)state;
    set_reg(0, LVT_LINT0, 0x700);
    pin(0, APIC_LINT0, 1);
    assert_int_equal(intr[0], 1);
    assert_int_equal(acknowledge(0), -1); /* there is none behind it here */
    set_reg(0, LVT_LINT0, 0x700 | MASKED);
    assert_int_equal(intr[0], 0);
    /* Without an APIC, the processor has the pin itself. */
    CPU_INTC_GET_CLASS(intc)->set_base(intc, NULL, APICS_ADDR);
    assert_int_equal(intr[0], 1);
    pin(0, APIC_LINT0, 0);
    assert_int_equal(intr[0], 0);
}

static void a_pin_may_be_a_vector_of_an_edge_or_of_a_level(void **state)
{
    (void)state;
    set_reg(0, LVT_LINT1, 0x35);
    pin(0, APIC_LINT1, 1);
    pin(0, APIC_LINT1, 1);
    assert_int_equal(acknowledge(0), 0x35);
    set_reg(0, EOI, 0);
    assert_int_equal(acknowledge(0), -1);
    pin(0, APIC_LINT1, 0);

    set_reg(0, LVT_LINT1, 0x8035);
    pin(0, APIC_LINT1, 1);
    assert_int_equal(reg(0, LVT_LINT1), 0xc035);
    assert_int_equal(acknowledge(0), 0x35);
    set_reg(0, EOI, 0);
    assert_int_equal(acknowledge(0), 0x35); /* it lasts */
    pin(0, APIC_LINT1, 0);
    set_reg(0, EOI, 0);
    assert_int_equal(acknowledge(0), -1);
    assert_int_equal(reg(0, LVT_LINT1), 0x8035);
}

static void *move_pin(void *opaque)
{
    uint32_t *end = opaque;

    for (int level = 0; !__atomic_load_n(end, __ATOMIC_SEQ_CST); level = !level) {
        pin(0, APIC_LINT1, level);
    }
    return NULL;
}

static void a_pin_may_move_while_its_vcpu_says_what_it_means(void **state)
{
    uint32_t end = 0;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, move_pin, &end), 0);
    for (unsigned i = 0; i < 2000; i++) {
        set_reg(0, LVT_LINT1, i % 2 ? 0x8035 : 0x35);
        acknowledge(0);
        set_reg(0, EOI, 0);
    }
    __atomic_store_n(&end, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
}

#define apic_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        apic_test(each_vcpu_finds_its_own),
        apic_test(after_a_reset_it_is_off_and_all_is_masked_but_the_pic_of_the_first),
        apic_test(nobody_but_a_vcpu_that_it_has_reaches_it),
        apic_test(no_register_and_no_value_breaks_it),
        apic_test(a_register_that_is_none_is_an_error),
        apic_test(a_vector_is_requested_then_in_service_then_ended),
        apic_test(only_a_higher_class_interrupts),
        apic_test(the_task_priority_holds_back_its_class_and_those_below),
        apic_test(a_level_that_is_ended_is_told),
        apic_test(one_that_is_off_takes_no_vector),
        apic_test(a_vector_of_the_processors_own_is_an_error),
        apic_test(a_shorthand_names_itself_all_or_all_others),
        apic_test(a_destination_is_an_id_or_everybody),
        apic_test(a_logical_destination_is_a_set_flat_or_in_clusters),
        apic_test(the_lowest_priority_is_chosen_and_equals_take_turns),
        apic_test(init_clears_all_but_the_id),
        apic_test(the_timer_comes_once_or_again_and_again),
        apic_test(the_timer_divides_and_has_no_deadline),
        apic_test(the_pic_is_heard_while_its_pin_says_so),
        apic_test(a_pin_may_be_a_vector_of_an_edge_or_of_a_level),
        apic_test(a_pin_may_move_while_its_vcpu_says_what_it_means),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

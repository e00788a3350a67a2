/* SPDX-License-Identifier: MIT */
/* What controllers in user space ask of a vCPU, from any thread: interrupts, INIT, start-up, NMI. */
#include <qomet/accel/accel.h>
#include <qomet/accel/cpu-intc.h>
#include "accel/cpu-int.h"
#include "accel/x86-bits.h"

void cpu_set_intc(CPUState *cpu, CPUIntc *intc)
{
    cpu->intc = intc;
}

void cpu_set_interrupt(CPUState *cpu, bool level)
{
    if (!__atomic_exchange_n(&cpu->interrupt_request, level, __ATOMIC_SEQ_CST) && level) {
        cpu_look(cpu);
    }
}

static void pin_changes(void *opaque, int n, int level)
{
    (void)n;
    cpu_set_interrupt(opaque, level != 0);
}

qemu_irq cpu_interrupt_pin(CPUState *cpu)
{
    return qemu_allocate_irq(pin_changes, cpu, 0);
}

/* ---- Events ---- */

static void deliver_nmi(CPUState *cpu)
{
    AccelClass *ac = ACCEL_GET_CLASS(current_accel());
    g_autoptr(GError) error = NULL;
    static LogLimit limit;

    if (cpu_waits_for_start(cpu)) {
        return;
    }
    if (ac->inject_nmi && !ac->inject_nmi(cpu, &error) && qemu_log_limit(&limit)) {
        warn_report("%s", error->message);
    }
    cpu_wake(cpu);
}

static void start_up(CPUState *cpu, uint8_t vector)
{
    X86CPU *x86 = X86_CPU(cpu);

    if (!x86->wait_for_sipi) {
        return;
    }
    x86->wait_for_sipi = false;
    x86->regs.seg[X86_CS].selector = vector << 8;
    x86->regs.seg[X86_CS].base = (uint32_t)vector << 12;
    x86->regs.rip = 0;
    x86->regs_fetched = x86->regs_dirty = true;
    cpu_wake(cpu);
}

/* INIT comes before a start-up that came after it. */
void cpu_deal_with_events(CPUState *cpu)
{
    const uint32_t events = __atomic_exchange_n(&cpu->events, 0, __ATOMIC_SEQ_CST);

    if (events & 1u << CPU_EVENT_INIT) {
        x86_cpu_init_signal(X86_CPU(cpu));
    }
    if (events & 1u << CPU_EVENT_SIPI) {
        start_up(cpu, __atomic_load_n(&cpu->sipi_vector, __ATOMIC_SEQ_CST));
    }
    if (events & 1u << CPU_EVENT_NMI) {
        deliver_nmi(cpu);
    }
}

void cpu_send_event(CPUState *cpu, CPUEvent event, uint8_t vector)
{
    if (event == CPU_EVENT_SIPI) {
        __atomic_store_n(&cpu->sipi_vector, vector, __ATOMIC_SEQ_CST);
    }
    if (__atomic_fetch_or(&cpu->events, 1u << event, __ATOMIC_SEQ_CST)) {
        return; /* it has been told */
    }
    if (cpu == cpu_current()) {
        cpu_exit(cpu);
    } else {
        cpu_look(cpu);
    }
}

/* ---- The type ---- */

static const TypeInfo intc_types[] = {
    {
        .name = TYPE_CPU_INTC,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(CPUIntcClass),
    },
};
DEFINE_TYPES(intc_types)

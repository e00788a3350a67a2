/* SPDX-License-Identifier: MIT */
/*
 * What a machine that runs a flat binary does when its vCPUs have halted. Without interrupt
 * controllers each HLT is told of, and nothing ends it. With KVM's, a vCPU waits inside KVM: once a
 * second, if none of them has executed anything, they are asked - once, until they move again -
 * whether interrupts are off.
 */
#include <time.h>
#include "accel/x86-bits.h"
#include "machine/flat-int.h"

#define LOOK_NS NANOSECONDS_PER_SECOND

/* Less work in that time than this is rest: being asked costs a vCPU's thread something, too. */
#define REST_NS INT64_C(2000000)

static void say(FlatMachine *s, const char *why)
{
    if (!__atomic_exchange_n(&s->halt_said, 1, __ATOMIC_RELAXED)) {
        info_report("every vCPU has halted, and nothing can wake one: %s", why);
    }
}

/* ---- Without interrupt controllers ---- */

static bool all_halted(void)
{
    for (unsigned i = 0; i < cpu_count(); i++) {
        CPUState *cpu = qemu_get_cpu(i);

        if (cpu && !__atomic_load_n(&cpu->halted, __ATOMIC_SEQ_CST)) {
            return false;
        }
    }
    return true;
}

static void on_halt(CPUState *cpu, void *opaque)
{
    FlatMachine *s = opaque;

    (void)cpu;
    if (!all_halted()) {
        return;
    }
    if (s->on_halt != FLAT_HALT_WAIT) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    } else {
        say(s, "there is no interrupt controller");
    }
}

/* ---- With those of KVM ---- */

/* What all vCPUs have spent on processors. */
static int64_t busy_ns(void)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < cpu_count(); i++) {
        CPUState *cpu = qemu_get_cpu(i);
        struct timespec ts;
        clockid_t clock;

        if (cpu && cpu->has_thread && !pthread_getcpuclockid(cpu->thread, &clock) &&
            !clock_gettime(clock, &ts)) {
            sum += ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec;
        }
    }
    return sum;
}

static void ask(CPUState *cpu, void *opaque)
{
    const X86Registers *r = x86_cpu_registers(X86_CPU(cpu), NULL);
    AccelClass *ac = ACCEL_GET_CLASS(current_accel());

    if (!r || r->rflags & X86_RFLAGS_IF || !ac->cpu_waits || !ac->cpu_waits(cpu)) {
        *(bool *)opaque = true;
    }
}

static bool any_can_be_woken(void)
{
    bool can = false;

    for (unsigned i = 0; i < cpu_count() && !can; i++) {
        run_on_cpu(qemu_get_cpu(i), ask, &can);
    }
    return can;
}

static void look(void *opaque)
{
    FlatMachine *s = opaque;
    int64_t busy = busy_ns();

    if (busy - s->busy_ns >= REST_NS) {
        s->asked = false;
    } else if (!s->asked && runstate_is_running()) {
        s->asked = true;
        if (!any_can_be_woken()) {
            say(s, "interrupts are off in all of them");
        }
    }
    s->busy_ns = busy;
    timer_mod(s->halt_timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + LOOK_NS);
}

/* ---- Start and end ---- */

void flat_halt_watch(FlatMachine *s)
{
    if (!cpu_count()) {
        return;
    }
    s->halt_watched = true;
    if (!s->has_irqchip) {
        cpu_set_halt_hook(on_halt, s);
        return;
    }
    s->halt_timer = timer_new_ns(QEMU_CLOCK_REALTIME, look, s, NULL);
    timer_mod(s->halt_timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + LOOK_NS);
}

void flat_halt_unwatch(FlatMachine *s)
{
    if (!s->halt_watched) {
        return;
    }
    cpu_set_halt_hook(NULL, NULL);
    timer_free(s->halt_timer);
    s->halt_timer = NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * The x86 vCPU: its registers fetched when someone asks, reset, and its view of memory through
 * segments and page tables for whoever explains what the guest was doing.
 */
#include <inttypes.h>
#include <string.h>
#include <qomet/accel/accel.h>
#include <qomet/accel/cpu-intc.h>
#include <qomet/accel/x86-walk.h>
#include "accel/cpu-int.h"
#include "accel/x86-bits.h"

/* ---- Registers ---- */

typedef struct Fetch {
    bool ok;
    GError **errp;
} Fetch;

static void fetch_registers(CPUState *cpu, void *opaque)
{
    X86CPU *x86 = X86_CPU(cpu);
    Fetch *fetch = opaque;

    fetch->ok = ACCEL_GET_CLASS(current_accel())->get_registers(x86, fetch->errp);
    x86->regs_fetched = fetch->ok;
    /*
     * The accelerator's loop does not look whether it still has the latest: it is left, and gets
     * them when it is entered.
     */
    cpu_exit(cpu);
}

static bool have_registers(X86CPU *x86, GError **errp)
{
    Fetch fetch = { .errp = errp };

    if (x86->regs_fetched) {
        return true;
    }
    if (!x86->parent_obj.accel) {
        qom_error_set(errp, QOM_ERROR_STATE, "vCPU %u is not running under any accelerator",
                      x86->parent_obj.index);
        return false;
    }
    run_on_cpu(&x86->parent_obj, fetch_registers, &fetch);
    return fetch.ok;
}

const X86Registers *x86_cpu_registers(X86CPU *cpu, GError **errp)
{
    return have_registers(cpu, errp) ? &cpu->regs : NULL;
}

X86Registers *x86_cpu_registers_for_write(X86CPU *cpu, GError **errp)
{
    if (!have_registers(cpu, errp)) {
        return NULL;
    }
    cpu->regs_dirty = true;
    return &cpu->regs;
}

typedef struct Transfer {
    const X86Registers *registers;
    const X86ExtendedRegisters *put;
    X86ExtendedRegisters *get;
    bool ok;
    GError **errp;
} Transfer;

static void set_registers(CPUState *cpu, void *opaque)
{
    AccelClass *ac = ACCEL_GET_CLASS(current_accel());
    X86CPU *x86 = X86_CPU(cpu);
    Transfer *t = opaque;
    X86Registers before = x86->regs;

    if (!cpu->accel) {
        qom_error_set(t->errp, QOM_ERROR_STATE, "vCPU %u is not running under any accelerator",
                      cpu->index);
        return;
    }
    x86->regs = *t->registers;
    t->ok = ac->put_registers(x86, t->errp);
    if (!t->ok) {
        x86->regs = before;
        /* These it had. */
        (void)ac->put_registers(x86, NULL);
    }
    /* A reset that is still to come, or a step, goes by what is put when the guest is entered. */
    x86->regs_dirty = true;
    cpu_exit(cpu);
}

bool x86_cpu_set_registers(X86CPU *cpu, const X86Registers *r, GError **errp)
{
    Transfer t = { .registers = r, .errp = errp };

    if (!have_registers(cpu, errp)) {
        return false;
    }
    run_on_cpu(&cpu->parent_obj, set_registers, &t);
    return t.ok;
}

static void transfer_extended(CPUState *cpu, void *opaque)
{
    AccelClass *ac = ACCEL_GET_CLASS(current_accel());
    Transfer *t = opaque;

    if (!cpu->accel || !ac->get_extended) {
        qom_error_set(t->errp, QOM_ERROR_STATE, "vCPU %u has no extended registers", cpu->index);
    } else {
        t->ok = t->put ? ac->put_extended(X86_CPU(cpu), t->put, t->errp)
                       : ac->get_extended(X86_CPU(cpu), t->get, t->errp);
    }
}

static bool run_transfer(X86CPU *cpu, Transfer *t)
{
    run_on_cpu(&cpu->parent_obj, transfer_extended, t);
    return t->ok;
}

bool x86_cpu_get_extended(X86CPU *cpu, X86ExtendedRegisters *r, GError **errp)
{
    Transfer t = { .get = r, .errp = errp };

    return run_transfer(cpu, &t);
}

bool x86_cpu_set_extended(X86CPU *cpu, const X86ExtendedRegisters *r, GError **errp)
{
    Transfer t = { .put = r, .errp = errp };

    return run_transfer(cpu, &t);
}

static void x86_cpu_dump_state(CPUState *cpu, bool extended, GString *out)
{
    g_autoptr(GError) error = NULL;
    const X86Registers *r = x86_cpu_registers(X86_CPU(cpu), &error);
    X86ExtendedRegisters x;
    bool has_x = r && extended && x86_cpu_get_extended(X86_CPU(cpu), &x, NULL);

    if (r) {
        x86_registers_dump(r, has_x ? &x : NULL, __atomic_load_n(&cpu->halted, __ATOMIC_RELAXED),
                           out);
    } else {
        g_string_append_printf(out, "(no registers: %s)\n", error->message);
    }
}

/* ---- Memory as the guest sees it ---- */

bool x86_cpu_translate(X86CPU *cpu, uint64_t gva, hwaddr *gpa, GError **errp)
{
    const X86Registers *r = x86_cpu_registers(cpu, errp);
    X86Walk walk;

    if (!r) {
        return false;
    }
    if (x86_walk(r, cpu->parent_obj.as_memory, gva, &walk)) {
        *gpa = walk.gpa;
        return true;
    }
    if (walk.n_steps) {
        const X86WalkStep *last = &walk.steps[walk.n_steps - 1];

        qom_error_set(errp, QOM_ERROR_NOT_FOUND,
                      "no page is mapped at 0x%" PRIx64 " (%s at 0x%" PRIx64 ": %s)", gva,
                      last->level, last->entry_addr, walk.fault);
    } else {
        qom_error_set(errp, QOM_ERROR_VALUE, "no page is mapped at 0x%" PRIx64 ": %s", gva,
                      walk.fault);
    }
    return false;
}

unsigned x86_cpu_code_bytes(X86CPU *cpu, uint8_t *buf, unsigned max)
{
    const X86Registers *r = x86_cpu_registers(cpu, NULL);
    unsigned n = 0;

    while (r && n < max) {
        uint64_t gva = x86_program_counter(r) + n;
        unsigned len = MIN(max - n, 0x1000 - (gva & 0xfff));
        GuestSlice slice;
        hwaddr gpa;

        if (!x86_cpu_translate(cpu, gva, &gpa, NULL) ||
            !guest_slice_get(cpu->parent_obj.as_memory, gpa, len, false, &slice)) {
            break;
        }
        memcpy(buf + n, slice.host, len);
        guest_slice_put(&slice);
        n += len;
    }
    return n;
}

/* ---- The type ---- */

/* Whether it is this program that keeps a vCPU waiting for a start-up: nobody below knows of them. */
static bool has_apic_here(const CPUState *cpu)
{
    return cpu->intc && CPU_INTC_GET_CLASS(cpu->intc)->get_cr8;
}

bool cpu_waits_for_start(const CPUState *cpu)
{
    return has_apic_here(cpu) && X86_CPU(cpu)->wait_for_sipi;
}

/* Registers of a vCPU that begins, or waits for another one to start it. */
static void begin_anew(X86CPU *cpu)
{
    CPUState *cs = &cpu->parent_obj;

    x86_registers_reset(&cpu->regs);
    if (cs->index) {
        cpu->regs.apic_base &= ~X86_APIC_BASE_BSP;
    }
    cpu->regs_fetched = cpu->regs_dirty = true;
    cpu->wait_for_sipi = cs->index != 0;
    cs->deaf = true;
    __atomic_store_n(&cs->halted, cpu_waits_for_start(cs), __ATOMIC_SEQ_CST);
}

/* What is not in those registers stays: SDM vol. 3, table 10-1, has most of it "unchanged". */
void x86_cpu_init_signal(X86CPU *cpu)
{
    begin_anew(cpu);
    cpu->init_state = true;
}

static void x86_cpu_reset_hold(Object *obj, ResetType type)
{
    X86CPU *cpu = X86_CPU(obj);

    (void)type;
    if (qemu_loglevel_mask(LOG_CPU_RESET)) {
        g_autoptr(GString) text = g_string_new(NULL);

        g_string_append_printf(text, "reset of vCPU %u, which had\n", cpu->parent_obj.index);
        x86_cpu_dump_state(&cpu->parent_obj, false, text);
        qemu_log("%s", text->str);
    }
    begin_anew(cpu);
    cpu->reset_state = true;
    __atomic_store_n(&cpu->parent_obj.events, 0, __ATOMIC_SEQ_CST);
}

static const Property x86_cpu_props[] = {
    DEFINE_PROP_BOOL("kvm-hypercalls", X86CPU, pv_hypercalls, false,
                     .help = "offer the guest KVM's hypercalls for waking, interrupting and "
                             "yielding to other vCPUs"),
    DEFINE_PROP_BOOL("check", X86CPU, check_features, true,
                     .help = "warn of features that were asked for and the host does not have"),
    DEFINE_PROP_BOOL("enforce", X86CPU, enforce_features, false,
                     .help = "do not start without one of them"),
};

static void x86_cpu_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    (void)data;
    CPU_CLASS(klass)->dump_state = x86_cpu_dump_state;
    device_class_set_props(dc, x86_cpu_props);
    device_class_set_reset(dc, x86_cpu_reset_hold);
}

static const TypeInfo x86_cpu_types[] = {
    {
        .name = TYPE_X86_CPU,
        .parent = TYPE_CPU,
        .instance_size = sizeof(X86CPU),
        .instance_align = 64,
        .class_size = sizeof(X86CPUClass),
        .class_init = x86_cpu_class_init,
        .abstract = true,
    },
};
DEFINE_TYPES(x86_cpu_types)

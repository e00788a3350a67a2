/* SPDX-License-Identifier: MIT */
/*
 * Exits that are told: a table that takes the place of the plain one while somebody wants to know
 * (accel/exit-record.h), and what is noted before each entry.
 */
#include <string.h>
#include <sys/ioctl.h>
#include "accel/kvm/kvm-int.h"

struct KVMObserved {
    int64_t entered_ns; /* when the guest was entered last */
    int64_t left_ns;    /* when it was left */
    bool has_kept;
    X86Registers kept; /* with which it was entered */
};

/* Made when it is first needed. */
static KVMObserved *observed_of(KVMVcpu *v)
{
    if (!v->observed) {
        v->observed = g_new0(KVMObserved, 1);
    }
    return v->observed;
}

/* What is known of an exit before it is dealt with. */
static ExitRecord begin_record(KVMVcpu *v)
{
    uint32_t reason = v->run->exit_reason;
    ExitRecord r = {
        .reason = kvm_exit_name(reason),
        .meaning = kvm_exit_meaning(reason),
        .entered_ns = v->observed->entered_ns,
        .left_ns = v->observed->left_ns,
    };
    struct kvm_regs regs;

    if (exit_observers() & EXIT_WANTS_STATE && ioctl(v->fd, KVM_GET_REGS, &regs) == 0) {
        r.has_rip = true;
        r.rip = regs.rip;
    }
    return r;
}

/* One of the accesses of the exit that @begun tells of. */
static void one_access(KVMVcpu *v, const ExitRecord *begun, AddressSpace *as, hwaddr addr,
                       unsigned size, uint8_t *data, bool is_write)
{
    ExitRecord r = *begun;

    r.addr = addr;
    r.size = size;
    r.is_write = is_write;
    if (is_write) {
        memcpy(&r.value, data, size);
    }
    exit_observed_access(&v->cpu->parent_obj, &r, as, v->attrs);
    if (!is_write) {
        memcpy(data, &r.value, size);
    }
}

static void observe_io(KVMVcpu *v)
{
    struct kvm_run *run = v->run;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    const ExitRecord r = begin_record(v);

    for (uint32_t i = 0; i < run->io.count; i++) {
        one_access(v, &r, v->io, run->io.port, run->io.size, data + (size_t)i * run->io.size,
                   run->io.direction == KVM_EXIT_IO_OUT);
    }
}

/* What is of a length that no access has goes by bytes. */
static void observe_mmio(KVMVcpu *v)
{
    struct kvm_run *run = v->run;
    uint32_t len = run->mmio.len, size = len & (len - 1) ? 1 : len;
    const ExitRecord r = begin_record(v);

    for (uint32_t i = 0; i < len; i += size) {
        one_access(v, &r, v->memory, run->mmio.phys_addr + i, size, run->mmio.data + i,
                   run->mmio.is_write);
    }
}

static bool observe_other(KVMVcpu *v)
{
    uint32_t reason = v->run->exit_reason;
    ExitRecord r = begin_record(v);

    exit_observed(&v->cpu->parent_obj, &r);
    return kvm_exits_plain[reason < KVM_EXIT_COUNT ? reason : KVM_EXIT_UNKNOWN](v);
}

static bool observe(KVMVcpu *v)
{
    observed_of(v)->left_ns = exit_clock_ns();
    switch (v->run->exit_reason) {
    case KVM_EXIT_IO:
        observe_io(v);
        break;
    case KVM_EXIT_MMIO:
        observe_mmio(v);
        break;
    default:
        if (!observe_other(v)) {
            return false;
        }
    }
    return kvm_observe_entry(v);
}

KVMExitFn *const kvm_exits_observed[KVM_EXIT_COUNT] = { [0 ... KVM_EXIT_COUNT - 1] = observe };

/*
 * Registers at an entry are those after the access of the exit before. False when the guest is not
 * to be entered yet: a kick may have come meanwhile.
 */
static bool keep_registers(KVMVcpu *v)
{
    if (!v->pristine) {
        kvm_complete_access(v);
    }
    if (kvm_get_registers(v->cpu, NULL)) {
        v->observed->kept = v->cpu->regs;
        v->observed->has_kept = true;
    }
    return !__atomic_load_n(&v->cpu->parent_obj.exit_request, __ATOMIC_SEQ_CST);
}

bool kvm_observe_entry(KVMVcpu *v)
{
    if (v->completing) {
        /* One of the parts of an access: it is completed before the guest is entered. */
        return true;
    }
    observed_of(v)->has_kept = false;
    if (exit_observers() & EXIT_WANTS_STATE && !keep_registers(v)) {
        return false;
    }
    v->observed->entered_ns = exit_clock_ns();
    return true;
}

const X86Registers *kvm_kept_registers(const KVMVcpu *v)
{
    return v->observed && v->observed->has_kept ? &v->observed->kept : NULL;
}

void kvm_observed_free(KVMVcpu *v)
{
    g_free(v->observed);
}

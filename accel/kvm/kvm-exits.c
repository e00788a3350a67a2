/* SPDX-License-Identifier: MIT */
/*
 * What each reason for leaving the guest leads to: a table of small functions. The same, told to
 * whoever wants to know, is in kvm-observed.c.
 */
#include <string.h>
#include "accel/kvm/kvm-int.h"

/* ---- Values as the guest lays them out ---- */

/* @p has room for 8 bytes. What is written takes as many of them as its size says. */
static inline uint64_t load_le(const uint8_t *p)
{
    uint64_t value;

    memcpy(&value, p, sizeof(value));
    return value;
}

static inline void store_le(uint8_t *p, uint64_t value, unsigned size)
{
    switch (size) {
    case 1:
        *p = (uint8_t)value;
        break;
    case 2:
        memcpy(p, &value, 2);
        break;
    case 4:
        memcpy(p, &value, 4);
        break;
    default:
        memcpy(p, &value, 8);
    }
}

/* ---- Ports and memory ---- */

static G_GNUC_NO_INLINE bool string_io(KVMVcpu *v)
{
    struct kvm_run *run = v->run;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    unsigned size = run->io.size;
    uint8_t padded[8] = { 0 };

    for (uint32_t i = 0; i < run->io.count; i++, data += size) {
        uint64_t value;

        if (run->io.direction == KVM_EXIT_IO_OUT) {
            memcpy(padded, data, size);
            address_space_store(v->io, run->io.port, size, load_le(padded), v->attrs);
        } else {
            address_space_load(v->io, run->io.port, size, &value, v->attrs);
            store_le(data, value, size);
        }
    }
    return true;
}

static __attribute__((hot)) G_GNUC_NO_INLINE bool port_read(KVMVcpu *v)
{
    struct kvm_run *run = v->run;
    uint64_t value;

    address_space_load(v->io, run->io.port, run->io.size, &value, v->attrs);
    store_le((uint8_t *)run + run->io.data_offset, value, run->io.size);
    return true;
}

/*
 * What most exits are goes first and keeps its frame small; the others have functions of their own.
 */
static __attribute__((hot)) bool exit_io(KVMVcpu *v)
{
    struct kvm_run *run = v->run;
    unsigned size = run->io.size;

    if (G_UNLIKELY(run->io.count != 1)) {
        return string_io(v);
    }
    if (run->io.direction != KVM_EXIT_IO_OUT) {
        return port_read(v);
    }
    address_space_store(v->io, run->io.port, size, load_le((uint8_t *)run + run->io.data_offset),
                        v->attrs);
    return true;
}

/*
 * An access that crosses a page arrives in parts of any length; those go to each register in turn.
 */
static void odd_mmio(KVMVcpu *v)
{
    struct kvm_run *run = v->run;

    if (run->mmio.is_write) {
        address_space_write(v->memory, run->mmio.phys_addr, v->attrs, run->mmio.data,
                            run->mmio.len);
    } else {
        address_space_read(v->memory, run->mmio.phys_addr, v->attrs, run->mmio.data, run->mmio.len);
    }
}

static inline bool is_plain_size(uint32_t len)
{
    return len == 1 || len == 2 || len == 4 || len == 8;
}

static __attribute__((hot)) bool exit_mmio(KVMVcpu *v)
{
    struct kvm_run *run = v->run;
    uint32_t len = run->mmio.len;
    uint64_t value;

    if (G_UNLIKELY(!is_plain_size(len))) {
        odd_mmio(v);
    } else if (run->mmio.is_write) {
        address_space_store(v->memory, run->mmio.phys_addr, len, load_le(run->mmio.data), v->attrs);
    } else {
        address_space_load(v->memory, run->mmio.phys_addr, len, &value, v->attrs);
        store_le(run->mmio.data, value, len);
    }
    return true;
}

/* ---- The rest ---- */

static bool exit_go_on(KVMVcpu *v)
{
    (void)v;
    return true;
}

/* What nobody understands, and what ends every guest. */
static bool exit_stop(KVMVcpu *v)
{
    g_autofree char *why = kvm_explain_exit(v->run, x86_cpu_registers(v->cpu, NULL));
    g_autofree char *diagnosis = kvm_diagnose(v);

    cpu_guest_panicked(&v->cpu->parent_obj, "%s%s", why, diagnosis);
    return false;
}

/* Only without local APICs in the kernel: with them, KVM waits by itself. */
static bool exit_hlt(KVMVcpu *v)
{
    cpu_halt(&v->cpu->parent_obj, v->run->if_flag);
    return false;
}

/* A level interrupt has been ended that came from an IOAPIC in user space. */
static bool exit_ioapic_eoi(KVMVcpu *v)
{
    const AccelState *accel = &v->kvm->parent_obj;

    if (accel->eoi) {
        accel->eoi(accel->eoi_opaque, v->run->eoi.vector);
    }
    return true;
}

/* A triple fault. */
static bool exit_shutdown(KVMVcpu *v)
{
    if (!v->cpu->parent_obj.triple_fault_resets) {
        return exit_stop(v);
    }
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    return false;
}

static bool exit_system_event(KVMVcpu *v)
{
    switch (v->run->system_event.type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN:
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
        return false;
    case KVM_SYSTEM_EVENT_RESET:
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
        return false;
    default:
        return exit_stop(v);
    }
}

/* The guest ran for long without an event window; nothing is lost unless KVM says so. */
static bool exit_notify(KVMVcpu *v)
{
    return v->run->notify.flags & KVM_NOTIFY_CONTEXT_INVALID ? exit_stop(v) : true;
}

static bool exit_internal_error(KVMVcpu *v)
{
    return kvm_debug_is_breakpoint(v) ? false : exit_stop(v);
}

KVMExitFn *const kvm_exits_plain[KVM_EXIT_COUNT] = {
    [KVM_EXIT_UNKNOWN] = exit_stop,
    [KVM_EXIT_EXCEPTION] = exit_stop,
    [KVM_EXIT_IO] = exit_io,
    [KVM_EXIT_HYPERCALL] = exit_stop,
    [KVM_EXIT_DEBUG] = kvm_exit_debug,
    [KVM_EXIT_HLT] = exit_hlt,
    [KVM_EXIT_MMIO] = exit_mmio,
    [KVM_EXIT_IRQ_WINDOW_OPEN] = exit_go_on,
    [KVM_EXIT_SHUTDOWN] = exit_shutdown,
    [KVM_EXIT_FAIL_ENTRY] = exit_stop,
    [KVM_EXIT_INTR] = exit_go_on,
    [KVM_EXIT_SET_TPR] = exit_go_on,
    [KVM_EXIT_TPR_ACCESS] = exit_go_on,
    [KVM_EXIT_S390_SIEIC] = exit_stop,
    [KVM_EXIT_S390_RESET] = exit_stop,
    [KVM_EXIT_DCR] = exit_stop,
    [KVM_EXIT_NMI] = exit_go_on,
    [KVM_EXIT_INTERNAL_ERROR] = exit_internal_error,
    [KVM_EXIT_OSI] = exit_stop,
    [KVM_EXIT_PAPR_HCALL] = exit_stop,
    [KVM_EXIT_S390_UCONTROL] = exit_stop,
    [KVM_EXIT_WATCHDOG] = exit_stop,
    [KVM_EXIT_S390_TSCH] = exit_stop,
    [KVM_EXIT_EPR] = exit_stop,
    [KVM_EXIT_SYSTEM_EVENT] = exit_system_event,
    [KVM_EXIT_S390_STSI] = exit_stop,
    [KVM_EXIT_IOAPIC_EOI] = exit_ioapic_eoi,
    [KVM_EXIT_HYPERV] = exit_stop,
    [KVM_EXIT_ARM_NISV] = exit_stop,
    [KVM_EXIT_X86_RDMSR] = exit_stop,
    [KVM_EXIT_X86_WRMSR] = exit_stop,
    [KVM_EXIT_DIRTY_RING_FULL] = exit_stop,
    [KVM_EXIT_AP_RESET_HOLD] = exit_stop,
    [KVM_EXIT_X86_BUS_LOCK] = exit_go_on,
    [KVM_EXIT_XEN] = exit_stop,
    [KVM_EXIT_RISCV_SBI] = exit_stop,
    [KVM_EXIT_RISCV_CSR] = exit_stop,
    [KVM_EXIT_NOTIFY] = exit_notify,
    [KVM_EXIT_LOONGARCH_IOCSR] = exit_stop,
    [KVM_EXIT_MEMORY_FAULT] = exit_stop,
    [KVM_EXIT_TDX] = exit_stop,
    [KVM_EXIT_ARM_SEA] = exit_stop,
};

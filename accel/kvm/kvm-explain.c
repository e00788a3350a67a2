/* SPDX-License-Identifier: MIT */
/*
 * Exits in words: the name of each reason, and for those that end a guest what has happened and
 * what may be behind it.
 */
#include <inttypes.h>
#include "accel/x86-bits.h"
#include "accel/kvm/kvm-int.h"

static const struct {
    const char *name, *meaning;
} reasons[KVM_EXIT_COUNT] = {
    [KVM_EXIT_UNKNOWN] = { "unknown",
                           "the processor left the guest for a reason that KVM does not know" },
    [KVM_EXIT_EXCEPTION] = { "exception", "KVM handed over an exception of the guest" },
    [KVM_EXIT_IO] = { "io", "the guest used a port" },
    [KVM_EXIT_HYPERCALL] = { "hypercall", "the guest called a hypercall that nobody offers" },
    [KVM_EXIT_DEBUG] = { "debug",
                         "the guest met a breakpoint or single step that nobody asked for" },
    [KVM_EXIT_HLT] = { "hlt", "the guest executed HLT" },
    [KVM_EXIT_MMIO] = { "mmio", "the guest used memory that is a device" },
    [KVM_EXIT_IRQ_WINDOW_OPEN] = { "irq-window-open", "the guest can take an interrupt now" },
    [KVM_EXIT_SHUTDOWN] = { "shutdown", "triple fault" },
    [KVM_EXIT_FAIL_ENTRY] = { "fail-entry", "the processor refused to enter the guest" },
    [KVM_EXIT_INTR] = { "intr", "a signal came" },
    [KVM_EXIT_SET_TPR] = { "set-tpr", "the guest changed its task priority" },
    [KVM_EXIT_TPR_ACCESS] = { "tpr-access", "the guest used its task priority register" },
    [KVM_EXIT_S390_SIEIC] = { "s390-sieic", "an exit of another architecture (s390)" },
    [KVM_EXIT_S390_RESET] = { "s390-reset", "an exit of another architecture (s390)" },
    [KVM_EXIT_DCR] = { "dcr", "an exit of another architecture (PowerPC)" },
    [KVM_EXIT_NMI] = { "nmi", "an NMI of the host came" },
    [KVM_EXIT_INTERNAL_ERROR] = { "internal-error", "KVM cannot go on" },
    [KVM_EXIT_OSI] = { "osi", "an exit of another architecture (PowerPC)" },
    [KVM_EXIT_PAPR_HCALL] = { "papr-hcall", "an exit of another architecture (PowerPC)" },
    [KVM_EXIT_S390_UCONTROL] = { "s390-ucontrol", "an exit of another architecture (s390)" },
    [KVM_EXIT_WATCHDOG] = { "watchdog", "the watchdog of another architecture (PowerPC) ran out" },
    [KVM_EXIT_S390_TSCH] = { "s390-tsch", "an exit of another architecture (s390)" },
    [KVM_EXIT_EPR] = { "epr", "an exit of another architecture (PowerPC)" },
    [KVM_EXIT_SYSTEM_EVENT] = { "system-event", "the guest reported an event of the whole system" },
    [KVM_EXIT_S390_STSI] = { "s390-stsi", "an exit of another architecture (s390)" },
    [KVM_EXIT_IOAPIC_EOI] = { "ioapic-eoi",
                              "the guest ended an interrupt of an IOAPIC that nobody emulates" },
    [KVM_EXIT_HYPERV] = { "hyperv", "the guest used an interface of Hyper-V that nobody offers" },
    [KVM_EXIT_ARM_NISV] = { "arm-nisv", "an exit of another architecture (Arm)" },
    [KVM_EXIT_X86_RDMSR] = { "rdmsr",
                             "the guest read a model-specific register that nobody emulates" },
    [KVM_EXIT_X86_WRMSR] = { "wrmsr",
                             "the guest wrote a model-specific register that nobody emulates" },
    [KVM_EXIT_DIRTY_RING_FULL] = { "dirty-ring-full",
                                   "KVM's ring of changed pages is full, and nobody reads it" },
    [KVM_EXIT_AP_RESET_HOLD] = { "ap-reset-hold",
                                 "an encrypted guest waits for its start, which nobody gives" },
    [KVM_EXIT_X86_BUS_LOCK] = { "bus-lock", "the guest locked the bus" },
    [KVM_EXIT_XEN] = { "xen", "the guest used an interface of Xen that nobody offers" },
    [KVM_EXIT_RISCV_SBI] = { "riscv-sbi", "an exit of another architecture (RISC-V)" },
    [KVM_EXIT_RISCV_CSR] = { "riscv-csr", "an exit of another architecture (RISC-V)" },
    [KVM_EXIT_NOTIFY] = { "notify", "the guest kept the processor from taking events, and its "
                                    "state is lost" },
    [KVM_EXIT_LOONGARCH_IOCSR] = { "loongarch-iocsr",
                                   "an exit of another architecture (LoongArch)" },
    [KVM_EXIT_MEMORY_FAULT] = { "memory-fault", "guest memory could not be reached" },
    [KVM_EXIT_TDX] = { "tdx", "a confidential guest asked for what nobody offers" },
    [KVM_EXIT_ARM_SEA] = { "arm-sea", "an exit of another architecture (Arm)" },
};

const char *kvm_exit_name(uint32_t reason)
{
    return reason < KVM_EXIT_COUNT ? reasons[reason].name : "new";
}

const char *kvm_exit_meaning(uint32_t reason)
{
    return reason < KVM_EXIT_COUNT ? reasons[reason].meaning
                                   : "for a reason that is newer than this program";
}

/*
 * Intel SDM vol. 3, 27.8: bit 31 says that entry failed, the low 16 bits are the reason. AMD gives
 * -1 for any.
 */
static void explain_fail_entry(const struct kvm_run *run, GString *out)
{
    uint64_t why = run->fail_entry.hardware_entry_failure_reason;

    g_string_append(out, "the processor refused to enter the guest: ");
    if (why == UINT64_MAX || why == UINT32_MAX || ((why & 0x80000000) && (why & 0xffff) == 33)) {
        g_string_append(
            out,
            "the guest's state is not valid (check segments, control registers and EFER together)");
    } else if ((why & 0x80000000) && (why & 0xffff) == 34) {
        g_string_append(out, "a model-specific register could not be loaded");
    } else if ((why & 0x80000000) && (why & 0xffff) == 41) {
        g_string_append(out, "the host's processor reported a machine check");
    } else {
        g_string_append(out, "it gave no reason that is known");
    }
    g_string_append_printf(out, " (hardware reason 0x%" PRIx64 ").", (uint64_t)why);
}

static void explain_emulation(const struct kvm_run *run, GString *out)
{
    g_string_append(out, "KVM had to execute an instruction of the guest itself and cannot: ");
    if (run->emulation_failure.ndata >= 1 &&
        run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) {
        unsigned n =
            MIN(run->emulation_failure.insn_size, sizeof(run->emulation_failure.insn_bytes));

        if (n) {
            g_string_append(out, "its bytes begin with");
            for (unsigned i = 0; i < n; i++) {
                g_string_append_printf(out, " %02x", run->emulation_failure.insn_bytes[i]);
            }
        } else {
            g_string_append(out, "it could not even be fetched");
        }
    } else {
        g_string_append(out, "KVM does not say which one");
    }
    g_string_append(out,
                    ". Either the guest executes what is no code, or KVM lacks this instruction.");
}

static void explain_internal_error(const struct kvm_run *run, GString *out)
{
    unsigned n = MIN(run->internal.ndata, G_N_ELEMENTS(run->internal.data));

    switch (run->internal.suberror) {
    case KVM_INTERNAL_ERROR_EMULATION:
        explain_emulation(run, out);
        return;
    case KVM_INTERNAL_ERROR_SIMUL_EX:
        g_string_append(out, "the guest raised an exception while another one was being delivered, "
                             "and KVM cannot say "
                             "which comes first.");
        break;
    case KVM_INTERNAL_ERROR_DELIVERY_EV:
        g_string_append(
            out, "the guest could not be left in order while an interrupt or exception was being "
                 "delivered (its IDT, TSS or stack may be in memory that is a device).");
        break;
    case KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON:
        g_string_append(out, "the processor left the guest in a way that KVM did not expect.");
        break;
    default:
        g_string_append_printf(
            out, "KVM cannot go on, for a reason that is not known here (suberror %u).",
            run->internal.suberror);
    }
    for (unsigned i = 0; i < n; i++) {
        g_string_append_printf(out, "%s0x%" PRIx64,
                               i ? ", " : " KVM adds: ", (uint64_t)run->internal.data[i]);
    }
}

static void explain_shutdown(const X86Registers *r, GString *out)
{
    g_string_append(out, "triple fault: an exception could not be delivered, nor the double fault "
                         "that followed, nor that one's.");
    if (r && kvm_is_reset_state(r)) {
        g_string_append(out, " KVM has reset the registers before reporting, as it does on AMD.");
    }
}

char *kvm_explain_exit(const struct kvm_run *run, const X86Registers *r)
{
    GString *out = g_string_new(NULL);
    uint32_t reason = run->exit_reason;

    switch (reason) {
    case KVM_EXIT_UNKNOWN:
        g_string_append_printf(out, "%s (hardware reason 0x%" PRIx64 ").", reasons[reason].meaning,
                               (uint64_t)run->hw.hardware_exit_reason);
        break;
    case KVM_EXIT_EXCEPTION:
        g_string_append_printf(out, "%s (vector %u, error code 0x%x).", reasons[reason].meaning,
                               run->ex.exception, run->ex.error_code);
        break;
    case KVM_EXIT_HYPERCALL:
        g_string_append_printf(out, "%s (number %" PRIu64 ").", reasons[reason].meaning,
                               (uint64_t)run->hypercall.nr);
        break;
    case KVM_EXIT_SHUTDOWN:
        explain_shutdown(r, out);
        break;
    case KVM_EXIT_FAIL_ENTRY:
        explain_fail_entry(run, out);
        break;
    case KVM_EXIT_INTERNAL_ERROR:
        explain_internal_error(run, out);
        break;
    case KVM_EXIT_SYSTEM_EVENT:
        g_string_append_printf(out, "%s (type %u).", reasons[reason].meaning,
                               run->system_event.type);
        break;
    case KVM_EXIT_X86_RDMSR:
    case KVM_EXIT_X86_WRMSR:
        g_string_append_printf(out, "%s (0x%x).", reasons[reason].meaning, run->msr.index);
        break;
    case KVM_EXIT_MEMORY_FAULT: {
        const KVMMemoryFault *fault = (const KVMMemoryFault *)&run->hw;

        g_string_append_printf(out, "%s (address 0x%" PRIx64 ", %" PRIu64 " bytes).",
                               reasons[reason].meaning, fault->gpa, fault->size);
        break;
    }
    default:
        if (reason < KVM_EXIT_COUNT) {
            g_string_append_printf(out, "%s.", reasons[reason].meaning);
        } else {
            g_string_append_printf(
                out, "KVM left the guest for a reason that is newer than this program.");
        }
    }
    g_string_append_printf(out, " [KVM_EXIT %u, %s]", reason, kvm_exit_name(reason));
    return g_string_free(out, FALSE);
}

/* SPDX-License-Identifier: MIT */
/*
 * What is said when a guest cannot go on: why, its registers, and the code that it was about to
 * execute.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <qomet/accel/accel.h>
#include "accel/cpu-int.h"

#define CODE_BYTES 16

/*
 * Reports are said once until the machine is reset: what other vCPUs meet after the first has
 * failed explains nothing. Atomic.
 */
static uint32_t reported;

static void append_code(X86CPU *x86, GString *out)
{
    const X86Registers *r = x86_cpu_registers(x86, NULL);
    uint8_t code[CODE_BYTES];
    unsigned n = x86_cpu_code_bytes(x86, code, sizeof(code));

    g_string_append(out, "code at RIP:");
    for (unsigned i = 0; i < n; i++) {
        g_string_append_printf(out, " %02x", code[i]);
    }
    if (r && !n) {
        g_string_append_printf(out, " none, for 0x%" PRIx64 " is outside RAM",
                               x86_program_counter(r));
    }
}

void cpu_guest_panicked(CPUState *cpu, const char *fmt, ...)
{
    g_autoptr(GString) text = g_string_new(NULL);
    va_list ap;

    if (!__atomic_exchange_n(&reported, 1, __ATOMIC_RELAXED)) {
        g_string_append_printf(text, "vCPU %u: ", cpu->index);
        va_start(ap, fmt);
        g_string_append_vprintf(text, fmt, ap);
        va_end(ap);
        g_string_append_c(text, '\n');
        CPU_GET_CLASS(cpu)->dump_state(cpu, false, text);
        append_code(X86_CPU(cpu), text);
        error_report("%s", text->str);
    }
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_PANIC);
}

void cpu_report_reset(void)
{
    __atomic_store_n(&reported, 0, __ATOMIC_RELAXED);
}

/* SPDX-License-Identifier: MIT */
/*
 * An exit told as a path: from the reason for which the guest was left to the method that answered.
 *
 *   exit 3 of vCPU 0: io, the guest used a port; RIP 0x1002
 *     write of 1 byte, 0x48, to I/O 0xf1
 *     -> region debugcon, offset 0x0
 *     -> object /machine/peripheral/con (isa-debugcon)
 *     -> write method of class isa-debugcon: 1.3 us
 */
#include <inttypes.h>
#include "accel/exit-int.h"

static void append_time(int64_t ns, GString *out)
{
    if (ns < 10000) {
        g_string_append_printf(out, "%" PRId64 " ns", ns);
    } else {
        g_string_append_printf(out, "%" PRId64 ".%" PRId64 " us", ns / 1000, ns % 1000 / 100);
    }
}

/* What became of an access, where that is not what was asked for. */
static const char *result_words(const ExitRecord *r)
{
    if (r->result & MEMTX_ACCESS_ERROR) {
        return ", refused";
    }
    return r->result == MEMTX_OK ? "" : ", answered with an error";
}

static void explain_access(const ExitRecord *r, GString *out)
{
    g_string_append_printf(out, "  %s of %u byte%s, 0x%" PRIx64 ", %s %s 0x%" PRIx64 "\n",
                           r->is_write ? "write" : "read", r->size, r->size == 1 ? "" : "s",
                           r->value, r->is_write ? "to" : "from", r->space, r->addr);
    if (!r->region) {
        g_string_append(out, r->is_write ? "  -> nothing is there: lost, "
                                         : "  -> nothing is there: all ones, ");
        append_time(r->ns, out);
        g_string_append_c(out, '\n');
        return;
    }
    g_string_append_printf(out, "  -> region %s, offset 0x%" PRIx64 "\n", r->region, r->offset);
    if (r->type) {
        g_string_append_printf(out, "  -> object %s (%s)\n", r->path ? r->path : "outside the tree",
                               r->type);
    }
    if (r->method_class) {
        g_string_append_printf(out,
                               "  -> %s method of class %s%s: ", r->is_write ? "write" : "read",
                               r->method_class, result_words(r));
    } else {
        g_string_append_printf(out, "  -> memory%s: ", result_words(r));
    }
    append_time(r->ns, out);
    g_string_append_c(out, '\n');
}

void exit_record_explain(const ExitRecord *r, GString *out)
{
    g_string_append_printf(out, "exit %" PRIu64 " of vCPU %u: %s, %s", r->number, r->vcpu,
                           r->reason, r->meaning);
    if (r->has_rip) {
        g_string_append_printf(out, "; RIP 0x%" PRIx64, r->rip);
    }
    g_string_append_c(out, '\n');
    if (r->space) {
        explain_access(r, out);
    }
}

static void tell(CPUState *cpu, const ExitRecord *r)
{
    g_autoptr(GString) text = g_string_new(NULL);

    (void)cpu;
    exit_record_explain(r, text);
    qemu_log("%s", text->str);
}

const ExitObserver exit_observer_explain = { EXIT_EXPLAIN, tell };

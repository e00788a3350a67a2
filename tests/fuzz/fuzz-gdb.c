/* SPDX-License-Identifier: MIT */
/*
 * The gdb server: each line of the input is a packet, which is framed here so that its sum is right,
 * or, behind a "!", bytes of the stream as they are. The vCPUs are of an accelerator that executes
 * nothing: a machine that is let go on stops at once, for the reason that the client asked for. At
 * the end the client leaves, and the guest's memory is what it has seen of it.
 */
#include <string.h>
#include <unistd.h>
#include <qomet/accel/accel.h>
#include <qomet/memory/main-work.h>
#include "accel/cpu-int.h"
#include "machine/rooms.h"
#include "monitor/gdb-int.h"
#include "tests/fuzz/fuzz.h"

#define RAM_BYTES 0x10000
#define CPUS 3

/* ---- An accelerator ---- */

static X86ExtendedRegisters extended[CPUS];

static bool fuzz_accel_init(AccelState *accel G_GNUC_UNUSED, GError **errp G_GNUC_UNUSED)
{
    return true;
}

static bool fuzz_cpu_init(CPUState *cpu, GError **errp G_GNUC_UNUSED)
{
    cpu->accel = cpu;
    return true;
}

static void fuzz_cpu_destroy(CPUState *cpu)
{
    cpu->accel = NULL;
}

static void fuzz_cpu_exec(CPUState *cpu)
{
    while (!__atomic_load_n(&cpu->exit_request, __ATOMIC_SEQ_CST)) {
        usleep(10);
    }
}

static void fuzz_cpu_kick(CPUState *cpu G_GNUC_UNUSED)
{
}

/* They are never anywhere else. */
static bool fuzz_get_registers(X86CPU *cpu G_GNUC_UNUSED, GError **errp G_GNUC_UNUSED)
{
    return true;
}

static bool fuzz_put_registers(X86CPU *cpu, GError **errp)
{
    if (cpu->regs.cr0 >> 32) {
        qom_error_set(errp, QOM_ERROR_VALUE, "no such bits");
        return false;
    }
    return true;
}

static bool fuzz_get_extended(X86CPU *cpu, X86ExtendedRegisters *r, GError **errp G_GNUC_UNUSED)
{
    *r = extended[cpu->parent_obj.index];
    return true;
}

static bool fuzz_put_extended(X86CPU *cpu, const X86ExtendedRegisters *r,
                              GError **errp G_GNUC_UNUSED)
{
    extended[cpu->parent_obj.index] = *r;
    return true;
}

static bool fuzz_debug_update(CPUState *cpu G_GNUC_UNUSED, GError **errp G_GNUC_UNUSED)
{
    return true;
}

static bool fuzz_debug_meets(AccelState *accel G_GNUC_UNUSED, CPUBreakKind kind G_GNUC_UNUSED)
{
    return true;
}

static void fuzz_accel_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    AccelClass *ac = ACCEL_CLASS(klass);

    ac->name = "fuzz";
    ac->has_cpus = true;
    ac->init = fuzz_accel_init;
    ac->cpu_init = fuzz_cpu_init;
    ac->cpu_destroy = fuzz_cpu_destroy;
    ac->cpu_exec = fuzz_cpu_exec;
    ac->cpu_kick = fuzz_cpu_kick;
    ac->get_registers = fuzz_get_registers;
    ac->put_registers = fuzz_put_registers;
    ac->get_extended = fuzz_get_extended;
    ac->put_extended = fuzz_put_extended;
    ac->debug_update = fuzz_debug_update;
    ac->debug_meets = fuzz_debug_meets;
}

static const TypeInfo fuzz_accel_types[] = {
    {
        .name = "fuzz" ACCEL_CLASS_SUFFIX,
        .parent = TYPE_ACCEL,
        .class_init = fuzz_accel_class_init,
    },
};

DEFINE_TYPES(fuzz_accel_types)

/* ---- A machine ---- */

static GdbServer *server;
static Monitor *mon; /* the same */
static MemoryRegion ram;

static void make_machine(void)
{
    MUST(rooms_begin(NULL));
    MUST(accel_init("fuzz", NULL));
    MUST(memory_region_init_ram(&ram, NULL, "ram", RAM_BYTES, NULL));
    MUST(memory_region_add_subregion(get_system_memory(), 0, &ram, NULL));
    for (int i = 0; i < CPUS; i++) {
        DeviceState *dev = qdev_new(X86_CPU_TYPE_NAME("qemu64"), NULL);

        MUST(dev && qdev_realize(dev, NULL, NULL));
    }
    MUST(qemu_chr_new("gdb", "null", NULL));
    server = GDB_SERVER(object_new_with_props(TYPE_GDB_SERVER, object_get_objects_root(), "gdb",
                                              NULL, "chardev", "gdb", NULL));
    mon = &server->parent_obj;
}

/* Each input finds the same. */
static void reset_machine(void)
{
    CPUState *cpu;

    memset(memory_region_get_ram_ptr(&ram), 0x90, RAM_BYTES);
    memset(extended, 0, sizeof(extended));
    CPU_FOREACH(cpu)
    {
        X86CPU *x86 = X86_CPU(cpu);

        x86_registers_reset(&x86->regs);
        x86->regs_fetched = true;
        x86->regs_dirty = x86->reset_state = false;
    }
}

/* ---- Stops ---- */

static CPUDebugReason reason_of(CPUBreakKind kind)
{
    switch (kind) {
    case CPU_BREAK_CODE:
        return CPU_DEBUG_CODE;
    case CPU_BREAK_WRITE:
        return CPU_DEBUG_WRITE;
    case CPU_BREAK_ACCESS:
        return CPU_DEBUG_ACCESS;
    default:
        return CPU_DEBUG_SOFTWARE;
    }
}

/* All that steps has made its step, all else that goes on has met the first breakpoint. */
static void stop_machine(void)
{
    const CPUBreakpoint *b = cpu_breakpoint_get(0);
    CPUState *cpu;

    vm_stop(RUN_STATE_DEBUG);
    CPU_FOREACH(cpu)
    {
        if (cpu->debug_hold) {
            continue;
        }
        if (cpu->single_step) {
            cpu->debug_event = (CPUDebugEvent){ CPU_DEBUG_STEP, 0 };
        } else if (b) {
            cpu->debug_event = (CPUDebugEvent){ reason_of(b->kind), b->addr };
        }
    }
    cpu_debug_report();
    if (server->waiting) {
        vm_stop(RUN_STATE_PAUSED);
    }
    MUST(!server->waiting);
    CPU_FOREACH(cpu)
    {
        MUST(!cpu->single_step && !cpu->debug_hold);
    }
}

/* ---- Input ---- */

static void feed(const char *bytes, size_t len)
{
    size_t done = 0;

    while (done < len) {
        size_t n = MONITOR_GET_CLASS(mon)->input(mon, bytes + done, len - done);

        MUST(n > 0 && n <= len - done);
        done += n;
        if (runstate_is_running()) {
            stop_machine();
        }
    }
    MUST(server->parser.len <= GDB_PACKET_MAX);
    MUST(server->reply->len <= 2 * GDB_PACKET_MAX);
}

static void feed_line(const char *line, size_t len)
{
    g_autoptr(GString) framed = g_string_new(NULL);

    if (len && *line == '!') {
        feed(line + 1, len - 1);
        return;
    }
    /* Lines of the human monitor are somebody else's; some write files. */
    if (g_strstr_len(line, (gssize)len, "Rcmd")) {
        return;
    }
    gdb_frame(framed, line, len);
    feed(framed->str, framed->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t seen[RAM_BYTES];
    const char *at = (const char *)data, *end = at + size;
    MonitorClass *klass;

    if (!server) {
        make_machine();
    }
    klass = MONITOR_GET_CLASS(mon);
    reset_machine();
    mon->connected = true;
    klass->opened(mon);
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = newline ? (size_t)(newline - at) : (size_t)(end - at);

        feed_line(at, len);
        at += len + 1;
    }
    MUST(cpu_read_physical(qemu_get_cpu(0), 0, seen, sizeof(seen), NULL));
    mon->connected = false;
    klass->closed(mon);
    MUST(!cpu_breakpoint_get(0));
    MUST(!memcmp(seen, memory_region_get_ram_ptr(&ram), sizeof(seen)));
    main_work_run();
    return 0;
}

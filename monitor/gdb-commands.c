/* SPDX-License-Identifier: MIT */
/*
 * The packets of gdb's protocol by name, and those about memory, breakpoints and threads.
 */
#include "config.h"
#include <string.h>
#include "monitor/gdb-int.h"

/* ---- Threads: gdb's word for vCPUs; their numbers begin at 1 ---- */

bool gdb_take_thread(const char **text, unsigned *cpu)
{
    uint64_t number;

    *cpu = GDB_ALL_CPUS;
    if (g_str_has_prefix(*text, "-1")) {
        *text += 2;
        return true;
    }
    if (!gdb_take_number(text, &number) || number > GDB_ALL_CPUS) {
        return false;
    }
    *cpu = number ? (unsigned)(number - 1) : GDB_ALL_CPUS;
    return *cpu == GDB_ALL_CPUS || qemu_get_cpu(*cpu) != NULL;
}

/* "Hg" and "Hc": which one later packets mean. */
static bool set_thread(GdbServer *s, const char *args, size_t len)
{
    char what = *args;
    unsigned cpu;

    (void)len;
    if (what != 'g' && what != 'c') {
        return gdb_error(s, GDB_EINVAL);
    }
    args++;
    if (!gdb_take_thread(&args, &cpu) || *args) {
        return gdb_error(s, GDB_EINVAL);
    }
    if (what == 'c') {
        s->step_cpu = cpu;
    } else if (cpu != GDB_ALL_CPUS) {
        s->cpu = cpu;
    }
    return gdb_ok(s);
}

static bool is_alive(GdbServer *s, const char *args, size_t len)
{
    unsigned cpu;

    (void)len;
    return gdb_take_thread(&args, &cpu) && !*args ? gdb_ok(s) : gdb_error(s, GDB_EINVAL);
}

/* ---- Memory ---- */

static bool read_bytes(GdbServer *s, uint64_t addr, void *buf, size_t len)
{
    CPUState *cpu = gdb_cpu(s);

    if (!cpu) {
        return false;
    }
    return s->physical ? cpu_read_physical(cpu, addr, buf, len, NULL)
                       : cpu_read_memory(cpu, addr, buf, len, NULL);
}

static bool write_bytes(GdbServer *s, uint64_t addr, const void *buf, size_t len)
{
    CPUState *cpu = gdb_cpu(s);

    if (!cpu) {
        return false;
    }
    return s->physical ? cpu_write_physical(cpu, addr, buf, len, NULL)
                       : cpu_write_memory(cpu, addr, buf, len, NULL);
}

/* "ADDRESS,LENGTH", and what ends them. */
static bool take_range(const char **args, char end, uint64_t *addr, uint64_t *len)
{
    return gdb_take_number(args, addr) && gdb_take_char(args, ',') && gdb_take_number(args, len) &&
           (end ? gdb_take_char(args, end) : !**args);
}

/* m ADDRESS,LENGTH: as much of it as is there, and as fits. */
static bool read_memory(GdbServer *s, const char *args, size_t size)
{
    uint8_t buf[GDB_PACKET_MAX / 2];
    uint64_t addr, len;

    (void)size;
    if (!take_range(&args, 0, &addr, &len)) {
        return gdb_error(s, GDB_EINVAL);
    }
#ifndef QOMET_PLANTED_BUG
    /* Without it fuzz-gdb finds a reply that is longer than its buffer. */
    len = MIN(len, sizeof(buf));
#endif
    while (len && !read_bytes(s, addr, buf, len)) {
        /* gdb asks for whole pieces near the end of what is mapped. */
        len /= 2;
        if (!len) {
            return gdb_error(s, GDB_EFAULT);
        }
    }
    gdb_append_hex(s->reply, buf, len);
    return true;
}

/* M ADDRESS,LENGTH:DIGITS */
static bool write_memory(GdbServer *s, const char *args, size_t size)
{
    const char *begin = args;
    g_autofree uint8_t *buf = NULL;
    uint64_t addr, len;

    if (!take_range(&args, ':', &addr, &len) || len > GDB_PACKET_MAX / 2 ||
        size - (size_t)(args - begin) != 2 * len) {
        return gdb_error(s, GDB_EINVAL);
    }
    buf = g_malloc(len + 1);
    if (!gdb_parse_hex(args, len, buf)) {
        return gdb_error(s, GDB_EINVAL);
    }
    return write_bytes(s, addr, buf, len) ? gdb_ok(s) : gdb_error(s, GDB_EFAULT);
}

/* X ADDRESS,LENGTH:BYTES */
static bool write_binary(GdbServer *s, const char *args, size_t size)
{
    const char *begin = args;
    uint64_t addr, len;

    if (!take_range(&args, ':', &addr, &len) || size - (size_t)(args - begin) != len) {
        return gdb_error(s, GDB_EINVAL);
    }
    return write_bytes(s, addr, args, len) ? gdb_ok(s) : gdb_error(s, GDB_EFAULT);
}

/* ---- Breakpoints: Z or z TYPE,ADDRESS,KIND; the kind is a length for those that watch ---- */

static bool take_breakpoint(const char *args, CPUBreakKind *kind, uint64_t *addr, uint64_t *size)
{
    static const CPUBreakKind kinds[] = {
        ['0'] = CPU_BREAK_SOFTWARE,
        ['1'] = CPU_BREAK_CODE,
        ['2'] = CPU_BREAK_WRITE,
        ['4'] = CPU_BREAK_ACCESS,
    };

    *kind = kinds[(uint8_t)*args];
    args++;
    return gdb_take_char(&args, ',') && gdb_take_number(&args, addr) && gdb_take_char(&args, ',') &&
           gdb_take_number(&args, size);
}

/* An empty answer says that there is no such thing. x86 cannot watch reads without writes ('3'). */
static bool is_possible(char type)
{
    return type == '0' || type == '1' || type == '2' ||
           (type == '4' && cpu_debug_meets(CPU_BREAK_ACCESS));
}

static bool insert_breakpoint(GdbServer *s, const char *args, size_t len)
{
    CPUState *cpu = gdb_cpu(s);
    uint64_t addr, size;
    CPUBreakKind kind;

    (void)len;
    if (!is_possible(*args)) {
        return true;
    }
    if (!cpu || !take_breakpoint(args, &kind, &addr, &size)) {
        return gdb_error(s, GDB_EINVAL);
    }
    return cpu_breakpoint_insert(cpu, addr, size, kind, NULL) ? gdb_ok(s)
                                                              : gdb_error(s, GDB_EFAULT);
}

static bool remove_breakpoint(GdbServer *s, const char *args, size_t len)
{
    uint64_t addr, size;
    CPUBreakKind kind;

    (void)len;
    if (!is_possible(*args)) {
        return true;
    }
    if (!take_breakpoint(args, &kind, &addr, &size)) {
        return gdb_error(s, GDB_EINVAL);
    }
    /* One that is not there is as good as taken away. */
    (void)cpu_breakpoint_remove(addr, size, kind);
    return gdb_ok(s);
}

/* ---- The end ---- */

static bool kill_machine(GdbServer *s, const char *args, size_t len)
{
    (void)s;
    (void)args;
    (void)len;
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_UI);
    return false;
}

static bool kill_and_answer(GdbServer *s, const char *args, size_t len)
{
    (void)kill_machine(s, args, len);
    return gdb_ok(s);
}

/* ---- By name ---- */

static bool must_reply_empty(GdbServer *s, const char *args, size_t len)
{
    (void)s;
    (void)args;
    (void)len;
    return true;
}

/* The first whose name begins the packet. */
static const struct {
    const char *name;
    GdbHandler *fn;
    bool while_running; /* the client may say it while it waits for a stop */
} commands[] = {
    { "?", gdb_why_stopped, false },
    { "c", gdb_continue, false },
    { "D", gdb_detach, true },
    { "g", gdb_read_registers, false },
    { "G", gdb_write_registers, false },
    { "H", set_thread, false },
    { "k", kill_machine, true },
    { "m", read_memory, false },
    { "M", write_memory, false },
    { "p", gdb_read_register, false },
    { "P", gdb_write_register, false },
    { "q", gdb_query, false },
    { "Q", gdb_set, false },
    { "s", gdb_step, false },
    { "T", is_alive, false },
    { "vCont?", gdb_vcont_query, false },
    { "vCont", gdb_vcont, false },
    { "vKill;", kill_and_answer, true },
    { "vMustReplyEmpty", must_reply_empty, false },
    { "X", write_binary, false },
    { "z", remove_breakpoint, false },
    { "Z", insert_breakpoint, false },
};

/* Somebody else may have let the machine go on: what a packet looks at stands still meanwhile. */
static bool carry_out(GdbServer *s, GdbHandler *fn, const char *args, size_t len)
{
    bool answered;

    pause_all_vcpus();
    answered = fn(s, args, len);
    resume_all_vcpus();
    return answered;
}

bool gdb_command(GdbServer *s, const char *packet, size_t len)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        size_t name = strlen(commands[i].name);

        if (strncmp(packet, commands[i].name, name) != 0) {
            continue;
        }
        if (s->waiting && !commands[i].while_running) {
            return gdb_error(s, GDB_EINVAL);
        }
        return carry_out(s, commands[i].fn, packet + name, len - name);
    }
    return true;
}

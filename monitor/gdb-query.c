/* SPDX-License-Identifier: MIT */
/*
 * What gdb asks about the server and the machine (packets that begin with q and Q), and its command
 * "monitor".
 */
#include <string.h>
#include "monitor/gdb-int.h"
#include "monitor/gdb-target.h"

/* The command "monitor" can print more than a packet holds: it is cut into such pieces. */
#define OUTPUT_PIECE ((GDB_PACKET_MAX - 1) / 2)

/* ---- What either side can do ---- */

static bool lists(const char *features, const char *feature)
{
    g_auto(GStrv) all = g_strsplit(features, ";", -1);

    return g_strv_contains((const char *const *)all, feature);
}

static bool supported(GdbServer *s, const char *args, size_t len)
{
    const char *features = gdb_take_char(&args, ':') ? args : "";

    (void)len;
    s->knows_swbreak = lists(features, "swbreak+");
    s->knows_hwbreak = lists(features, "hwbreak+");
    g_string_printf(s->reply,
                    "PacketSize=%x;qXfer:features:read+;vContSupported+;QStartNoAckMode+;"
                    "swbreak+;hwbreak+",
                    GDB_PACKET_MAX);
    return true;
}

static bool start_no_ack(GdbServer *s, const char *args, size_t len)
{
    (void)args;
    (void)len;
    /* This packet was acknowledged still. */
    s->no_ack = true;
    return gdb_ok(s);
}

/* qXfer:features:read:target.xml:OFFSET,LENGTH */
static bool read_features(GdbServer *s, const char *args, size_t size)
{
    g_autofree char *xml = gdb_target_xml();
    uint64_t offset, len, total = strlen(xml);

    (void)size;
    if (!g_str_has_prefix(args, "target.xml:")) {
        return gdb_error(s, 0);
    }
    args += strlen("target.xml:");
    if (!gdb_take_number(&args, &offset) || !gdb_take_char(&args, ',') ||
        !gdb_take_number(&args, &len) || *args || offset > total) {
        return gdb_error(s, GDB_EINVAL);
    }
    /* Each byte may become two. */
    len = MIN(MIN(len, total - offset), GDB_PACKET_MAX / 2 - 1);
    g_string_assign(s->reply, offset + len < total ? "m" : "l");
    gdb_append_escaped(s->reply, xml + offset, len);
    return true;
}

/* ---- vCPUs ---- */

static bool current_thread(GdbServer *s, const char *args, size_t len)
{
    (void)args;
    (void)len;
    g_string_printf(s->reply, "QC%x", s->cpu + 1);
    return true;
}

/* As many of the rest of the list as a packet holds. */
static bool list_threads(GdbServer *s)
{
    CPUState *cpu;

    CPU_FOREACH(cpu)
    {
        if (cpu->index >= s->next_cpu && s->reply->len < GDB_PACKET_MAX - 16) {
            g_string_append_printf(s->reply, "%c%x", s->reply->len ? ',' : 'm', cpu->index + 1);
            s->next_cpu = cpu->index + 1;
        }
    }
    if (!s->reply->len) {
        g_string_assign(s->reply, "l");
    }
    return true;
}

static bool first_threads(GdbServer *s, const char *args, size_t len)
{
    (void)args;
    (void)len;
    s->next_cpu = 0;
    return list_threads(s);
}

static bool more_threads(GdbServer *s, const char *args, size_t len)
{
    (void)args;
    (void)len;
    return list_threads(s);
}

/* qThreadExtraInfo,THREAD: words for "info threads". */
static bool thread_info(GdbServer *s, const char *args, size_t len)
{
    g_autofree char *text = NULL;
    unsigned index;
    CPUState *cpu;

    (void)len;
    if (!gdb_take_char(&args, ',') || !gdb_take_thread(&args, &index) || *args) {
        return gdb_error(s, GDB_EINVAL);
    }
    cpu = qemu_get_cpu(index == GDB_ALL_CPUS ? s->cpu : index);
    if (!cpu) {
        return gdb_error(s, GDB_EINVAL);
    }
    text = g_strdup_printf("CPU#%u [%s]", cpu->index,
                           __atomic_load_n(&cpu->halted, __ATOMIC_SEQ_CST) ? "halted" : "running");
    gdb_append_hex(s->reply, text, strlen(text));
    return true;
}

static bool attached(GdbServer *s, const char *args, size_t len)
{
    (void)args;
    (void)len;
    /* The machine was there before, and stays when the client goes. */
    g_string_assign(s->reply, "1");
    return true;
}

/* ---- monitor ---- */

static void send_output(GdbServer *s, const char *text)
{
    size_t left = strlen(text);

    while (left) {
        size_t n = MIN(left, OUTPUT_PIECE);

        g_string_assign(s->reply, "O");
        gdb_append_hex(s->reply, text, n);
        gdb_send(s, s->reply->str, s->reply->len);
        text += n;
        left -= n;
    }
}

/* qRcmd,DIGITS: a line of the human monitor. */
static bool run_command(GdbServer *s, const char *args, size_t len)
{
    g_autofree uint8_t *line = NULL;
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    Monitor *mon;
    size_t n;

    if (!gdb_take_char(&args, ',') || len % 2 == 0) {
        return gdb_error(s, GDB_EINVAL);
    }
    n = (len - 1) / 2;
    line = g_malloc0(n + 1);
    if (!gdb_parse_hex(args, n, line) || memchr(line, 0, n)) {
        return gdb_error(s, GDB_EINVAL);
    }
    mon = monitor_gathering_new();
    if (!hmp_execute(mon, (const char *)line, &error)) {
        monitor_printf(mon, "%s\n", error->message);
    }
    text = monitor_gathered(mon);
    object_unref(mon);
    send_output(s, text);
    return gdb_ok(s);
}

/* ---- QEMU's own ---- */

static bool step_bits(GdbServer *s, const char *args, size_t len)
{
    (void)args;
    (void)len;
    g_string_printf(s->reply, "ENABLE=%x,NOIRQ=%x", CPU_STEP_ENABLE, CPU_STEP_NOIRQ);
    return true;
}

static bool get_step(GdbServer *s, const char *args, size_t len)
{
    (void)args;
    (void)len;
    g_string_printf(s->reply, "0x%x", s->step);
    return true;
}

/* "=" and a number, with or without "0x". */
static bool take_setting(const char *args, uint64_t max, uint64_t *value)
{
    if (!gdb_take_char(&args, '=')) {
        return false;
    }
    if (g_str_has_prefix(args, "0x")) {
        args += 2;
    }
    return gdb_take_number(&args, value) && !*args && *value <= max;
}

static bool set_step(GdbServer *s, const char *args, size_t len)
{
    uint64_t value;

    (void)len;
    if (!take_setting(args, CPU_STEP_ENABLE | CPU_STEP_NOIRQ, &value)) {
        return gdb_error(s, GDB_EINVAL);
    }
    /* A step that does not stop would be no step. */
    s->step = (unsigned)value | CPU_STEP_ENABLE;
    return gdb_ok(s);
}

static bool get_physical(GdbServer *s, const char *args, size_t len)
{
    (void)args;
    (void)len;
    g_string_printf(s->reply, "%d", s->physical);
    return true;
}

static bool set_physical(GdbServer *s, const char *args, size_t len)
{
    uint64_t value;

    (void)len;
    if (!gdb_take_char(&args, ':') || !gdb_take_number(&args, &value) || *args) {
        return gdb_error(s, GDB_EINVAL);
    }
    s->physical = value != 0;
    return gdb_ok(s);
}

/* ---- By name ---- */

typedef struct Query {
    const char *name;
    GdbHandler *fn;
} Query;

static const Query queries[] = {
    { "Attached", attached },
    { "C", current_thread },
    { "fThreadInfo", first_threads },
    { "qemu.PhyMemMode", get_physical },
    { "qemu.sstepbits", step_bits },
    { "qemu.sstep", get_step },
    { "Rcmd", run_command },
    { "sThreadInfo", more_threads },
    { "Supported", supported },
    { "ThreadExtraInfo", thread_info },
    { "Xfer:features:read:", read_features },
};

static const Query settings[] = {
    { "StartNoAckMode", start_no_ack },
    { "qemu.PhyMemMode", set_physical },
    { "qemu.sstep", set_step },
};

static bool find(GdbServer *s, const Query *all, size_t n, const char *args, size_t len)
{
    for (size_t i = 0; i < n; i++) {
        size_t name = strlen(all[i].name);
        char next;

        if (strncmp(args, all[i].name, name) != 0) {
            continue;
        }
        next = args[name];
        if (all[i].name[name - 1] == ':' || strchr(":,=", next)) {
            return all[i].fn(s, args + name, len - name);
        }
    }
    return true;
}

bool gdb_query(GdbServer *s, const char *args, size_t len)
{
    return find(s, queries, G_N_ELEMENTS(queries), args, len);
}

bool gdb_set(GdbServer *s, const char *args, size_t len)
{
    return find(s, settings, G_N_ELEMENTS(settings), args, len);
}

/* SPDX-License-Identifier: MIT */
/*
 * The gdb server: an object on a character device that speaks gdb's remote protocol. Here is the
 * connection; what packets mean is in the other gdb files.
 */
#include <string.h>
#include <qomet/qom/module.h>
#include "monitor/gdb-int.h"

/* ---- Output ---- */

static void send_again(GdbServer *s)
{
    monitor_write(&s->parent_obj, s->last->str, s->last->len);
}

void gdb_send(GdbServer *s, const char *contents, size_t len)
{
    g_string_truncate(s->last, 0);
    gdb_frame(s->last, contents, len);
    send_again(s);
}

static void acknowledge(GdbServer *s, char sign)
{
    if (!s->no_ack) {
        monitor_write(&s->parent_obj, &sign, 1);
    }
}

bool gdb_ok(GdbServer *s)
{
    g_string_assign(s->reply, "OK");
    return true;
}

bool gdb_error(GdbServer *s, unsigned number)
{
    g_string_printf(s->reply, "E%02u", number);
    return true;
}

CPUState *gdb_cpu(GdbServer *s)
{
    return qemu_get_cpu(s->cpu);
}

/* ---- Input ---- */

static void interrupt(GdbServer *s)
{
    if (runstate_is_running()) {
        vm_stop(RUN_STATE_PAUSED);
    } else if (s->waiting) {
        /* What it waits for has been stopped by somebody else. */
        gdb_machine_stopped(s, runstate_get());
    }
}

static void take_packet(GdbServer *s)
{
    /* The parser may be needed again before this packet is done with. */
    g_autofree char *packet = g_memdup2(s->parser.data, s->parser.len + 1);

    acknowledge(s, '+');
    g_string_truncate(s->reply, 0);
    if (gdb_command(s, packet, s->parser.len)) {
        gdb_send(s, s->reply->str, s->reply->len);
    }
}

static void take_byte(GdbServer *s, uint8_t byte)
{
    switch (gdb_parser_feed(&s->parser, byte)) {
    case GDB_INPUT_PACKET:
        take_packet(s);
        break;
    case GDB_INPUT_TOO_LONG:
        acknowledge(s, '+');
        gdb_error(s, GDB_EINVAL);
        gdb_send(s, s->reply->str, s->reply->len);
        break;
    case GDB_INPUT_BAD:
        acknowledge(s, '-');
        break;
    case GDB_INPUT_NAK:
        send_again(s);
        break;
    case GDB_INPUT_INTERRUPT:
        interrupt(s);
        break;
    default:
        break;
    }
}

static size_t gdb_input(Monitor *mon, const char *buf, size_t len)
{
    GdbServer *s = GDB_SERVER(mon);
    size_t i = 0;

    while (i < len && !mon->paused) {
        take_byte(s, (uint8_t)buf[i++]);
    }
    return i;
}

/* ---- Clients come and go ---- */

static void forget_client(GdbServer *s)
{
    s->parser.state = 0;
    s->no_ack = s->knows_swbreak = s->knows_hwbreak = s->physical = s->waiting = false;
    s->step = CPU_STEP_ENABLE | CPU_STEP_NOIRQ;
    s->cpu = s->next_cpu = 0;
    s->step_cpu = GDB_ALL_CPUS;
    g_string_truncate(s->last, 0);
}

static void gdb_opened(Monitor *mon)
{
    forget_client(GDB_SERVER(mon));
    if (runstate_is_running()) {
        vm_stop(RUN_STATE_PAUSED);
    }
}

/*
 * One that has gone without a word leaves no breakpoint behind, at which nobody would let the guest
 * go on. Whether it runs stays as it is: the next client finds what this one was looking at.
 */
static void gdb_closed(Monitor *mon)
{
    forget_client(GDB_SERVER(mon));
    cpu_debug_clear();
}

/* ---- The machine ---- */

static void cpu_stopped(CPUState *cpu, void *opaque)
{
    gdb_cpu_stopped(opaque, cpu);
}

static void run_state_changed(bool running, RunState state, void *opaque)
{
    /* gdb_cpu_stopped() comes for this one. */
    if (!running && state != RUN_STATE_DEBUG) {
        gdb_machine_stopped(opaque, state);
    }
}

/* ---- The type ---- */

static bool gdb_complete(UserCreatable *uc, GError **errp)
{
    GdbServer *s = GDB_SERVER(uc);

    if (!cpu_set_debug_hook(cpu_stopped, s, errp)) {
        return false;
    }
    s->started = true;
    runstate_add_listener(run_state_changed, s);
    return monitor_start(uc, errp);
}

static void gdb_instance_init(Object *obj)
{
    GdbServer *s = GDB_SERVER(obj);

    s->reply = g_string_new(NULL);
    s->last = g_string_new(NULL);
    forget_client(s);
}

static void gdb_finalize(Object *obj)
{
    GdbServer *s = GDB_SERVER(obj);

    if (s->started) {
        runstate_del_listener(run_state_changed, s);
        cpu_debug_clear();
        (void)cpu_set_debug_hook(NULL, NULL, NULL);
    }
    g_string_free(s->reply, TRUE);
    g_string_free(s->last, TRUE);
}

static void gdb_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    MonitorClass *mc = MONITOR_CLASS(klass);

    USER_CREATABLE_CLASS(klass)->complete = gdb_complete;
    mc->opened = gdb_opened;
    mc->closed = gdb_closed;
    mc->input = gdb_input;
}

static const TypeInfo gdb_types[] = {
    {
        .name = TYPE_GDB_SERVER,
        .parent = TYPE_MONITOR,
        .instance_size = sizeof(GdbServer),
        .instance_init = gdb_instance_init,
        .instance_finalize = gdb_finalize,
        .class_init = gdb_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_USER_CREATABLE }, { NULL } },
    },
};

DEFINE_TYPES(gdb_types)

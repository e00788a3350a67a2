/* SPDX-License-Identifier: MIT */
/*
 * The chardev on standard input and output. A terminal is put into raw mode; Ctrl-a begins a
 * command to Qomet itself, which works even when the guest takes no input.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <qomet/backends/daemon.h>
#include <qomet/backends/host-client.h>
#include <qomet/qom/module.h>
#include "backends/chardev/char-int.h"
#include "backends/chardev/fd.h"

#define TYPE_CHARDEV_STDIO "chardev-stdio"
OBJECT_DECLARE_SIMPLE_TYPE(StdioChardev, CHARDEV_STDIO)

/* What a person can type ahead while the guest takes nothing. */
#define TYPE_AHEAD 4096

struct StdioChardev {
    FDChardev parent_obj;
    bool signal, escape;
    bool terminal; /* input is one */
    bool attached; /* the terminal is another process's: both descriptors are the way there */
    bool ending;   /* and its input has ended: it is left when all output has gone there */
    ChrEscape keys;
};

static StdioChardev *stdio_owner; /* the process has one standard input */
/* ---- Ctrl-a ---- */

static void leave(ChrEscape *e)
{
    StdioChardev *s = e->opaque;

    if (s->attached) {
        /* It is the other end that leaves, and with it what it has brought. */
        fd_chardev_stop(CHARDEV_FD(s));
    } else {
        chr_escape_quit(e);
    }
}

static void send_break(ChrEscape *e)
{
    qemu_chr_be_event(e->chr, CHR_EVENT_BREAK);
}

static void no_monitor(ChrEscape *e)
{
    static const char text[] =
        "\nqomet: there is no monitor on this terminal (-serial mon:stdio has one)\n";

    chr_write_all(e->chr, (const uint8_t *)text, strlen(text));
}

static const ChrEscapeKey stdio_keys[] = {
    { 'x', "end the machine", leave },
    { 'b', "send a break", send_break },
    { 'c', NULL, no_monitor },
    { 0, NULL, NULL },
};

/* At the terminal of another process. */
static const ChrEscapeKey attached_keys[] = {
    { 'x', "take away what was attached", leave },
    { 'b', "send a break", send_break },
    { 'c', NULL, no_monitor },
    { 0, NULL, NULL },
};

/* Takes the commands out of @buf; returns how many bytes remain for the guest. */
static int take_escapes(StdioChardev *s, uint8_t *buf, int len)
{
    int n = 0;

    for (int i = 0; i < len; i++) {
        if (chr_escape_passes(&s->keys, buf[i])) {
            buf[n++] = buf[i];
        }
    }
    return n;
}

/* ---- Input ---- */

static int stdio_input(FDChardev *fd)
{
    StdioChardev *s = CHARDEV_STDIO(fd);
    int room = TYPE_AHEAD - (fd->pending ? (int)fd->pending->len : 0);
    uint8_t buf[TYPE_AHEAD];
    int n, kept;

    /* A pipe waits with the rest; a person at a terminal may still want to say Ctrl-a x. */
    if (room <= 0 && !s->terminal) {
        return CHR_PAUSED;
    }
    n = read(fd->fd_in, buf, s->terminal ? TYPE_AHEAD : room);
    if (n == 0 && room < TYPE_AHEAD) {
        /* The end comes behind what the front end has not taken yet. */
        return CHR_PAUSED;
    }
    if (n > 0) {
        kept = s->escape && !CHARDEV(s)->shared ? take_escapes(s, buf, n) : n;
        fd_chardev_keep(fd, buf, CLAMP(room, 0, kept));
    }
    return n;
}

static void leave_if_drained(StdioChardev *s)
{
    if (s->ending && !chr_has_output(CHARDEV(s))) {
        s->ending = false;
        fd_chardev_stop(CHARDEV_FD(s));
    }
}

static void stdio_hangup(FDChardev *fd, int errnum G_GNUC_UNUSED)
{
    StdioChardev *s = CHARDEV_STDIO(fd);

    fd_chardev_stop_input(fd);
    s->ending = s->attached;
    leave_if_drained(s);
}

static void stdio_watch_output(Chardev *chr, bool on)
{
    ObjectClass *parent = object_class_by_name(TYPE_CHARDEV_FD);

    CHARDEV_CLASS(parent)->chr_watch_output(chr, on);
    if (!on) {
        leave_if_drained(CHARDEV_STDIO(chr));
    }
}

static bool open_attached(StdioChardev *s, GError **errp)
{
    int fd = host_terminal(s->signal, errp);

    if (fd < 0) {
        return false;
    }
    s->attached = true;
    s->keys.keys = attached_keys;
    fd_chardev_start(CHARDEV_FD(s), fd, fd);
    qemu_chr_be_event(CHARDEV(s), CHR_EVENT_OPENED);
    return true;
}

static bool stdio_open(Chardev *chr, GError **errp)
{
    StdioChardev *s = CHARDEV_STDIO(chr);
    FDChardev *fd = CHARDEV_FD(chr);
    int in, out;

    if (host_client_present()) {
        return open_attached(s, errp);
    }
    if (is_daemonized()) {
        qom_error_set(errp, QOM_ERROR_STATE, "cannot use stdio with -daemonize");
        return false;
    }
    if (stdio_owner) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "cannot use stdio by multiple character devices: '%s' has it",
                      CHARDEV(stdio_owner)->label);
        return false;
    }
    /* Closed ones (<&- >&-) are like /dev/null. */
    in = fd_chardev_reopen(STDIN_FILENO, O_RDONLY, NULL);
    out = fd_chardev_reopen(STDOUT_FILENO, O_WRONLY, &fd->out_blocks);
    stdio_owner = s;
    s->terminal = chr->interactive = in >= 0 && isatty(in);
    if (s->terminal) {
        chr_terminal_raw(STDIN_FILENO, s->signal);
    }
    fd_chardev_start(fd, in, out);
    qemu_chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static void stdio_leave(Chardev *chr)
{
    leave(&CHARDEV_STDIO(chr)->keys);
}

static void stdio_init(Object *obj)
{
    CHARDEV_STDIO(obj)->keys =
        (ChrEscape){ .keys = stdio_keys, .chr = CHARDEV(obj), .opaque = obj };
}

static void stdio_finalize(Object *obj)
{
    if (stdio_owner == CHARDEV_STDIO(obj)) {
        stdio_owner = NULL;
        qemu_chr_restore_terminal();
    }
}

static const Property stdio_props[] = {
    DEFINE_PROP_BOOL("signal", StdioChardev, signal, true,
                     .help = "Ctrl-c and Ctrl-z at the terminal are for Qomet, not for the guest"),
    DEFINE_PROP_BOOL("escape", StdioChardev, escape, true,
                     .help = "Ctrl-a begins a command: x ends, h helps, b sends a break"),
};

static void stdio_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->open = stdio_open;
    cc->chr_leave = stdio_leave;
    cc->backend_name = "stdio";
    cc->help = "standard input and output";
    cc->chr_watch_output = stdio_watch_output;
    CHARDEV_FD_CLASS(klass)->input = stdio_input;
    CHARDEV_FD_CLASS(klass)->hangup = stdio_hangup;
    object_class_add_properties(klass, stdio_props, G_N_ELEMENTS(stdio_props));
}

static const TypeInfo stdio_types[] = {
    {
        .name = TYPE_CHARDEV_STDIO,
        .parent = TYPE_CHARDEV_FD,
        .instance_size = sizeof(StdioChardev),
        .instance_init = stdio_init,
        .instance_finalize = stdio_finalize,
        .class_init = stdio_class_init,
    },
};

DEFINE_TYPES(stdio_types)

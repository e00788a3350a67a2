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

#define ESCAPE 0x01
/* What a person can type ahead while the guest takes nothing. */
#define TYPE_AHEAD 4096

struct StdioChardev {
    FDChardev parent_obj;
    bool signal, escape;
    bool terminal;  /* input is one */
    bool attached;  /* the terminal is another process's: both descriptors are the way there */
    bool in_escape; /* Ctrl-a was the last key */
};

static StdioChardev *stdio_owner; /* the process has one standard input */
static void (*quit_hook)(void);

void qemu_chr_set_quit_hook(void (*fn)(void))
{
    quit_hook = fn;
}

static void say(StdioChardev *s, const char *text)
{
    chr_write_all(CHARDEV(s), (const uint8_t *)text, strlen(text));
}

/* The key after Ctrl-a; true when it is for the guest. */
static bool escape_key(StdioChardev *s, uint8_t key)
{
    switch (key) {
    case ESCAPE:
        return true;
    case 'x':
        if (s->attached) {
            /* It is the other end that leaves, and with it what it has brought. */
            fd_chardev_stop(CHARDEV_FD(s));
            return false;
        }
        say(s, "qomet: terminated\n");
        if (quit_hook) {
            quit_hook();
        }
        return false;
    case 'b':
        qemu_chr_be_event(CHARDEV(s), CHR_EVENT_BREAK);
        return false;
    case 'c':
        say(s, "\nqomet: there is no monitor on this terminal\n");
        return false;
    case 'h':
    case '?':
        say(s, "\n"
               "C-a h    this help\n");
        say(s,
            s->attached ? "C-a x    take away what was attached\n" : "C-a x    end the machine\n");
        say(s, "C-a b    send a break\n"
               "C-a C-a  send C-a\n");
        return false;
    default:
        return false;
    }
}

/* Takes the commands out of @buf; returns how many bytes remain for the guest. */
static int take_escapes(StdioChardev *s, uint8_t *buf, int len)
{
    int n = 0;

    for (int i = 0; i < len; i++) {
        uint8_t key = buf[i];
        bool keep = true;

        if (s->in_escape) {
            s->in_escape = false;
            keep = escape_key(s, key);
        } else if (key == ESCAPE && s->escape) {
            s->in_escape = true;
            keep = false;
        }
        if (keep) {
            buf[n++] = key;
        }
    }
    return n;
}

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
    if (n > 0) {
        kept = take_escapes(s, buf, n);
        fd_chardev_keep(fd, buf, CLAMP(room, 0, kept));
    }
    return n;
}

static bool open_attached(StdioChardev *s, GError **errp)
{
    int fd = host_terminal(s->signal, errp);

    if (fd < 0) {
        return false;
    }
    s->attached = true;
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
    s->terminal = in >= 0 && isatty(in);
    if (s->terminal) {
        chr_terminal_raw(STDIN_FILENO, s->signal);
    }
    fd_chardev_start(fd, in, out);
    qemu_chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
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
    cc->backend_name = "stdio";
    cc->help = "standard input and output";
    CHARDEV_FD_CLASS(klass)->input = stdio_input;
    object_class_add_properties(klass, stdio_props, G_N_ELEMENTS(stdio_props));
}

static const TypeInfo stdio_types[] = {
    {
        .name = TYPE_CHARDEV_STDIO,
        .parent = TYPE_CHARDEV_FD,
        .instance_size = sizeof(StdioChardev),
        .instance_finalize = stdio_finalize,
        .class_init = stdio_class_init,
    },
};

DEFINE_TYPES(stdio_types)

/* SPDX-License-Identifier: MIT */
/*
 * The chardev with a pseudo-terminal of its own, for a terminal program to open. While nobody has
 * it open the kernel only repeats a hang-up, so a timer looks for a new peer.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>
#include <qomet/qom/module.h>
#include "backends/chardev/fd.h"

#define TYPE_CHARDEV_PTY "chardev-pty"
OBJECT_DECLARE_SIMPLE_TYPE(PtyChardev, CHARDEV_PTY)

#define LOOK_NS (200 * INT64_C(1000000))

struct PtyChardev {
    FDChardev parent_obj;
    char *path; /* of the peer's side */
    LoopTimer *look;
};

static void pty_look(void *opaque)
{
    PtyChardev *s = opaque;
    struct pollfd p = { .fd = CHARDEV_FD(s)->fd_in, .events = POLLIN };

    /* Input of a peer that has been and gone meanwhile counts too. */
    if (poll(&p, 1, 0) >= 0 && ((p.revents & POLLIN) || !(p.revents & POLLHUP))) {
        loop_watch_set_events(CHARDEV_FD(s)->in, G_IO_IN);
        qemu_chr_be_event(CHARDEV(s), CHR_EVENT_OPENED);
    } else {
        loop_timer_set_after(s->look, LOOK_NS);
    }
}

static void pty_hangup(FDChardev *fd, int errnum G_GNUC_UNUSED)
{
    loop_watch_set_events(fd->in, 0);
    qemu_chr_be_event(CHARDEV(fd), CHR_EVENT_CLOSED);
    loop_timer_set_after(CHARDEV_PTY(fd)->look, LOOK_NS);
}

/* What the peer finds: bytes as they are, no echo. */
static bool set_raw(const char *path)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios mode;
    bool ok = fd >= 0 && tcgetattr(fd, &mode) == 0;

    if (ok) {
        cfmakeraw(&mode);
        ok = tcsetattr(fd, TCSANOW, &mode) == 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static bool pty_open(Chardev *chr, GError **errp)
{
    PtyChardev *s = CHARDEV_PTY(chr);
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    char path[64];

    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0 || ptsname_r(fd, path, sizeof(path)) != 0 ||
        !set_raw(path)) {
        qom_error_set(errp, QOM_ERROR_FAILED, "Failed to create PTY: %s", g_strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    s->look = loop_timer_new(pty_look, s);
    if (!s->look) {
        qom_error_set(errp, QOM_ERROR_FAILED, "Failed to create a timer: %s", g_strerror(errno));
        close(fd);
        return false;
    }
    s->path = g_strdup(path);
    fd_chardev_start(CHARDEV_FD(s), fd, fd);
    loop_watch_set_events(CHARDEV_FD(s)->in, 0);
    loop_timer_set_after(s->look, LOOK_NS);
    return true;
}

static char *pty_describe(Chardev *chr)
{
    return g_strconcat("pty:", CHARDEV_PTY(chr)->path, NULL);
}

static void pty_finalize(Object *obj)
{
    loop_timer_free(CHARDEV_PTY(obj)->look);
    g_free(CHARDEV_PTY(obj)->path);
}

static GVariant *get_path(Object *obj, const Property *prop G_GNUC_UNUSED,
                          GError **errp G_GNUC_UNUSED)
{
    const char *path = CHARDEV_PTY(obj)->path;

    return g_variant_new_string(path ? path : "");
}

static const Property pty_props[] = {
    { .name = "path",
      .info = &prop_info_accessor_string,
      .help = "the terminal to open",
      .read_only = true,
      .get = get_path },
};

static void pty_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);
    FDChardevClass *fc = CHARDEV_FD_CLASS(klass);

    cc->open = pty_open;
    cc->describe = pty_describe;
    /* The watch of input sees a peer that leaves. */
    cc->chr_output_failed = NULL;
    cc->backend_name = "pty";
    cc->help = "a new pseudo-terminal";
    fc->hangup = pty_hangup;
    fc->session = true;
    object_class_add_properties(klass, pty_props, G_N_ELEMENTS(pty_props));
}

static const TypeInfo pty_types[] = {
    {
        .name = TYPE_CHARDEV_PTY,
        .parent = TYPE_CHARDEV_FD,
        .instance_size = sizeof(PtyChardev),
        .instance_finalize = pty_finalize,
        .class_init = pty_class_init,
    },
};

DEFINE_TYPES(pty_types)

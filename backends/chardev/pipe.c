/* SPDX-License-Identifier: MIT */
/*
 * The chardev over named pipes: PATH.in is read and PATH.out written, or PATH is both. This end
 * holds each of them open both ways, so that whoever has the other may come and go.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <qomet/backends/host-client.h>
#include <qomet/qom/module.h>
#include "backends/chardev/fd.h"

#define TYPE_CHARDEV_PIPE "chardev-pipe"
OBJECT_DECLARE_SIMPLE_TYPE(PipeChardev, CHARDEV_PIPE)

struct PipeChardev {
    FDChardev parent_obj;
    char *path;
};

/* The pipe @path and what follows it, or -1. */
static int open_pipe(const char *path, const char *more, GError **errp)
{
    g_autofree char *full = g_strconcat(path, more, NULL);
    int fd = host_open(full, O_RDWR | O_NONBLOCK | O_NOCTTY, errp);
    struct stat st;

    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISFIFO(st.st_mode))) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is no named pipe: make one with mkfifo", full);
        close(fd);
        return -1;
    }
    return fd;
}

static bool is_there(const char *path, const char *more)
{
    g_autofree char *full = host_path(path), *end = g_strconcat(full, more, NULL);

    return access(end, F_OK) == 0;
}

static bool pipe_open(Chardev *chr, GError **errp)
{
    PipeChardev *s = CHARDEV_PIPE(chr);
    char *full;
    int in, out;

    if (!s->path || !*s->path) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "chardev: pipe: no device path given: path=... is missing");
        return false;
    }
    if (is_there(s->path, ".in") || is_there(s->path, ".out")) {
        in = open_pipe(s->path, ".in", errp);
        out = in < 0 ? -1 : open_pipe(s->path, ".out", errp);
        if (in >= 0 && out < 0) {
            close(in);
        }
    } else {
        in = out = open_pipe(s->path, "", errp);
    }
    if (out < 0) {
        return false;
    }
    full = host_path(s->path);
    g_free(s->path);
    s->path = full;
    fd_chardev_start(CHARDEV_FD(s), in, out);
    qemu_chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static const Property pipe_props[] = {
    DEFINE_PROP_STRING("path", PipeChardev, path,
                       .help = "named pipes PATH.in and PATH.out, or one for both directions"),
};

static void pipe_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->open = pipe_open;
    cc->backend_name = "pipe";
    cc->help = "named pipes";
    object_class_add_properties(klass, pipe_props, G_N_ELEMENTS(pipe_props));
}

static const TypeInfo pipe_types[] = {
    {
        .name = TYPE_CHARDEV_PIPE,
        .parent = TYPE_CHARDEV_FD,
        .instance_size = sizeof(PipeChardev),
        .class_init = pipe_class_init,
    },
};

DEFINE_TYPES(pipe_types)

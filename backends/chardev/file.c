/* SPDX-License-Identifier: MIT */
/*
 * The chardev that writes to a file, and reads from another one if that is wanted.
 */
#include <fcntl.h>
#include <unistd.h>
#include <qomet/backends/host-client.h>
#include <qomet/qom/module.h>
#include "backends/chardev/fd.h"

#define TYPE_CHARDEV_FILE "chardev-file"
OBJECT_DECLARE_SIMPLE_TYPE(FileChardev, CHARDEV_FILE)

struct FileChardev {
    FDChardev parent_obj;
    char *path, *input_path;
    bool append;
};

/*
 * Non-blocking for the sake of named pipes and terminals: a plain file is never waited for. The path
 * is then shown as it leads there from anywhere.
 */
static int open_file(char **path, int flags, GError **errp)
{
    char *full = host_path(*path);
    int fd = host_open(*path, flags | O_NONBLOCK | O_NOCTTY, errp);

    g_free(*path);
    *path = full;
    return fd;
}

static bool file_open(Chardev *chr, GError **errp)
{
    FileChardev *s = CHARDEV_FILE(chr);
    int out, in = -1;

    if (!s->path || !*s->path) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "chardev: file: no filename given: path=... is missing");
        return false;
    }
    /* The input first: a mistake in it leaves the output as it was. */
    if (s->input_path) {
        in = open_file(&s->input_path, O_RDONLY, errp);
        if (in < 0) {
            return false;
        }
    }
    out = open_file(&s->path, O_WRONLY | O_CREAT | (s->append ? O_APPEND : O_TRUNC), errp);
    if (out < 0) {
        if (in >= 0) {
            close(in);
        }
        return false;
    }
    fd_chardev_start(CHARDEV_FD(s), in, out);
    qemu_chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static const Property file_props[] = {
    DEFINE_PROP_STRING("path", FileChardev, path, .help = "file to write to"),
    DEFINE_PROP_STRING("input-path", FileChardev, input_path, .help = "file to read from"),
    DEFINE_PROP_BOOL("append", FileChardev, append, false,
                     .help = "keep what the file holds and write behind it"),
};

static void file_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->open = file_open;
    /* A full disk may have room again. */
    cc->chr_output_failed = NULL;
    cc->backend_name = "file";
    cc->help = "writes to a file";
    object_class_add_properties(klass, file_props, G_N_ELEMENTS(file_props));
}

static const TypeInfo file_types[] = {
    {
        .name = TYPE_CHARDEV_FILE,
        .parent = TYPE_CHARDEV_FD,
        .instance_size = sizeof(FileChardev),
        .class_init = file_class_init,
    },
};

DEFINE_TYPES(file_types)

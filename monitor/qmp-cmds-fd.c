/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that a client hands over: kept under a name until somebody wants them.
 */
#include <unistd.h>
#include "monitor/handlers.h"
#include "monitor/qmp-int.h"

int monitor_take_fd(Monitor *mon, const char *name, GError **errp)
{
    void *key, *fd;

    if (!g_hash_table_steal_extended(mon->fds, name, &key, &fd)) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "File descriptor named '%s' has not been found",
                      name);
        return -1;
    }
    g_free(key);
    return GPOINTER_TO_INT(fd);
}

bool qmp_do_getfd(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    const char *name = qmp_arg_str(args, "fdname");
    int fd = qemu_chr_fe_take_fd(&mon->be);

    (void)ret;
    if (fd < 0) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "No file descriptor supplied via SCM_RIGHTS");
        return false;
    }
    if (g_ascii_isdigit(*name)) {
        close(fd);
        qmp_error_set(errp, QMP_ERROR_GENERIC,
                      "Parameter 'fdname' expects a name not starting with a digit");
        return false;
    }
    /* One of that name that is there already is closed. */
    g_hash_table_replace(mon->fds, g_strdup(name), GINT_TO_POINTER(fd));
    return true;
}

bool qmp_do_closefd(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    const char *name = qmp_arg_str(args, "fdname");

    (void)ret;
    if (!g_hash_table_remove(mon->fds, name)) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "File descriptor named '%s' not found", name);
        return false;
    }
    return true;
}

bool qmp_do_add_client(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    const char *protocol = qmp_arg_str(args, "protocol");
    int fd = monitor_take_fd(mon, qmp_arg_str(args, "fdname"), errp);
    Chardev *chr;

    (void)ret;
    if (fd < 0) {
        return false;
    }
    chr = qemu_chr_find(protocol);
    if (!chr) {
        qmp_error_set(errp, QMP_ERROR_GENERIC,
                      "protocol '%s' is invalid: accepted are the ids of chardevs", protocol);
    }
    if (!chr || !qemu_chr_add_client(chr, fd, errp)) {
        close(fd);
        return false;
    }
    return true;
}

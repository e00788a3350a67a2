/* SPDX-License-Identifier: MIT */
/*
 * The folder of the sockets that machines are found at, and what is done in it: under a lock, so that
 * of two machines of one name one is told so, and nobody takes a socket away that is being made.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>
#include <qomet/qom/error.h>
#include "monitor/attach-folder.h"

/* How many clients may wait to be accepted. */
#define BACKLOG 128
/* Whoever holds the lock has little to do. */
#define LOCK_TRIES 500
#define LOCK_PAUSE_US 10000

/* ---- The folder ---- */

static char *folder_path(void)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");

    return runtime && *runtime
               ? g_build_filename(runtime, "qomet", NULL)
               : g_strdup_printf("%s/qomet-%u", g_get_tmp_dir(), (unsigned)geteuid());
}

/* What somebody else may write to could lead anywhere. Root is trusted with everybody's. */
static bool check_folder(int fd, const char *path, GError **errp)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "folder '%s': %s", path, g_strerror(errno));
        return false;
    }
    if (st.st_uid != geteuid() && geteuid() != 0) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "folder '%s' belongs to the user %u, not to you: it is not used; set "
                      "XDG_RUNTIME_DIR to a folder of your own",
                      path, (unsigned)st.st_uid);
        return false;
    }
    if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "folder '%s' is open to others (mode %03o): it is not used; its mode should "
                      "be 700",
                      path, st.st_mode & 0777);
        return false;
    }
    return true;
}

/* The folder's descriptor; -1 without an error where there is none and @make is not set. */
static int open_folder(const char *path, bool make, GError **errp)
{
    int fd;

    if (make && mkdir(path, S_IRWXU) != 0 && errno != EEXIST) {
        qom_error_set(errp, QOM_ERROR_FAILED, "cannot make the folder '%s': %s", path,
                      g_strerror(errno));
        return -1;
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (make || errno != ENOENT)) {
        qom_error_set(errp, QOM_ERROR_FAILED, "cannot open the folder '%s': %s", path,
                      g_strerror(errno));
    }
    if (fd >= 0 && !check_folder(fd, path, errp)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Until the descriptor is closed. */
static bool lock_folder(int fd, GError **errp)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            return true;
        }
        if (errno != EWOULDBLOCK && errno != EINTR) {
            break;
        }
        g_usleep(LOCK_PAUSE_US);
    }
    qom_error_set(errp, QOM_ERROR_FAILED, "cannot lock the folder of named machines: %s",
                  g_strerror(errno));
    return false;
}

/* ---- Names ---- */

/* A file name for any name: what could lead elsewhere, or be hidden, is written as %XX. */
static char *file_of(const char *name)
{
    GString *file = g_string_new(NULL);

    for (const char *p = name; *p; p++) {
        if (g_ascii_isalnum(*p) || strchr("-_", *p) || (*p == '.' && p != name)) {
            g_string_append_c(file, *p);
        } else {
            g_string_append_printf(file, "%%%02X", (unsigned char)*p);
        }
    }
    return g_string_free(file, FALSE);
}

static bool address_of(const char *folder, const char *name, SockAddress *address, GError **errp)
{
    g_autofree char *file = file_of(name);
    g_autofree char *path = g_build_filename(folder, file, NULL);

    if (!*name) {
        qom_error_set(errp, QOM_ERROR_VALUE, "the name of a machine is empty");
        return false;
    }
    return sock_address_init(address, path, false, NULL, NULL, errp);
}

/* ---- Connecting ---- */

/* A connection, or -1 with errno. */
static int connect_to(const SockAddress *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int errnum;

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address->sa, address->len) != 0) {
        errnum = errno;
        close(fd);
        errno = errnum;
        return -1;
    }
    return fd;
}

/* The process that listens at the other end, or 0. */
static int peer_process(int fd)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 ? cred.pid : 0;
}

/*
 * A connection, or -1 with errno. A socket that nobody listens at is removed: under the lock, because
 * it may just be made, and is then there.
 */
static int connect_or_remove(int folder, const SockAddress *address)
{
    int fd = connect_to(address);

    if (fd >= 0 || errno != ECONNREFUSED || !lock_folder(folder, NULL)) {
        return fd;
    }
    fd = connect_to(address);
    if (fd < 0 && errno == ECONNREFUSED) {
        unlink(address->path);
        errno = ENOENT;
    }
    return fd;
}

static void no_such_machine(const char *name, GError **errp)
{
    g_autoptr(GPtrArray) names = attach_folder_list(NULL);
    g_autofree char *near = NULL;

    if (names) {
        g_ptr_array_add(names, NULL);
        near = qom_did_you_mean(name, (const char *const *)names->pdata);
    }
    qom_error_set(errp, QOM_ERROR_NOT_FOUND, "no machine of the name '%s' runs%s", name,
                  near ? near : "");
}

int attach_folder_connect(const char *name, GError **errp)
{
    g_autofree char *path = folder_path();
    g_autoptr(GError) error = NULL;
    SockAddress address;
    int folder = open_folder(path, false, &error), fd = -1;

    if (error) {
        g_propagate_error(errp, g_steal_pointer(&error));
    } else if (folder < 0) {
        no_such_machine(name, errp);
    } else if (address_of(path, name, &address, errp)) {
        fd = connect_or_remove(folder, &address);
        if (fd < 0 && errno == ENOENT) {
            no_such_machine(name, errp);
        } else if (fd < 0) {
            qom_error_set(errp, QOM_ERROR_FAILED, "cannot reach the machine '%s': %s", name,
                          g_strerror(errno));
        }
    }
    if (folder >= 0) {
        close(folder);
    }
    return fd;
}

/* ---- Listening ---- */

static int listen_in(const char *name, SockAddress *address, GError **errp)
{
    int fd = connect_to(address);

    if (fd >= 0) {
        qom_error_set(errp, QOM_ERROR_EXISTS,
                      "a machine of the name '%s' runs already (process %d)", name,
                      peer_process(fd));
        close(fd);
        return -1;
    }
    fd = sock_address_listen(address, errp);
    if (fd >= 0) {
        listen(fd, BACKLOG);
    }
    return fd;
}

int attach_folder_listen(const char *name, SockAddress *address, GError **errp)
{
    g_autofree char *path = folder_path();
    int folder = open_folder(path, true, errp);
    int fd = -1;

    if (folder < 0) {
        return -1;
    }
    if (address_of(path, name, address, errp) && lock_folder(folder, errp)) {
        fd = listen_in(name, address, errp);
    }
    close(folder);
    return fd;
}

/* ---- Listing ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *attach_folder_list(GError **errp)
{
    g_autofree char *path = folder_path();
    g_autoptr(GError) error = NULL;
    int folder = open_folder(path, false, &error);
    GPtrArray *names;
    GDir *dir;

    if (error) {
        g_propagate_error(errp, g_steal_pointer(&error));
        return NULL;
    }
    names = g_ptr_array_new_with_free_func(g_free);
    dir = folder >= 0 ? g_dir_open(path, 0, NULL) : NULL;
    for (const char *file; dir && (file = g_dir_read_name(dir));) {
        char *name = g_uri_unescape_string(file, NULL);

        if (name) {
            g_ptr_array_add(names, name);
        }
    }
    if (dir) {
        g_dir_close(dir);
    }
    if (folder >= 0) {
        close(folder);
    }
    g_ptr_array_sort(names, compare_names);
    return names;
}

/* SPDX-License-Identifier: MIT */
/*
 * Files and the terminal, opened for whoever has said the words. What a client's words open is
 * undone when they fail: a file is emptied only when all is made, and one that was not there before
 * is removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <qomet/backends/host-client.h>

/* A descriptor that the client has sent. */
typedef struct GivenFile {
    char *name;
    int flags;
    int fd; /* -1: taken */
} GivenFile;

/* A file that was opened for the client's words, and what remains to be done with it. */
typedef struct OpenedFile {
    char *path;
    int fd; /* a duplicate of what was handed out; -1: there could not be one */
    bool truncate, made;
} OpenedFile;

struct HostClient {
    char *directory;
    GArray *given;  /* of GivenFile */
    GArray *opened; /* of OpenedFile */
    HostWish wish;  /* name NULL: none */
};

/* Whose words are carried out; NULL: the program's own. */
static HostClient *current;

static void given_clear(void *opaque)
{
    GivenFile *given = opaque;

    g_free(given->name);
    if (given->fd >= 0) {
        close(given->fd);
    }
}

static void opened_clear(void *opaque)
{
    OpenedFile *opened = opaque;

    g_free(opened->path);
    if (opened->fd >= 0) {
        close(opened->fd);
    }
}

HostClient *host_client_new(const char *directory)
{
    HostClient *client = g_new0(HostClient, 1);

    client->directory = g_strdup(directory);
    client->given = g_array_new(FALSE, FALSE, sizeof(GivenFile));
    g_array_set_clear_func(client->given, given_clear);
    client->opened = g_array_new(FALSE, FALSE, sizeof(OpenedFile));
    g_array_set_clear_func(client->opened, opened_clear);
    return client;
}

void host_client_free(HostClient *client)
{
    if (client) {
        g_array_free(client->given, TRUE);
        g_array_free(client->opened, TRUE);
        g_free(client->wish.name);
        g_free(client->directory);
        g_free(client);
    }
}

void host_client_give(HostClient *client, const char *name, int flags, int fd)
{
    GivenFile given = { g_strdup(name), flags, fd };

    g_array_append_val(client->given, given);
}

void host_client_enter(HostClient *client)
{
    g_assert(!current);
    current = client;
    g_clear_pointer(&client->wish.name, g_free);
}

void host_client_settle(HostClient *client)
{
    for (unsigned i = 0; i < client->opened->len; i++) {
        const OpenedFile *opened = &g_array_index(client->opened, OpenedFile, i);

        /* What is no plain file cannot be emptied, and needs not to be. */
        if (opened->truncate && ftruncate(opened->fd, 0) != 0) {
            continue;
        }
    }
}

static bool is_still_there(const OpenedFile *opened)
{
    struct stat ours, there;

    return fstat(opened->fd, &ours) == 0 && lstat(opened->path, &there) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

void host_client_leave(HostClient *client, bool good)
{
    for (unsigned i = 0; i < client->opened->len; i++) {
        const OpenedFile *opened = &g_array_index(client->opened, OpenedFile, i);

        if (!good && opened->made && is_still_there(opened)) {
            unlink(opened->path);
        }
    }
    g_array_set_size(client->opened, 0);
    current = NULL;
}

const HostWish *host_client_wish(const HostClient *client)
{
    return client->wish.name ? &client->wish : NULL;
}

bool host_client_present(void)
{
    return current != NULL;
}

/* ---- Paths ---- */

char *host_path_in(const char *directory, const char *path)
{
    return g_path_is_absolute(path)
               ? g_strdup(path)
               : g_strconcat(directory, directory[strlen(directory) - 1] == '/' ? "" : "/", path,
                             NULL);
}

char *host_path(const char *path)
{
    return current ? host_path_in(current->directory, path) : g_strdup(path);
}

/* Names that mean something else in each process. */
static bool is_personal(const char *path)
{
    return g_str_has_prefix(path, "/dev/fd/") || g_str_has_prefix(path, "/dev/std") ||
           g_str_has_prefix(path, "/proc/self/") || g_str_has_prefix(path, "/proc/thread-self/") ||
           !strcmp(path, "/dev/tty");
}

/* ---- Opening ---- */

static GivenFile *find_given(const char *name, int flags)
{
    for (unsigned i = 0; i < current->given->len; i++) {
        GivenFile *given = &g_array_index(current->given, GivenFile, i);

        if (!strcmp(given->name, name) && given->flags == flags) {
            return given;
        }
    }
    return NULL;
}

static void wish(const char *name, int flags)
{
    g_free(current->wish.name);
    current->wish = (HostWish){ g_strdup(name), flags };
}

/* The client's descriptor, made to behave as one that was opened here; it may be wanted again. */
static int use_given(const GivenFile *given)
{
    int fd = fcntl(given->fd, F_DUPFD_CLOEXEC, 0);

    if (fd >= 0 && given->flags & O_NONBLOCK) {
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    return fd;
}

/* Without emptying it, and finding out whether it was there. */
static int open_carefully(const char *path, int flags, bool *made)
{
    int fd;

    if (flags & O_CREAT) {
        fd = open(path, flags | O_EXCL, 0666);
        *made = fd >= 0;
        if (fd >= 0 || errno != EEXIST) {
            return fd;
        }
    }
    *made = false;
    fd = open(path, flags & ~O_CREAT);
    if (fd < 0 && errno == ENOENT) {
        /* A link that leads to where nothing is yet. */
        fd = open(path, flags, 0666);
    }
    return fd;
}

/* Remembers what remains to be done with @fd at the end of the words. */
static void note_opened(const char *path, int fd, bool truncate, bool made)
{
    OpenedFile opened = { g_strdup(path), fcntl(fd, F_DUPFD_CLOEXEC, 0), truncate, made };

    g_array_append_val(current->opened, opened);
}

static int open_for_client(const char *path, int flags)
{
    const GivenFile *given = find_given(path, flags & ~O_TRUNC);
    bool made = false;
    int fd, errnum;

    if (given) {
        fd = use_given(given);
    } else if (is_personal(path)) {
        fd = -1;
        errno = EACCES;
    } else {
        fd = open_carefully(path, flags & ~O_TRUNC, &made);
    }
    if (fd < 0) {
        errnum = errno;
        wish(path, flags & ~O_TRUNC);
        errno = errnum;
        return -1;
    }
    note_opened(path, fd, flags & O_TRUNC, made);
    return fd;
}

int host_open(const char *path, int flags, GError **errp)
{
    g_autofree char *full = host_path(path);
    int fd;

    flags |= O_CLOEXEC;
    fd = current ? open_for_client(full, flags) : open(full, flags, 0666);
    if (fd < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "Could not open '%s': %s", path,
                      errno == ENXIO ? "nobody has this pipe open for reading" : g_strerror(errno));
    }
    return fd;
}

int host_terminal(bool signals, GError **errp)
{
    GivenFile *given = find_given(HOST_TERMINAL, signals);
    int fd;

    if (!given) {
        wish(HOST_TERMINAL, signals);
        qom_error_set(errp, QOM_ERROR_FAILED, "the terminal is not there");
        return -1;
    }
    fd = given->fd;
    given->fd = -1;
    if (fd < 0) {
        qom_error_set(errp, QOM_ERROR_STATE, "cannot use stdio by multiple character devices");
        return -1;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

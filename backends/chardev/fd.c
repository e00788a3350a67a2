/* SPDX-License-Identifier: MIT */
/*
 * Chardevs over descriptors. Nothing here blocks: descriptors are non-blocking, or asked with
 * poll() before each write that the kernel then cannot make wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <qomet/qom/module.h>
#include "backends/chardev/fd.h"

/*
 * What poll() promises to take without waiting: a pipe has room for that much, a terminal for a
 * line.
 */
#define SHORT_WRITE 256
/* Input of a peer that has left before the front end took it. */
#define KEEP_BYTES 65536

/* ---- Output ---- */

static int fd_chr_write(Chardev *chr, const uint8_t *buf, int len)
{
    FDChardev *s = CHARDEV_FD(chr);
    ssize_t n;

    if (s->fd_out < 0) {
        return len;
    }
    if (s->out_blocks) {
        struct pollfd p = { .fd = s->fd_out, .events = POLLOUT };

        if (poll(&p, 1, 0) != 1) {
            return 0;
        }
        len = MIN(len, SHORT_WRITE);
    }
    do {
        n = s->out_socket ? send(s->fd_out, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                          : write(s->fd_out, buf, len);
    } while (n < 0 && errno == EINTR);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

static void output_ready(int fd G_GNUC_UNUSED, unsigned ready G_GNUC_UNUSED, void *opaque)
{
    qemu_chr_be_writable(opaque);
}

static void fd_chr_watch_output(Chardev *chr, bool on)
{
    FDChardev *s = CHARDEV_FD(chr);

    if (on && !s->out && s->fd_out >= 0) {
        s->out = loop_watch_new(s->fd_out, G_IO_OUT, NULL, output_ready, chr);
    } else if (!on) {
        loop_watch_free(s->out);
        s->out = NULL;
    }
}

static bool fd_chr_wait_writable(Chardev *chr, int timeout_ms)
{
    FDChardev *s = CHARDEV_FD(chr);
    struct pollfd p = { .events = POLLOUT };
    bool ready;

    /*
     * A descriptor of our own: main may close the other while we wait, and its number come back as
     * something else.
     */
    pthread_mutex_lock(&chr->lock);
    p.fd = s->fd_out < 0 ? -1 : fcntl(s->fd_out, F_DUPFD_CLOEXEC, 0);
    ready = s->fd_out < 0;
    pthread_mutex_unlock(&chr->lock);
    if (!ready) {
        ready = poll(&p, 1, timeout_ms) > 0;
    }
    if (p.fd >= 0) {
        close(p.fd);
    }
    return ready;
}

static void fd_chr_output_failed(Chardev *chr, int errnum G_GNUC_UNUSED)
{
    fd_chardev_stop_output(CHARDEV_FD(chr));
}

/* ---- Input ---- */

static ssize_t fd_fetch(FDChardev *s, uint8_t *buf, size_t max)
{
    return read(s->fd_in, buf, max);
}

static int fetch_fd(Chardev *chr, uint8_t *buf, int max)
{
    return (int)CHARDEV_FD_GET_CLASS(chr)->fetch(CHARDEV_FD(chr), buf, (size_t)max);
}

static int fetch_pending(Chardev *chr, uint8_t *buf, int max)
{
    GByteArray *pending = CHARDEV_FD(chr)->pending;
    int n = MIN((guint)max, pending->len);

    memcpy(buf, pending->data, n);
    g_byte_array_remove_range(pending, 0, n);
    return n;
}

/* Offers what was read before; true when nothing of it is left. */
static bool offer_pending(FDChardev *s)
{
    while (s->pending && s->pending->len) {
        if (qemu_chr_be_pull(CHARDEV(s), fetch_pending) == CHR_PAUSED) {
            return false;
        }
    }
    return true;
}

static int fd_input(FDChardev *s)
{
    return offer_pending(s) ? qemu_chr_be_pull(CHARDEV(s), fetch_fd) : CHR_PAUSED;
}

/* The peer has left, and the front end is not ready for what it has sent: that is kept for it. */
static void keep_rest(FDChardev *s)
{
    uint8_t buf[4096];
    ssize_t n = 1;

    while (n > 0 && (!s->pending || s->pending->len < KEEP_BYTES)) {
        n = CHARDEV_FD_GET_CLASS(s)->fetch(s, buf, sizeof(buf));
        if (n > 0) {
            fd_chardev_keep(s, buf, n);
        }
    }
}

/* The front end takes no input now. */
static void pause_input(FDChardev *s, unsigned ready)
{
    FDChardevClass *klass = CHARDEV_FD_GET_CLASS(s);
    const CharBackend *be = CHARDEV(s)->be;
    /* One that talks has yet to answer a peer that has only ended its own output. */
    unsigned left = be && be->talks ? POLLHUP | POLLERR : POLLHUP | POLLRDHUP | POLLERR;

    if (!klass->session || !(ready & left)) {
        loop_watch_set_events(s->in, klass->session ? left : 0);
        return;
    }
    if (!be || !be->talks) {
        keep_rest(s);
    }
    klass->hangup(s, 0);
}

static void input_ready(int fd G_GNUC_UNUSED, unsigned ready, void *opaque)
{
    FDChardev *s = opaque;
    FDChardevClass *klass = CHARDEV_FD_GET_CLASS(s);
    const CharBackend *be = CHARDEV(s)->be;
    int n;

    object_ref(s);
    if (klass->hangs_up && be && be->talks && (ready & (POLLHUP | POLLERR))) {
        klass->hangup(s, 0);
        object_unref(s);
        return;
    }
    n = klass->input(s);
    if (n == CHR_PAUSED) {
        pause_input(s, ready);
    } else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        klass->hangup(s, n ? errno : 0);
    }
    object_unref(s);
}

static void fd_chr_accept_input(Chardev *chr)
{
    FDChardev *s = CHARDEV_FD(chr);

    if (offer_pending(s) && s->in && chr->opened) {
        loop_watch_set_events(s->in, G_IO_IN);
    }
}

void fd_chardev_keep(FDChardev *s, const uint8_t *buf, int len)
{
    if (!s->pending) {
        s->pending = g_byte_array_new();
    }
    g_byte_array_append(s->pending, buf, len);
    offer_pending(s);
}

/* ---- Beginning and end ---- */

static void ignore_sigpipe(void)
{
    struct sigaction old;

    /* A reader that leaves is an error of one chardev, not the end of the machine. */
    if (sigaction(SIGPIPE, NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
        signal(SIGPIPE, SIG_IGN);
    }
}

int fd_chardev_reopen(int fd, int flags, bool *blocks)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    bool harmless = false;
    struct stat st;
    int own = -1;

    /*
     * O_NONBLOCK belongs to the open file, which other processes share: pipes and terminals are
     * opened anew.
     */
    if (fstat(fd, &st) == 0) {
        harmless = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) || S_ISSOCK(st.st_mode);
        if (S_ISFIFO(st.st_mode) || isatty(fd)) {
            own = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        }
    }
    if (blocks) {
        *blocks = own < 0 && !harmless;
    }
    if (own < 0) {
        own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    }
    return own;
}

void fd_chardev_start(FDChardev *s, int fd_in, int fd_out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct stat st;

    pthread_once(&once, ignore_sigpipe);
    pthread_mutex_lock(&CHARDEV(s)->lock);
    s->fd_out = fd_out;
    s->out_socket = fd_out >= 0 && fstat(fd_out, &st) == 0 && S_ISSOCK(st.st_mode);
    pthread_mutex_unlock(&CHARDEV(s)->lock);
    s->fd_in = fd_in;
    if (fd_in >= 0) {
        s->in = loop_watch_new(fd_in, G_IO_IN, NULL, input_ready, s);
    }
}

void fd_chardev_stop_input(FDChardev *s)
{
    loop_watch_free(s->in);
    s->in = NULL;
    if (s->fd_in >= 0 && s->fd_in != s->fd_out) {
        close(s->fd_in);
    }
    s->fd_in = -1;
}

void fd_chardev_stop_output(FDChardev *s)
{
    int fd;

    loop_watch_free(s->out);
    s->out = NULL;
    pthread_mutex_lock(&CHARDEV(s)->lock);
    fd = s->fd_out;
    s->fd_out = -1;
    CHARDEV(s)->out_len = 0;
    CHARDEV(s)->out_watched = false;
    pthread_mutex_unlock(&CHARDEV(s)->lock);
    if (fd >= 0 && fd != s->fd_in) {
        close(fd);
    }
    qemu_chr_be_writable(CHARDEV(s));
}

void fd_chardev_stop(FDChardev *s)
{
    fd_chardev_stop_input(s);
    fd_chardev_stop_output(s);
}

static void fd_hangup(FDChardev *s, int errnum G_GNUC_UNUSED)
{
    fd_chardev_stop_input(s);
}

static void fd_instance_init(Object *obj)
{
    CHARDEV_FD(obj)->fd_in = -1;
    CHARDEV_FD(obj)->fd_out = -1;
}

static void fd_instance_finalize(Object *obj)
{
    FDChardev *s = CHARDEV_FD(obj);

    fd_chardev_stop(s);
    if (s->pending) {
        g_byte_array_unref(s->pending);
    }
}

static void fd_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);
    FDChardevClass *fc = CHARDEV_FD_CLASS(klass);

    cc->chr_write = fd_chr_write;
    cc->chr_accept_input = fd_chr_accept_input;
    cc->chr_watch_output = fd_chr_watch_output;
    cc->chr_wait_writable = fd_chr_wait_writable;
    cc->chr_output_failed = fd_chr_output_failed;
    fc->input = fd_input;
    fc->fetch = fd_fetch;
    fc->hangup = fd_hangup;
}

static const TypeInfo fd_types[] = {
    {
        .name = TYPE_CHARDEV_FD,
        .parent = TYPE_CHARDEV,
        .instance_size = sizeof(FDChardev),
        .instance_init = fd_instance_init,
        .instance_finalize = fd_instance_finalize,
        .abstract = true,
        .class_size = sizeof(FDChardevClass),
        .class_init = fd_class_init,
    },
};

DEFINE_TYPES(fd_types)

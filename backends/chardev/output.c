/* SPDX-License-Identifier: MIT */
/*
 * The way of output, from any thread to the host: at once while the host takes it, else through a
 * bounded queue that the main loop empties. A wait is bounded, holds no lock, and empties the queue
 * by itself, since main may wait for the front end that waits here.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/memory/main-work.h>
#include <qomet/qom/log.h>
#include "backends/chardev/char-int.h"

/*
 * How long a peer may take nothing before what is written to it is dropped, and how often a wait
 * looks up.
 */
#define PATIENCE_MS 1000
#define SLICE_MS 50

static uint32_t waits_ended;

void qemu_chr_end_waits(void)
{
    __atomic_store_n(&waits_ended, 1, __ATOMIC_RELEASE);
}

void chr_allow_waits(void)
{
    __atomic_store_n(&waits_ended, 0, __ATOMIC_RELEASE);
}

/* Without a method for it, blindly. */
void chr_wait_writable(Chardev *chr)
{
    ChardevClass *klass = CHARDEV_GET_CLASS(chr);

    if (klass->chr_wait_writable) {
        klass->chr_wait_writable(chr, SLICE_MS);
    } else {
        g_usleep(SLICE_MS * 1000UL);
    }
}

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

/* ---- The queue, under the lock ---- */

static void output_failed(void *opaque)
{
    Chardev *chr = opaque;
    int errnum;

    pthread_mutex_lock(&chr->lock);
    chr->failure_posted = false;
    errnum = chr->failure;
    pthread_mutex_unlock(&chr->lock);
    CHARDEV_GET_CLASS(chr)->chr_output_failed(chr, errnum);
    object_unref(chr);
}

static void out_lost(Chardev *chr, uint64_t len, const char *reason)
{
    chr->dropped += len;
    if (!chr->warned) {
        chr->warned = true;
        warn_report("chardev '%s': %s; output is lost", chr->label, reason);
    }
}

static void out_failed(Chardev *chr, uint64_t len)
{
    int errnum = errno;

    /* out_drain() gives what is queued itself. */
    len = MAX(len, chr->out_len);
    chr->out_len = 0;
    if (!CHARDEV_GET_CLASS(chr)->chr_output_failed) {
        out_lost(chr, len, g_strerror(errnum));
        return;
    }
    chr->dropped += len;
    if (!chr->failure_posted) {
        chr->failure_posted = true;
        chr->failure = errnum;
        main_work_post(output_failed, object_ref(chr));
    }
}

/* Gives the host up to @len bytes; returns how many are done with. */
static int out_direct(Chardev *chr, const uint8_t *buf, int len)
{
    int n = CHARDEV_GET_CLASS(chr)->chr_write(chr, buf, len);

    if (n < 0) {
        out_failed(chr, len);
        return len;
    }
    if (n > 0) {
        chr->taken += n;
        chr->stuck = false;
    }
    return n;
}

static void out_drain(Chardev *chr)
{
    while (chr->out_len) {
        uint32_t run = MIN(chr->out_len, CHR_OUT_BYTES - chr->out_head);
        uint32_t n = out_direct(chr, chr->out + chr->out_head, run);

        /* A failure has emptied the queue. */
        if (n == 0 || chr->out_len == 0) {
            break;
        }
        chr->out_head = (chr->out_head + n) % CHR_OUT_BYTES;
        chr->out_len -= n;
    }
}

static void out_append(Chardev *chr, const uint8_t *buf, uint32_t len)
{
    uint32_t tail = (chr->out_head + chr->out_len) % CHR_OUT_BYTES;
    uint32_t first = MIN(len, CHR_OUT_BYTES - tail);

    if (!chr->out) {
        chr->out = g_malloc(CHR_OUT_BYTES);
    }
    memcpy(chr->out + tail, buf, first);
    memcpy(chr->out, buf + first, len - first);
    chr->out_len += len;
}

static void watch_output(void *opaque)
{
    Chardev *chr = opaque;

    if (CHARDEV_GET_CLASS(chr)->chr_watch_output) {
        CHARDEV_GET_CLASS(chr)->chr_watch_output(chr, true);
    }
    object_unref(chr);
}

/*
 * Takes up to @len bytes, or, with @whole, all of them or none: so that the lines of several who
 * print do not mix.
 */
static int out_take(Chardev *chr, const uint8_t *buf, int len, bool whole)
{
    uint32_t rest;
    int n = 0;

    out_drain(chr);
    if (!chr->out_len) {
        n = out_direct(chr, buf, len);
    }
    rest = MIN((uint32_t)(len - n), CHR_OUT_BYTES - chr->out_len);
    if (whole && n == 0 && rest < (uint32_t)len && len <= CHR_OUT_BYTES) {
        rest = 0;
    }
    if (rest) {
        out_append(chr, buf + n, rest);
        if (!chr->out_watched) {
            chr->out_watched = true;
            main_work_post(watch_output, object_ref(chr));
        }
    }
    return n + rest;
}

/* ---- Front ends ---- */

int qemu_chr_fe_write(CharBackend *be, const uint8_t *buf, int len)
{
    Chardev *chr = be->chr;
    int n = len;

    if (!chr) {
        return len;
    }
    pthread_mutex_lock(&chr->lock);
    if (chr->opened) {
        n = out_take(chr, buf, len, false);
        chr->starved |= n < len;
    }
    pthread_mutex_unlock(&chr->lock);
    return n;
}

/* Whether waiting any longer is in vain; @since is when the host took something last. */
static bool wait_is_over(Chardev *chr, int64_t since)
{
    if (now_ms() - since >= PATIENCE_MS) {
        chr->stuck = true;
    }
    return chr->stuck || __atomic_load_n(&waits_ended, __ATOMIC_ACQUIRE);
}

int chr_write_all(Chardev *chr, const uint8_t *buf, int len)
{
    int64_t since = now_ms();
    uint64_t taken;
    int done = 0;

    pthread_mutex_lock(&chr->lock);
    taken = chr->taken;
    while (chr->opened) {
        done += out_take(chr, buf + done, len - done, true);
        if (done == len) {
            break;
        }
        if (chr->taken != taken) {
            taken = chr->taken;
            since = now_ms();
        } else if (wait_is_over(chr, since)) {
            out_lost(chr, len - done, "its peer takes nothing");
            break;
        }
        pthread_mutex_unlock(&chr->lock);
        chr_wait_writable(chr);
        pthread_mutex_lock(&chr->lock);
    }
    /* Without a peer all vanishes, and counts as taken. */
    if (!chr->opened) {
        done = len;
    }
    pthread_mutex_unlock(&chr->lock);
    return done;
}

int qemu_chr_fe_write_all(CharBackend *be, const uint8_t *buf, int len)
{
    return be->chr ? chr_write_all(be->chr, buf, len) : len;
}

int qemu_chr_fe_print(CharBackend *be, const uint8_t *buf, int len)
{
    return chr_write_all(be->chr ? be->chr : chr_stdout(), buf, len);
}

/* ---- Back ends ---- */

void qemu_chr_be_writable(Chardev *chr)
{
    bool told, more;

    pthread_mutex_lock(&chr->lock);
    if (chr->opened) {
        out_drain(chr);
    }
    more = chr->out_len > 0;
    /* Half of it free: a front end with much to say is not woken for each byte. */
    told = chr->starved && chr->out_len <= CHR_OUT_BYTES / 2;
    if (told) {
        chr->starved = false;
    }
    if (!more) {
        chr->out_watched = false;
    }
    pthread_mutex_unlock(&chr->lock);
    if (!more && CHARDEV_GET_CLASS(chr)->chr_watch_output) {
        CHARDEV_GET_CLASS(chr)->chr_watch_output(chr, false);
    }
    if (told) {
        chr_drained(chr);
    }
}

bool chr_has_output(Chardev *chr)
{
    bool waits;

    pthread_mutex_lock(&chr->lock);
    waits = chr->out_len > 0;
    pthread_mutex_unlock(&chr->lock);
    return waits;
}

void chr_flush(Chardev *chr, int patience_ms, int limit_ms)
{
    int64_t start = now_ms(), since = start;
    uint64_t taken;

    pthread_mutex_lock(&chr->lock);
    taken = chr->taken;
    while (chr->opened) {
        out_drain(chr);
        if (chr->taken != taken) {
            taken = chr->taken;
            since = now_ms();
        }
        if (!chr->out_len || chr->stuck || now_ms() - since >= patience_ms ||
            now_ms() - start >= limit_ms) {
            break;
        }
        pthread_mutex_unlock(&chr->lock);
        chr_wait_writable(chr);
        pthread_mutex_lock(&chr->lock);
    }
    if (chr->out_len) {
        out_lost(chr, chr->out_len, "its peer takes nothing");
        chr->out_len = 0;
    }
    pthread_mutex_unlock(&chr->lock);
}

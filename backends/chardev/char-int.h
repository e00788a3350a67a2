/* SPDX-License-Identifier: MIT */
/*
 * What the files of backends/chardev share: writes to a chardev that nobody is bound to, the
 * standard output that all who print use together, and the terminal.
 */
#ifndef QOMET_BACKENDS_CHARDEV_CHAR_INT_H
#define QOMET_BACKENDS_CHARDEV_CHAR_INT_H

#include <qomet/backends/chardev/char.h>

/** What qemu_chr_fe_write_all() does for its chardev. Any thread. */
int chr_write_all(Chardev *chr, const uint8_t *buf, int len);
/** Tells the front end that output which was refused can go on. Main thread, without the lock. */
void chr_drained(Chardev *chr);
/**
 * Writes what is queued, until nothing was taken for @patience_ms or @limit_ms are over. Main
 * thread.
 */
void chr_flush(Chardev *chr, int patience_ms, int limit_ms);
/** Whether output waits for the host to take it. Any thread. */
bool chr_has_output(Chardev *chr);
/** Undoes qemu_chr_end_waits(). */
void chr_allow_waits(void);

/** "'/machine/peripheral/com'", or the type of what has no path yet; the caller frees. */
char *chr_owner_text(const CharBackend *be);
/** Waits a little until @chr takes output. Any thread, no lock held. */
void chr_wait_writable(Chardev *chr);

/* ---- Ctrl-a ---------------------------------------------------------------------------------- */

typedef struct ChrEscape ChrEscape;

/** What one key after Ctrl-a does. */
typedef struct ChrEscapeKey {
    char key;
    const char *help;         /* NULL: Ctrl-a h does not tell of it */
    void (*fn)(ChrEscape *e); /* main thread */
} ChrEscapeKey;

/** The keys that somebody at @chr types; embedded by who reads them. */
struct ChrEscape {
    const ChrEscapeKey *keys; /* ended by one without a key */
    Chardev *chr;             /* where answers go */
    void *opaque;             /* for the keys' functions */
    bool begun;               /* Ctrl-a was the last key */
};

/** Whether @byte is for who reads; else it is Ctrl-a, or a command, which has been done. */
bool chr_escape_passes(ChrEscape *e, uint8_t byte);
/** Ends the program, as its hook does it. */
void chr_escape_quit(const ChrEscape *e);

/* ---- Mux ------------------------------------------------------------------------------------- */

/** What the id of the chardev behind a shared one ends in. */
#define CHR_BASE_SUFFIX "-base"
/**
 * Shares a chardev between several front ends: a new one @id in /chardevs, which each of them names,
 * in front of "ID-base" that @kv and @backend say. NULL with @errp set. Main thread.
 */
Chardev *chr_new_mux(const char *backend, const char *id, KeyVal *kv, GError **errp);
/** Makes the chardev @id of @backend in /chardevs, not shared. */
Chardev *chr_new(const char *backend, const char *id, KeyVal *kv, GError **errp);

/** The container of all chardevs. Main thread. */
Object *chr_container(void);

/** The program's standard output, made at the first call, "/chardevs/#stdout". Any thread. */
Chardev *chr_stdout(void);
/**
 * Forgets it, so that the next one is made anew; the caller gets the reference. NULL: there is
 * none.
 */
Chardev *chr_stdout_take(void);

/**
 * Takes the terminal @fd out of line mode, without echo, until qemu_chr_restore_terminal(); with
 * @signals its keys for interrupt and stop still work. Restored at each way out that a program can
 * see, and while it is stopped. Main thread.
 */
void chr_terminal_raw(int fd, bool signals);

#endif

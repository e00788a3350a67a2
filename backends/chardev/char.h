/* SPDX-License-Identifier: MIT */
/*
 * Character devices: the host's side of a serial line. A Chardev is an object in /chardevs; a front end (a device)
 * embeds a CharBackend and is told of input through its guard.
 */
#ifndef QOMET_BACKENDS_CHARDEV_CHAR_H
#define QOMET_BACKENDS_CHARDEV_CHAR_H

#include <qomet/backends/loop.h>
#include <qomet/qom/user-creatable.h>

#define TYPE_CHARDEV "chardev"
OBJECT_DECLARE_TYPE(Chardev, ChardevClass, CHARDEV)

typedef enum QEMUChrEvent {
    CHR_EVENT_BREAK,
    CHR_EVENT_OPENED, /* a peer has come (at once for those that are always there) */
    CHR_EVENT_CLOSED,
} QEMUChrEvent;

typedef int IOCanReadHandler(void *opaque);                              /* how many bytes the front end takes now */
typedef void IOReadHandler(void *opaque, const uint8_t *buf, int size);
typedef void IOEventHandler(void *opaque, QEMUChrEvent event);

/** A front end's hold on a chardev. Embedded in the device; zero means "none". */
typedef struct CharBackend {
    Chardev *chr; /* referenced; NULL: writes vanish, nothing is read */
    EntryGuard *guard;
    IOCanReadHandler *can_read;
    IOReadHandler *read;
    IOEventHandler *event;
    void (*drained)(void *opaque);
    void *opaque;
} CharBackend;

struct Chardev {
    Object parent_obj;
    char *label;          /* its id */
    CharBackend *be;      /* the one front end, or NULL */
    pthread_mutex_t lock; /* guards output state; never held while the front end is called */
    bool opened;          /* a peer is there */
};

struct ChardevClass {
    ObjectClass parent_class;
    /** Opens the host's side when all properties are set. */
    bool (*open)(Chardev *chr, GError **errp);
    /** Takes up to @len bytes without ever waiting; returns how many (0: full now) or -1. Called with the lock held. */
    int (*chr_write)(Chardev *chr, const uint8_t *buf, int len);
    /** The front end can take input again. */
    void (*chr_accept_input)(Chardev *chr);
    /** Waits (at most @timeout_ms) until output can be taken; false when the time ran out. No lock held. */
    bool (*chr_wait_writable)(Chardev *chr, int timeout_ms);
    const char *backend_name; /* as in "-chardev NAME,id=..." */
    const char *help;         /* one sentence */
};

/**
 * Makes the chardev that @kv says ("backend", "id", properties) in /chardevs. The object without a reference, or NULL with
 * @errp set. Main thread.
 */
QOM_EXPORT Chardev *qemu_chr_new_keyval(KeyVal *kv, GError **errp);
/** The same from "-serial" words: stdio, null, pty, file:PATH, unix:PATH[,server=on][,wait=off], tcp:..., chardev:ID. */
QOM_EXPORT Chardev *qemu_chr_new(const char *id, const char *words, GError **errp);
/** The chardev of that id, or NULL. */
QOM_EXPORT Chardev *qemu_chr_find(const char *id);

/** Binds @be to @chr (NULL is fine); fails when the chardev has a front end already, which is named. Main thread. */
QOM_EXPORT bool qemu_chr_fe_init(CharBackend *be, Chardev *chr, EntryGuard *guard, GError **errp);
/** Unbinds; nothing is called afterwards. Main thread. */
QOM_EXPORT void qemu_chr_fe_deinit(CharBackend *be);
/** Who takes input, events, and is told when output that was refused can go on. Called on the main thread, inside the guard. */
QOM_EXPORT void qemu_chr_fe_set_handlers(CharBackend *be, IOCanReadHandler *can_read, IOReadHandler *read,
                                         IOEventHandler *event, void (*drained)(void *opaque), void *opaque);
QOM_EXPORT void qemu_chr_fe_accept_input(CharBackend *be);
/** Takes what fits and returns how many bytes that was. Never waits. Any thread. */
QOM_EXPORT int qemu_chr_fe_write(CharBackend *be, const uint8_t *buf, int len);
/**
 * Writes all, waiting for a slow peer, but not past the end of the program or a peer that takes nothing for a second:
 * then the rest is dropped. Returns how many bytes were taken. Any thread.
 */
QOM_EXPORT int qemu_chr_fe_write_all(CharBackend *be, const uint8_t *buf, int len);

/** For back ends: input has come. Any of these only on the main thread without the lock. */
QOM_EXPORT int qemu_chr_be_can_write(Chardev *chr);
QOM_EXPORT void qemu_chr_be_write(Chardev *chr, const uint8_t *buf, int len);
QOM_EXPORT void qemu_chr_be_event(Chardev *chr, QEMUChrEvent event);
QOM_EXPORT void qemu_chr_be_drained(Chardev *chr);

/** Restores the terminal; safe in a signal handler and at any way out. */
QOM_EXPORT void qemu_chr_restore_terminal(void);
/** What Ctrl-a x does; set by the program. */
QOM_EXPORT void qemu_chr_set_quit_hook(void (*fn)(void));

/** The property "chardev" of a device: DEFINE_PROP_CHR("chardev", MyState, chr): the id of a chardev, bound when set. */
extern QOM_EXPORT const PropertyInfo prop_info_chr;
#define DEFINE_PROP_CHR(n, s, f, ...) DEFINE_PROP_(n, s, f, CharBackend, prop_info_chr, ##__VA_ARGS__)

#endif

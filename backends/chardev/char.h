/* SPDX-License-Identifier: MIT */
/*
 * Character devices: the host's side of a serial line. A Chardev is an object in /chardevs; a front
 * end (a device) embeds a CharBackend and is told of input through its guard.
 */
#ifndef QOMET_BACKENDS_CHARDEV_CHAR_H
#define QOMET_BACKENDS_CHARDEV_CHAR_H

#include <qomet/backends/loop.h>
#include <qomet/qom/keyval.h>

#define TYPE_CHARDEV "chardev"
OBJECT_DECLARE_TYPE(Chardev, ChardevClass, CHARDEV)

typedef enum QEMUChrEvent {
    CHR_EVENT_BREAK,  /* a long zero on the line */
    CHR_EVENT_OPENED, /* a peer has come (at once for those that are always there) */
    CHR_EVENT_CLOSED, /* the peer has left */
    /* Of a chardev that is shared: its input goes to this front end from now on, or to another. */
    CHR_EVENT_MUX_IN,
    CHR_EVENT_MUX_OUT,
} QEMUChrEvent;

typedef int IOCanReadHandler(void *opaque); /* how many bytes the front end takes now */
typedef void IOReadHandler(void *opaque, const uint8_t *buf, int size);
typedef void IOEventHandler(void *opaque, QEMUChrEvent event);

/** A front end's hold on a chardev. Embedded in the device; zero means "none". */
typedef struct CharBackend {
    Chardev *chr; /* referenced; NULL: writes vanish, nothing is read */
    EntryGuard *guard;
    Object *owner; /* whose it is, for messages; not referenced; or NULL */
    IOCanReadHandler *can_read;
    IOReadHandler *read;
    IOEventHandler *event;
    void (*drained)(void *opaque);
    void *opaque;
    bool talks; /* see qemu_chr_fe_set_talks() */
} CharBackend;

/** Bytes of output that a chardev keeps for a peer that is slow. */
#define CHR_OUT_BYTES 65536

struct Chardev {
    Object parent_obj;
    char *label;           /* its id */
    CharBackend *be;       /* the one front end, or NULL; main thread */
    bool ready;            /* open() has succeeded: properties stay as they are */
    bool interactive;      /* a person types there, who wants to be heard at any time */
    bool unfocused;        /* shared, and input goes to another front end; main thread */
    bool shared;           /* what is in front of it shares it out, and takes Ctrl-a */
    uint32_t input_paused; /* the front end took nothing: it says when it can again; atomic */
    pthread_mutex_t lock;  /* guards what follows; never held while the front end is called */
    bool opened;           /* a peer is there; without one output vanishes */
    uint8_t *out; /* ring of CHR_OUT_BYTES that the host has not taken yet; NULL until needed */
    uint32_t out_head, out_len;
    bool out_watched;    /* main has been asked to go on with it when the host takes more */
    bool starved;        /* the front end was refused something: it is told when there is room */
    bool stuck;          /* a wait was in vain: nobody waits again until something is taken */
    bool failure_posted; /* main is about to be told of a failed write */
    int failure;         /* its errno */
    bool warned;         /* the user has been told that output gets lost */
    uint64_t taken;      /* bytes that the host took */
    uint64_t dropped;    /* bytes that it was not possible to write */
};

struct ChardevClass {
    ObjectClass parent_class;
    /** Opens the host's side when all properties are set. */
    bool (*open)(Chardev *chr, GError **errp);
    /**
     * Takes up to @len bytes without ever waiting; returns how many (0: full now) or -1 with errno.
     * Lock held.
     */
    int (*chr_write)(Chardev *chr, const uint8_t *buf, int len);
    /** The front end can take input again. Main thread. NULL: there is no input. */
    void (*chr_accept_input)(Chardev *chr);
    /**
     * Calls qemu_chr_be_writable() whenever the host takes more, or no longer. Main thread. NULL:
     * it is never full.
     */
    void (*chr_watch_output)(Chardev *chr, bool on);
    /**
     * Waits (at most @timeout_ms) until output can be taken; false when the time ran out. No lock
     * held. NULL: waits are blind.
     */
    bool (*chr_wait_writable)(Chardev *chr, int timeout_ms);
    /**
     * A write failed with @errnum; what was queued is gone. Main thread. NULL: the user is warned
     * once.
     */
    void (*chr_output_failed)(Chardev *chr, int errnum);
    /**
     * The descriptor that the peer has handed over last and nobody has taken, or -1; the caller
     * owns it. Main thread. NULL: peers cannot hand any over.
     */
    int (*chr_take_fd)(Chardev *chr);
    /**
     * Takes the connected socket @fd as the peer; false when it has one. Main thread. NULL: it takes
     * none.
     */
    bool (*chr_add_client)(Chardev *chr, int fd);
    /** Ends the session of the peer, who may come again. Main thread. NULL: peers have none. */
    void (*chr_disconnect)(Chardev *chr);
    /**
     * What stands behind it, as QEMU writes it ("pty:/dev/pts/1"); the caller frees. Main thread.
     * NULL: the name of the back end tells all.
     */
    char *(*describe)(Chardev *chr);
    /**
     * The chardev that the front end @be is given in place of @chr, without a reference; @chr keeps
     * it until chr_fe_gone. Main thread. NULL: @chr itself, which has one front end.
     */
    Chardev *(*chr_join)(Chardev *chr, CharBackend *be);
    /** The front end has gone. Main thread. NULL: that changes nothing. */
    void (*chr_fe_gone)(Chardev *chr);
    /** What Ctrl-a x does there. Main thread. NULL: it ends the program. */
    void (*chr_leave)(Chardev *chr);
    const char *backend_name; /* as in "-chardev NAME,id=..." */
    const char *help;         /* one sentence */
};

/**
 * The class of the back end @name ("file"); NULL names the nearest one and lists all. Main thread.
 */
QOM_EXPORT ChardevClass *qemu_chr_class_by_backend(const char *name, GError **errp);
/**
 * Makes the chardev that @kv says ("backend", "id", "mux", properties) in /chardevs. With mux=on it
 * can be shared by several front ends. The object without a reference, or NULL with @errp set. Main
 * thread.
 */
QOM_EXPORT Chardev *qemu_chr_new_keyval(KeyVal *kv, GError **errp);
/**
 * The same from "-serial" words: stdio, null, pty, file:PATH, pipe:PATH,
 * unix:PATH[,server=on][,wait=off], tcp:..., udp:HOST:PORT[@HOST:PORT], chardev:ID; with "mon:" before them, one that can be shared.
 */
QOM_EXPORT Chardev *qemu_chr_new(const char *id, const char *words, GError **errp);
/**
 * For one that the command line has asked for: says on standard output which pseudo-terminal it is.
 */
QOM_EXPORT void qemu_chr_announce(Chardev *chr);
/** Ends the chardev @id; fails when there is none, or a front end has it. Main thread. */
QOM_EXPORT bool qemu_chr_remove(const char *id, GError **errp);
/** What stands behind @chr: "stdio", "unix:/run/x,server=on". The caller frees. Main thread. */
QOM_EXPORT char *qemu_chr_describe(Chardev *chr);
/** The chardev of that id, or NULL. */
QOM_EXPORT Chardev *qemu_chr_find(const char *id);
/**
 * Gives @chr the connected socket @fd as its peer; it is @chr's then. False with @errp set - @fd is
 * the caller's still - when @chr takes no peers or has one. Main thread.
 */
QOM_EXPORT bool qemu_chr_add_client(Chardev *chr, int fd, GError **errp);

/**
 * Binds @be to @chr (NULL is fine); fails when the chardev has a front end already, which is named,
 * and is not shared. Main thread.
 */
QOM_EXPORT bool qemu_chr_fe_init(CharBackend *be, Chardev *chr, EntryGuard *guard,
                                 GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** Whether input goes to this front end, not to another that shares the chardev. Main thread. */
QOM_EXPORT bool qemu_chr_fe_focused(const CharBackend *be);
/** Unbinds; nothing is called afterwards. Main thread. */
QOM_EXPORT void qemu_chr_fe_deinit(CharBackend *be);
/**
 * Who takes input, events, and is told when output that was refused can go on. Called on the main
 * thread, inside the guard.
 */
QOM_EXPORT void qemu_chr_fe_set_handlers(CharBackend *be, IOCanReadHandler *can_read,
                                         IOReadHandler *read, IOEventHandler *event,
                                         void (*drained)(void *opaque), void *opaque);
/**
 * The front end takes input again. Any thread; what is waiting comes later, never from within the
 * call.
 */
QOM_EXPORT void qemu_chr_fe_accept_input(CharBackend *be);
/** Takes what fits and returns how many bytes that was. Never waits. Any thread. */
QOM_EXPORT int qemu_chr_fe_write(CharBackend *be, const uint8_t *buf, int len);
/**
 * Writes all, waiting for a slow peer, but not past the end of the program or a peer that takes
 * nothing for a second: then the rest is dropped. Returns how many bytes were taken. Any thread.
 */
QOM_EXPORT int qemu_chr_fe_write_all(CharBackend *be, const uint8_t *buf, int len);
/**
 * The same; without a chardev it goes to standard output, which all who print so share. Any thread.
 */
QOM_EXPORT int qemu_chr_fe_print(CharBackend *be, const uint8_t *buf, int len);

/**
 * The descriptor that the peer has sent with its last words, owned by the caller; -1: none. Main
 * thread, best from within the input handler: those that come next replace it.
 */
QOM_EXPORT int qemu_chr_fe_take_fd(CharBackend *be);
/**
 * Ends the session of the peer, soon and never from within the call (CHR_EVENT_CLOSED follows).
 * False: this sort of chardev has no sessions. Main thread.
 */
QOM_EXPORT bool qemu_chr_fe_disconnect(CharBackend *be);

/**
 * For a front end that talks with one peer at a time, as a monitor does: what a peer has sent and the
 * front end has not taken when it hangs up is nobody's, and not for the next one. Others get it
 * later. Main thread.
 */
QOM_EXPORT void qemu_chr_fe_set_talks(CharBackend *be);

/* ---- For back ends: only on the main thread, without the lock -------------------------------- */

/** A peer has come or left, or sends a break: the front end is told. */
QOM_EXPORT void qemu_chr_be_event(Chardev *chr, QEMUChrEvent event);
/** The host takes more: queued output goes on. */
QOM_EXPORT void qemu_chr_be_writable(Chardev *chr);
#define CHR_PAUSED (-2)
/**
 * Hands input to the front end in one entry: asks how much it takes, calls @fetch for at most that,
 * gives it what came. Returns what @fetch returned, or CHR_PAUSED when the front end takes nothing
 * now (accept_input follows).
 */
QOM_EXPORT int qemu_chr_be_pull(Chardev *chr, int (*fetch)(Chardev *chr, uint8_t *buf, int max));

/* ---- For the program ------------------------------------------------------------------------- */

/** Restores the terminal; safe in a signal handler and at any way out. */
QOM_EXPORT void qemu_chr_restore_terminal(void);
/** What Ctrl-a x does; set by the program. */
QOM_EXPORT void qemu_chr_set_quit_hook(void (*fn)(void));
/**
 * From now on no write waits for a peer: the program is about to end. Any thread; safe in a signal
 * handler.
 */
QOM_EXPORT void qemu_chr_end_waits(void);
/**
 * The end of all chardevs: output that is still queued is written - as long as its peer takes some
 * every half second, three seconds at most -, front ends are unbound, sockets' paths removed, the
 * terminal restored. Main thread, no vCPU running.
 */
QOM_EXPORT void qemu_chr_cleanup(void);

/**
 * The property "chardev" of a device: DEFINE_PROP_CHR("chardev", MyState, chr): the id of a
 * chardev, bound when set.
 */
extern QOM_EXPORT const PropertyInfo prop_info_chr;
#define DEFINE_PROP_CHR(n, s, f, ...)                                                              \
    DEFINE_PROP_(n, s, f, CharBackend, prop_info_chr, ##__VA_ARGS__)

#endif

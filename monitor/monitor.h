/* SPDX-License-Identifier: MIT */
/*
 * Monitors: those who ask a running machine and change it. A monitor is an object on a character
 * device: "monitor-qmp" speaks JSON, "monitor-hmp" is for people. An object of the type "monitor"
 * itself stands on nothing and gathers what is printed.
 */
#ifndef QOMET_MONITOR_MONITOR_H
#define QOMET_MONITOR_MONITOR_H

#include <qomet/backends/chardev/char.h>
#include <qomet/qom/user-creatable.h>

#define TYPE_MONITOR "monitor"
OBJECT_DECLARE_TYPE(Monitor, MonitorClass, MONITOR)
#define TYPE_MONITOR_QMP "monitor-qmp"
#define TYPE_MONITOR_HMP "monitor-hmp"

/**
 * Output that waits for the peer to read. While some does, nothing that the peer sends is carried
 * out; when this much does, no more is added: the peer is disconnected, or, where it cannot be (a
 * terminal), does not get it.
 */
#define MONITOR_OUT_MAX (16 * 1024 * 1024)

struct Monitor {
    Object parent_obj;
    CharBackend be;     /* the property "chardev" */
    bool started;       /* by monitor_start(): properties stay as they are */
    bool connected;     /* a peer is there */
    bool paused;        /* the peer is slow: what was printed waits until it has read */
    bool away;          /* the terminal is shared, and another has it: the same */
    GString *out;       /* what the chardev has not taken yet; without one: all that was printed */
    size_t out_done;    /* bytes at the beginning of out that it has taken */
    GByteArray *in;     /* input that was read and not taken yet */
    unsigned cpu_index; /* the vCPU that commands are about unless they say another */
    GHashTable *fds;    /* descriptors by name (getfd): char * -> fd, both owned */
};

struct MonitorClass {
    ObjectClass parent_class;
    /** A peer has come, or left; what it had begun is forgotten. May be NULL. Main thread. */
    void (*opened)(Monitor *mon);
    void (*closed)(Monitor *mon);
    /** The peer turns to this monitor (@in), or to another that shares the terminal. May be NULL. */
    void (*focus)(Monitor *mon, bool in);
    /** Whether more input may be taken; NULL: while it is not paused. Main thread. */
    bool (*ready)(Monitor *mon);
    /**
     * Takes bytes of @buf while it is ready; returns how many. Called again with the rest when it
     * is again. Main thread.
     */
    size_t (*input)(Monitor *mon, const char *buf, size_t len);
    bool returns; /* the peer is a terminal: monitor_puts() says a new line by "\r\n" */
    /** It is no longer paused: what was put off is carried out. May be NULL. Main thread. */
    void (*resumed)(Monitor *mon);
};

/**
 * For the types below: what completes them (UserCreatableClass.complete). The peer is heard from
 * then on.
 */
QOM_EXPORT bool monitor_start(UserCreatable *uc, GError **errp);

/** Output for the peer; without a chardev it is kept. Main thread. */
QOM_EXPORT void monitor_puts(Monitor *mon, const char *text);
QOM_EXPORT void monitor_printf(Monitor *mon, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
QOM_EXPORT void monitor_write(Monitor *mon, const char *text, size_t len);
/** @text with "\r\n" for each "\n"; the caller frees. Any thread. */
QOM_EXPORT char *monitor_with_returns(const char *text);

/** Ends the session, soon: nothing more of what the peer has sent is carried out. Main thread. */
QOM_EXPORT void monitor_hang_up(Monitor *mon);

/**
 * A monitor without a chardev that gathers what is printed; a reference for the caller. For those
 * who carry out lines for somebody else (human-monitor-command, gdb's "monitor").
 */
QOM_EXPORT Monitor *monitor_gathering_new(void);
/** What was printed so far, and forgets it; the caller frees. */
QOM_EXPORT char *monitor_gathered(Monitor *mon);

/**
 * Carries out one line of the human monitor. False with @errp set for a command that is not there,
 * bad arguments, or what the command says. Main thread.
 */
QOM_EXPORT bool hmp_execute(Monitor *mon, const char *line, GError **errp);

/** The descriptor that getfd has named @name; the caller owns it from now on. -1 with @errp set. */
QOM_EXPORT int monitor_take_fd(Monitor *mon, const char *name, GError **errp);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Chardevs over descriptors: one to read from, one to write to, or the same for both. What stdio,
 * file, pty and socket have in common; each of them opens its descriptors and says what their end
 * means.
 */
#ifndef QOMET_BACKENDS_CHARDEV_FD_H
#define QOMET_BACKENDS_CHARDEV_FD_H

#include <qomet/backends/chardev/char.h>

#define TYPE_CHARDEV_FD "chardev-fd"
OBJECT_DECLARE_TYPE(FDChardev, FDChardevClass, CHARDEV_FD)

struct FDChardev {
    Chardev parent_obj;
    int fd_in, fd_out; /* owned, -1: none; fd_out changes under the chardev's lock */
    bool out_blocks;   /* fd_out could not be had without blocking: asked before each short write */
    bool out_socket;   /* written with send() */
    LoopWatch *in, *out; /* NULL: not watched */
    GByteArray *pending; /* input that was read before the front end took it; NULL: none */
};

struct FDChardevClass {
    ChardevClass parent_class;
    /**
     * Input can be read: hands it on. As qemu_chr_be_pull(): 0 is the end, -1 with errno a failure.
     * Main thread.
     */
    int (*input)(FDChardev *s);
    /** Input has ended, or (@errnum) failed; by default nothing is read any more. Main thread. */
    void (*hangup)(FDChardev *s, int errnum);
    /** As read(2), from fd_in. */
    ssize_t (*fetch)(FDChardev *s, uint8_t *buf, size_t max);
    bool session;  /* a peer that leaves is noticed while its input waits, and the input kept */
    bool hangs_up; /* POLLHUP says that the peer is gone, not only that it has no more to say */
};

/**
 * The open descriptor @fd (0, 1) in a form that does not block, without touching what is shared
 * with other processes: opened again where the kernel allows it, else duplicated. @blocks (may be
 * NULL) says whether it still may. -1 with errno set.
 */
int fd_chardev_reopen(int fd, int flags, bool *blocks);

/** Begins with these descriptors, which are @s's from now on (-1: none). Main thread. */
void fd_chardev_start(FDChardev *s, int fd_in, int fd_out);
/** Closes both; input that was read before is still handed out. Main thread. */
void fd_chardev_stop(FDChardev *s);
/** Ends reading only. */
void fd_chardev_stop_input(FDChardev *s);
/** Ends writing only: what is written vanishes. */
void fd_chardev_stop_output(FDChardev *s);
/** Keeps @len bytes of input for the front end and offers them. Main thread. */
void fd_chardev_keep(FDChardev *s, const uint8_t *buf, int len);

#endif

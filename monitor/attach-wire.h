/* SPDX-License-Identifier: MIT */
/*
 * The attach protocol, version 1: how `qomet attach`, `qomet detach` and `qomet list` talk to a
 * machine that runs. One process may be a newer program than the other, so what follows holds for
 * as long as the version is 1; names that are not known are passed over.
 *
 * A stream socket (unix) at DIR/NAME, see attach-folder.h. Both sides send messages, each one JSON
 * object on one line that ends with a newline, at most ATTACH_LINE_BYTES long. The client sends one
 * request; the machine answers with one message, or with "stays" and later a second one, and closes.
 *
 *   request   {"qomet-attach": 1, "do": "attach", "directory": DIR, "words": [WORD, ...],
 *              "files": [{"name": NAME, "flags": FLAGS}, ...]}
 *                 Carries out WORDs, as on the command line, all or none. Relative paths in them
 *                 begin at DIR, an absolute path. "files" (may be missing) names the descriptors
 *                 that come with this message (SCM_RIGHTS), in their order, at most ATTACH_FDS.
 *             {"qomet-attach": 1, "do": "detach", "id": ID}
 *                 Takes away the device, monitor, object or chardev ID; answered when it is gone.
 *             {"qomet-attach": 1, "do": "status"}
 *
 *   answer    {"done": {...}}      it is done. Of "attach": {"text": TEXT} when the words were a
 *                                  question. Of "status": {"name", "pid", "machine", "status"}.
 *             {"stays": {}}        Of "attach": done, and what was made uses the client's terminal:
 *                                  it goes when the client closes, and {"done": {}} comes when it
 *                                  has gone.
 *             {"need": {"name": NAME, "flags": FLAGS}}
 *                                  Of "attach": nothing was done, because the machine cannot open
 *                                  NAME, an absolute path, with FLAGS of open(2) - or NAME is
 *                                  "stdio", one end of a stream socket whose other end the client
 *                                  joins with its terminal; FLAGS is then 1 where its keys for
 *                                  signals keep sending them. The client may connect again with the
 *                                  same request and that descriptor added. It opens nothing that
 *                                  its own words do not name.
 *                  "error": TEXT   beside "need": what to tell when the client cannot open it either
 *             {"error": TEXT}      nothing was done
 *
 * The machine talks to processes of its own user and of root only (SO_PEERCRED).
 */
#ifndef MONITOR_ATTACH_WIRE_H
#define MONITOR_ATTACH_WIRE_H

#include <stdbool.h>
#include <glib.h>

#define ATTACH_VERSION 1
#define ATTACH_LINE_BYTES (1 << 20)
#define ATTACH_FDS 16

/** One end of a connection. */
typedef struct AttachWire AttachWire;

typedef enum AttachReceived {
    ATTACH_NOTHING, /* no whole message yet */
    ATTACH_MESSAGE,
    ATTACH_END, /* the peer has closed */
    ATTACH_BAD, /* what came is no message, with @errp set */
} AttachReceived;

/** @fd, a connected stream socket, is taken over and made non-blocking. */
AttachWire *attach_wire_new(int fd);
/** Closes it, and the descriptors that came and were not taken. NULL is fine. */
void attach_wire_free(AttachWire *wire);
int attach_wire_fd(const AttachWire *wire);

/** Reads what is there. @message: a{sv}, a full reference. Never waits. */
AttachReceived attach_wire_receive(AttachWire *wire, GVariant **message, GError **errp);
/** The oldest descriptor that came along, the caller's from now on; -1: no more. */
int attach_wire_take_fd(AttachWire *wire);
/** Whether there are more. */
bool attach_wire_has_fds(const AttachWire *wire);

/**
 * Queues @message (a{sv}, sunk) and sends what the socket takes. The @n descriptors go with it, and
 * stay the caller's. False when the peer has closed.
 */
bool attach_wire_send(AttachWire *wire, GVariant *message, const int *fds, unsigned n);
/** Goes on sending; false when the peer has closed. */
bool attach_wire_flush(AttachWire *wire);
/** Whether something is still to be sent. */
bool attach_wire_pending(const AttachWire *wire);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A client of a machine's attach server: what the connection (attach-server.c) and the request that
 * came over it (attach-request.c) share.
 */
#ifndef MONITOR_ATTACH_PEER_H
#define MONITOR_ATTACH_PEER_H

#include <qomet/backends/loop.h>
#include <qomet/options/options.h>
#include "monitor/attach-wire.h"

#define TYPE_ATTACH_SERVER "attach-server"
OBJECT_DECLARE_SIMPLE_TYPE(AttachServer, ATTACH_SERVER)

typedef struct AttachPeer {
    AttachServer *server; /* which owns it */
    AttachWire *wire;
    LoopWatch *watch;
    LoopTimer *timer; /* when it fires, the peer has taken too long */
    bool asked;       /* its request has been taken */
    bool half_closed; /* the client has no more to say, and waits */
    bool closing;     /* nothing more is to come: it goes when its answer is sent */
    /* What its request has left, attach-request.c: */
    Attachment *attachment; /* what ends with it, referenced, or NULL */
    char *departing;        /* the path of the device whose end it waits for, or NULL */
} AttachPeer;

/* ---- attach-server.c ---- */

/** The name of the machine; owned by @s. */
const char *attach_server_name(const AttachServer *s);
/** Sends @message (sunk). @last: the connection then ends; else it may take any time. */
void attach_peer_answer(AttachPeer *peer, GVariant *message, bool last);

/* ---- attach-request.c ---- */

/** Carries out what the client asks for, and answers it or will. */
void attach_peer_request(AttachPeer *peer, GVariant *request);
/** {"error": @text}, floating. */
GVariant *attach_error(const char *text);
/** A device has gone, or stays: answers @peer if it waits for that. */
void attach_peer_device_event(AttachPeer *peer, bool gone, const char *path);
/** The client says no more: what its terminal was for is taken away, and it is told when it is. */
void attach_peer_let_go(AttachPeer *peer);
/** The peer goes: forgets what its request has left, which is the caller's to end (NULL: nothing). */
Attachment *attach_peer_take_attachment(AttachPeer *peer);

#endif

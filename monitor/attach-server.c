/* SPDX-License-Identifier: MIT */
/*
 * "attach-server": the machine's side of `qomet attach`, `detach` and `list`. It listens under the
 * machine's name and takes one request from each connection. What a client can cost is bounded:
 * connections, time until its request is whole and its answer read, bytes and descriptors of it.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include <qomet/hw/core/bus.h>
#include <qomet/qom/user-creatable.h>
#include "monitor/attach-folder.h"
#include "monitor/attach-peer.h"

#define PEERS_MAX 64
/* For the request to come, and for the answer to be read. */
#define PEER_SECONDS 10
#define SECOND_NS INT64_C(1000000000)

struct AttachServer {
    Object parent_obj;
    char *name;
    SockAddress address;
    int listen_fd; /* -1: not yet */
    LoopWatch *listening;
    LoopTimer *pause; /* when no descriptor was left for a client: listening goes on after it */
    GPtrArray *peers; /* of AttachPeer *, owned */
};

const char *attach_server_name(const AttachServer *s)
{
    return s->name;
}

/* ---- One connection -------------------------------------------------------------------------- */

static void watch_peer(AttachPeer *peer)
{
    unsigned in = peer->closing || peer->half_closed ? G_IO_HUP : G_IO_IN;

    /* A peer that is not listened to any more is still seen to go. */
    loop_watch_set_events(peer->watch, in | (attach_wire_pending(peer->wire) ? G_IO_OUT : 0));
}

static void limit_time(AttachPeer *peer)
{
    loop_timer_set_after(peer->timer, PEER_SECONDS * SECOND_NS);
}

void attach_peer_answer(AttachPeer *peer, GVariant *message, bool last)
{
    peer->closing |= !attach_wire_send(peer->wire, message, NULL, 0) || last;
    if (peer->closing) {
        limit_time(peer);
    }
    watch_peer(peer);
}

static void peer_free(void *opaque)
{
    AttachPeer *peer = opaque;

    object_unref(attach_peer_take_attachment(peer));
    loop_watch_free(peer->watch);
    loop_timer_free(peer->timer);
    attach_wire_free(peer->wire);
    g_free(peer);
}

/* What used its terminal goes with it. */
static void peer_leave(AttachPeer *peer)
{
    g_autoptr(Attachment) attachment = attach_peer_take_attachment(peer);

    g_ptr_array_remove(peer->server->peers, peer);
    if (attachment) {
        attachment_end(attachment);
    }
}

static void peer_late(void *opaque)
{
    peer_leave(opaque);
}

/* The client has closed, or at least says nothing more; false when @peer is no more. */
static bool hung_up(AttachPeer *peer, bool whole)
{
    if (whole || !peer->attachment) {
        peer_leave(peer);
        return false;
    }
    peer->half_closed = true;
    attach_peer_let_go(peer);
    return true;
}

static void take_request(AttachPeer *peer, GVariant *request)
{
    if (peer->asked) {
        attach_peer_answer(peer, attach_error("one request only can be made of a connection"),
                           true);
        return;
    }
    peer->asked = true;
    /* Carrying it out may take any time. */
    loop_timer_set(peer->timer, INT64_MAX);
    attach_peer_request(peer, request);
}

/* False when @peer is no more. */
static bool receive(AttachPeer *peer, unsigned ready)
{
    g_autoptr(GVariant) request = NULL;
    g_autoptr(GError) error = NULL;

    switch (attach_wire_receive(peer->wire, &request, &error)) {
    case ATTACH_NOTHING:
        return true;
    case ATTACH_MESSAGE:
        take_request(peer, request);
        return true;
    case ATTACH_BAD:
        attach_peer_answer(peer, attach_error(error->message), true);
        return true;
    case ATTACH_END:
        break;
    }
    return hung_up(peer, ready & (G_IO_HUP | G_IO_ERR));
}

static void peer_ready(int fd, unsigned ready, void *opaque)
{
    AttachPeer *peer = opaque;
    /* Its request may be to end the server. */
    g_autoptr(AttachServer) kept = (AttachServer *)object_ref(peer->server);

    (void)fd;
    (void)kept;
    if (!peer->closing && !peer->half_closed && !receive(peer, ready)) {
        return;
    }
    if (!attach_wire_flush(peer->wire) || (peer->closing && !attach_wire_pending(peer->wire)) ||
        ready & (G_IO_HUP | G_IO_ERR)) {
        peer_leave(peer);
        return;
    }
    watch_peer(peer);
}

/* ---- All of them ----------------------------------------------------------------------------- */

/* Whether who is at the other end may change this machine. */
static bool is_trusted(int fd)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
           (cred.uid == geteuid() || cred.uid == 0);
}

static void peer_new(AttachServer *s, int fd)
{
    const char *refusal = !is_trusted(fd)              ? "this machine belongs to another user"
                          : s->peers->len >= PEERS_MAX ? "too many clients at a time"
                                                       : NULL;
    AttachPeer *peer = g_new0(AttachPeer, 1);

    peer->server = s;
    peer->wire = attach_wire_new(fd);
    peer->timer = loop_timer_new(peer_late, peer);
    if (refusal || !peer->timer) {
        if (refusal) {
            attach_wire_send(peer->wire, attach_error(refusal), NULL, 0);
        }
        peer_free(peer);
        return;
    }
    peer->watch = loop_watch_new(fd, G_IO_IN, NULL, peer_ready, peer);
    limit_time(peer);
    g_ptr_array_add(s->peers, peer);
}

static void peer_comes(int fd, unsigned ready, void *opaque)
{
    AttachServer *s = opaque;
    int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)ready;
    if (peer >= 0) {
        peer_new(s, peer);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        /* It would be tried again without end. */
        loop_watch_set_events(s->listening, 0);
        loop_timer_set_after(s->pause, SECOND_NS);
    }
}

static void pause_over(void *opaque)
{
    loop_watch_set_events(((AttachServer *)opaque)->listening, G_IO_IN);
}

static void device_event(QDevEvent event, const char *id, const char *path, void *opaque)
{
    const AttachServer *s = opaque;

    (void)id;
    for (unsigned i = s->peers->len; i > 0; i--) {
        attach_peer_device_event(g_ptr_array_index(s->peers, i - 1), event == QDEV_EVENT_DELETED,
                                 path);
    }
}

/* ---- The type -------------------------------------------------------------------------------- */

static bool attach_server_complete(UserCreatable *uc, GError **errp)
{
    AttachServer *s = ATTACH_SERVER(uc);

    if (!s->name) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'name' is missing: it names the machine");
        return false;
    }
    s->pause = loop_timer_new(pause_over, s);
    if (!s->pause) {
        qom_error_set(errp, QOM_ERROR_FAILED, "cannot make a timer: %s", g_strerror(errno));
        return false;
    }
    s->listen_fd = attach_folder_listen(s->name, &s->address, errp);
    if (s->listen_fd < 0) {
        return false;
    }
    s->listening = loop_watch_new(s->listen_fd, G_IO_IN, NULL, peer_comes, s);
    qdev_add_listener(device_event, s);
    return true;
}

static void attach_server_init(Object *obj)
{
    ATTACH_SERVER(obj)->listen_fd = -1;
    ATTACH_SERVER(obj)->peers = g_ptr_array_new_with_free_func(peer_free);
}

static void attach_server_finalize(Object *obj)
{
    AttachServer *s = ATTACH_SERVER(obj);

    qdev_del_listener(device_event, s);
    g_ptr_array_free(s->peers, TRUE);
    loop_watch_free(s->listening);
    loop_timer_free(s->pause);
    if (s->listen_fd >= 0) {
        sock_address_unlink(&s->address);
        close(s->listen_fd);
    }
}

static const Property attach_server_props[] = {
    DEFINE_PROP_STRING("name", AttachServer, name, .help = "what others find the machine by"),
};

static void attach_server_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    USER_CREATABLE_CLASS(klass)->complete = attach_server_complete;
    object_class_add_properties(klass, attach_server_props, G_N_ELEMENTS(attach_server_props));
}

static const InterfaceInfo attach_server_interfaces[] = { { TYPE_USER_CREATABLE }, { NULL } };

static const TypeInfo attach_server_types[] = {
    {
        .name = TYPE_ATTACH_SERVER,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(AttachServer),
        .instance_init = attach_server_init,
        .instance_finalize = attach_server_finalize,
        .class_init = attach_server_class_init,
        .interfaces = attach_server_interfaces,
    },
};
DEFINE_TYPES(attach_server_types)

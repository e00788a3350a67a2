/* SPDX-License-Identifier: MIT */
/*
 * "attach-server": the machine's side of `qomet attach`, `detach` and `list`. It listens under the
 * machine's name and carries out one request for each connection. What a client can cost is bounded:
 * connections, time until its request is whole and its answer read, bytes and descriptors of it.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <qomet/accel/runstate.h>
#include <qomet/backends/loop.h>
#include <qomet/machine/machine.h>
#include <qomet/memory/main-work.h>
#include <qomet/options/options.h>
#include <qomet/qom/user-creatable.h>
#include "monitor/attach-folder.h"
#include "monitor/attach-wire.h"

#define TYPE_ATTACH_SERVER "attach-server"
OBJECT_DECLARE_SIMPLE_TYPE(AttachServer, ATTACH_SERVER)

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
    GPtrArray *peers; /* of Peer *, owned */
};

typedef struct Peer Peer;

/* A device that goes when the guest agrees, and who waits for that. */
typedef struct Departure {
    Peer *peer; /* NULL: has left meanwhile */
} Departure;

struct Peer {
    AttachServer *server;
    AttachWire *wire;
    LoopWatch *watch;
    LoopTimer *timer;
    bool asked;             /* its request has been taken */
    bool half_closed;       /* the client has no more to say, and waits */
    bool closing;           /* nothing more is to come: it goes when its answer is sent */
    Attachment *attachment; /* what ends with it, referenced, or NULL */
    Departure *departure;   /* what it waits for, or NULL */
};

/* ---- Answers --------------------------------------------------------------------------------- */

static GVariant *message(const char *key, GVariant *value)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", key, value);
    return g_variant_builder_end(&builder);
}

static GVariant *nothing(void)
{
    return g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0);
}

static void watch_peer(Peer *peer)
{
    unsigned in = peer->closing || peer->half_closed ? G_IO_HUP : G_IO_IN;

    /* A peer that is not listened to any more is still seen to go. */
    loop_watch_set_events(peer->watch, in | (attach_wire_pending(peer->wire) ? G_IO_OUT : 0));
}

/* Sends @text; @last: the connection then ends. */
static void answer(Peer *peer, GVariant *value, bool last)
{
    peer->closing |= !attach_wire_send(peer->wire, value, NULL, 0) || last;
    loop_timer_set_after(peer->timer, last ? PEER_SECONDS * SECOND_NS : INT64_MAX / 2);
    watch_peer(peer);
}

static void answer_error(Peer *peer, const char *text)
{
    answer(peer, message("error", g_variant_new_string(text)), true);
}

/* ---- The end of a connection ----------------------------------------------------------------- */

static void peer_free(void *opaque)
{
    Peer *peer = opaque;

    if (peer->attachment) {
        attachment_set_gone(peer->attachment, NULL, NULL);
        object_unref(peer->attachment);
    }
    if (peer->departure) {
        peer->departure->peer = NULL;
    }
    loop_watch_free(peer->watch);
    loop_timer_free(peer->timer);
    attach_wire_free(peer->wire);
    g_free(peer);
}

/* What used its terminal goes with it. */
static void peer_leave(Peer *peer)
{
    Attachment *attachment = (Attachment *)object_ref(peer->attachment);

    g_ptr_array_remove(peer->server->peers, peer);
    if (attachment) {
        attachment_end(attachment);
        object_unref(attachment);
    }
}

static void peer_late(void *opaque)
{
    peer_leave(opaque);
}

/* ---- Requests -------------------------------------------------------------------------------- */

static const char *text_of(GVariant *request, const char *key)
{
    const char *text = NULL;

    /* The request keeps it. */
    g_variant_lookup(request, key, "&s", &text);
    return text;
}

static void attachment_gone(void *opaque)
{
    Peer *peer = opaque;

    g_clear_pointer(&peer->attachment, object_unref);
    answer(peer, message("done", nothing()), true);
}

/* The words of the request, NULL at their end, pointing into it; NULL when they are none. */
static char **words_of(GVariant *request)
{
    g_autoptr(GVariant) list = g_variant_lookup_value(request, "words", G_VARIANT_TYPE("av"));
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    GVariantIter iter;
    GVariant *item;

    if (!list) {
        return NULL;
    }
    g_variant_iter_init(&iter, list);
    while (g_variant_iter_next(&iter, "v", &item)) {
        bool text = g_variant_is_of_type(item, G_VARIANT_TYPE_STRING);

        if (text) {
            g_ptr_array_add(words, g_variant_dup_string(item, NULL));
        }
        g_variant_unref(item);
        if (!text) {
            return NULL;
        }
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&words), FALSE);
}

/* Hands the descriptors that came over to @client, with their names; *@terminal: one is that. */
static bool give_files(Peer *peer, GVariant *request, HostClient *client, bool *terminal)
{
    g_autoptr(GVariant) list = g_variant_lookup_value(request, "files", G_VARIANT_TYPE("av"));

    *terminal = false;
    for (gsize i = 0; list && i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) boxed = g_variant_get_child_value(list, i);
        g_autoptr(GVariant) item = g_variant_get_variant(boxed);
        const char *name;
        gint64 flags;
        int fd;

        if (!g_variant_is_of_type(item, G_VARIANT_TYPE_VARDICT) ||
            !g_variant_lookup(item, "name", "&s", &name) ||
            !g_variant_lookup(item, "flags", "x", &flags)) {
            return false;
        }
        fd = attach_wire_take_fd(peer->wire);
        if (fd < 0) {
            return false;
        }
        *terminal |= !strcmp(name, HOST_TERMINAL);
        host_client_give(client, name, (int)flags, fd);
    }
    return !attach_wire_has_fds(peer->wire);
}

static void answer_need(Peer *peer, const HostWish *wish, const char *error)
{
    GVariantDict need, dict;

    g_variant_dict_init(&need, NULL);
    g_variant_dict_insert(&need, "name", "s", wish->name);
    g_variant_dict_insert(&need, "flags", "x", (gint64)wish->flags);
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert_value(&dict, "need", g_variant_dict_end(&need));
    g_variant_dict_insert(&dict, "error", "s", error);
    answer(peer, g_variant_dict_end(&dict), true);
}

static void attached(Peer *peer, Attachment *attachment, bool stays)
{
    if (!stays) {
        answer(peer, message("done", nothing()), true);
        return;
    }
    peer->attachment = (Attachment *)object_ref(attachment);
    attachment_set_gone(attachment, attachment_gone, peer);
    answer(peer, message("stays", nothing()), false);
}

static void carry_out(Peer *peer, char **words, HostClient *client, bool stays)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    Attachment *attachment = options_attach(words, client, &text, &error);

    if (attachment) {
        attached(peer, attachment, stays);
    } else if (text) {
        answer(peer, message("done", message("text", g_variant_new_string(text))), true);
    } else if (host_client_wish(client)) {
        answer_need(peer, host_client_wish(client), error->message);
    } else {
        answer_error(peer, error->message);
    }
}

static void do_attach(Peer *peer, GVariant *request)
{
    const char *directory = text_of(request, "directory");
    g_auto(GStrv) words = words_of(request);
    HostClient *client;
    bool terminal;

    if (!directory || *directory != '/' || !words) {
        answer_error(peer,
                     "a request to attach has \"directory\", an absolute path, and \"words\", "
                     "a list of strings");
        return;
    }
    if (!*words) {
        answer_error(peer, "there is nothing to attach: no words came");
        return;
    }
    client = host_client_new(directory);
    if (give_files(peer, request, client, &terminal)) {
        carry_out(peer, words, client, terminal);
    } else {
        answer_error(peer, "\"files\" does not fit the descriptors that came");
    }
    host_client_free(client);
}

/* In the middle of the device's end: what is waited for is that it has gone. */
static void departed(void *opaque)
{
    Departure *departure = opaque;

    if (departure->peer) {
        departure->peer->departure = NULL;
        answer(departure->peer, message("done", nothing()), true);
    }
    g_free(departure);
}

static void device_departs(DeviceState *dev, void *opaque)
{
    (void)dev;
    main_work_post(departed, opaque);
}

static void do_detach(Peer *peer, GVariant *request)
{
    const char *id = text_of(request, "id");
    g_autoptr(GError) error = NULL;
    DeviceState *pending;

    if (!id) {
        answer_error(peer, "a request to detach has \"id\", a string");
        return;
    }
    if (!options_detach(id, &pending, &error)) {
        answer_error(peer, error->message);
        return;
    }
    if (!pending) {
        answer(peer, message("done", nothing()), true);
        return;
    }
    peer->departure = g_new0(Departure, 1);
    peer->departure->peer = peer;
    qdev_on_unrealize(pending, device_departs, peer->departure);
    loop_timer_set(peer->timer, INT64_MAX);
}

static void do_status(Peer *peer, GVariant *request)
{
    const char *type = object_get_typename(OBJECT(current_machine()));
    g_autofree char *machine = g_str_has_suffix(type, TYPE_MACHINE_SUFFIX)
                                   ? g_strndup(type, strlen(type) - strlen(TYPE_MACHINE_SUFFIX))
                                   : g_strdup(type);
    GVariantDict dict;

    (void)request;
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "name", "s", peer->server->name);
    g_variant_dict_insert(&dict, "pid", "x", (gint64)getpid());
    g_variant_dict_insert(&dict, "machine", "s", machine);
    g_variant_dict_insert(&dict, "status", "s", runstate_name(runstate_get()));
    answer(peer, message("done", g_variant_dict_end(&dict)), true);
}

static const struct {
    const char *name;
    void (*fn)(Peer *peer, GVariant *request);
} requests[] = {
    { "attach", do_attach },
    { "detach", do_detach },
    { "status", do_status },
};

static void take_request(Peer *peer, GVariant *request)
{
    const char *what = text_of(request, "do");
    gint64 version;

    if (!g_variant_lookup(request, "qomet-attach", "x", &version) || version != ATTACH_VERSION) {
        g_autofree char *text = g_strdup_printf(
            "this machine speaks version %d of the attach protocol only", ATTACH_VERSION);

        answer_error(peer, text);
        return;
    }
    for (unsigned i = 0; what && i < G_N_ELEMENTS(requests); i++) {
        if (!strcmp(requests[i].name, what)) {
            requests[i].fn(peer, request);
            return;
        }
    }
    answer_error(peer, "\"do\" is one of attach, detach and status");
}

/* ---- Connections ----------------------------------------------------------------------------- */

/* The client has closed, or at least says nothing more; false when @peer is no more. */
static bool hung_up(Peer *peer, bool whole)
{
    if (whole || !peer->attachment) {
        peer_leave(peer);
        return false;
    }
    peer->half_closed = true;
    attachment_end(peer->attachment);
    return true;
}

/* False when @peer is no more. */
static bool receive(Peer *peer, unsigned ready)
{
    g_autoptr(GVariant) request = NULL;
    g_autoptr(GError) error = NULL;

    switch (attach_wire_receive(peer->wire, &request, &error)) {
    case ATTACH_NOTHING:
        return true;
    case ATTACH_MESSAGE:
        if (peer->asked) {
            answer_error(peer, "one request only can be made of a connection");
        } else {
            peer->asked = true;
            take_request(peer, request);
        }
        return true;
    case ATTACH_BAD:
        answer_error(peer, error->message);
        return true;
    case ATTACH_END:
        break;
    }
    return hung_up(peer, ready & (G_IO_HUP | G_IO_ERR));
}

static void peer_ready(int fd, unsigned ready, void *opaque)
{
    Peer *peer = opaque;

    (void)fd;
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
    Peer *peer = g_new0(Peer, 1);

    peer->server = s;
    peer->wire = attach_wire_new(fd);
    peer->timer = loop_timer_new(peer_late, peer);
    if (!peer->timer) {
        peer_free(peer);
        return;
    }
    loop_timer_set_after(peer->timer, PEER_SECONDS * SECOND_NS);
    peer->watch = loop_watch_new(fd, G_IO_IN, NULL, peer_ready, peer);
    g_ptr_array_add(s->peers, peer);
    if (!is_trusted(fd)) {
        answer_error(peer, "this machine belongs to another user");
    } else if (s->peers->len > PEERS_MAX) {
        answer_error(peer, "too many clients at a time");
    }
    if (peer->closing) {
        peer_leave(peer);
    }
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

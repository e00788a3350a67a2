/* SPDX-License-Identifier: MIT */
/*
 * What clients of the attach server ask for: words carried out, a device taken away, how the machine
 * is.
 */
#include <string.h>
#include <unistd.h>
#include <qomet/accel/runstate.h>
#include <qomet/machine/machine.h>
#include <qomet/monitor/qmp.h>
#include "monitor/attach-peer.h"

/* ---- Messages -------------------------------------------------------------------------------- */

/* {@key: @value}, floating; @value NULL: {@key: {}}. */
static GVariant *message(const char *key, GVariant *value)
{
    return qmp_object(key, value ? value : qmp_object(NULL, NULL), NULL);
}

GVariant *attach_error(const char *text)
{
    return message("error", qmp_text(text));
}

static void fail(AttachPeer *peer, const char *text)
{
    attach_peer_answer(peer, attach_error(text), true);
}

static void done(AttachPeer *peer, GVariant *what)
{
    attach_peer_answer(peer, message("done", what), true);
}

/* ---- attach ---------------------------------------------------------------------------------- */

static void attachment_gone(void *opaque)
{
    AttachPeer *peer = opaque;

    g_clear_pointer(&peer->attachment, object_unref);
    done(peer, NULL);
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
static bool give_files(AttachPeer *peer, GVariant *request, HostClient *client, bool *terminal)
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

static void answer_need(AttachPeer *peer, const HostWish *wish, const char *error)
{
    GVariant *need = qmp_object("name", g_variant_new_string(wish->name), "flags",
                                g_variant_new_int64(wish->flags), NULL);

    attach_peer_answer(peer, qmp_object("need", need, "error", qmp_text(error), NULL), true);
}

static void attached(AttachPeer *peer, Attachment *attachment, bool stays)
{
    if (!stays) {
        done(peer, NULL);
        return;
    }
    peer->attachment = (Attachment *)object_ref(attachment);
    attachment_set_gone(attachment, attachment_gone, peer);
    attach_peer_answer(peer, message("stays", NULL), false);
}

static void carry_out(AttachPeer *peer, char **words, HostClient *client, bool stays)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    Attachment *attachment = options_attach(words, client, &text, &error);

    if (attachment) {
        attached(peer, attachment, stays);
    } else if (text) {
        done(peer, message("text", qmp_text(text)));
    } else if (host_client_wish(client)) {
        answer_need(peer, host_client_wish(client), error->message);
    } else {
        fail(peer, error->message);
    }
}

static void do_attach(AttachPeer *peer, GVariant *request)
{
    const char *directory = qmp_arg_str(request, "directory");
    g_auto(GStrv) words = words_of(request);
    HostClient *client;
    bool terminal;

    if (!directory || *directory != '/' || !words) {
        fail(peer, "a request to attach has \"directory\", an absolute path, and \"words\", "
                   "a list of strings");
        return;
    }
    if (!*words) {
        fail(peer, "there is nothing to attach: no words came");
        return;
    }
    client = host_client_new(directory);
    if (give_files(peer, request, client, &terminal)) {
        carry_out(peer, words, client, terminal);
    } else {
        fail(peer, "\"files\" does not fit the descriptors that came");
    }
    host_client_free(client);
}

/* ---- detach and status ----------------------------------------------------------------------- */

static void do_detach(AttachPeer *peer, GVariant *request)
{
    const char *id = qmp_arg_str(request, "id");
    g_autoptr(GError) error = NULL;
    DeviceState *pending;

    if (!id) {
        fail(peer, "a request to detach has \"id\", a string");
        return;
    }
    if (!options_detach(id, &pending, &error)) {
        fail(peer, error->message);
        return;
    }
    if (!pending) {
        done(peer, NULL);
        return;
    }
    peer->departing = object_get_canonical_path(OBJECT(pending));
}

static void do_status(AttachPeer *peer, GVariant *request)
{
    g_autofree char *machine = machine_name(MACHINE_GET_CLASS(current_machine()));

    (void)request;
    done(peer, qmp_object("name", g_variant_new_string(attach_server_name(peer->server)), "pid",
                          g_variant_new_int64(getpid()), "machine", g_variant_new_string(machine),
                          "status", g_variant_new_string(runstate_name(runstate_get())), NULL));
}

/* ---- Requests --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*fn)(AttachPeer *peer, GVariant *request);
} requests[] = {
    { "attach", do_attach },
    { "detach", do_detach },
    { "status", do_status },
};

void attach_peer_request(AttachPeer *peer, GVariant *request)
{
    const char *what = qmp_arg_str(request, "do");
    gint64 version;

    if (!g_variant_lookup(request, "qomet-attach", "x", &version) || version != ATTACH_VERSION) {
        g_autofree char *text = g_strdup_printf(
            "this machine speaks version %d of the attach protocol only", ATTACH_VERSION);

        fail(peer, text);
        return;
    }
    for (unsigned i = 0; what && i < G_N_ELEMENTS(requests); i++) {
        if (!strcmp(requests[i].name, what)) {
            requests[i].fn(peer, request);
            return;
        }
    }
    fail(peer, "\"do\" is one of attach, detach and status");
}

/* ---- What is left of a request --------------------------------------------------------------- */

void attach_peer_device_event(AttachPeer *peer, bool gone, const char *path)
{
    g_autofree char *departing = NULL, *text = NULL;

    if (!peer->departing || strcmp(peer->departing, path) != 0) {
        return;
    }
    departing = g_steal_pointer(&peer->departing);
    if (gone) {
        done(peer, NULL);
    } else {
        text = g_strdup_printf("the guest keeps %s", departing);
        fail(peer, text);
    }
}

void attach_peer_let_go(AttachPeer *peer)
{
    attachment_end(peer->attachment);
}

Attachment *attach_peer_take_attachment(AttachPeer *peer)
{
    g_clear_pointer(&peer->departing, g_free);
    if (peer->attachment) {
        attachment_set_gone(peer->attachment, NULL, NULL);
    }
    return g_steal_pointer(&peer->attachment);
}

/* SPDX-License-Identifier: MIT */
/*
 * What clients of the attach server ask for: words carried out, a device taken away, how the machine
 * is.
 */
#include <string.h>
#include <unistd.h>
#include <qomet/accel/runstate.h>
#include <qomet/machine/machine.h>
#include "monitor/attach-peer.h"

/* ---- Messages -------------------------------------------------------------------------------- */

GVariant *attach_message(const char *key, GVariant *value)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert_value(
        &dict, key, value ? value : g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0));
    return g_variant_dict_end(&dict);
}

GVariant *attach_error(const char *text)
{
    return attach_message("error", g_variant_new_take_string(g_utf8_make_valid(text, -1)));
}

static void fail(AttachPeer *peer, const char *text)
{
    attach_peer_answer(peer, attach_error(text), true);
}

static void done(AttachPeer *peer, GVariant *what)
{
    attach_peer_answer(peer, attach_message("done", what), true);
}

/* ---- attach ---------------------------------------------------------------------------------- */

/* The text of @key, which @request keeps; NULL when there is none. */
static const char *text_of(GVariant *request, const char *key)
{
    const char *text = NULL;

    g_variant_lookup(request, key, "&s", &text);
    return text;
}

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
    GVariantDict need, dict;

    g_variant_dict_init(&need, NULL);
    g_variant_dict_insert(&need, "name", "s", wish->name);
    g_variant_dict_insert(&need, "flags", "x", (gint64)wish->flags);
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert_value(&dict, "need", g_variant_dict_end(&need));
    g_variant_dict_insert_value(&dict, "error",
                                g_variant_new_take_string(g_utf8_make_valid(error, -1)));
    attach_peer_answer(peer, g_variant_dict_end(&dict), true);
}

static void attached(AttachPeer *peer, Attachment *attachment, bool stays)
{
    if (!stays) {
        done(peer, NULL);
        return;
    }
    peer->attachment = (Attachment *)object_ref(attachment);
    attachment_set_gone(attachment, attachment_gone, peer);
    attach_peer_answer(peer, attach_message("stays", NULL), false);
}

static void carry_out(AttachPeer *peer, char **words, HostClient *client, bool stays)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    Attachment *attachment = options_attach(words, client, &text, &error);

    if (attachment) {
        attached(peer, attachment, stays);
    } else if (text) {
        done(peer, attach_message("text", g_variant_new_take_string(g_utf8_make_valid(text, -1))));
    } else if (host_client_wish(client)) {
        answer_need(peer, host_client_wish(client), error->message);
    } else {
        fail(peer, error->message);
    }
}

static void do_attach(AttachPeer *peer, GVariant *request)
{
    const char *directory = text_of(request, "directory");
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
    const char *id = text_of(request, "id");
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
    const char *type = object_get_typename(OBJECT(current_machine()));
    g_autofree char *machine = g_str_has_suffix(type, TYPE_MACHINE_SUFFIX)
                                   ? g_strndup(type, strlen(type) - strlen(TYPE_MACHINE_SUFFIX))
                                   : g_strdup(type);
    GVariantDict dict;

    (void)request;
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "name", "s", attach_server_name(peer->server));
    g_variant_dict_insert(&dict, "pid", "x", (gint64)getpid());
    g_variant_dict_insert(&dict, "machine", "s", machine);
    g_variant_dict_insert(&dict, "status", "s", runstate_name(runstate_get()));
    done(peer, g_variant_dict_end(&dict));
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
    const char *what = text_of(request, "do");
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

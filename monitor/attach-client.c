/* SPDX-License-Identifier: MIT */
/*
 * qomet attach, detach and list: words of this command line are sent to a machine that runs, with
 * descriptors of what only this process can open.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <qomet/backends/host-client.h>
#include <qomet/options/options.h>
#include <qomet/qom/log.h>
#include "monitor/attach-client.h"
#include "monitor/attach-folder.h"
#include "monitor/attach-session.h"
#include "monitor/attach-signals.h"
#include "monitor/attach-wire.h"

/* How long a listing waits for a machine. */
#define LIST_MS 2000
/* What a machine may ask a file to be opened with. */
#define OPEN_FLAGS (O_ACCMODE | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* A file that the machine has asked for. */
typedef struct SentFile {
    char *name;
    gint64 flags; /* as asked for */
    int fd;
    bool made; /* it was not there before */
} SentFile;

/* One attach. */
typedef struct Request {
    const char *machine;
    char *directory;
    char **words;
    GArray *files; /* of SentFile */
    int relay;     /* our end of the way to the terminal; -1: nobody has asked */
    bool signals;
} Request;

/* ---- Asking ---------------------------------------------------------------------------------- */

/*
 * Sends @request (sunk) with @fds and waits for the answer: a full reference, or NULL with @errp
 * set. After a signal it does not wait for long any more, and after another not at all.
 */
static GVariant *ask(AttachWire *wire, GVariant *request, const int *fds, unsigned n, int wait_ms,
                     GError **errp)
{
    GVariant *answer = NULL;
    /* A machine that takes no more may have said why. */
    bool sending = attach_wire_send(wire, request, fds, n), ending = false;

    for (;;) {
        struct pollfd p[] = {
            { .fd = attach_wire_fd(wire), .events = POLLIN },
            { .fd = attach_signals_fd(), .events = POLLIN },
        };

        switch (attach_wire_receive(wire, &answer, errp)) {
        case ATTACH_MESSAGE:
            return answer;
        case ATTACH_BAD:
            g_prefix_error(errp, "the machine answers in no way that is understood: ");
            return NULL;
        case ATTACH_END:
            qom_error_set(errp, QOM_ERROR_FAILED, "the machine has ended");
            return NULL;
        case ATTACH_NOTHING:
            break;
        }
        sending = sending && attach_wire_flush(wire) && attach_wire_pending(wire);
        p[0].events |= sending ? POLLOUT : 0;
        if (poll(p, G_N_ELEMENTS(p), wait_ms) == 0 || (p[1].revents && ending)) {
            qom_error_set(errp, QOM_ERROR_FAILED, "the machine does not answer");
            return NULL;
        }
        if (p[1].revents) {
            attach_signals_heard();
            ending = true;
            wait_ms = ATTACH_END_MS;
        }
    }
}

static AttachWire *connect_to(const char *machine, GError **errp)
{
    int fd = attach_folder_connect(machine, errp);

    return fd >= 0 ? attach_wire_new(fd) : NULL;
}

static void begin_request(GVariantDict *dict, const char *what)
{
    g_variant_dict_init(dict, NULL);
    g_variant_dict_insert(dict, "qomet-attach", "x", (gint64)ATTACH_VERSION);
    g_variant_dict_insert(dict, "do", "s", what);
}

/* The error that @answer tells, or NULL. */
static const char *error_of(GVariant *answer)
{
    const char *text = NULL;

    g_variant_lookup(answer, "error", "&s", &text);
    return text;
}

static GVariant *part(GVariant *answer, const char *key)
{
    return g_variant_lookup_value(answer, key, G_VARIANT_TYPE_VARDICT);
}

/* Messages are text, as are the values of properties. */
static bool is_text(const char *word)
{
    bool good = g_utf8_validate(word, -1, NULL);

    if (!good) {
        error_report("'%s' is not valid UTF-8", word);
    }
    return good;
}

static bool all_text(char **words)
{
    while (*words && is_text(*words)) {
        words++;
    }
    return !*words;
}

static int failed(const GError *error)
{
    error_report("%s", error->message);
    return 1;
}

/* ---- Files of this process ------------------------------------------------------------------- */

static bool item_names(const Request *r, const KeyValItem *item, const char *name)
{
    const char *text = item->text;
    g_autofree char *path = NULL;

    if (!text && item->value && g_variant_is_of_type(item->value, G_VARIANT_TYPE_STRING)) {
        text = g_variant_get_string(item->value, NULL);
    }
    if (!text || !*text) {
        return false;
    }
    /* The short form of a chardev. */
    text += g_str_has_prefix(text, "file:") ? strlen("file:") : 0;
    path = host_path_in(r->directory, text);
    return !strcmp(text, name) || !strcmp(path, name);
}

/* Whether the words have @name as a value: nothing else is opened for the machine. */
static bool words_name(const Request *r, const char *name)
{
    for (char **word = r->words; *word; word++) {
        g_autoptr(KeyVal) kv = keyval_parse(*word, "", NULL);

        for (unsigned i = 0; kv && i < kv->items->len; i++) {
            if (item_names(r, g_ptr_array_index(kv->items, i), name)) {
                return true;
            }
        }
    }
    return false;
}

static bool open_relay(Request *r, SentFile *file)
{
    int pair[2];

    if (r->relay >= 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return false;
    }
    r->relay = pair[0];
    r->signals = file->flags != 0;
    file->fd = pair[1];
    return true;
}

static bool open_file(SentFile *file)
{
    int flags = (int)file->flags & OPEN_FLAGS;

    if (flags & O_CREAT) {
        file->fd = open(file->name, flags | O_EXCL, 0666);
        file->made = file->fd >= 0;
        if (file->made || errno != EEXIST) {
            return file->made;
        }
    }
    file->fd = open(file->name, flags & ~O_CREAT);
    return file->fd >= 0;
}

/* Opens what the machine asks for; false when that cannot be. */
static bool open_needed(Request *r, GVariant *need)
{
    SentFile file = { .fd = -1 };
    const char *name;
    bool good;

    if (!g_variant_lookup(need, "name", "&s", &name) ||
        !g_variant_lookup(need, "flags", "x", &file.flags) || !words_name(r, name)) {
        return false;
    }
    file.name = g_strdup(name);
    good = !strcmp(name, HOST_TERMINAL) ? open_relay(r, &file) : open_file(&file);
    if (good) {
        g_array_append_val(r->files, file);
    } else {
        g_free(file.name);
    }
    return good;
}

/* ---- attach ---------------------------------------------------------------------------------- */

static void sent_file_clear(void *opaque)
{
    SentFile *file = opaque;

    g_free(file->name);
    close(file->fd);
}

static GVariant *attach_request(const Request *r)
{
    GVariantBuilder files, words;
    GVariantDict dict;

    g_variant_builder_init(&words, G_VARIANT_TYPE("av"));
    for (char **word = r->words; *word; word++) {
        g_variant_builder_add(&words, "v", g_variant_new_string(*word));
    }
    g_variant_builder_init(&files, G_VARIANT_TYPE("av"));
    for (unsigned i = 0; i < r->files->len; i++) {
        const SentFile *sent = &g_array_index(r->files, SentFile, i);
        GVariantDict file;

        g_variant_dict_init(&file, NULL);
        g_variant_dict_insert(&file, "name", "s", sent->name);
        g_variant_dict_insert(&file, "flags", "x", sent->flags);
        g_variant_builder_add(&files, "v", g_variant_dict_end(&file));
    }
    begin_request(&dict, "attach");
    g_variant_dict_insert(&dict, "directory", "s", r->directory);
    g_variant_dict_insert_value(&dict, "words", g_variant_builder_end(&words));
    g_variant_dict_insert_value(&dict, "files", g_variant_builder_end(&files));
    return g_variant_dict_end(&dict);
}

static GVariant *ask_to_attach(const Request *r, AttachWire *wire, GError **errp)
{
    int fds[ATTACH_FDS];
    unsigned n = 0;

    for (; n < r->files->len; n++) {
        fds[n] = g_array_index(r->files, SentFile, n).fd;
    }
    return ask(wire, attach_request(r), fds, n, -1, errp);
}

static int stay(Request *r, AttachWire *wire)
{
    int relay = r->relay;

    r->relay = -1;
    /* The machine's end is the machine's alone, so that its end is seen. */
    g_array_set_size(r->files, 0);
    /* A device stays when nobody has more to say to it; what only answers is done then. */
    return attach_session(wire, relay, r->signals,
                          !g_strv_contains((const char *const *)r->words, "-device") &&
                              !g_strv_contains((const char *const *)r->words, "--device"));
}

/* Asks once; -1: again, with one file more, unless a signal has come. */
static int attach_once(Request *r)
{
    g_autoptr(GError) error = NULL;
    AttachWire *wire = connect_to(r->machine, &error);
    g_autoptr(GVariant) answer = wire ? ask_to_attach(r, wire, &error) : NULL;
    g_autoptr(GVariant) need = answer ? part(answer, "need") : NULL;
    g_autoptr(GVariant) stays = answer ? part(answer, "stays") : NULL;
    g_autoptr(GVariant) done = answer ? part(answer, "done") : NULL;
    const char *text;
    int status = 0;

    if (!answer && attach_signals_came()) {
        /* Who ends it does not want to read what that has cut short; what was sent may be done yet. */
        status = wire ? 0 : -1;
    } else if (!answer) {
        status = failed(error);
    } else if (need && r->files->len < ATTACH_FDS &&
               (open_needed(r, need) || attach_signals_came())) {
        status = -1;
    } else if (error_of(answer)) {
        error_report("%s", error_of(answer));
        status = 1;
    } else if (stays && r->relay >= 0) {
        status = stay(r, wire);
    } else if (!done) {
        error_report("the machine answers in no way that is understood");
        status = 1;
    } else if (g_variant_lookup(done, "text", "&s", &text)) {
        fputs(text, stdout);
    }
    attach_wire_free(wire);
    return status;
}

/* What this process made for words that failed is taken away again. */
static void remove_made(const Request *r)
{
    for (unsigned i = 0; i < r->files->len; i++) {
        const SentFile *file = &g_array_index(r->files, SentFile, i);

        if (file->made) {
            unlink(file->name);
        }
    }
}

static int attach_words(const char *machine, char **words)
{
    Request r = { .machine = machine, .words = words, .relay = -1 };
    int status = -1;

    r.directory = g_get_current_dir();
    if (!is_text(r.directory) || !all_text(words)) {
        g_free(r.directory);
        return 1;
    }
    r.files = g_array_new(FALSE, FALSE, sizeof(SentFile));
    g_array_set_clear_func(r.files, sent_file_clear);
    while (status < 0 && !attach_signals_came()) {
        status = attach_once(&r);
    }
    if (status != 0) {
        remove_made(&r);
    }
    if (r.relay >= 0) {
        close(r.relay);
    }
    g_array_free(r.files, TRUE);
    g_free(r.directory);
    return MAX(status, 0);
}

static int do_attach(int argc, char **argv)
{
    if (!attach_signals_take()) {
        return 1;
    }
    if (argc > 2) {
        return attach_words(argv[1], argv + 2);
    }
    /* Alone it is a monitor. */
    return attach_words(argv[1], (char *[]){ (char *)"-monitor", (char *)"stdio", NULL });
}

/* ---- detach and list ------------------------------------------------------------------------- */

static int do_detach(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    AttachWire *wire;
    g_autoptr(GVariant) answer = NULL;
    GVariantDict dict;

    (void)argc;
    if (!is_text(argv[2])) {
        return 1;
    }
    wire = connect_to(argv[1], &error);
    if (wire) {
        begin_request(&dict, "detach");
        g_variant_dict_insert(&dict, "id", "s", argv[2]);
        answer = ask(wire, g_variant_dict_end(&dict), NULL, 0, -1, &error);
        attach_wire_free(wire);
    }
    if (!answer) {
        return failed(error);
    }
    if (error_of(answer)) {
        error_report("%s", error_of(answer));
        return 1;
    }
    return 0;
}

/* A line a machine: what its name could do to a terminal is shown as a question mark. */
static void print_row(const char *name, const char *pid, const char *machine, const char *state)
{
    g_autofree char *shown = g_utf8_make_valid(name, -1);

    for (char *p = shown; *p; p++) {
        *p = g_ascii_iscntrl(*p) ? '?' : *p;
    }
    printf("%-20s %8s %-12s %s\n", shown, pid, machine, state);
}

static void print_machine(const char *name, GVariant *status)
{
    const char *machine = "?", *state = "?";
    g_autofree char *process = NULL;
    gint64 pid = 0;

    g_variant_lookup(status, "pid", "x", &pid);
    g_variant_lookup(status, "machine", "&s", &machine);
    g_variant_lookup(status, "status", "&s", &state);
    process = g_strdup_printf("%d", (int)pid);
    print_row(name, process, machine, state);
}

static void list_machine(const char *name)
{
    g_autoptr(GError) error = NULL;
    AttachWire *wire = connect_to(name, &error);
    g_autoptr(GVariant) answer = NULL;
    g_autoptr(GVariant) done = NULL;
    GVariantDict dict;

    if (!wire) {
        /* It has ended meanwhile, or died long ago. */
        if (error->code != QOM_ERROR_NOT_FOUND) {
            failed(error);
        }
        return;
    }
    begin_request(&dict, "status");
    answer = ask(wire, g_variant_dict_end(&dict), NULL, 0, LIST_MS, &error);
    done = answer ? part(answer, "done") : NULL;
    if (done) {
        print_machine(name, done);
    } else {
        print_row(name, "-", "-",
                  answer && error_of(answer) ? error_of(answer)
                  : error                    ? error->message
                                             : "?");
    }
    attach_wire_free(wire);
}

static int do_list(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) names = attach_folder_list(&error);

    (void)argc;
    (void)argv;
    if (!names) {
        return failed(error);
    }
    for (unsigned i = 0; i < names->len; i++) {
        list_machine(g_ptr_array_index(names, i));
    }
    return 0;
}

/* ---- Commands -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int min, max; /* words that follow; -1: any number */
    int (*fn)(int argc, char **argv);
} commands[] = {
    { "attach", 1, -1, do_attach },
    { "detach", 2, 2, do_detach },
    { "list", 0, 0, do_list },
};

int attach_client(int argc, char **argv)
{
    const OptionCommand *command = options_command(argv[0]);

    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        int words = argc - 1;

        if (strcmp(commands[i].name, argv[0]) != 0) {
            continue;
        }
        if (words >= commands[i].min && (commands[i].max < 0 || words <= commands[i].max)) {
            return commands[i].fn(argc, argv);
        }
        break;
    }
    error_report("usage: qomet %s%s%s", command->name, *command->args ? " " : "", command->args);
    return 1;
}

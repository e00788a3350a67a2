/* SPDX-License-Identifier: MIT */
/*
 * Options that let others talk to the machine. The monitors are made by the names of their types:
 * they know of options, not the other way round.
 */
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/qom/value.h>
#include "options/options-int.h"

#define TYPE_QMP "monitor-qmp"
#define TYPE_HMP "monitor-hmp"
#define TYPE_GDB "gdb-server"
#define GDB_ID "gdb"

static Object *container(void)
{
    return container_get(object_get_root(), "/monitors");
}

/* The name of the next unnamed monitor; the caller frees. */
static char *next_name(void)
{
    char *name = NULL;
    unsigned n = 0;

    do {
        g_free(name);
        name = g_strdup_printf("compat_monitor%u", n++);
    } while (object_resolve_path_component(container(), name));
    return name;
}

/* A monitor named @id (NULL: the next of the unnamed ones) on the chardev @chr. */
static bool add(OptionPlan *plan, const char *type, const char *id, const char *chr, bool pretty,
                GError **errp)
{
    g_autofree char *name = id ? g_strdup(id) : next_name();
    Object *monitor = object_new_with_props(type, container(), name, errp, "chardev", chr,
                                            pretty ? "pretty" : NULL, "on", NULL);

    option_made(plan, monitor);
    return monitor != NULL;
}

/* Everything that comes on it is for whoever speaks there. */
static Chardev *make_chardev(OptionPlan *plan, const char *id, const char *words, GError **errp)
{
    g_autofree char *full = NULL;
    g_autoptr(KeyVal) kv = NULL;
    Chardev *chr = NULL;

    if (strcmp(words, "stdio") != 0) {
        chr = qemu_chr_new(id, words, errp);
    } else {
        option_leave_stdio(plan);
        full = g_strdup_printf("stdio,id=%s,escape=off", id);
        kv = keyval_parse(full, "backend", errp);
        chr = kv ? qemu_chr_new_keyval(kv, errp) : NULL;
    }
    if (!g_str_has_prefix(words, "chardev:")) {
        option_made(plan, chr);
    }
    return chr;
}

/* One whose chardev is made of the words of the option. */
static bool add_at(OptionPlan *plan, const OptionWord *word, const char *type, bool pretty,
                   GError **errp)
{
    g_autofree char *id = next_name();
    const Chardev *chr = make_chardev(plan, id, word->arg, errp);

    return chr && add(plan, type, NULL, chr->label, pretty, errp);
}

bool option_apply_qmp(OptionPlan *plan, OptionWord *word, GError **errp)
{
    return add_at(plan, word, TYPE_QMP, false, errp);
}

bool option_apply_qmp_pretty(OptionPlan *plan, OptionWord *word, GError **errp)
{
    return add_at(plan, word, TYPE_QMP, true, errp);
}

bool option_apply_monitor(OptionPlan *plan, OptionWord *word, GError **errp)
{
    plan->monitor_given = true;
    return !strcmp(word->arg, "none") || add_at(plan, word, TYPE_HMP, false, errp);
}

bool option_apply_mon(OptionPlan *plan, OptionWord *word, GError **errp)
{
    const char *chr = keyval_take(word->kv, "chardev");
    const char *mode = keyval_take(word->kv, "mode");
    const char *pretty = keyval_take(word->kv, "pretty");
    const char *id = keyval_take(word->kv, "id");
    bool indent = false, control = mode && !strcmp(mode, "control");

    plan->monitor_given = true;
    if ((id && !id_wellformed(id, errp)) || (pretty && !value_parse_bool(pretty, &indent, errp))) {
        return false;
    }
    if (!chr || !qemu_chr_find(chr)) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, chr ? "chardev '%s' not found" : "'%s' is missing",
                      chr ? chr : "chardev");
        return false;
    }
    if (mode && !control && strcmp(mode, "readline") != 0) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "mode=%s: '%s' is not a mode, accepted are readline and control", mode, mode);
        return false;
    }
    if (indent && !control) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'pretty' is not compatible with mode=readline");
        return false;
    }
    return add(plan, control ? TYPE_QMP : TYPE_HMP, id, chr, indent, errp);
}

/* ---- -gdb and -s ---- */

/*
 * A debugger finds a socket that listens and does not keep the machine waiting; who wants something
 * else says so.
 */
static char *gdb_words(const char *words)
{
    bool socket = g_str_has_prefix(words, "tcp:") || g_str_has_prefix(words, "unix:");
    bool server = !strstr(words, ",server=");

    if (!socket) {
        return g_strdup(words);
    }
    return g_strconcat(words, server ? ",server=on" : "",
                       server && !strstr(words, ",wait=") ? ",wait=off" : "", NULL);
}

static const char *gdb_place(const OptionWord *word)
{
    return word->arg ? word->arg : "tcp::1234";
}

static bool make_gdb(OptionPlan *plan, GError **errp)
{
    const char *place = gdb_place(plan->gdb_word);
    g_autofree char *words = gdb_words(place);
    const Chardev *chr;
    Object *server;

    if (!strcmp(place, "none")) {
        return true;
    }
    chr = make_chardev(plan, GDB_ID, words, errp);
    server = chr ? object_new_with_props(TYPE_GDB, container(), GDB_ID, errp, "chardev", chr->label,
                                         NULL)
                 : NULL;
    option_made(plan, server);
    return server != NULL;
}

/* The last of several counts. A serial port that would be at stdio makes room. */
bool option_apply_gdb(OptionPlan *plan, OptionWord *word, GError **errp)
{
    plan->gdb_word = word;
    if (plan->attachment) {
        return make_gdb(plan, errp);
    }
    if (!strcmp(gdb_place(word), "stdio")) {
        option_leave_stdio(plan);
    }
    return true;
}

bool option_make_gdb(OptionPlan *plan, GError **errp)
{
    if (!plan->gdb_word || make_gdb(plan, errp)) {
        return true;
    }
    g_prefix_error(errp, "%s: ", plan->gdb_word->given);
    return false;
}

/* "mon:stdio": the words of a chardev that a serial port and a monitor share. */
bool option_add_serial(OptionPlan *plan, const char *words, GError **errp)
{
    g_autofree char *id = NULL, *shared = NULL;

    if (!g_str_has_prefix(words, "mon:")) {
        machine_add_serial_words(plan->machine, words);
        return true;
    }
    id = g_strdup_printf("serial%u",
                         plan->machine->serial_words ? plan->machine->serial_words->len : 0);
    shared = g_strconcat("chardev:", id, NULL);
    machine_add_serial_words(plan->machine, shared);
    return qemu_chr_new(id, words, errp) && add(plan, TYPE_HMP, NULL, id, false, errp);
}

bool option_apply_nographic(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)word;
    (void)errp;
    plan->nographic = true;
    return true;
}

bool option_share_terminal(OptionPlan *plan, GError **errp)
{
    bool free_terminal = !plan->machine->serial_words && !plan->machine->no_defaults;

    if (!plan->nographic || !free_terminal) {
        return true;
    }
    return option_add_serial(plan, plan->monitor_given ? "stdio" : "mon:stdio", errp);
}

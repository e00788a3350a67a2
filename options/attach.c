/* SPDX-License-Identifier: MIT */
/*
 * Words for a machine that runs: the same table, parser and functions as for the command line, all
 * or nothing, and nothing seen before all is there.
 */
#include <stdlib.h>
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/hw/core/bus.h>
#include <qomet/qom/user-creatable.h>
#include "options/attachment.h"
#include "options/options-int.h"

/* ---- Reading --------------------------------------------------------------------------------- */

char *option_live_names(void)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (const Option *option = option_table; option->name; option++) {
        if (option->live) {
            g_string_append_printf(names, "%s-%s", names->len ? ", " : "", option->name);
        }
    }
    return g_strdup(names->str);
}

static bool check_live(const OptionPlan *plan, GError **errp)
{
    for (unsigned i = 0; i < plan->words->len; i++) {
        const OptionWord *word = g_ptr_array_index(plan->words, i);

        if (!word->option->live) {
            g_autofree char *names = option_live_names();

            qom_error_set(errp, QOM_ERROR_STATE,
                          "%s: a machine that runs does not take this; it takes %s", word->given,
                          names);
            return false;
        }
    }
    return true;
}

static OptionPlan *read_words(char *const *words, GError **errp)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    OptionPlan *plan;

    g_ptr_array_add(argv, (void *)"qomet");
    for (; *words; words++) {
        g_ptr_array_add(argv, *words);
    }
    plan = options_parse_live((int)argv->len, (char **)argv->pdata, errp);
    if (plan && !check_live(plan, errp)) {
        option_plan_free(plan);
        return NULL;
    }
    return plan;
}

/* The answer to the first word that is a question, or NULL; the caller frees. */
static char *answer_question(const OptionPlan *plan)
{
    g_autofree char *text = NULL;
    bool answered = false;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    for (unsigned i = 0; out && i < plan->words->len && !answered; i++) {
        const OptionWord *word = g_ptr_array_index(plan->words, i);

        answered = word->option->answer && word->option->answer(word, out);
    }
    if (out) {
        fclose(out);
    }
    return answered ? g_steal_pointer(&text) : NULL;
}

/* Before anything is made: everything that can be said against the words, of each its own. */
static bool check_words(OptionPlan *plan, GError **errp)
{
    g_autoptr(GString) reasons = g_string_new(NULL);
    QomErrorCode code = QOM_ERROR_FAILED;

    for (unsigned i = 0; i < plan->words->len; i++) {
        OptionWord *word = g_ptr_array_index(plan->words, i);
        g_autoptr(GError) error = NULL;

        if (word->option->check && !word->option->check(plan, word, &error)) {
            code = reasons->len ? code : (QomErrorCode)error->code;
            g_string_append_printf(reasons, "%s%s: %s", reasons->len ? "; " : "", word->given,
                                   error->message);
        }
    }
    if (reasons->len) {
        qom_error_set(errp, code, "%s", reasons->str);
    }
    return !reasons->len;
}

/* ---- Carrying out ---------------------------------------------------------------------------- */

bool option_id_is_free(const char *container, const char *id, GError **errp)
{
    Object *taken = NULL;
    g_autofree char *path = NULL;

    if (id) {
        path = g_strconcat(container, "/", id, NULL);
        taken = object_resolve_path(path, NULL);
    }
    if (taken) {
        qom_error_set(errp, QOM_ERROR_EXISTS, "id '%s' is already taken by %s (%s)", id, path,
                      object_get_typename(taken));
    }
    return !taken;
}

void option_made(OptionPlan *plan, void *obj)
{
    if (plan->attachment && obj) {
        attachment_add(plan->attachment, obj);
    }
}

static bool carry_out(OptionPlan *plan, HostClient *client, GError **errp)
{
    bool good = true;

    host_client_enter(client);
    qdev_batch_begin();
    for (OptionStage stage = 0; good && stage < OPTION_STAGE__MAX; stage++) {
        good = option_carry_out(plan, stage, errp);
    }
    if (good) {
        host_client_settle(client);
    }
    good = qdev_batch_end(good, errp);
    if (good) {
        attachment_complete(plan->attachment);
    } else {
        attachment_undo(plan->attachment);
    }
    host_client_leave(client, good);
    return good;
}

char *options_answer(char *const *words)
{
    OptionPlan *plan = read_words(words, NULL);
    char *text = plan ? answer_question(plan) : NULL;

    option_plan_free(plan);
    return text;
}

Attachment *options_attach(char *const *words, HostClient *client, char **answer, GError **errp)
{
    OptionPlan *plan = read_words(words, errp);
    Attachment *attachment = NULL;

    *answer = plan ? answer_question(plan) : NULL;
    if (plan && !*answer && check_words(plan, errp)) {
        plan->attachment = attachment_new();
        attachment = carry_out(plan, client, errp) ? plan->attachment : NULL;
    }
    option_plan_free(plan);
    return attachment;
}

/* ---- Taking away ----------------------------------------------------------------------------- */

/* Where things have names. */
enum { PLACE_DEVICES, PLACE_MONITORS, PLACE_OBJECTS, PLACE_CHARDEVS, PLACE__MAX };

static Object *place_at(int place)
{
    static const char *const paths[PLACE__MAX] = {
        [PLACE_DEVICES] = "/machine/peripheral",
        [PLACE_MONITORS] = "/monitors",
        [PLACE_OBJECTS] = "/objects",
        [PLACE_CHARDEVS] = "/chardevs",
    };

    return container_get(object_get_root(), paths[place]);
}

static int collect_name(Object *child, void *opaque)
{
    if (object_get_parent(child) == place_at(PLACE_MONITORS) && !attachments_have(child)) {
        return 0;
    }
    g_ptr_array_add(opaque, (void *)object_get_canonical_path_component(child));
    return 0;
}

static bool nothing_called(const char *id, GError **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *near = NULL;

    for (int place = 0; place < PLACE__MAX; place++) {
        object_child_foreach(place_at(place), collect_name, names);
    }
    g_ptr_array_add(names, NULL);
    near = qom_did_you_mean(id, (const char *const *)names->pdata);
    qom_error_set(errp, QOM_ERROR_NOT_FOUND,
                  "there is no device, monitor, object or chardev '%s'%s", id, near);
    return false;
}

static bool detach_device(DeviceState *dev, DeviceState **pending, GError **errp)
{
    bool ok;

    object_ref(dev);
    ok = qdev_unplug(dev, errp);
    if (ok && dev->realized) {
        *pending = dev;
    }
    object_unref(dev);
    return ok;
}

/* What else has the name @id. */
static bool detach_other(const char *id, GError **errp)
{
    Object *monitor = object_resolve_path_component(place_at(PLACE_MONITORS), id);

    /* Who reads this request is one of those that the command line has made. */
    if (monitor && attachments_have(monitor)) {
        object_unparent(monitor);
        return true;
    }
    return object_resolve_path_component(place_at(PLACE_OBJECTS), id) ? user_creatable_del(id, errp)
           : qemu_chr_find(id)                                        ? qemu_chr_remove(id, errp)
                                                                      : nothing_called(id, errp);
}

bool options_detach(const char *id, DeviceState **pending, GError **errp)
{
    DeviceState *dev = *id ? qdev_find(id) : NULL;
    bool ok;

    *pending = NULL;
    ok = dev ? detach_device(dev, pending, errp) : detach_other(id, errp);
    attachments_sweep();
    return ok;
}

/* SPDX-License-Identifier: MIT */
/*
 * Options about the machine: its class and properties, what it starts, and what executes it.
 */
#include <string.h>
#include <sys/prctl.h>
#include <qomet/accel/qtest/qtest.h>
#include <qomet/backends/daemon.h>
#include "options/options-int.h"

bool option_make_machine(OptionPlan *plan, GError **errp)
{
    MachineClass *mc = NULL;

    for (unsigned i = 0; i < plan->words->len; i++) {
        OptionWord *word = g_ptr_array_index(plan->words, i);
        const char *name;

        if (word->option->apply != option_apply_machine) {
            continue;
        }
        plan->machine_word = word;
        name = keyval_take(word->kv, "type");
        if (name) {
            mc = machine_class_find(name, errp);
            if (!mc) {
                g_prefix_error(errp, "%s: ", word->given);
                return false;
            }
        }
    }
    mc = mc ? mc : machine_class_default();
    if (!mc) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND,
                      "no machine was asked for and there is no default; '-M help' lists them");
        return false;
    }
    plan->machine = machine_new(mc, errp);
    if (plan->machine) {
        plan->machine->waits = plan->stopped;
    }
    return plan->machine != NULL;
}

bool option_apply_machine(OptionPlan *plan, OptionWord *word, GError **errp)
{
    const char *accel;

    keyval_take(word->kv, "type");
    accel = keyval_take(word->kv, "accel");
    if (accel) {
        g_free(plan->machine_accel);
        plan->machine_accel = g_strdup(accel);
    }
    return keyval_apply(word->kv, OBJECT(plan->machine), errp);
}

static bool set(OptionPlan *plan, const char *property, const char *text, GError **errp)
{
    return object_property_parse(OBJECT(plan->machine), property, text, errp);
}

/* The one key that an option has, as its text; NULL with @errp set when it is not there. */
static const char *only_key(OptionWord *word, const char *key, GError **errp)
{
    const char *text = keyval_take(word->kv, key);

    if (!text || !*text) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is missing: write %s", key, word->option->arg);
        return NULL;
    }
    return text;
}

bool option_apply_memory(OptionPlan *plan, OptionWord *word, GError **errp)
{
    const char *size = only_key(word, "size", errp);
    g_autofree char *text = NULL;

    if (!size) {
        return false;
    }
    /* A number alone is in MiB here, as nowhere else. */
    text = size[strspn(size, "0123456789")] ? g_strdup(size) : g_strconcat(size, "M", NULL);
    return set(plan, "ram-size", text, errp) && machine_check_ram(plan->machine, errp);
}

/* A level of -smp; that it follows from the others is said by leaving it out. */
static bool set_number(OptionPlan *plan, const char *level, const char *text, GError **errp)
{
    if (!set(plan, level, text, errp)) {
        return false;
    }
    if (!object_property_get_uint(OBJECT(plan->machine), level, NULL)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "%s=%s: accepted are numbers from 1", level, text);
        return false;
    }
    return true;
}

/* Levels between socket and core, which programs name although there is one of each. */
static bool check_undivided(OptionWord *word, const char *level, GError **errp)
{
    const char *text = keyval_take(word->kv, level);

    if (text && strcmp(text, "1") != 0) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "%s=%s: a socket is not divided into %s, accepted is 1", level, text, level);
        return false;
    }
    return true;
}

bool option_apply_smp(OptionPlan *plan, OptionWord *word, GError **errp)
{
    static const char *const levels[] = { "sockets", "cores", "threads", "maxcpus" };
    const char *cpus = keyval_take(word->kv, "cpus");
    unsigned given = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(levels); i++) {
        const char *text = keyval_take(word->kv, levels[i]);

        given += text != NULL;
        if (text && !set_number(plan, levels[i], text, errp)) {
            return false;
        }
    }
    if (!check_undivided(word, "dies", errp) || !check_undivided(word, "clusters", errp)) {
        return false;
    }
    if (!cpus && given) {
        return machine_compute_cpus(plan->machine, errp) && machine_check_cpus(plan->machine, errp);
    }
    cpus = only_key(word, "cpus", errp);
    return cpus && set(plan, "smp", cpus, errp) && machine_check_cpus(plan->machine, errp);
}

bool option_check_cpu(OptionPlan *plan, OptionWord *word, GError **errp)
{
    g_autofree char *model = g_strndup(word->arg, strcspn(word->arg, ","));

    (void)plan;
    return x86_cpu_class_by_name(model, errp) != NULL;
}

bool option_apply_cpu(OptionPlan *plan, OptionWord *word, GError **errp)
{
    return set(plan, "cpu", word->arg, errp);
}

bool option_apply_kernel(OptionPlan *plan, OptionWord *word, GError **errp)
{
    plan->kernel_word = word;
    return set(plan, "kernel", word->arg, errp);
}

bool option_apply_initrd(OptionPlan *plan, OptionWord *word, GError **errp)
{
    return set(plan, "initrd", word->arg, errp);
}

bool option_apply_append(OptionPlan *plan, OptionWord *word, GError **errp)
{
    return set(plan, "append", word->arg, errp);
}

bool option_apply_bios(OptionPlan *plan, OptionWord *word, GError **errp)
{
    return set(plan, "firmware", word->arg, errp);
}

bool option_apply_nodefaults(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)word;
    return object_property_set_bool(OBJECT(plan->machine), "nodefaults", true, errp);
}

bool option_apply_serial(OptionPlan *plan, OptionWord *word, GError **errp)
{
    return option_add_serial(plan, word->arg, errp);
}

bool option_apply_name(OptionPlan *plan, OptionWord *word, GError **errp)
{
    const char *name = keyval_take(word->kv, "guest");
    const char *process = keyval_take(word->kv, "process");

    if (process) {
        prctl(PR_SET_NAME, process);
    }
    return !name || object_property_set_str(OBJECT(plan->machine), "guest-name", name, errp);
}

/* In a room that this one may not use, so it is known by the name of its type only. */
bool option_make_attach_server(OptionPlan *plan, GError **errp)
{
    const char *name = plan->machine->guest_name;

    if (!name ||
        object_new_with_props("attach-server", container_get(object_get_root(), "/monitors"),
                              "attach-server", errp, "name", name, NULL)) {
        return true;
    }
    g_prefix_error(errp, "-name %s: ", name);
    return false;
}

/* ---- What executes it ---- */

bool option_apply_accel(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)errp;
    g_ptr_array_add(plan->accels, word);
    return true;
}

bool option_apply_qtest(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)errp;
    plan->qtest_word = word;
    return true;
}

bool option_apply_qtest_log(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)errp;
    plan->qtest_log_word = word;
    return true;
}

void option_leave_stdio(OptionPlan *plan)
{
    if (plan->machine && !plan->machine->serial_words) {
        machine_add_serial_words(plan->machine, "none");
    }
}

/* The tester's connection: an object like any other, made of two options. */
static bool make_qtest(OptionPlan *plan, GError **errp)
{
    const OptionWord *where = plan->qtest_word, *log = plan->qtest_log_word;
    Object *tester;

    if (!where) {
        if (log) {
            qom_error_set(errp, QOM_ERROR_VALUE, "%s: there is nothing to log without -qtest",
                          log->given);
        }
        return !log;
    }
    if (!strcmp(where->arg, "stdio") && is_daemonized()) {
        qom_error_set(errp, QOM_ERROR_STATE, "%s: cannot use stdio with -daemonize", where->given);
        return false;
    }
    if (!strcmp(where->arg, "stdio")) {
        option_leave_stdio(plan);
    }
    tester = object_new_with_props(TYPE_QTEST, object_get_objects_root(), "qtest", errp, "address",
                                   where->arg, log ? "log" : NULL, log ? log->arg : NULL, NULL);
    if (!tester) {
        g_prefix_error(errp, "%s: ", where->given);
    }
    return tester != NULL;
}

/* Tries each -accel in turn; the reasons of all that failed are told. */
static bool make_given_accel(OptionPlan *plan, GError **errp)
{
    g_autoptr(GString) reasons = g_string_new(NULL);

    for (unsigned i = 0; i < plan->accels->len; i++) {
        const OptionWord *word = g_ptr_array_index(plan->accels, i);
        g_autoptr(GError) error = NULL;

        if (accel_init(word->arg, &error)) {
            return true;
        }
        g_string_append_printf(reasons, "%s%s: %s", i ? "; " : "", word->given, error->message);
    }
    qom_error_set(errp, QOM_ERROR_FAILED, "%s", reasons->str);
    return false;
}

bool option_make_accel(OptionPlan *plan, GError **errp)
{
    MachineClass *mc = MACHINE_GET_CLASS(plan->machine);

    if (plan->accels->len) {
        if (!make_given_accel(plan, errp)) {
            return false;
        }
    } else if (plan->machine_accel) {
        if (!accel_init(plan->machine_accel, errp)) {
            g_prefix_error(errp, "%s: ", plan->machine_word->given);
            return false;
        }
    } else if (!accel_init(plan->qtest_word                    ? "qtest"
                           : mc->max_cpus && !plan->dump_board ? "kvm"
                                                               : "kvm:qtest",
                           errp)) {
        return false;
    }
    return make_qtest(plan, errp);
}

/* Says which option is at fault, unless the machine has said so. */
static void blame(const OptionWord *word, GError **errp)
{
    if (word && errp && *errp && (*errp)->message[0] != '-') {
        g_prefix_error(errp, "%s: ", word->given);
    }
}

bool option_make_board(OptionPlan *plan, GError **errp)
{
    if (!option_share_terminal(plan, errp)) {
        g_prefix_error(errp, "-nographic: ");
        return false;
    }
    if (!machine_init(plan->machine, errp)) {
        blame(plan->machine_word, errp);
        return false;
    }
    return true;
}

bool option_finish_machine(OptionPlan *plan, GError **errp)
{
    option_dump_board(plan);
    if (plan->answered) {
        return true;
    }
    if (!machine_done(plan->machine, errp)) {
        blame(plan->kernel_word ? plan->kernel_word : plan->machine_word, errp);
        return false;
    }
    return true;
}

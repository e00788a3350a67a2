/* SPDX-License-Identifier: MIT */
/*
 * The plan carried out: stage after stage, in QEMU's order. What an option does stands in the other
 * apply files.
 */
#include <unistd.h>
#include "options/options-int.h"

/* A program that was built and not installed has its modules beside it. */
static char *module_dir(void)
{
    const char *named = g_getenv("QOMET_MODULE_DIR");
    g_autofree char *program = NULL, *beside = NULL, *index = NULL;

    if (named && *named) {
        return g_strdup(named);
    }
    program = g_file_read_link("/proc/self/exe", NULL);
    if (program) {
        beside = g_path_get_dirname(program);
        index = g_build_filename(beside, "modules.index", NULL);
    }
    return index && access(index, F_OK) == 0 ? g_steal_pointer(&beside) : g_strdup(QOMET_MODULEDIR);
}

static bool offer_modules(OptionPlan *plan, GError **errp)
{
    (void)plan;
    (void)errp;
    module_set_dir_finder(module_dir);
    return true;
}

/* Answers the first word that is a question. */
static bool answer_questions(OptionPlan *plan)
{
    for (unsigned i = 0; i < plan->words->len && !plan->answered; i++) {
        const OptionWord *word = g_ptr_array_index(plan->words, i);

        plan->answered = word->option->answer && word->option->answer(word, stdout);
    }
    return plan->answered;
}

/* Every type is registered now: answers questions, else looks for names that nothing has. */
static bool answer_and_check(OptionPlan *plan, GError **errp)
{
    if (answer_questions(plan)) {
        return true;
    }
    for (unsigned i = 0; i < plan->words->len; i++) {
        OptionWord *word = g_ptr_array_index(plan->words, i);

        if (word->option->check && !word->option->check(plan, word, errp)) {
            g_prefix_error(errp, "%s: ", word->given);
            return false;
        }
    }
    return true;
}

/* What is done before and after the options of a stage. */
static const struct {
    bool (*begin)(OptionPlan *plan, GError **errp);
    bool (*end)(OptionPlan *plan, GError **errp);
} stages[OPTION_STAGE__MAX] = {
    [OPTION_STAGE_ANSWER] = { option_read_configs, NULL },
    [OPTION_STAGE_MODULE] = { offer_modules, NULL },
    [OPTION_STAGE_BOARD] = { NULL, answer_and_check },
    [OPTION_STAGE_PROCESS] = { option_daemonize, NULL },
    [OPTION_STAGE_MACHINE] = { option_make_machine, option_make_attach_server },
    [OPTION_STAGE_ACCEL] = { NULL, option_make_accel },
    [OPTION_STAGE_TALKER] = { option_make_board, NULL },
    [OPTION_STAGE_DEVICE] = { NULL, option_finish_machine },
    [OPTION_STAGE_READY] = { option_make_gdb, NULL },
};

static OptionStage stage_of(const OptionWord *word)
{
    return word->option->find_stage ? word->option->find_stage(word) : word->option->stage;
}

bool option_carry_out(OptionPlan *plan, OptionStage stage, GError **errp)
{
    for (unsigned i = 0; i < plan->words->len && !plan->answered; i++) {
        OptionWord *word = g_ptr_array_index(plan->words, i);

        if (stage_of(word) != stage) {
            continue;
        }
        if (stage == OPTION_STAGE_ANSWER) {
            plan->answered = word->option->answer(word, stdout);
        } else if (word->option->apply && !word->option->apply(plan, word, errp)) {
            g_prefix_error(errp, "%s: ", word->given);
            return false;
        }
    }
    return true;
}

static bool carry_out_stage(OptionPlan *plan, OptionStage stage, GError **errp)
{
    if ((stages[stage].begin && !stages[stage].begin(plan, errp)) ||
        !option_carry_out(plan, stage, errp)) {
        return false;
    }
    return plan->answered || !stages[stage].end || stages[stage].end(plan, errp);
}

OptionsResult options_apply(OptionPlan *plan, GError **errp)
{
    for (OptionStage stage = 0; stage < OPTION_STAGE__MAX; stage++) {
        if (!carry_out_stage(plan, stage, errp)) {
            return OPTIONS_FAILED;
        }
        if (plan->answered) {
            return OPTIONS_ANSWERED;
        }
    }
    option_warn_unused_globals();
    return OPTIONS_READY;
}

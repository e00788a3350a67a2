/* SPDX-License-Identifier: MIT */
/*
 * The words of the command line: read into a plan, then carried out in QEMU's order. And what a
 * running machine is told in the same words: device_add.
 */
#ifndef QOMET_OPTIONS_OPTIONS_H
#define QOMET_OPTIONS_OPTIONS_H

#include <qomet/hw/core/qdev.h>
#include <qomet/qom/keyval.h>

/**
 * A command line that has been read, and what carrying it out has made that no object owns (the pid
 * file).
 */
typedef struct OptionPlan OptionPlan;

/** What options_apply() has come to. */
typedef enum OptionsResult {
    OPTIONS_FAILED,   /* an error is set */
    OPTIONS_ANSWERED, /* a question was answered on standard output: the program is done */
    OPTIONS_READY,    /* the machine is made */
} OptionsResult;

/**
 * Reads @argv (its first word is the program's name) into a plan that the caller ends with
 * option_plan_free(). Nothing is touched, opened or registered. NULL with @errp set - it begins
 * with the option and its word as given - for an unknown option (the nearest is named), a missing
 * argument or words that do not parse. Any thread.
 */
OptionPlan *options_parse(int argc, char **argv, GError **errp);

/**
 * Carries the plan out: modules, questions, log and pid file, globals, the machine's properties,
 * objects, character devices, accelerator, board, devices. The rooms must be initialised and types
 * registered. On failure @errp begins with the option and its words; what was made so far is left
 * to the usual cleanup. Main thread, once for a plan.
 */
OptionsResult options_apply(OptionPlan *plan, GError **errp);

/** Whether the machine is to wait for a start (-S). */
bool options_start_stopped(const OptionPlan *plan);

/** Frees @plan (NULL is fine) and removes its pid file. Main thread. */
void option_plan_free(OptionPlan *plan);

/**
 * Makes the device that @kv says ("driver", "id", "bus" and properties), as -device and device_add
 * do: finds its bus, applies globals and properties, realizes. The device without a reference,
 * owned by the tree; or NULL with @errp set and nothing left behind. Main thread.
 */
DeviceState *options_device_add(KeyVal *kv, GError **errp);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The words of the command line: read into a plan, then carried out in QEMU's order. And what a
 * running machine is told in the same words: device_add.
 */
#ifndef QOMET_OPTIONS_OPTIONS_H
#define QOMET_OPTIONS_OPTIONS_H

#include <qomet/backends/host-client.h>
#include <qomet/hw/core/qdev.h>
#include <qomet/qom/keyval.h>

/**
 * A command line that has been read, and what carrying it out has made that no object owns (the pid
 * file).
 */
typedef struct OptionPlan OptionPlan;

/** A key that an option takes. */
typedef struct OptionKey {
    const char *name;
    const char *type; /* "string", "boolean", "number" or "size" */
    const char *help; /* a part of a sentence */
} OptionKey;

/** The keys of an option as clients ask for them. */
typedef struct OptionList {
    const char *name;      /* QEMU's for it: "smp-opts" */
    const OptionKey *keys; /* ended by one without a name; NULL: there is no list of them */
    const char *keys_of;   /* the properties of the types below this one are keys too; or NULL */
} OptionList;

/** The keys of option number @n of those that have such a list; false past the last. Any thread. */
bool options_list(unsigned n, OptionList *list);

/** A word that makes the program do something else than run a machine. */
typedef struct OptionCommand {
    const char *name;
    const char *args; /* what follows, as the help text shows it */
    const char *help; /* sentences */
} OptionCommand;

/** The command that the first word of a command line names, or NULL. Any thread. */
const OptionCommand *options_command(const char *word);

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

/* ---- A machine that runs --------------------------------------------------------------------- */

#define TYPE_ATTACHMENT "attachment"
/**
 * What words have brought to a running machine, in /attachments, with a link to each device, object
 * and chardev. They stay together: when the last device has gone, the chardevs and objects that came
 * with it and are used by nobody else go too, and the attachment with them.
 */
OBJECT_DECLARE_SIMPLE_TYPE(Attachment, ATTACHMENT)

/**
 * Carries out @words (as on the command line, without the program's name; NULL at their end) on the
 * running machine for @client: all of them, or none. Everything is made and realized while the guest
 * cannot see it, then announced; a failure undoes it in reverse. Returns the attachment without a
 * reference. NULL with *@answer set (the caller frees): a question was answered, nothing else was
 * done. NULL with @errp set: as before; it begins with the option and its words, and
 * host_client_wish() may tell what the client is to open. Main thread, outside devices.
 */
Attachment *options_attach(char *const *words, HostClient *client, char **answer, GError **errp);
/**
 * The answer when @words (as above) ask a question ("-device", "help"), or NULL: they do not, or
 * cannot be read. The caller frees. Main thread.
 */
char *options_answer(char *const *words);
/** Has @fn called when all that was attached is gone, just before @a itself ends. */
void attachment_set_gone(Attachment *a, void (*fn)(void *opaque), void *opaque);
/** Takes away what was attached, last first; what the guest has to agree to goes when it does. */
void attachment_end(Attachment *a);
/**
 * Takes away the device @id, or, where there is none, the object or the chardev. When true is
 * returned and *@pending set (without a reference), that device goes when the guest agrees.
 */
bool options_detach(const char *id, DeviceState **pending, GError **errp);

#endif

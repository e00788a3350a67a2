/* SPDX-License-Identifier: MIT */
/*
 * What the files of options/ share: a row of the option table, a word of the command line that was
 * matched with one, and the plan that the words make.
 */
#ifndef OPTIONS_OPTIONS_INT_H
#define OPTIONS_OPTIONS_INT_H

#include <stdio.h>
#include <qomet/machine/machine.h>
#include <qomet/options/options.h>
#include <qomet/qom/user-creatable.h>

typedef struct Option Option;
typedef struct OptionWord OptionWord;

/** Under which heading an option stands in the help text. */
typedef enum OptionSection {
    OPTION_SECTION_MACHINE,
    OPTION_SECTION_GUEST,
    OPTION_SECTION_DEVICES,
    OPTION_SECTION_MONITOR,
    OPTION_SECTION_PROCESS,
    OPTION_SECTION_DEBUG,
    OPTION_SECTION_HELP,
    OPTION_SECTION__MAX,
} OptionSection;

/** The order in which options are carried out; within a stage, that of the command line. */
typedef enum OptionStage {
    OPTION_STAGE_ANSWER, /* -help, -version: before anything is done */
    OPTION_STAGE_MODULE,
    OPTION_STAGE_BOARD,   /* then "help" words are answered and names are checked */
    OPTION_STAGE_PROCESS, /* log, pid file */
    OPTION_STAGE_GLOBAL,
    OPTION_STAGE_MACHINE, /* the machine is made, its properties are set */
    OPTION_STAGE_OBJECT,
    OPTION_STAGE_CHARDEV,
    OPTION_STAGE_MONITOR, /* those who talk to the machine */
    OPTION_STAGE_ACCEL,   /* gathers; at its end the accelerator is made */
    OPTION_STAGE_TALKER,  /* at its beginning the board is made; objects that stand on chardevs */
    OPTION_STAGE_DEVICE,  /* at its end the machine is done */
    OPTION_STAGE_READY,   /* there is a machine, which has not run */
    OPTION_STAGE__MAX,
} OptionStage;

/** One option. */
struct Option {
    const char *name;  /* without dashes */
    const char *alias; /* a second name, or NULL */
    const char *arg;   /* what follows, as the help text shows it; NULL: nothing follows */
    const char *help;  /* sentences */
    OptionSection section;
    OptionStage stage;
    bool completes_help; /* answers "help" with a list of names: completion asks it */
    bool live;           /* a machine that runs takes it too: what it makes is option_made() */
    /** The stage where it depends on what is asked for; NULL: it is @stage. */
    OptionStage (*find_stage)(const OptionWord *word);
    /**
     * Takes word->arg apart into word->kv without touching anything; NULL: the argument is taken as
     * it is.
     */
    bool (*read)(OptionWord *word, GError **errp);
    const char *implied_key; /* for option_read_keyval() */
    /**
     * What query-command-line-options calls it, where it takes keys and values; or NULL. Its keys,
     * ended by one without a name (NULL: any), and the type whose properties are keys too, or NULL.
     */
    const char *list;
    const OptionKey *keys;
    const char *keys_of;
    /**
     * When the word is a question ("help"), answers it on @out; false: it is none. May be NULL.
     */
    bool (*answer)(const OptionWord *word, FILE *out);
    /** Finds wrong names before anything is opened; may be NULL. */
    bool (*check)(OptionPlan *plan, OptionWord *word, GError **errp);
    /** Carries it out at its stage; NULL: it is accepted and changes nothing here. */
    bool (*apply)(OptionPlan *plan, OptionWord *word, GError **errp);
};

/** An option as it was given. */
struct OptionWord {
    const Option *option;
    char *given; /* "-device nope": the words as they were written, for messages */
    char *arg;   /* what followed, or NULL */
    KeyVal *kv;  /* the same taken apart, or NULL */
};

struct OptionPlan {
    GPtrArray *words; /* of OptionWord *, as written */
    bool answered;    /* a question was answered: nothing else is to be done */
    bool stopped;     /* -S */
    bool dump_board;  /* -dump-board */
    bool daemonize;   /* -daemonize */
    char *pidfile;    /* the one that is ours to remove, or NULL */
    int pidfile_fd;   /* holds its lock; -1: none */
    /* The last one of each that was met, or NULL: */
    const OptionWord *machine_word, *kernel_word, *qtest_word, *qtest_log_word, *gdb_word;
    MachineState *machine;
    char *machine_accel; /* -M ...,accel=WORDS; or NULL */
    GPtrArray *accels;   /* of const OptionWord *: -accel */
    bool nographic;      /* -nographic */
    bool monitor_given;  /* -monitor or -mon: nobody needs one by default */
    /* What words for a running machine have made so far; NULL: it is a command line. */
    Attachment *attachment;
};

/** The table, ended by a row without a name, and the headings of its sections. */
extern const Option option_table[];
extern const char *const option_section_titles[OPTION_SECTION__MAX];
/** The program's other uses, ended by a row without a name. */
extern const OptionCommand option_commands[];
/** The row of @name (without dashes; a second name too), or NULL. */
const Option *option_find(const char *name);

/** Carries out the words of @stage, in the order written. */
bool option_carry_out(OptionPlan *plan, OptionStage stage, GError **errp);
/** Notes that the words being carried out have made @obj, if they came to a running machine. */
void option_made(OptionPlan *plan, void *obj);
/** options_parse() for words to a machine that runs: what is no option is told so for it. */
OptionPlan *options_parse_live(int argc, char **argv, GError **errp);
/** "-chardev, -device, -object": what a running machine takes; the caller frees. */
char *option_live_names(void);
/** For checks: whether @id (NULL is fine) is free among the children of @container. */
bool option_id_is_free(const char *container, const char *id, GError **errp);

/**
 * A word of @option whose argument (@given and @arg are taken over) is read; NULL with @errp set.
 */
OptionWord *option_word_new(const Option *option, char *given, char *arg, GError **errp);
/** @text (@len bytes, -1: all) with its commas doubled, so that it is one value. The caller frees. */
char *option_quote_commas(const char *text, gssize len);
/** Puts what the files of -readconfig hold in the places of the option (read-config.c). */
bool option_read_configs(OptionPlan *plan, GError **errp);

/* Reading (parse.c): Option.read functions. */
bool option_read_keyval(OptionWord *word, GError **errp);
bool option_read_global(OptionWord *word, GError **errp);

/* Answers (answer.c). */
bool option_answer_help(const OptionWord *word, FILE *out);
bool option_answer_version(const OptionWord *word, FILE *out);
bool option_answer_machine(const OptionWord *word, FILE *out);
bool option_answer_accel(const OptionWord *word, FILE *out);
bool option_answer_cpu(const OptionWord *word, FILE *out);
bool option_answer_device(const OptionWord *word, FILE *out);
bool option_answer_object(const OptionWord *word, FILE *out);
bool option_answer_chardev(const OptionWord *word, FILE *out);
bool option_answer_log(const OptionWord *word, FILE *out);
bool option_answer_display(const OptionWord *word, FILE *out);
/** The help text of the whole table. */
void option_print_help(FILE *out);

/* Of the program (apply-process.c). */
bool option_apply_module(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_log(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_log_file(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_trace_file(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_explain(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_pidfile(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_daemonize(OptionPlan *plan, OptionWord *word, GError **errp);
/** Goes into the background, if that was asked for. */
bool option_daemonize(OptionPlan *plan, GError **errp);
bool option_apply_stopped(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_check_display(OptionPlan *plan, OptionWord *word, GError **errp);
void option_pidfile_remove(OptionPlan *plan);

/* Of the machine's end (apply-actions.c). */
bool option_apply_action(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_no_reboot(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_no_shutdown(OptionPlan *plan, OptionWord *word, GError **errp);

/* Of the machine (apply-machine.c). */
bool option_apply_accel(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_qtest(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_qtest_log(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_machine(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_memory(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_smp(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_check_cpu(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_cpu(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_kernel(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_initrd(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_append(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_bios(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_fw_cfg(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_nodefaults(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_serial(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_name(OptionPlan *plan, OptionWord *word, GError **errp);
/** Makes the machine object of the class that -M names, or of the default one. */
bool option_make_machine(OptionPlan *plan, GError **errp);
/**
 * Somebody has standard input and output: the first serial port does not go there unless it is told
 * to.
 */
void option_leave_stdio(OptionPlan *plan);
/** Opens the accelerator that was asked for, and the tester's connection. */
bool option_make_accel(OptionPlan *plan, GError **errp);
bool option_make_board(OptionPlan *plan, GError **errp);
/** Lets other processes change a machine that has a name. */
bool option_make_attach_server(OptionPlan *plan, GError **errp);
bool option_finish_machine(OptionPlan *plan, GError **errp);

/* Boards (apply-board.c). */
bool option_apply_board(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_dump_board(OptionPlan *plan, OptionWord *word, GError **errp);
/** Answers -dump-board, if it was given. */
void option_dump_board(OptionPlan *plan);

/* Of objects (apply-objects.c). */
bool option_apply_global(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_check_object(OptionPlan *plan, OptionWord *word, GError **errp);
OptionStage option_stage_of_object(const OptionWord *word);
bool option_apply_object(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_check_chardev(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_chardev(OptionPlan *plan, OptionWord *word, GError **errp);
/** Warns of every -global that no object has used, with the reason. */
void option_warn_unused_globals(void);

/* Of those who talk to the machine (apply-monitor.c). */
bool option_apply_qmp(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_qmp_pretty(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_monitor(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_gdb(OptionPlan *plan, OptionWord *word, GError **errp);
/** Gives the machine's vCPUs to the debugger of -gdb. */
bool option_make_gdb(OptionPlan *plan, GError **errp);
/** What -serial does. */
bool option_add_serial(OptionPlan *plan, const char *words, GError **errp);
bool option_apply_nographic(OptionPlan *plan, OptionWord *word, GError **errp);
/**
 * With -nographic, the first serial port and a monitor share the terminal, unless somebody has it
 * or the serial port is elsewhere. Before the board.
 */
bool option_share_terminal(OptionPlan *plan, GError **errp);
bool option_apply_mon(OptionPlan *plan, OptionWord *word, GError **errp);

/* Devices (device-add.c). */
bool option_check_device(OptionPlan *plan, OptionWord *word, GError **errp);
bool option_apply_device(OptionPlan *plan, OptionWord *word, GError **errp);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The option table. The command line is read by it, and the help text, the manual page and the
 * shell's completion are made of it.
 */
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include "options/options-int.h"

const char *const option_section_titles[OPTION_SECTION__MAX] = {
    [OPTION_SECTION_MACHINE] = "The machine",
    [OPTION_SECTION_GUEST] = "What the guest starts with",
    [OPTION_SECTION_DEVICES] = "Devices and what stands behind them",
    [OPTION_SECTION_MONITOR] = "Talking to the machine",
    [OPTION_SECTION_PROCESS] = "The program itself",
    [OPTION_SECTION_DEBUG] = "Looking inside",
    [OPTION_SECTION_HELP] = "Questions",
};

/* ---- Keys of options ---- */

static const OptionKey machine_keys[] = {
    { "type", "string", "the machine to make" },
    { "accel", "string", "what executes the guest" },
    { .name = NULL },
};
static const OptionKey memory_keys[] = {
    { "size", "size", "the guest's memory" },
    { .name = NULL },
};
static const OptionKey smp_keys[] = {
    { "cpus", "number", "the number of CPUs" },
    { "sockets", "number", "the sockets that they are in" },
    { "dies", "number", "of each socket: 1" },
    { "clusters", "number", "of each die: 1" },
    { "cores", "number", "the cores of each socket" },
    { "threads", "number", "the threads of each core" },
    { "maxcpus", "number", "the number that there may ever be" },
    { .name = NULL },
};
static const OptionKey global_keys[] = {
    { "driver", "string", "the type" },
    { "property", "string", "a property of it" },
    { "value", "string", "what it is in new objects" },
    { .name = NULL },
};
static const OptionKey fw_cfg_keys[] = {
    { "name", "string", "what the firmware or the guest asks for" },
    { "file", "string", "the file whose contents it gets" },
    { "string", "string", "or what it gets, without a NUL" },
    { .name = NULL },
};
static const OptionKey chardev_keys[] = {
    { "backend", "string", "what it is" },
    { "id", "string", "its name" },
    { .name = NULL },
};
static const OptionKey mon_keys[] = {
    { "chardev", "string", "where it is" },
    { "mode", "string", "readline for people, control for programs" },
    { "pretty", "boolean", "answers are indented" },
    { "id", "string", "its name" },
    { .name = NULL },
};
static const OptionKey name_keys[] = {
    { "guest", "string", "the name of the machine" },
    { "process", "string", "the process as ps shows it" },
    { "debug-threads", "boolean", "means nothing: threads always have names" },
    { .name = NULL },
};
static const OptionKey action_keys[] = {
    { "reboot", "string", "what is done when the guest asks for a reset" },
    { "shutdown", "string", "what is done when it shuts down" },
    { "panic", "string", "what is done when it cannot go on" },
    { .name = NULL },
};

const Option option_table[] = {
    {
        .name = "M",
        .alias = "machine",
        .arg = "TYPE[,PROPERTY=VALUE]...",
        .help = "The machine to make and its properties; accel=NAME is the same as -accel NAME. "
                "Without "
                "it, the default of '-M help' is made. '-M TYPE,help' lists the properties.",
        .section = OPTION_SECTION_MACHINE,
        .stage = OPTION_STAGE_MACHINE,
        .completes_help = true,
        .read = option_read_keyval,
        .implied_key = "type",
        .answer = option_answer_machine,
        .apply = option_apply_machine,
        .list = "machine",
        .keys = machine_keys,
        .keys_of = TYPE_MACHINE,
    },
    {
        .name = "board",
        .arg = "FILE",
        .help = "Reads the description of a board from FILE, see qomet-board(5), and makes it a "
                "machine that -M can name. May be given any number of times.",
        .section = OPTION_SECTION_MACHINE,
        .stage = OPTION_STAGE_BOARD,
        .apply = option_apply_board,
    },
    {
        .name = "dump-board",
        .help = "Makes the machine with all that the other options add, writes it on standard "
                "output as such a description, and ends.",
        .section = OPTION_SECTION_MACHINE,
        .stage = OPTION_STAGE_BOARD,
        .apply = option_apply_dump_board,
    },
    {
        .name = "accel",
        .arg = "NAME[:NAME]...[,PROPERTY=VALUE]...",
        .help = "What executes the guest: the first of the names that works here. May be given "
                "again; the "
                "later ones are tried after the earlier ones.",
        .section = OPTION_SECTION_MACHINE,
        .stage = OPTION_STAGE_ACCEL,
        .completes_help = true,
        .answer = option_answer_accel,
        .apply = option_apply_accel,
        .list = "accel",
    },
    {
        .name = "cpu",
        .arg = "MODEL[,+FEATURE][,-FEATURE][,PROPERTY=VALUE]...",
        .help = "The model of the CPUs, with features that CPUID tells of, or without; '-cpu help' "
                "lists both.",
        .section = OPTION_SECTION_MACHINE,
        .stage = OPTION_STAGE_MACHINE,
        .completes_help = true,
        .answer = option_answer_cpu,
        .check = option_check_cpu,
        .apply = option_apply_cpu,
    },
    {
        .name = "m",
        .arg = "[size=]SIZE",
        .help = "The guest's memory: in MiB, or with a suffix K, M, G or T.",
        .section = OPTION_SECTION_MACHINE,
        .stage = OPTION_STAGE_MACHINE,
        .read = option_read_keyval,
        .implied_key = "size",
        .apply = option_apply_memory,
        .list = "memory",
        .keys = memory_keys,
    },
    {
        .name = "smp",
        .arg = "[cpus=]N[,cores=N][,threads=N][,sockets=N][,maxcpus=N]",
        .help = "The number of CPUs: threads of each core, cores of each socket, sockets. What is "
                "left out follows from the rest; first it is cores that become more, then sockets.",
        .section = OPTION_SECTION_MACHINE,
        .stage = OPTION_STAGE_MACHINE,
        .read = option_read_keyval,
        .implied_key = "cpus",
        .apply = option_apply_smp,
        .list = "smp-opts",
        .keys = smp_keys,
    },
    {
        .name = "nodefaults",
        .help = "Leaves out the devices that a machine has by default, such as a serial port.",
        .section = OPTION_SECTION_MACHINE,
        .stage = OPTION_STAGE_MACHINE,
        .apply = option_apply_nodefaults,
    },
    {
        .name = "kernel",
        .arg = "FILE",
        .help = "What the machine loads and starts.",
        .section = OPTION_SECTION_GUEST,
        .stage = OPTION_STAGE_MACHINE,
        .apply = option_apply_kernel,
    },
    {
        .name = "initrd",
        .arg = "FILE",
        .help = "The initial RAM disk of the kernel.",
        .section = OPTION_SECTION_GUEST,
        .stage = OPTION_STAGE_MACHINE,
        .apply = option_apply_initrd,
    },
    {
        .name = "append",
        .arg = "TEXT",
        .help = "The command line of the kernel.",
        .section = OPTION_SECTION_GUEST,
        .stage = OPTION_STAGE_MACHINE,
        .apply = option_apply_append,
    },
    {
        .name = "bios",
        .arg = "FILE",
        .help = "The firmware.",
        .section = OPTION_SECTION_GUEST,
        .stage = OPTION_STAGE_MACHINE,
        .apply = option_apply_bios,
    },
    {
        .name = "fw_cfg",
        .arg = "[name=]NAME,file=FILE|string=TEXT",
        .help = "A file for the firmware, or for a guest that asks for it: the contents of FILE, "
                "or TEXT. Names of your own begin with opt/.",
        .section = OPTION_SECTION_GUEST,
        .stage = OPTION_STAGE_DEVICE,
        .read = option_read_keyval,
        .implied_key = "name",
        .apply = option_apply_fw_cfg,
        .list = "fw_cfg",
        .keys = fw_cfg_keys,
    },
    {
        .name = "device",
        .arg = "DRIVER[,PROPERTY=VALUE]...",
        .help = "Adds a device; id=NAME names it, bus=NAME says where it sits. '-device help' "
                "lists the "
                "drivers, '-device DRIVER,help' the properties of one. JSON is taken too: "
                "'{\"driver\": \"DRIVER\", ...}'.",
        .section = OPTION_SECTION_DEVICES,
        .stage = OPTION_STAGE_DEVICE,
        .completes_help = true,
        .live = true,
        .read = option_read_keyval,
        .implied_key = "driver",
        .answer = option_answer_device,
        .check = option_check_device,
        .apply = option_apply_device,
        .list = "device",
    },
    {
        .name = "object",
        .arg = "TYPE,id=NAME[,PROPERTY=VALUE]...",
        .help =
            "Makes an object in /objects that others may refer to by its name. JSON is taken too: "
            "'{\"qom-type\": \"TYPE\", ...}'.",
        .section = OPTION_SECTION_DEVICES,
        .stage = OPTION_STAGE_OBJECT,
        .find_stage = option_stage_of_object,
        .completes_help = true,
        .live = true,
        .read = option_read_keyval,
        .implied_key = "qom-type",
        .answer = option_answer_object,
        .check = option_check_object,
        .apply = option_apply_object,
        .list = "object",
    },
    {
        .name = "global",
        .arg = "DRIVER.PROPERTY=VALUE",
        .help =
            "Changes the default of a property for every object of that type made afterwards; or "
            "driver=DRIVER,property=PROPERTY,value=VALUE.",
        .section = OPTION_SECTION_DEVICES,
        .stage = OPTION_STAGE_GLOBAL,
        .read = option_read_global,
        .apply = option_apply_global,
        .list = "global",
        .keys = global_keys,
    },
    {
        .name = "chardev",
        .arg = "BACKEND,id=NAME[,PROPERTY=VALUE]...",
        .help =
            "Makes the host's side of a serial line, for devices that name it with chardev=NAME. "
            "With mux=on several may, a monitor among them: Ctrl-a c switches between them.",
        .section = OPTION_SECTION_DEVICES,
        .stage = OPTION_STAGE_CHARDEV,
        .completes_help = true,
        .live = true,
        .read = option_read_keyval,
        .implied_key = "backend",
        .answer = option_answer_chardev,
        .check = option_check_chardev,
        .apply = option_apply_chardev,
        .list = "chardev",
        .keys = chardev_keys,
        .keys_of = TYPE_CHARDEV,
    },
    {
        .name = "serial",
        .arg = "WHERE",
        .help =
            "Where the next serial port of the machine leads: stdio, null, none, pty, file:PATH, "
            "pipe:PATH, unix:PATH[,server=on][,wait=off], tcp:HOST:PORT[,server=on][,wait=off], "
            "udp:HOST:PORT[@HOST:PORT] or chardev:NAME. With mon: before it (mon:stdio) a monitor "
            "is there too, and Ctrl-a c "
            "switches between them.",
        .section = OPTION_SECTION_DEVICES,
        .stage = OPTION_STAGE_MACHINE,
        .apply = option_apply_serial,
    },
    {
        .name = "display",
        .arg = "none",
        .help = "There is no display, so 'none' is the only kind.",
        .section = OPTION_SECTION_DEVICES,
        .stage = OPTION_STAGE_PROCESS,
        .answer = option_answer_display,
        .check = option_check_display,
    },
    {
        .name = "nographic",
        .help =
            "The first serial port and a monitor share the terminal, as with -serial mon:stdio: "
            "Ctrl-a c switches between them, Ctrl-a h tells the other keys. Ctrl-c is for the "
            "guest.",
        .section = OPTION_SECTION_DEVICES,
        .stage = OPTION_STAGE_PROCESS,
        .apply = option_apply_nographic,
    },
    {
        .name = "module",
        .arg = "FILE.so",
        .help = "Loads types from a shared object. May be given any number of times. What the "
                "modules.index of the folder of modules (QOMET_MODULE_DIR in the environment, else "
                "where they are installed) names, a line \"TYPE FILE\" each, is loaded when it is "
                "used.",
        .section = OPTION_SECTION_PROCESS,
        .stage = OPTION_STAGE_MODULE,
        .apply = option_apply_module,
    },
    {
        .name = "qmp",
        .arg = "WHERE",
        .help = "A monitor that speaks QEMU's machine protocol (JSON): at stdio, pty, "
                "unix:PATH[,server=on][,wait=off], tcp:HOST:PORT[,server=on][,wait=off] or "
                "chardev:NAME. May be given any number of times.",
        .section = OPTION_SECTION_MONITOR,
        .stage = OPTION_STAGE_MONITOR,
        .live = true,
        .apply = option_apply_qmp,
    },
    {
        .name = "qmp-pretty",
        .arg = "WHERE",
        .help = "The same with answers that are indented for people to read.",
        .section = OPTION_SECTION_MONITOR,
        .stage = OPTION_STAGE_MONITOR,
        .live = true,
        .apply = option_apply_qmp_pretty,
    },
    {
        .name = "monitor",
        .arg = "WHERE",
        .help = "A monitor for people, at one of the places of -qmp; none means that there is "
                "none.",
        .section = OPTION_SECTION_MONITOR,
        .stage = OPTION_STAGE_MONITOR,
        .live = true,
        .apply = option_apply_monitor,
    },
    {
        .name = "mon",
        .arg = "[chardev=]NAME[,mode=readline|control][,pretty=on]",
        .help = "A monitor on a chardev that was made with -chardev: for people (readline), or for "
                "programs (control).",
        .section = OPTION_SECTION_MONITOR,
        .stage = OPTION_STAGE_MONITOR,
        .read = option_read_keyval,
        .implied_key = "chardev",
        .live = true,
        .apply = option_apply_mon,
        .list = "mon",
        .keys = mon_keys,
    },
    {
        .name = "S",
        .help = "Makes the machine and does not start it.",
        .section = OPTION_SECTION_PROCESS,
        .stage = OPTION_STAGE_PROCESS,
        .apply = option_apply_stopped,
    },
    {
        .name = "name",
        .arg = "[guest=]NAME[,process=NAME]",
        .help =
            "Names the machine (its property guest-name), so that 'qomet attach NAME' finds it, "
            "and with process= the process as ps shows it.",
        .section = OPTION_SECTION_PROCESS,
        .stage = OPTION_STAGE_MACHINE,
        .read = option_read_keyval,
        .implied_key = "guest",
        .apply = option_apply_name,
        .list = "name",
        .keys = name_keys,
    },
    {
        .name = "pidfile",
        .arg = "FILE",
        .help = "Writes the process id to FILE and holds a lock on it; FILE is removed at the end.",
        .section = OPTION_SECTION_PROCESS,
        .stage = OPTION_STAGE_PROCESS,
        .apply = option_apply_pidfile,
    },
    {
        .name = "action",
        .arg = "EVENT=ACTION[,EVENT=ACTION]...",
        .help = "What is done when something happens. reboot=reset, or shutdown: a reset is a "
                "shutdown. shutdown=poweroff, or pause: when the guest shuts down, the machine "
                "stops and the program stays. panic=exit-failure (status 1), shutdown, pause or "
                "none: when the guest cannot go on. The first of each is what is done without "
                "this option.",
        .section = OPTION_SECTION_PROCESS,
        .stage = OPTION_STAGE_PROCESS,
        .read = option_read_keyval,
        .apply = option_apply_action,
        .list = "action",
        .keys = action_keys,
    },
    {
        .name = "no-reboot",
        .help = "The same as -action reboot=shutdown.",
        .section = OPTION_SECTION_PROCESS,
        .stage = OPTION_STAGE_PROCESS,
        .apply = option_apply_no_reboot,
    },
    {
        .name = "no-shutdown",
        .help = "The same as -action shutdown=pause.",
        .section = OPTION_SECTION_PROCESS,
        .stage = OPTION_STAGE_PROCESS,
        .apply = option_apply_no_shutdown,
    },
    {
        .name = "daemonize",
        .help = "Goes into the background. The program that was called ends when the machine is "
                "ready, with status 0, or with an error when it cannot be made.",
        .section = OPTION_SECTION_PROCESS,
        .stage = OPTION_STAGE_MODULE,
        .apply = option_apply_daemonize,
    },
    {
        .name = "readconfig",
        .arg = "FILE",
        .help = "Reads options from FILE as if they stood here: a line '[OPTION \"ID\"]' or "
                "'[OPTION]' begins one, and each line 'KEY = \"VALUE\"' below gives it a "
                "property. Lines that begin with # are passed over.",
        .section = OPTION_SECTION_PROCESS,
        .stage = OPTION_STAGE_MODULE,
    },
    {
        .name = "no-user-config",
        .help = "Reads no configuration of the user: there is none to read.",
        .section = OPTION_SECTION_PROCESS,
        .stage = OPTION_STAGE_PROCESS,
    },
    {
        .name = "gdb",
        .arg = "WHERE",
        .help = "Waits for gdb (its command 'target remote') at tcp:[HOST]:PORT, unix:PATH, stdio, "
                "pty or chardev:NAME; none means nowhere. With -S the guest does not run before "
                "gdb says so. The last one counts.",
        .section = OPTION_SECTION_DEBUG,
        .stage = OPTION_STAGE_MONITOR,
        .live = true,
        .apply = option_apply_gdb,
    },
    {
        .name = "s",
        .help = "The same as -gdb tcp::1234.",
        .section = OPTION_SECTION_DEBUG,
        .stage = OPTION_STAGE_MONITOR,
        .live = true,
        .apply = option_apply_gdb,
    },
    {
        .name = "d",
        .arg = "ITEM[,ITEM]...",
        .help = "What is written to the log; '-d help' lists the items.",
        .section = OPTION_SECTION_DEBUG,
        .stage = OPTION_STAGE_PROCESS,
        .completes_help = true,
        .answer = option_answer_log,
        .apply = option_apply_log,
    },
    {
        .name = "D",
        .arg = "FILE",
        .help = "Writes the log to FILE instead of standard error; %d in the name becomes the "
                "process id. It ends at 1 GiB, and goes on when the file is emptied.",
        .section = OPTION_SECTION_DEBUG,
        .stage = OPTION_STAGE_PROCESS,
        .apply = option_apply_log_file,
    },
    {
        .name = "explain",
        .help = "Tells every exit as a path, from the reason for which the guest was left to the "
                "method that answered, in the log; counts time by object; and keeps the state at "
                "each entry, so that a guest that fails can be diagnosed where the host has reset "
                "it.",
        .section = OPTION_SECTION_DEBUG,
        .stage = OPTION_STAGE_PROCESS,
        .apply = option_apply_explain,
    },
    {
        .name = "trace-file",
        .arg = "FILE",
        .help = "Writes a timeline of the vCPUs, their exits, the devices that they reach and the "
                "main loop to FILE, as JSON for the viewers of Chrome's trace events "
                "(ui.perfetto.dev, chrome://tracing).",
        .section = OPTION_SECTION_DEBUG,
        .stage = OPTION_STAGE_PROCESS,
        .apply = option_apply_trace_file,
    },
    {
        .name = "qtest",
        .arg = "unix:PATH|stdio",
        .help = "Lets a test drive ports, memory, interrupt lines and the clock over a socket that "
                "listens "
                "at PATH, or over standard input and output. Without -accel it means -accel qtest.",
        .section = OPTION_SECTION_DEBUG,
        .stage = OPTION_STAGE_ACCEL,
        .apply = option_apply_qtest,
    },
    {
        .name = "qtest-log",
        .arg = "FILE",
        .help = "Writes what the test says and is told to FILE.",
        .section = OPTION_SECTION_DEBUG,
        .stage = OPTION_STAGE_ACCEL,
        .apply = option_apply_qtest_log,
    },
    {
        .name = "h",
        .alias = "help",
        .help = "Prints this text.",
        .section = OPTION_SECTION_HELP,
        .stage = OPTION_STAGE_ANSWER,
        .answer = option_answer_help,
    },
    {
        .name = "version",
        .help = "Prints the version.",
        .section = OPTION_SECTION_HELP,
        .stage = OPTION_STAGE_ANSWER,
        .answer = option_answer_version,
    },
    { .name = NULL },
};

const Option *option_find(const char *name)
{
    for (const Option *option = option_table; option->name; option++) {
        if (!strcmp(option->name, name) || (option->alias && !strcmp(option->alias, name))) {
            return option;
        }
    }
    return NULL;
}

const OptionCommand option_commands[] = {
    {
        .name = "attach",
        .args = "NAME [OPTION...]",
        .help =
            "Adds devices, monitors, objects and chardevs to the machine of that name (-name) "
            "while "
            "it runs, in the words of its command line: all of them, or none. Relative paths are "
            "those of the caller, and stdio is the caller's terminal; an attach that uses it "
            "stays, and what it has added goes when it ends. Without an option it is a monitor.",
    },
    {
        .name = "detach",
        .args = "NAME ID",
        .help =
            "Takes the device, monitor, object or chardev ID away from the machine of that name.",
    },
    {
        .name = "list",
        .args = "",
        .help = "Lists the machines that run and have a name: name, process, type and state.",
    },
    { .name = NULL },
};

const OptionCommand *options_command(const char *word)
{
    for (const OptionCommand *command = option_commands; command->name; command++) {
        if (!strcmp(command->name, word)) {
            return command;
        }
    }
    return NULL;
}

bool options_list(unsigned n, OptionList *list)
{
    for (const Option *option = option_table; option->name; option++) {
        if (option->list && n-- == 0) {
            *list = (OptionList){ option->list, option->keys, option->keys_of };
            return true;
        }
    }
    return false;
}

/* SPDX-License-Identifier: MIT */
/*
 * The commands of the human monitor, in the order in which the reference shows them. A new one is a
 * row here and a function in a hmp file, or one of the machine protocol's.
 */
#include "monitor/handlers.h"
#include "monitor/hmp-handlers.h"
#include "monitor/schema-rows.h"

const HmpCommand hmp_commands[] = {
    /* Help. */
    {
        .name = "help",
        .alias = "?",
        .params = "[cmd]",
        .help = "show the help",
        .args = MEMBERS(MAY("command", "command", "a command, or 'info' for its topics")),
        .fn = hmp_do_help,
    },
    {
        .name = "info",
        .params = "[subcommand]",
        .help = "show various information about the machine",
        .fn = hmp_do_info,
    },
    /* The machine as a whole. */
    {
        .name = "info status",
        .params = "",
        .help = "show whether the machine runs",
        .fn = hmp_do_info_status,
    },
    {
        .name = "info version",
        .params = "",
        .help = "show the version of the program",
        .fn = hmp_do_info_version,
    },
    {
        .name = "info modules",
        .params = "",
        .help = "show the modules that are loaded",
        .fn = hmp_do_info_modules,
    },
    {
        .name = "info exits",
        .params = "",
        .help = "show which objects were entered most often, and how often all were",
        .fn = hmp_do_info_exits,
    },
    {
        .name = "explain",
        .params = "[on|off|count]",
        .help = "tell the last exits as paths, or begin or end recording them",
        .args = MEMBERS(MAY("what", "str", "on, off, or how many exits")),
        .fn = hmp_do_explain,
    },
    {
        .name = "stop",
        .alias = "s",
        .params = "",
        .help = "stop the guest",
        .qmp = qmp_do_stop,
    },
    {
        .name = "cont",
        .alias = "c",
        .params = "",
        .help = "let the guest go on",
        .qmp = qmp_do_cont,
    },
    {
        .name = "system_reset",
        .params = "",
        .help = "reset the machine",
        .qmp = qmp_do_system_reset,
    },
    {
        .name = "system_powerdown",
        .params = "",
        .help = "press the power button",
        .qmp = qmp_do_system_powerdown,
    },
    {
        .name = "quit",
        .alias = "q",
        .params = "",
        .help = "end the machine and the program",
        .qmp = qmp_do_quit,
    },
    /* vCPUs. */
    {
        .name = "info cpus",
        .params = "",
        .help = "show the vCPUs; commands are about the one with a star",
        .fn = hmp_do_info_cpus,
    },
    {
        .name = "info registers",
        .params = "[-a|vcpu]",
        .help = "show the registers of a vCPU (-a: of all)",
        .args = MEMBERS(MAY("a", "flag", "of all vCPUs"), MAY("vcpu", "int", "the vCPU")),
        .fn = hmp_do_info_registers,
    },
    {
        .name = "cpu",
        .params = "index",
        .help = "choose the vCPU that commands are about",
        .args = MEMBERS(NEEDS("index", "int", "the number of a vCPU")),
        .fn = hmp_do_cpu,
    },
    {
        .name = "print",
        .alias = "p",
        .params = "/fmt expr",
        .help = "print the value of an expression ($rip and so on for registers)",
        .args =
            MEMBERS(MAY("fmt", "fmt", "x, d, u, o or c"), NEEDS("expr", "int", "an expression")),
        .fn = hmp_do_print,
    },
    {
        .name = "gva2gpa",
        .params = "addr",
        .help = "walk the page tables to the guest-physical address of a guest-virtual one",
        .args = MEMBERS(NEEDS("addr", "int", "a guest-virtual address")),
        .fn = hmp_do_gva2gpa,
    },
    /* Memory and ports. */
    {
        .name = "info mtree",
        .params = "[-f][-o][-D][-dot]",
        .help = "show memory and ports (-f: as the guest sees them in the end; -o: with the owners "
                "of regions; -D: with regions that are disabled; -dot: all that as a picture for "
                "Graphviz)",
        .args = MEMBERS(MAY("f", "flag", "flat views"), MAY("o", "flag", "owners"),
                        MAY("D", "flag", "disabled ones too"),
                        MAY("dot", "flag", "as a picture for Graphviz")),
        .fn = hmp_do_info_mtree,
    },
    {
        .name = "x",
        .params = "/fmt addr",
        .help = "show memory from the guest-virtual address 'addr' on ('x /10i $pc' shows "
                "instructions)",
        .args = MEMBERS(MAY("fmt", "fmt", "a count, one of x d u o c i, and one of b h w g"),
                        NEEDS("addr", "int", "a guest-virtual address")),
        .fn = hmp_do_x,
    },
    {
        .name = "xp",
        .params = "/fmt addr",
        .help = "show memory from the guest-physical address 'addr' on",
        .args = MEMBERS(MAY("fmt", "fmt", "a count, one of x d u o c i, and one of b h w g"),
                        NEEDS("addr", "int", "a guest-physical address")),
        .fn = hmp_do_xp,
    },
    {
        .name = "sum",
        .params = "addr size",
        .help = "show the BSD checksum of guest-physical memory",
        .args = MEMBERS(NEEDS("start", "int", "a guest-physical address"),
                        NEEDS("size", "int", "a number of bytes")),
        .fn = hmp_do_sum,
    },
    {
        .name = "gpa2hva",
        .params = "addr",
        .help = "show in which region a guest-physical address is, and where on the host",
        .args = MEMBERS(NEEDS("addr", "int", "a guest-physical address")),
        .fn = hmp_do_gpa2hva,
    },
    {
        .name = "i",
        .params = "/fmt addr",
        .help = "read a port, as the guest would",
        .args = MEMBERS(MAY("fmt", "fmt", "b, h or w"), NEEDS("addr", "int", "a port")),
        .fn = hmp_do_i,
    },
    {
        .name = "o",
        .params = "/fmt addr value",
        .help = "write to a port, as the guest would",
        .args = MEMBERS(MAY("fmt", "fmt", "b, h or w"), NEEDS("addr", "int", "a port"),
                        NEEDS("val", "int", "what is written")),
        .fn = hmp_do_o,
    },
    /* Objects. */
    {
        .name = "info qom-tree",
        .params = "[-dot] [path]",
        .help = "show all objects below one (-dot: as a picture for Graphviz)",
        .args = MEMBERS(MAY("dot", "flag", "as a picture for Graphviz"),
                        MAY("path", "path", "an object")),
        .fn = hmp_do_info_qom_tree,
    },
    {
        .name = "info qtree",
        .params = "",
        .help = "show devices on their buses, with their properties",
        .fn = hmp_do_info_qtree,
    },
    {
        .name = "info wires",
        .params = "[-dot]",
        .help = "show which output of a device leads to which input (-dot: as a picture for "
                "Graphviz)",
        .args = MEMBERS(MAY("dot", "flag", "as a picture for Graphviz")),
        .fn = hmp_do_info_wires,
    },
    {
        .name = "info network",
        .params = "",
        .help = "show the network devices",
        .fn = hmp_do_info_network,
    },
    {
        .name = "info block",
        .params = "",
        .help = "show the block devices",
        .fn = hmp_do_info_block,
    },
    {
        .name = "info chardev",
        .params = "",
        .help = "show the character devices",
        .fn = hmp_do_info_chardev,
    },
    {
        .name = "info irq",
        .params = "",
        .help = "show how often each input of the interrupt controllers has gone up",
        .fn = hmp_do_info_irq,
    },
    {
        .name = "info pci",
        .params = "",
        .help = "show the devices on PCI buses, and where the guest has put them",
        .fn = hmp_do_info_pci,
    },
    {
        .name = "info pic",
        .params = "",
        .help = "show the registers of the interrupt controllers",
        .fn = hmp_do_info_pic,
    },
    {
        .name = "qom-list",
        .params = "[path]",
        .help = "list the properties of an object",
        .args = MEMBERS(MAY("path", "path", "an object")),
        .fn = hmp_do_qom_list,
    },
    {
        .name = "qom-get",
        .params = "path property",
        .help = "print a property of an object",
        .args = MEMBERS(NEEDS("path", "path", "an object"),
                        NEEDS("property", "property", "one of its properties")),
        .fn = hmp_do_qom_get,
    },
    {
        .name = "qom-set",
        .params = "[-j] path property value",
        .help = "set a property of an object (-j: the value is JSON)",
        .args = MEMBERS(MAY("j", "flag", "the value is JSON"), NEEDS("path", "path", "an object"),
                        NEEDS("property", "property", "one of its properties"),
                        NEEDS("value", "value", "its new value")),
        .fn = hmp_do_qom_set,
    },
    {
        .name = "device_add",
        .params = "driver[,prop=value][,...]",
        .help = "add a device, like -device on the command line",
        .args = MEMBERS(NEEDS("words", "device-words", "what -device takes")),
        .fn = hmp_do_device_add,
    },
    {
        .name = "device_del",
        .params = "device",
        .help = "take a device away",
        .args = MEMBERS(NEEDS("id", "device", "the id or path of a device")),
        .qmp = qmp_do_device_del,
    },
    {
        .name = "object_add",
        .params = "[qom-type=]type,id=str[,prop=value][,...]",
        .help = "make an object, like -object on the command line",
        .args = MEMBERS(NEEDS("words", "object-words", "what -object takes")),
        .fn = hmp_do_object_add,
    },
    {
        .name = "object_del",
        .params = "id",
        .help = "take an object of /objects away",
        .args = MEMBERS(NEEDS("id", "object", "its id")),
        .qmp = qmp_do_object_del,
    },
    /* The log. */
    {
        .name = "log",
        .params = "item1[,...]",
        .help = "log these items and no others ('help' lists them, 'none' is no item)",
        .args = MEMBERS(NEEDS("items", "log-items", "what -d takes")),
        .fn = hmp_do_log,
    },
    {
        .name = "trace-event",
        .params = "name on|off",
        .help = "begin or end to log one item, or those that a pattern with * means",
        .args = MEMBERS(NEEDS("name", "log-items", "an item of 'log'"),
                        NEEDS("option", "bool", "on or off")),
        .fn = hmp_do_trace_event,
    },
    {
        .name = "info trace-events",
        .params = "",
        .help = "show which items are logged",
        .fn = hmp_do_info_trace_events,
    },
    { .name = NULL },
};

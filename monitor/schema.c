/* SPDX-License-Identifier: MIT */
/*
 * The machine protocol: every command and event, in the order in which the reference shows them. A
 * new command is a row here, what it takes and returns in schema-types.c, and a function in a
 * qmp-cmds file.
 */
#include "monitor/handlers.h"
#include "monitor/schema-rows.h"

#define PATH NEEDS("path", "str", "the path of an object, or an end of it that only one has")

/* ---- QMP commands ---- */

const QmpCommand qmp_commands[] = {
    /* The protocol itself. */
    {
        .name = "qmp_capabilities",
        .help = "Ends the negotiation: the first command of every client. Until then no other is "
                "known.",
        .args = MEMBERS(MAY("enable", "QMPCapability[]", "what the client wants to use")),
        .fn = qmp_do_capabilities,
    },
    {
        .name = "query-version",
        .help = "Which version this is.",
        .ret = "VersionInfo",
        .fn = qmp_do_query_version,
    },
    {
        .name = "query-commands",
        .help = "All commands.",
        .ret = "CommandInfo[]",
        .fn = qmp_do_query_commands,
    },
    {
        .name = "query-events",
        .help = "All events.",
        .ret = "CommandInfo[]",
        .fn = qmp_do_query_events,
    },
    {
        .name = "query-qmp-schema",
        .help = "The whole schema in QEMU's form of introspection: one entry for each command, "
                "event and type.",
        .ret = "SchemaInfo[]",
        .fn = qmp_do_query_qmp_schema,
    },
    /* The machine as a whole. */
    {
        .name = "query-status",
        .help = "Whether the machine runs.",
        .ret = "StatusInfo",
        .fn = qmp_do_query_status,
        .oob = true,
    },
    {
        .name = "stop",
        .help = "Stops every vCPU and the guest's clock. Of one that does not run nothing changes.",
        .fn = qmp_do_stop,
        .oob = true,
    },
    {
        .name = "cont",
        .help = "Starts the machine, or lets it go on.",
        .fn = qmp_do_cont,
    },
    {
        .name = "system_reset",
        .help = "Resets the machine, as its reset button does.",
        .fn = qmp_do_system_reset,
    },
    {
        .name = "system_powerdown",
        .help = "Presses the power button: the guest is asked to end, and may do as it likes.",
        .fn = qmp_do_system_powerdown,
        .oob = true,
    },
    {
        .name = "quit",
        .help = "Ends the machine and the program, with status 0.",
        .fn = qmp_do_quit,
        .oob = true,
    },
    {
        .name = "human-monitor-command",
        .help = "Carries out a line of the human monitor and returns what it prints. That is for "
                "people: it may change.",
        .args = MEMBERS(NEEDS("command-line", "str", "the line"),
                        MAY("cpu-index", "int", "the vCPU that the line is about (default: 0)")),
        .ret = "str",
        .fn = qmp_do_human_monitor_command,
    },
    {
        .name = "load-module",
        .help = "Loads types from a shared object, as -module does. They stay for good.",
        .args = MEMBERS(NEEDS("path", "str", "the file")),
        .fn = qmp_do_load_module,
    },
    {
        .name = "query-name",
        .help = "What the user calls the machine.",
        .ret = "NameInfo",
        .fn = qmp_do_query_name,
    },
    {
        .name = "query-kvm",
        .help = "Whether KVM executes the guest.",
        .ret = "KvmInfo",
        .fn = qmp_do_query_kvm,
    },
    {
        .name = "query-target",
        .help = "Which architecture the vCPUs have.",
        .ret = "TargetInfo",
        .fn = qmp_do_query_target,
    },
    {
        .name = "query-machines",
        .help = "All types of machines.",
        .ret = "MachineInfo[]",
        .fn = qmp_do_query_machines,
    },
    {
        .name = "query-cpus-fast",
        .help = "The vCPUs.",
        .ret = "CpuInfoFast[]",
        .fn = qmp_do_query_cpus_fast,
    },
    {
        .name = "query-memory-size-summary",
        .help = "How much memory the guest has.",
        .ret = "MemoryInfo",
        .fn = qmp_do_query_memory_size_summary,
    },
    /* Exits. */
    {
        .name = "query-exits",
        .help = "How often each object of the tree was entered, from the most often entered on: "
                "always counted.",
        .ret = "ExitCounts[]",
        .fn = qmp_do_query_exits,
    },
    {
        .name = "explain-exit",
        .help = "The last exits that were recorded, newest first, each told as a path from the "
                "reason to the method. Exits are recorded while -explain, -trace-file, -d exits, "
                "exit-timing=on or 'record' is on; of each vCPU, 256 are kept.",
        .args = MEMBERS(MAY("count", "int", "how many; 1 where it is not given"),
                        MAY("cpu-index", "int", "of which vCPU; of all where it is not given"),
                        MAY("record", "bool", "begins or ends recording")),
        .ret = "ExplainedExit[]",
        .fn = qmp_do_explain_exit,
    },
    {
        .name = "query-command-line-options",
        .help = "The options of the command line that take keys and values, and these keys. Of "
                "-device, -object and -accel they are the properties of the type that is made.",
        .args = MEMBERS(MAY("option", "str", "only this one")),
        .ret = "CommandLineOptionInfo[]",
        .fn = qmp_do_query_command_line_options,
    },
    {
        .name = "query-migrate-capabilities",
        .help = "What migration can do: nothing, since there is none.",
        .ret = "MigrationCapabilityStatus[]",
        .fn = qmp_do_query_migrate_capabilities,
    },
    {
        .name = "inject-nmi",
        .help = "Sends every vCPU a non-maskable interrupt.",
        .fn = qmp_do_inject_nmi,
    },
    {
        .name = "memsave",
        .help = "Writes memory, as a vCPU addresses it, to a file. Where a part of it is no RAM or "
                "ROM, nothing is written.",
        .args = MEMBERS(NEEDS("val", "int", "the virtual address; one from 2^63 on is negative"),
                        NEEDS("size", "int", "bytes"), NEEDS("filename", "str", "the file"),
                        MAY("cpu-index", "int", "the vCPU (default: 0)")),
        .fn = qmp_do_memsave,
    },
    {
        .name = "pmemsave",
        .help =
            "Writes memory, by its physical address, to a file. Where a part of it is no RAM or "
            "ROM, nothing is written.",
        .args = MEMBERS(NEEDS("val", "int", "the physical address"), NEEDS("size", "int", "bytes"),
                        NEEDS("filename", "str", "the file")),
        .fn = qmp_do_pmemsave,
    },
    /* Objects. */
    {
        .name = "qom-list",
        .help = "The properties of an object, its children among them.",
        .args = MEMBERS(PATH),
        .ret = "ObjectPropertyInfo[]",
        .fn = qmp_do_qom_list,
    },
    {
        .name = "qom-list-get",
        .help = "The properties of several objects with what they hold, in the order asked for.",
        .args = MEMBERS(NEEDS("paths", "str[]", "paths of objects")),
        .ret = "ObjectPropertiesValues[]",
        .fn = qmp_do_qom_list_get,
    },
    {
        .name = "qom-get",
        .help = "What a property of an object holds; of a child or link, its path.",
        .args = MEMBERS(PATH, NEEDS("property", "str", "its name")),
        .ret = "any",
        .fn = qmp_do_qom_get,
    },
    {
        .name = "qom-set",
        .help = "Sets a property of an object.",
        .args = MEMBERS(PATH, NEEDS("property", "str", "its name"),
                        NEEDS("value", "any", "a value of its type; of a link, a path")),
        .fn = qmp_do_qom_set,
    },
    {
        .name = "qom-tree",
        .help = "A part of the tree, with every property of every object in it.",
        .args = MEMBERS(MAY("path", "str", "where it begins (default: the root)")),
        .ret = "ObjectTree",
        .fn = qmp_do_qom_tree,
    },
    {
        .name = "qom-list-types",
        .help = "The types of objects that there are.",
        .args = MEMBERS(MAY("implements", "str", "only those that are of this type"),
                        MAY("abstract", "bool", "those too of which there are no objects")),
        .ret = "ObjectTypeInfo[]",
        .fn = qmp_do_qom_list_types,
    },
    {
        .name = "qom-list-properties",
        .help = "The properties that objects of a type have.",
        .args = MEMBERS(NEEDS("typename", "str", "the type")),
        .ret = "ObjectPropertyInfo[]",
        .fn = qmp_do_qom_list_properties,
    },
    {
        .name = "device-list-properties",
        .help = "The properties that devices of a type have, without those that all devices have.",
        .args = MEMBERS(NEEDS("typename", "str", "the type")),
        .ret = "ObjectPropertyInfo[]",
        .fn = qmp_do_device_list_properties,
    },
    /* What comes and goes. */
    {
        .name = "device_add",
        .help =
            "Adds a device, as -device does. Further arguments are its properties; the text that "
            "-device takes stands for a value of any type.",
        .args = MEMBERS(NEEDS("driver", "str", "its type"),
                        MAY("bus", "str", "where it sits (default: the first that fits)"),
                        MAY("id", "str", "its name")),
        .fn = qmp_do_device_add,
        .open_args = true,
    },
    {
        .name = "device_del",
        .help = "Takes a device away. When it is really gone, DEVICE_DELETED tells; that may be "
                "before this command returns, or when the guest has agreed.",
        .args = MEMBERS(NEEDS("id", "str", "its name, or its path")),
        .fn = qmp_do_device_del,
    },
    {
        .name = "object-add",
        .help =
            "Makes an object in /objects, as -object does. Further arguments are its properties.",
        .args = MEMBERS(NEEDS("qom-type", "str", "its type"), NEEDS("id", "str", "its name")),
        .fn = qmp_do_object_add,
        .open_args = true,
    },
    {
        .name = "object-del",
        .help = "Takes an object of /objects away, unless it is in use.",
        .args = MEMBERS(NEEDS("id", "str", "its name")),
        .fn = qmp_do_object_del,
    },
    {
        .name = "query-chardev",
        .help = "The character devices.",
        .ret = "ChardevInfo[]",
        .fn = qmp_do_query_chardev,
    },
    {
        .name = "chardev-add",
        .help = "Makes a character device.",
        .args = MEMBERS(NEEDS("id", "str", "its name"),
                        NEEDS("backend", "ChardevBackend", "what it is")),
        .ret = "ChardevReturn",
        .fn = qmp_do_chardev_add,
    },
    {
        .name = "chardev-remove",
        .help = "Ends a character device that nobody uses.",
        .args = MEMBERS(NEEDS("id", "str", "its name")),
        .fn = qmp_do_chardev_remove,
    },
    /* Descriptors. */
    {
        .name = "getfd",
        .help = "Keeps the descriptor that came with this command over a unix socket (SCM_RIGHTS), "
                "for a later command that takes its name. A kept one of that name is closed.",
        .args = MEMBERS(NEEDS("fdname", "str", "its name, which begins with no digit")),
        .fn = qmp_do_getfd,
    },
    {
        .name = "closefd",
        .help = "Closes a descriptor that getfd has kept.",
        .args = MEMBERS(NEEDS("fdname", "str", "its name")),
        .fn = qmp_do_closefd,
    },
    {
        .name = "add_client",
        .help = "Gives a chardev of sockets its peer: a connected socket that getfd has kept.",
        .args = MEMBERS(NEEDS("protocol", "str", "the id of the chardev"),
                        NEEDS("fdname", "str", "the name of the socket"),
                        MAY("skipauth", "bool", "has no meaning: nobody has to prove who he is"),
                        MAY("tls", "bool", "has no meaning")),
        .fn = qmp_do_add_client,
    },
    { .name = NULL },
};

/* ---- Events ---- */

const QmpEvent qmp_events[] = {
    {
        .name = "SHUTDOWN",
        .help = "The machine is about to end.",
        .data = MEMBERS(NEEDS("guest", "bool", "whether the guest has asked for it"),
                        NEEDS("reason", "ShutdownCause", "why")),
    },
    {
        .name = "POWERDOWN",
        .help = "Somebody has pressed the power button.",
    },
    {
        .name = "RESET",
        .help = "The machine was reset.",
        .data = MEMBERS(NEEDS("guest", "bool", "whether the guest has asked for it"),
                        NEEDS("reason", "ShutdownCause", "why")),
    },
    {
        .name = "STOP",
        .help = "The machine has stopped.",
    },
    {
        .name = "RESUME",
        .help = "The machine goes on.",
    },
    {
        .name = "DEVICE_DELETED",
        .help = "A device that was taken away is gone; its id and address are free again.",
        .data = MEMBERS(MAY("device", "str", "its id, if it has one"),
                        NEEDS("path", "str", "the path that it had")),
    },
    {
        .name = "DEVICE_UNPLUG_GUEST_ERROR",
        .help = "The guest keeps a device that it was asked to give back.",
        .data = MEMBERS(MAY("device", "str", "its id, if it has one"),
                        NEEDS("path", "str", "its path")),
    },
    {
        .name = "GUEST_PANICKED",
        .help = "The guest cannot go on, or says so.",
        .data = MEMBERS(NEEDS("action", "GuestPanicAction", "what is done with it")),
    },
    {
        .name = "GUEST_CRASHLOADED",
        .help = "The guest could not go on, and says that its crash kernel runs now.",
        .data = MEMBERS(NEEDS("action", "GuestPanicAction", "what is done with it")),
    },
    { .name = NULL },
};

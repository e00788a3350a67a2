/* SPDX-License-Identifier: MIT */
/*
 * The schema: everything that can be asked of a monitor, in the order in which the reference shows
 * it. A new command is a row here and a function in a qmp-cmds or hmp file.
 */
#include "monitor/handlers.h"
#include "monitor/hmp-handlers.h"

#define MEMBERS(...)                                                                               \
    (const SchemaMember[])                                                                         \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            .name = NULL                                                                           \
        }                                                                                          \
    }
#define NEEDS(n, t, h)                                                                             \
    {                                                                                              \
        .name = (n), .type = (t), .help = (h)                                                      \
    }
#define MAY(n, t, h)                                                                               \
    {                                                                                              \
        .name = (n), .type = (t), .help = (h), .optional = true                                    \
    }
#define NO_MEMBERS ((const SchemaMember[]){ { .name = NULL } })
#define PATH NEEDS("path", "str", "the path of an object, or an end of it that only one has")
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* ---- Types ---- */

const SchemaType schema_types[] = {
    /* The protocol itself. */
    {
        .name = "QMPCapability",
        .help = "What a client may enable.",
        .values = WORDS("oob"),
    },
    {
        .name = "CommandInfo",
        .help = "A command or an event.",
        .members = MEMBERS(NEEDS("name", "str", "its name")),
    },
    {
        .name = "VersionTriple",
        .help = "A version in three numbers.",
        .members =
            MEMBERS(NEEDS("major", "int", "the first one"), NEEDS("minor", "int", "the second one"),
                    NEEDS("micro", "int", "the third one")),
    },
    {
        .name = "VersionInfo",
        .help = "Which version this is.",
        .members = MEMBERS(NEEDS("qemu", "VersionTriple",
                                 "the version of QEMU whose commands and events are spoken"),
                           NEEDS("package", "str", "name and version of this program")),
    },
    {
        .name = "SchemaMetaType",
        .help = "What an entry of the schema is.",
        .values = WORDS("builtin", "enum", "array", "object", "command", "event"),
    },
    {
        .name = "SchemaInfo",
        .help = "An entry of the schema.",
        .members = MEMBERS(
            NEEDS("name", "str", "its name"), NEEDS("meta-type", "SchemaMetaType", "what it is"),
            MAY("json-type", "str", "of a builtin: its kind of JSON value"),
            MAY("values", "str[]", "of an enum: its words"),
            MAY("members", "any[]",
                "of an enum: objects with a name; of an object: also "
                "the type, and default where it may be left out"),
            MAY("tag", "str", "of an object of several shapes: the member that says which"),
            MAY("variants", "any[]",
                "of an object of several shapes: objects with case, a value of that member, and "
                "type, an object of the further members"),
            MAY("element-type", "str", "of an array: the type of its elements"),
            MAY("arg-type", "str", "of a command or event: the type of its arguments"),
            MAY("ret-type", "str", "of a command: the type of what it returns"),
            MAY("allow-oob", "bool", "of a command: whether it may be sent with exec-oob")),
    },
    /* The machine as a whole. */
    {
        .name = "RunState",
        .help = "Whether the machine runs, or why it does not.",
        .values = WORDS("prelaunch", "running", "paused", "shutdown", "debug", "internal-error",
                        "guest-panicked"),
    },
    {
        .name = "StatusInfo",
        .help = "Whether the machine runs.",
        .members = MEMBERS(NEEDS("running", "bool", "whether it does"),
                           NEEDS("singlestep", "bool", "always false"),
                           NEEDS("status", "RunState", "the state that it is in")),
    },
    {
        .name = "ShutdownCause",
        .help = "Why the machine ends or was reset.",
        .values = WORDS("none", "host-error", "host-signal", "host-ui", "host-qmp-quit",
                        "host-qmp-system-reset", "guest-shutdown", "guest-reset", "guest-panic"),
    },
    {
        .name = "GuestPanicAction",
        .help = "What is done with a guest that cannot go on.",
        .values = WORDS("pause", "poweroff", "run"),
    },
    {
        .name = "NameInfo",
        .help = "What the user calls the machine.",
        .members = MEMBERS(MAY("name", "str", "its name, where it has one")),
    },
    {
        .name = "KvmInfo",
        .help = "Whether KVM executes the guest.",
        .members = MEMBERS(NEEDS("enabled", "bool", "it does"),
                           NEEDS("present", "bool", "this program can use it")),
    },
    {
        .name = "TargetInfo",
        .help = "Which architecture the vCPUs have.",
        .members = MEMBERS(NEEDS("arch", "str", "its name")),
    },
    {
        .name = "MachineInfo",
        .help = "A type of machine.",
        .members = MEMBERS(
            NEEDS("name", "str", "its name, as -M takes it"),
            MAY("alias", "str", "another name for it"),
            MAY("is-default", "bool", "it is what is made without -M"),
            NEEDS("cpu-max", "int", "the most vCPUs that it may have"),
            NEEDS("hotpluggable-cpus", "bool", "vCPUs may come while it runs"),
            NEEDS("numa-mem-supported", "bool", "-numa node,mem is taken"),
            NEEDS("deprecated", "bool", "it will go away"),
            MAY("default-cpu-type", "str", "the type of its vCPUs, unless another is asked for"),
            MAY("default-ram-id", "str", "the name of its RAM")),
    },
    {
        .name = "CpuInstanceProperties",
        .help = "Where a vCPU sits.",
        .members = MEMBERS(NEEDS("socket-id", "int", "which package"),
                           NEEDS("core-id", "int", "which core of it"),
                           NEEDS("thread-id", "int", "which thread of the core")),
    },
    {
        .name = "CpuInfoFast",
        .help = "A vCPU, without what would have to be asked of its thread.",
        .members = MEMBERS(NEEDS("cpu-index", "int", "its number; 0 is the one that boots"),
                           NEEDS("qom-path", "str", "the path of its object"),
                           NEEDS("thread-id", "int", "the thread of the host that it is"),
                           NEEDS("props", "CpuInstanceProperties", "where it sits"),
                           NEEDS("target", "str", "its architecture")),
    },
    {
        .name = "MemoryInfo",
        .help = "How much memory the guest has, in bytes.",
        .members = MEMBERS(NEEDS("base-memory", "size", "from the start"),
                           NEEDS("plugged-memory", "size", "added while it ran")),
    },
    /* Exits. */
    {
        .name = "ExitCounts",
        .help = "How often an object was entered, and for how many bytes.",
        .members = MEMBERS(
            NEEDS("path", "str", "the path of the object"), NEEDS("type", "str", "its type"),
            NEEDS("reads", "size", "reads of its registers"),
            NEEDS("writes", "size", "writes of its registers"),
            NEEDS("read-bytes", "size", "bytes read"),
            NEEDS("write-bytes", "size", "bytes written"),
            NEEDS("entries", "size", "entries by timers, descriptors and other devices"),
            NEEDS("access-ns", "size",
                  "nanoseconds that those reads and writes took while they were timed"),
            NEEDS("contended", "size", "entries that had to wait for another thread"),
            NEEDS("refused", "size", "entries refused: the thread was inside already")),
    },
    {
        .name = "ExitResult",
        .help = "What became of an access.",
        .values = WORDS("ok", "unassigned", "refused", "error"),
    },
    {
        .name = "ExplainedExit",
        .help = "One exit of a vCPU, or one access of it. What is not known, or was no access, is "
                "left out.",
        .members = MEMBERS(
            NEEDS("number", "size", "among the recorded exits of its vCPU, from 1"),
            NEEDS("cpu-index", "int", "the vCPU"), NEEDS("reason", "str", "why the guest was left"),
            NEEDS("meaning", "str", "the same in words"), MAY("rip", "size", "RIP at the exit"),
            MAY("address-space", "str", "where the access went"),
            MAY("address", "size", "in that address space"), MAY("size", "size", "in bytes"),
            MAY("write", "bool", "whether it wrote"),
            MAY("value", "size", "what was written, or what the guest got"),
            MAY("result", "ExitResult", "what became of it"),
            MAY("region", "str", "the memory region that stands there"),
            MAY("offset", "size", "in that region"),
            MAY("path", "str", "the object that owns the region"), MAY("type", "str", "its type"),
            MAY("method-class", "str", "the class whose method answered"),
            MAY("time-ns", "size", "nanoseconds that it took"),
            NEEDS("text", "str", "all of it for a person, in lines")),
    },
    {
        .name = "CommandLineParameterType",
        .help = "What a key of an option takes.",
        .values = WORDS("string", "boolean", "number", "size"),
    },
    {
        .name = "CommandLineParameterInfo",
        .help = "A key of an option.",
        .members = MEMBERS(NEEDS("name", "str", "its name"),
                           NEEDS("type", "CommandLineParameterType", "what it takes"),
                           MAY("help", "str", "what it means"),
                           MAY("default", "str", "what it is when it is not given")),
    },
    {
        .name = "CommandLineOptionInfo",
        .help = "An option of the command line.",
        .members = MEMBERS(NEEDS("option", "str", "its name, or what QEMU calls its keys"),
                           NEEDS("parameters", "CommandLineParameterInfo[]", "its keys")),
    },
    /* Objects. */
    {
        .name = "ObjectPropertyInfo",
        .help = "A property of an object or a type.",
        .members = MEMBERS(NEEDS("name", "str", "its name"),
                           NEEDS("type", "str",
                                 "what it holds; child<T> is an object that this one owns, "
                                 "link<T> the path of another"),
                           MAY("description", "str", "what it means"),
                           MAY("default-value", "any", "what it holds in a new object")),
    },
    {
        .name = "ObjectPropertyValue",
        .help = "A property of an object and what it holds.",
        .members = MEMBERS(NEEDS("name", "str", "its name"), NEEDS("type", "str", "its type"),
                           MAY("value", "any", "what it holds, where it can be read")),
    },
    {
        .name = "ObjectPropertiesValues",
        .help = "All properties of an object.",
        .members = MEMBERS(NEEDS("properties", "ObjectPropertyValue[]", "each of them")),
    },
    {
        .name = "ObjectTree",
        .help = "An object and what is below it.",
        .members = MEMBERS(NEEDS("name", "str", "its name in the object above; / of the root"),
                           NEEDS("properties", "any",
                                 "an object of what its properties hold, by their names; links are "
                                 "paths"),
                           NEEDS("children", "ObjectTree[]", "what it owns")),
    },
    {
        .name = "ObjectTypeInfo",
        .help = "A type of objects.",
        .members = MEMBERS(NEEDS("name", "str", "its name"),
                           MAY("abstract", "bool", "there are no objects of the type itself"),
                           MAY("parent", "str", "the type that it is a kind of")),
    },
    /* Character devices. */
    {
        .name = "ChardevInfo",
        .help = "A character device.",
        .members = MEMBERS(NEEDS("label", "str", "its id"),
                           NEEDS("filename", "str", "what stands behind it"),
                           NEEDS("frontend-open", "bool", "a device or monitor uses it")),
    },
    {
        .name = "ChardevReturn",
        .help = "What a new character device has to tell.",
        .members = MEMBERS(MAY("pty", "str", "of a pseudo-terminal: its path")),
    },
    {
        .name = "ChardevCommon",
        .help = "Nothing: the kind of the character device says all.",
        .members = NO_MEMBERS,
    },
    {
        .name = "ChardevFile",
        .help = "A file that is written to.",
        .members =
            MEMBERS(NEEDS("out", "str", "the file"), MAY("in", "str", "another one that is read"),
                    MAY("append", "bool", "what it holds is kept (default: false)")),
    },
    {
        .name = "ChardevStdio",
        .help = "Standard input and output of the program.",
        .members = MEMBERS(MAY("signal", "bool",
                               "Ctrl-c and Ctrl-z are for the program, not for "
                               "the guest (default: true)")),
    },
    {
        .name = "ChardevRingbuf",
        .help = "Memory that keeps the last bytes written.",
        .members = MEMBERS(MAY("size", "size", "how many, a power of two (default: 65536)")),
    },
    {
        .name = "InetSocketAddress",
        .help = "An address in an IPv4 network.",
        .members = MEMBERS(NEEDS("host", "str", "an address, or localhost"),
                           NEEDS("port", "str", "a TCP port; a server takes any for 0")),
    },
    {
        .name = "UnixSocketAddress",
        .help = "An address on this host.",
        .members =
            MEMBERS(NEEDS("path", "str", "a path"),
                    MAY("abstract", "bool", "a name that is no file is meant (default: false)")),
    },
    {
        .name = "SocketAddressLegacy",
        .help = "Where a socket listens or connects to.",
        .variants = MEMBERS(NEEDS("inet", "InetSocketAddress", "of the network"),
                            NEEDS("unix", "UnixSocketAddress", "of this host")),
    },
    {
        .name = "ChardevSocket",
        .help = "A stream socket.",
        .members = MEMBERS(
            NEEDS("addr", "SocketAddressLegacy", "its address"),
            MAY("server", "bool", "it listens rather than connects (default: true)"),
            MAY("wait", "bool", "has no meaning: a machine that runs does not wait for a peer"),
            MAY("nodelay", "bool", "TCP sends each byte at once (default: true)"),
            MAY("reconnect", "int",
                "seconds after which a client tries again (default: 0, never)")),
    },
    {
        .name = "ChardevBackend",
        .help = "What a character device is.",
        .variants = MEMBERS(NEEDS("file", "ChardevFile", "a file"),
                            NEEDS("null", "ChardevCommon", "takes everything and gives nothing"),
                            NEEDS("pty", "ChardevCommon", "a new pseudo-terminal"),
                            NEEDS("ringbuf", "ChardevRingbuf", "memory"),
                            NEEDS("memory", "ChardevRingbuf", "the same, by another name"),
                            NEEDS("socket", "ChardevSocket", "a stream socket"),
                            NEEDS("stdio", "ChardevStdio", "standard input and output")),
    },
    { .name = NULL },
};

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
        .help = "How often each object of the tree was entered: always counted.",
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
    { .name = NULL },
};

/* ---- HMP commands ---- */

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
        .help = "show how often each object was entered",
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

/* SPDX-License-Identifier: MIT */
/*
 * The types of the schema: what commands of the machine protocol take and return, and events tell,
 * in the order in which the reference shows them.
 */
#include "monitor/schema-rows.h"

#define NO_MEMBERS ((const SchemaMember[]){ { .name = NULL } })
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

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
        .name = "MigrationCapabilityStatus",
        .help = "A capability of migration.",
        .members = MEMBERS(NEEDS("capability", "str", "its name"),
                           NEEDS("state", "bool", "whether it is on")),
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
        .name = "FdSocketAddress",
        .help = "A socket that is open.",
        .members = MEMBERS(NEEDS("str", "str", "the name that getfd has given it")),
    },
    {
        .name = "SocketAddressLegacy",
        .help = "Where a socket listens or connects to.",
        .variants = MEMBERS(NEEDS("inet", "InetSocketAddress", "of the network"),
                            NEEDS("unix", "UnixSocketAddress", "of this host"),
                            NEEDS("fd", "FdSocketAddress", "one that the client has sent")),
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
        .name = "ChardevUdp",
        .help = "Datagrams to and from one address.",
        .members = MEMBERS(NEEDS("remote", "SocketAddressLegacy", "where they go (inet)"),
                           MAY("local", "SocketAddressLegacy", "where they are taken (inet)")),
    },
    {
        .name = "ChardevHostdev",
        .help = "Something of the host.",
        .members = MEMBERS(NEEDS("device", "str", "its path")),
    },
    {
        .name = "ChardevMux",
        .help = "A chardev that several share.",
        .members = MEMBERS(NEEDS("chardev", "str", "the id of what is shared")),
    },
    {
        .name = "ChardevBackend",
        .help = "What a character device is.",
        .variants = MEMBERS(NEEDS("file", "ChardevFile", "a file"),
                            NEEDS("null", "ChardevCommon", "takes everything and gives nothing"),
                            NEEDS("mux", "ChardevMux", "lets several share another one"),
                            NEEDS("pipe", "ChardevHostdev", "named pipes"),
                            NEEDS("pty", "ChardevCommon", "a new pseudo-terminal"),
                            NEEDS("ringbuf", "ChardevRingbuf", "memory"),
                            NEEDS("memory", "ChardevRingbuf", "the same, by another name"),
                            NEEDS("socket", "ChardevSocket", "a stream socket"),
                            NEEDS("stdio", "ChardevStdio", "standard input and output"),
                            NEEDS("udp", "ChardevUdp", "datagrams")),
    },
    { .name = NULL },
};

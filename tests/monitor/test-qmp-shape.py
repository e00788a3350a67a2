#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The same conversation with Qomet and with QEMU: both answer each request in the same shape. Skipped without QEMU."""
import json
import shutil
import sys

sys.dont_write_bytecode = True
from qmp import Machine  # noqa: E402
from cli import QOMET, Skip, need_kvm, tap  # noqa: E402

QEMU = "qemu-system-x86_64"
NONE = ("-M", "none", "-S", "-nodefaults")
PC = ("-M", "pc", "-S", "-nodefaults", "-display", "none")


def request(name, *ids, **arguments):
    words = {"execute": name}
    if arguments:
        words["arguments"] = arguments
    if ids:
        words["id"] = ids[0]
    return json.dumps(words)


# One request after the other; the answers are compared by what they are, not by what they say.
BEFORE = [
    request("query-status"),
    request("nope"),
    '{"execute": "query-status", "id": 1}',
    request("qmp_capabilities", enable=["nope"]),
    request("qmp_capabilities", enable=1),
    request("qmp_capabilities", "any id", enable=["oob"]),
    request("qmp_capabilities"),
]
ERRORS = [
    "[]", "{}", "42 ", '"x"', "null ", "}", ",", '{"execute" 1}', '{"execute": }', '{"execute": 1}', '{"execute": []}', "xyz ",
    '{"execute": "query-status", "arguments": 1}', '{"execute": "query-status", "arguments": []}', '{"execute": "query-status", "x": 1}',
    '{"execute": "query-status", "exec-oob": "query-status"}', '{"execute": "query-status", "execute": "query-status"}',
    '{"exec-oob": "query-version"}', '{"id": {"a": [null, 1.5]}, "exec-oob": "query-version"}', '{"exec-oob": "nope"}',
    request("nope", "id"),
    request("query-status", 2 ** 64 - 1, a=1),
    request("query-status", -1, a=1),
    request("qom-get", path=1, property="x"),
    request("qom-get", path="/"),
    request("qom-get", path="/", property="nope"),
    request("qom-get", path="/nope", property="type"),
    request("qom-list", path="/nope"),
    request("qom-set", path="/machine", property="type", value="x"),
    request("qom-set", path="/machine", property="nope", value=1),
    request("qom-list-properties", typename="nope"),
    request("device-list-properties", typename="nope"),
    request("device-list-properties", typename="object"),
    request("device_add", driver="nope"),
    request("device_add", driver="isa-serial", id="x"),
    request("device_add"),
    request("device_del", id="nope"),
    request("device_del"),
    request("object-add", **{"qom-type": "nope", "id": "x"}),
    request("object-add", **{"qom-type": "iothread"}),
    request("object-del", id="nope"),
    request("chardev-add", id="x", backend={"type": "nope", "data": {}}),
    request("chardev-add", id="x", backend={"type": "null", "data": {"x": 1}}),
    request("chardev-add", id="x", backend={"type": "null"}),
    request("chardev-add", id="x", backend=1),
    request("chardev-add", id="x"),
    request("chardev-remove", id="nope"),
    request("chardev-remove", id="compat_monitor0"),
    request("qom-get", path="/machine", property="nope"),
    request("qom-list", path=""),
    request("qom-list-properties", typename="user-creatable"),
    request("device-list-properties", typename="device"),
    request("device_add", driver="device"), request("device_add", driver="isa-debugcon", bus="isa.9"),
    request("device_del", id="/machine"), request("device_del", id="/nope"),
    request("query-command-line-options", option="nope"),
    request("memsave", val=0, size=16, filename="/dev/null"),
    request("pmemsave", val=0, size=0, filename="/nowhere/at/all"),
    request("pmemsave", val=0, size=0), request("memsave", val="0", size=16, filename="/dev/null"),
    request("inject-nmi"),
    request("human-monitor-command"),
    request("human-monitor-command", **{"command-line": "info version", "cpu-index": 1}),
    request("getfd", fdname="x"),
    request("closefd", fdname="x"),
    request("add_client", protocol="x", fdname="y"),
    request("memsave", val=0, size=1, filename="/nope/x", **{"cpu-index": 7}),
    request("memsave", val="0", size=1, filename="/nope/x"),
    request("pmemsave", val=0, size=1, filename="/nope/x"),
    request("inject-nmi", x=1),
]
GOOD = [
    request("query-version"), request("query-commands"), request("query-status", [1, {"a": None}]), request("query-name"),
    request("query-kvm"), request("query-target"), request("query-machines"), request("query-cpus-fast"), request("query-chardev"),
    request("query-memory-size-summary"), request("query-command-line-options"),
    *[request("query-command-line-options", option=name) for name in ("device", "name", "memory", "smp-opts", "chardev", "machine")],
    request("pmemsave", val=0, size=0, filename="/dev/null"),
    request("qom-list", path="/machine/peripheral"), request("qom-get", path="/machine", property="peripheral"),
    request("qom-list-properties", typename="container"), request("qom-list-properties", typename="isa-debugcon"),
    request("chardev-add", id="p", backend={"type": "pty", "data": {}}), request("query-chardev"), request("chardev-remove", id="p"),
    request("chardev-add", id="s", backend={"type": "socket", "data": {"addr": {"type": "inet", "data": {"host": "127.0.0.1", "port": "0"}},
                                                                      "server": True, "wait": False}}),
    request("chardev-remove", id="s"),
    request("chardev-add", id="f", backend={"type": "file", "data": {"out": "/dev/null"}}), request("chardev-remove", id="f"),
    request("qom-list", path="/"), request("qom-list", path="/machine"), request("qom-get", path="/machine", property="type"),
    request("qom-list-types"), request("qom-list-types", implements="chardev"), request("qom-list-types", implements="device", abstract=True),
    request("qom-list-properties", typename="isa-serial"), request("device-list-properties", typename="isa-serial"),
    request("chardev-add", id="ring", backend={"type": "ringbuf", "data": {"size": 4096}}),
    request("chardev-add", id="ring", backend={"type": "ringbuf", "data": {"size": 4096}}),
    request("chardev-add", id="nothing", backend={"type": "null", "data": {}}),
    request("chardev-remove", id="nothing"), request("chardev-remove", id="nothing"),
    request("human-monitor-command", **{"command-line": "info version"}),
    request("human-monitor-command", **{"command-line": "nope"}),
    request("stop"), request("query-status"), request("cont"), request("query-status"), request("cont"), request("stop"), request("query-status"),
    request("cont"),
]

# On a PC: devices come and go. QEMU takes PCI devices only, and while its guest stands still it lets none go before a reset.
PC_BEFORE = [
    request("query-status"), request("query-cpus-fast"), request("query-memory-size-summary"), request("query-kvm"),
    request("qom-list", path="/machine/peripheral"), request("qom-list", path="/machine"),
    request("device-list-properties", typename="pci-testdev"), request("device-list-properties", typename="edu"),
    request("device_add", driver="pci-testdev", id="test"), request("device_add", driver="pci-testdev", id="test"),
    request("device_add", "an id", driver="edu", id="edu", addr="5.0"), request("device_add", driver="edu", id="edu2", addr="5.0"),
    request("device_add", driver="edu", id="two", addr="9.0", multifunction=True),
    *[request("device_add", **{"driver": "edu", "id": "edu2", "addr": "9.1", **wrong}) for wrong in (
        {"addr": "99"}, {"addr": 256}, {"addr": "5.1"}, {"addr": True}, {"bus": "isa.0"}, {"bus": "nope"}, {"bus": 1}, {"nope": 1},
        {"romfile": 1}, {"multifunction": "x"}, {"id": "1x"})],
    request("device_add", driver="isa-debugcon", id="con", bus="pci.0"), request("device_add", driver="isa-debugcon", id="con", bus="nope"),
    *[request("device_add", driver=part, id="x") for part in ("i440FX", "PIIX3", "pci-device", "fw_cfg_io", "PCI", "nope", 1)],
    request("qom-list", path="/machine/peripheral"), request("qom-list", path="/machine/peripheral/test"), request("qom-list", path="edu"),
    *[request("qom-get", path="/machine/peripheral/" + path, property=name) for path in ("test", "edu", "two", "edu2") for name in (
        "type", "realized", "hotplugged", "hotpluggable", "addr", "multifunction", "parent_bus", "rombar", "nope")],
    request("qom-set", path="/machine/peripheral/edu", property="addr", value="7.0"),
    request("qom-set", path="/machine/peripheral/edu", property="nope", value=1),
    request("qom-set", path="/machine/peripheral/edu", property="hotplugged", value=1),
]
PC_AFTER = [
    request("device_del", id="edu"), request("device_del", id="/machine/peripheral/edu"), request("device_del", id="nope"),
    request("device_del", id="/machine"), request("device_del", id="/machine/unattached"), request("device_del", id="/machine/peripheral"),
    request("device_del", id=1), request("device_del", id="edu", x=1),
    request("qom-list", path="/machine/peripheral"), request("qom-get", path="/machine/peripheral/edu", property="addr"),
    request("device_add", driver="edu", id="edu", addr="5.0"), request("qom-get", path="/machine/peripheral/edu", property="addr"),
    request("query-status"), request("cont"), request("query-status"), request("stop"), request("query-status"), request("inject-nmi"),
    request("memsave", val=0, size=16, filename="/dev/null"), request("memsave", val=0, size=16, filename="/dev/null", **{"cpu-index": 3}),
    request("pmemsave", val=0, size=16, filename="/dev/null"), request("human-monitor-command", **{"command-line": "info status"}),
]


def shape(value):
    """What a value is, without what it says: an object is its members, a list the members that all its objects have."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        objects = [shape(element) for element in value if isinstance(element, dict)]
        return ["list"] + [sorted(set.intersection(*map(set, objects)))] if objects else "list"
    return type(value).__name__


def answers(program, requests, negotiate=True):
    """(answer, names of the events before it) for each."""
    with Machine(*NONE, program=program, quiet=False, negotiate=negotiate) as machine:
        result = []
        for words in requests:
            machine.qmp.events.clear()
            machine.qmp.send(words + "\r\n")
            answer = machine.qmp.answer()
            result.append((answer, [event["event"] for event in machine.qmp.events]))
        if not negotiate:
            assert "version" in machine.qmp.greeting["QMP"], machine.qmp.greeting
        return machine.qmp.greeting, result


def answers_around_a_removal(program):
    """The same on a PC: (answer, events) for PC_BEFORE, then a removal, a reset and its event, then PC_AFTER."""
    with Machine(*PC, program=program, quiet=False) as machine:
        def ask(words):
            machine.qmp.events.clear()
            machine.qmp.send(words + "\r\n")
            return machine.qmp.answer(), []

        result = [ask(words) for words in PC_BEFORE]
        removal = machine.qmp.ask("device_del", id="edu")
        machine.qmp.ask("system_reset")
        result.append((removal, machine.qmp.event("DEVICE_DELETED", device="edu")))
        return result + [ask(words) for words in PC_AFTER]


def need_qemu():
    if not shutil.which(QEMU):
        raise Skip("there is no " + QEMU)


def compare(requests, judge, negotiate=True):
    need_qemu()
    (our_greeting, ours), (their_greeting, theirs) = (answers(p, requests, negotiate) for p in (QOMET, QEMU))
    assert shape(our_greeting) == shape(their_greeting), (our_greeting, their_greeting)
    compare_answers(requests, judge, ours, theirs)


def compare_answers(requests, judge, ours, theirs):
    wrong = [(words, here, there) for words, (here, _), (there, _) in zip(requests, ours, theirs) if not judge(here, there)]
    wrong += [(words, here, there) for words, (_, here), (_, there) in zip(requests, ours, theirs) if shape(here) != shape(there)]
    for words, here, there in wrong:
        print("# %s\n#   Qomet: %s\n#   QEMU:  %s" % (words, json.dumps(here)[:300], json.dumps(there)[:300]))
    assert not wrong, "%d answers differ" % len(wrong)


def same_kind(here, there):
    """Both return something, or both fail with the same class; the id comes back."""
    return (here.get("id", "none") == there.get("id", "none") and here.keys() == there.keys()
            and here.get("error", {}).get("class") == there.get("error", {}).get("class"))


def same_shape(here, there):
    """What QEMU's answer always has, ours has too, in the same shape."""
    def fits(ours, theirs):
        if isinstance(theirs, dict) and isinstance(ours, dict):
            return all(name in ours and fits(ours[name], theirs[name]) for name in theirs)
        if isinstance(theirs, list) and isinstance(ours, list):
            return set(theirs[1]) <= set(ours[1])
        return ours == theirs or "list" in (ours, theirs)  # an empty list says nothing of what could be in it
    return same_kind(here, there) and fits(shape(here), shape(there))


def the_negotiation_is_the_same():
    compare(BEFORE, same_kind, negotiate=False)


def errors_have_the_same_class():
    compare(ERRORS, same_kind)


def questions_are_answered_in_the_same_shape():
    compare(GOOD, same_shape)


def devices_come_and_go_on_a_pc_in_the_same_shape():
    need_kvm()
    need_qemu()
    compare_answers(PC_BEFORE + ["device_del"] + PC_AFTER, same_shape, answers_around_a_removal(QOMET), answers_around_a_removal(QEMU))


tap([
    the_negotiation_is_the_same,
    errors_have_the_same_class,
    questions_are_answered_in_the_same_shape,
    devices_come_and_go_on_a_pc_in_the_same_shape,
])

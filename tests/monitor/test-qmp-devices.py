#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Devices and objects that come and go over QMP."""
import os
import re
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from qmp import TIMEOUT_S, Machine  # noqa: E402
from cli import folder, need_kvm, tap  # noqa: E402

LONG = bool(os.environ.get("QOMET_TEST_LONG"))
BARE = ("-M", "bare", "-accel", "qtest", "-S", "-nodefaults")
NONE = ("-M", "none", "-accel", "qtest")


def names(machine, path):
    return [p["name"] for p in machine.qmp.command("qom-list", path=path) if p["type"].startswith("child<")]


def whole(machine):
    """Everything that is in the tree."""
    return machine.qmp.command("qom-list-get", paths=everywhere(machine, ""))


def everywhere(machine, path):
    found = [path or "/"]
    for name in names(machine, path or "/"):
        found += everywhere(machine, path + "/" + name)
    return found


def a_device_that_was_added_is_in_the_tree():
    with Machine(*BARE) as machine:
        assert machine.qmp.command("device_add", driver="isa-debugcon", id="con", iobase=0x1e9, bus="isa.0") == {}
        assert names(machine, "/machine/peripheral") == ["con"]
        for name, value in (("iobase", 0x1e9), ("realized", True), ("hotplugged", True), ("parent_bus", "/machine/isa.0")):
            assert machine.qmp.command("qom-get", path="con", property=name) == value, name


def values_may_be_typed_or_the_text_of_the_command_line():
    with Machine(*BARE) as machine:
        machine.qmp.command("device_add", driver="port-logger", id="a", iobase="0x100", iosize=2, limit="12")
        machine.qmp.command("device_add", driver="port-logger", id="b", iobase=0x200, iosize="0x10", limit=2 ** 64 - 1)
        for path, values in (("a", (0x100, 2, 12)), ("b", (0x200, 16, 2 ** 64 - 1))):
            assert tuple(machine.qmp.command("qom-get", path=path, property=p) for p in ("iobase", "iosize", "limit")) == values


def a_device_without_an_id_has_a_path():
    with Machine(*BARE) as machine:
        machine.qmp.command("device_add", driver="isa-debugcon")
        assert names(machine, "/machine/peripheral-anon") == ["device[0]"]
        machine.qmp.command("device_del", id="/machine/peripheral-anon/device[0]")
        event = machine.qmp.event("DEVICE_DELETED")
        assert event["data"] == {"path": "/machine/peripheral-anon/device[0]"}, event
        assert names(machine, "/machine/peripheral-anon") == []


def a_device_that_is_gone_is_told_of_once():
    with Machine(*BARE) as machine:
        machine.qmp.command("device_add", driver="isa-debugcon", id="con")
        machine.qmp.command("device_del", id="con")
        event = machine.qmp.event("DEVICE_DELETED")
        assert event["data"] == {"device": "con", "path": "/machine/peripheral/con"}, event
        assert set(event["timestamp"]) == {"seconds", "microseconds"} and abs(event["timestamp"]["seconds"] - time.time()) < 60
        assert names(machine, "/machine/peripheral") == [] and machine.qmp.events == []
        machine.qmp.fails("DeviceNotFound", "Device 'con' not found", "device_del", id="con")


def a_device_is_told_of_when_nobody_holds_it_any_more():
    with Machine(*BARE) as machine:
        machine.qmp.command("device_add", driver="isa-debugcon", id="con")
        machine.qmp.command("qom-set", path="con", property="realized", value=False)
        assert machine.qmp.command("qom-get", path="con", property="parent_bus") == ""
        assert machine.qmp.events == []
        machine.qmp.command("device_del", id="con")
        assert machine.qmp.event("DEVICE_DELETED")["data"]["device"] == "con"


def what_cannot_be_added_changes_nothing():
    with Machine(*BARE, "-device", "isa-debugcon,id=con") as machine:
        before = whole(machine)
        for desc, args in (
                ("'isa-debugcom' is not a valid device model name (did you mean 'isa-debugcon'?)", {"driver": "isa-debugcom"}),
                ("'bare-machine' is not a valid device model name", {"driver": "bare-machine"}),
                (re.compile("^Parameter 'driver' expects a non-abstract device type"), {"driver": "isa-device"}),
                (re.compile("^Parameter 'driver' expects a pluggable device type"), {"driver": "host-x86_64-cpu"}),
                ("Parameter 'driver' is missing", {"id": "x"}),
                ("Invalid parameter type for 'driver', expected: string", {"driver": 5}),
                ("Invalid parameter type for 'id', expected: string", {"driver": "isa-debugcon", "id": 5}),
                (re.compile("^Parameter 'driver' is missing"), {"driver": ""}),
                ("Bus 'isa.9' not found (did you mean 'isa.0'?)", {"driver": "isa-debugcon", "bus": "isa.9"}),
                (re.compile("'con' is already taken by /machine/peripheral/con"), {"driver": "isa-debugcon", "id": "con"}),
                (re.compile("^'9x' is not a valid id"), {"driver": "isa-debugcon", "id": "9x"}),
                (re.compile("^'' is not a valid id"), {"driver": "isa-debugcon", "id": ""}),
                (re.compile("^'a/b' is not a valid id"), {"driver": "isa-debugcon", "id": "a/b"}),
                ("Property 'isa-debugcon.iobse' not found (did you mean 'iobase'?)", {"driver": "isa-debugcon", "iobse": 1}),
                (re.compile("property 'iobase' of 'isa-debugcon': 'x' is not"), {"driver": "isa-debugcon", "iobase": "x"}),
                (re.compile("property 'iobase' of 'isa-debugcon': .*out of range"), {"driver": "isa-debugcon", "iobase": 2 ** 32}),
                (re.compile("property 'iobase' of 'isa-debugcon': expected an integer, got a list"),
                 {"driver": "isa-debugcon", "iobase": [1]}),
                (re.compile("'/machine/peripheral/con'|overlap"), {"driver": "isa-debugcon", "id": "two", "iobase": 0xe9}),
                (re.compile("go past the last one, 0xffff"), {"driver": "isa-debugcon", "iobase": 0x10000}),
                (re.compile("can't find value 'nope': no chardev has that id"), {"driver": "isa-debugcon", "chardev": "nope"})):
            machine.qmp.fails("GenericError", desc, "device_add", args)
            assert whole(machine) == before, args
        assert machine.qmp.events == []


def a_device_needs_a_bus():
    with Machine(*NONE) as machine:
        machine.qmp.fails("GenericError", "No 'ISA' bus found for device 'isa-debugcon'", "device_add", driver="isa-debugcon")


def what_cannot_be_taken_away_stays():
    with Machine(*BARE, "-device", "isa-debugcon,id=con") as machine:
        before = whole(machine)
        machine.qmp.fails("DeviceNotFound", "Device 'com' not found (did you mean 'con'?)", "device_del", id="com")
        machine.qmp.fails("DeviceNotFound", "Device '/machine/peripheral/com' not found (did you mean "
                          "'/machine/peripheral/con'?)", "device_del", id="/machine/peripheral/com")
        machine.qmp.fails("DeviceNotFound", "Device '' not found", "device_del", id="")
        machine.qmp.fails("GenericError", "/machine is not a hotpluggable device", "device_del", id="/machine")
        machine.qmp.fails("GenericError", "Device 'ram' does not support hotplugging", "device_del", id="/machine/ram")
        machine.qmp.fails("GenericError", re.compile("Device 'ram' does not support hotplugging"), "qom-set", path="/machine/ram",
                          property="realized", value=False)
        assert whole(machine) == before and machine.qmp.events == []


def devices_of_the_start_go_too():
    with Machine("-M", "bare", "-accel", "qtest", "-S", "-serial", "null", "-device", "isa-debugcon,id=con") as machine:
        serial, = (path for path in everywhere(machine, "")
                   if machine.qmp.command("qom-get", path=path, property="type") == "isa-serial")
        machine.qmp.command("device_del", id="con")
        machine.qmp.command("device_del", id=serial)
        assert machine.qmp.event("DEVICE_DELETED")["data"]["device"] == "con"
        assert machine.qmp.event("DEVICE_DELETED")["data"] == {"path": serial}


def objects_come_and_go():
    with Machine(*NONE) as machine:
        machine.qmp.command("chardev-add", id="line", backend={"type": "ringbuf", "data": {}})
        machine.qmp.command("object-add", {"qom-type": "monitor-qmp", "id": "second", "chardev": "line", "pretty": True})
        assert names(machine, "/objects") == ["second"]
        assert machine.qmp.command("qom-get", path="/objects/second", property="pretty") is True
        machine.qmp.fails("GenericError", re.compile("Chardev 'line' is busy"), "chardev-remove", id="line")
        machine.qmp.command("object-del", id="second")
        assert names(machine, "/objects") == []
        machine.qmp.command("chardev-remove", id="line")
        machine.qmp.fails("GenericError", "object 'second' not found", "object-del", id="second")


def what_is_no_object_for_users_is_not_made():
    with Machine(*NONE) as machine:
        for desc, args in (
                ("'monitor-qmq' is not a valid object type name (did you mean 'monitor-qmp'?)", {"qom-type": "monitor-qmq",
                                                                                                 "id": "a"}),
                (re.compile("'isa-debugcon' cannot be made by a user"), {"qom-type": "isa-debugcon", "id": "a"}),
                ("Parameter 'qom-type' is missing", {"id": "a"}),
                ("Parameter 'id' is missing", {"qom-type": "monitor-qmp"}),
                (re.compile("'9' is not a valid id"), {"qom-type": "monitor-qmp", "id": "9"}),
                ("Property 'monitor-qmp.prety' not found (did you mean 'pretty'?)", {"qom-type": "monitor-qmp", "id": "a",
                                                                                     "prety": True}),
                ("Parameter 'chardev' is missing", {"qom-type": "monitor-qmp", "id": "a"}),
                (re.compile("property 'pretty' of 'monitor-qmp'"), {"qom-type": "monitor-qmp", "id": "a", "pretty": "on"})):
            machine.qmp.fails("GenericError", desc, "object-add", args)
            assert "objects" not in names(machine, "/") or names(machine, "/objects") == [], args


POLL = bytes([0xb0, 0x58, 0xe6, 0xe9, 0xb9, 0xff, 0x7f, 0xe2, 0xfe, 0xeb, 0xf5])


def wait_until(condition, what):
    until = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.002)


def a_running_guest_meets_the_device_at_its_next_access():
    """It writes X to a port and waits, for ever."""
    need_kvm()
    with folder() as path:
        with open(path + "/poll", "wb") as guest:
            guest.write(POLL)
        with Machine("-M", "bare,unassigned=ignore", "-nodefaults", "-kernel", path + "/poll") as machine:
            for _ in range(3):
                machine.qmp.command("chardev-add", id="c", backend={"type": "ringbuf", "data": {"size": 1 << 20}})
                machine.qmp.command("device_add", driver="isa-debugcon", id="con", iobase=0xe9, chardev="c")
                wait_until(lambda: machine.qmp.command("qom-get", path="/chardevs/c", property="text"), "nothing is written")
                assert set(machine.qmp.command("qom-get", path="/chardevs/c", property="text")) == {"X"}
                machine.qmp.command("device_del", id="con")
                machine.qmp.event("DEVICE_DELETED", device="con")
                after = machine.qmp.command("qom-get", path="/chardevs/c", property="text")
                time.sleep(0.02)
                assert machine.qmp.command("qom-get", path="/chardevs/c", property="text") == after
                machine.qmp.command("chardev-remove", id="c")
            assert machine.qmp.command("query-status")["running"] is True


def memory_does_not_grow_with_devices_that_come_and_go():
    cycles = 10000 if LONG else 1000
    with Machine(*BARE, measured=True) as machine:
        def cycle():
            machine.qmp.command("device_add", driver="isa-debugcon", id="con")
            machine.qmp.command("device_del", id="con")
            machine.qmp.event("DEVICE_DELETED", device="con")
        for _ in range(cycles // 5):
            cycle()
        before = machine.resident_bytes()
        for _ in range(cycles):
            cycle()
        grown = machine.resident_bytes() - before
        assert grown <= 64 * 1024, "%d bytes in %d cycles" % (grown, cycles)


tap([a_device_that_was_added_is_in_the_tree, values_may_be_typed_or_the_text_of_the_command_line,
     a_device_without_an_id_has_a_path, a_device_that_is_gone_is_told_of_once,
     a_device_is_told_of_when_nobody_holds_it_any_more, what_cannot_be_added_changes_nothing, a_device_needs_a_bus,
     what_cannot_be_taken_away_stays, devices_of_the_start_go_too, objects_come_and_go,
     what_is_no_object_for_users_is_not_made, a_running_guest_meets_the_device_at_its_next_access,
     memory_does_not_grow_with_devices_that_come_and_go])

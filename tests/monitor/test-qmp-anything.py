#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Any type may be asked for, any property set to anything: it is done or refused, and the machine goes on. QOMET_TEST_SEED repeats
a run."""
import os
import random
import sys

sys.dont_write_bytecode = True
from qmp import Machine  # noqa: E402
from cli import Skip, folder, need_kvm, tap  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "guest"))
from guests import LONG, seed_of_test  # noqa: E402

VALUES = [None, True, False, -1, 0, 1, 15, 16, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 63, 2 ** 64 - 1, 1.5, "", "x", "on", "0x10", "/machine",
          "/nope", "con", "/machine/peripheral/con", "/machine/io", "/machine/isa.0", "compat_monitor0", "line", [], [1], ["x"], {}, {"a": 1}]
SPIN = b"\xeb\xfe"


def boards(path):
    """The words of the boards that are tried."""
    with open(path + "/spin", "wb") as guest:
        guest.write(SPIN)
    yield ("-M", "bare", "-accel", "qtest", "-S", "-serial", "null")
    try:
        need_kvm()
    except Skip:
        return
    yield ("-M", "bare,kernel-irqchip=on", "-smp", "2", "-serial", "null", "-kernel", path + "/spin")


def goes_on(machine):
    """Whatever has happened, all of it still works."""
    qmp = machine.qmp
    for name in ("stop", "system_reset", "cont", "qom-tree", "query-chardev"):
        qmp.command(name)
    assert qmp.command("query-status")["running"] is True
    qmp.events.clear()


def paths(machine, path=""):
    found = [path or "/"]
    for info in machine.qmp.command("qom-list", path=path or "/"):
        if info["type"].startswith("child<"):
            found += paths(machine, path + "/" + info["name"])
    return found


def on_each_board(test):
    with folder() as path:
        for words in boards(path):
            with Machine(*words, "-chardev", "null,id=line", "-device", "isa-debugcon,id=con", quiet=False) as machine:
                test(machine, random.Random(seed_of_test()))


def ask_for_types(machine, _):
    for info in machine.qmp.command("qom-list-types", abstract=True):
        name = info["name"]
        if "return" in machine.qmp.ask("device_add", driver=name, id="x"):
            goes_on(machine)
            machine.qmp.command("device_del", id="x")
        if "return" in machine.qmp.ask("object-add", {"qom-type": name, "id": "y"}):
            goes_on(machine)
            machine.qmp.command("object-del", id="y")
        for command in ("qom-list-properties", "device-list-properties"):
            machine.qmp.ask(command, typename=name)
    goes_on(machine)


def any_type_may_be_asked_for():
    on_each_board(ask_for_types)


def offer_to_new_devices(machine, rand):
    """Each property of each device with each value, a few of them at once."""
    for info in machine.qmp.command("qom-list-types", implements="device"):
        names = [p["name"] for p in machine.qmp.command("device-list-properties", typename=info["name"])]
        for value in rand.sample(VALUES, len(VALUES) if LONG else 8):
            for name in names:
                some = {name: value, rand.choice(names): rand.choice(VALUES)}
                if "return" in machine.qmp.ask("device_add", dict(some, driver=info["name"], id="x")):
                    machine.qmp.command("device_del", id="x")
                    machine.qmp.event("DEVICE_DELETED", device="x")
        goes_on(machine)


def any_property_of_a_new_device_may_be_given_any_value():
    on_each_board(offer_to_new_devices)


def offer_to_objects(machine, rand):
    every = [(path, info["name"], value) for path in paths(machine) for info in machine.qmp.command("qom-list", path=path)
             for value in VALUES]
    for count, (path, name, value) in enumerate(rand.sample(every, len(every) if LONG else 1500)):
        machine.qmp.ask("qom-set", path=path, property=name, value=value)
        if count % 100 == 0:
            machine.qmp.ask("device_add", driver="isa-debugcon", id="x", iobase=rand.randrange(0x10000))
            machine.qmp.ask("device_del", id="x")
            goes_on(machine)
    goes_on(machine)


def any_property_of_any_object_may_be_offered_any_value():
    on_each_board(offer_to_objects)


tap([any_type_may_be_asked_for, any_property_of_a_new_device_may_be_given_any_value,
     any_property_of_any_object_may_be_offered_any_value])

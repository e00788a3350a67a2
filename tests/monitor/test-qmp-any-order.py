#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Commands in any order: devices, chardevs and monitors come and go, are set and read, while the machine runs, stops and is reset.

After each step the whole tree is what a model of the machine says. QOMET_TEST_SEED repeats a run.
"""
import os
import socket
import sys

sys.dont_write_bytecode = True
from qmp import Machine, QmpError  # noqa: E402
from cli import TIMEOUT_S, Skip, folder, tap  # noqa: E402
import machine_model  # noqa: E402
from machine_model import DRIVERS, Device, Model, check_rest, check_tree, rest_of  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "guest"))
from guests import LONG, seed_of_test  # noqa: E402

try:
    import hypothesis
    from hypothesis import configuration, strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
except ImportError:
    hypothesis = None

STEPS = 10000 if LONG else 1000
STEPS_AT_ONCE = 50


class Tested:
    """A machine, its monitor, and the line by which ports are read."""

    def __init__(self):
        self.folder = folder()
        path = self.folder.name + "/qtest"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(1)
            listener.settimeout(TIMEOUT_S)
            self.machine = Machine("-M", "bare,unassigned=ignore", "-accel", "qtest", "-qtest", "unix:" + path, "-S", "-nodefaults")
            self.line = listener.accept()[0]
        self.line.settimeout(TIMEOUT_S)
        self.answers = self.line.makefile("rb")
        self.qmp = self.machine.qmp

    def read_port(self, port):
        self.line.sendall(b"inb %#x\n" % port)
        word, value = self.answers.readline().split()
        assert word == b"OK", value
        return int(value, 16)

    def close(self, good):
        self.answers.close()
        self.line.close()
        self.machine.__exit__(None if good else Exception, None, None)
        self.folder.cleanup()


def machine_of_rules(counts):
    """The rules; made in a function because there may be no hypothesis to derive from."""
    ids = st.sampled_from(["a", "b", "c", "isa-debugcon", None])
    chardevs = st.sampled_from(["x", "y", "z"])
    bases = st.one_of(st.sampled_from([0x100, 0x101, 0x104, 0x108, 0xfff8, 0xffff, 0x10000]), st.integers(0, 0x120))
    sizes = st.sampled_from([1, 2, 8])

    class Rules(RuleBasedStateMachine):  # pylint: disable=too-many-public-methods
        def __init__(self):
            super().__init__()
            self.model, self.tested = Model(), Tested()
            self.qmp, self.good = self.tested.qmp, False
            self.rest = rest_of(self.qmp.command("qom-tree"))
            self.gone = []  # events that are to come

        def expect(self, good, name, arguments=None, cls="GenericError", **more):
            """The command works, or fails, as it should."""
            self.good = False
            try:
                answer = self.qmp.command(name, arguments, **more)
                assert good, "%s %r %r works" % (name, arguments, more)
                return answer
            except QmpError as error:
                assert not good, "%s %r %r: %s" % (name, arguments, more, error)
                assert error.cls == cls and error.desc, error
                return None

        # ---- Devices ----

        @rule(driver=st.sampled_from(list(DRIVERS) + ["isa-debugcom", "isa-device", "ram"]), id_=ids, iobase=bases, iosize=sizes,
              chardev=st.one_of(st.none(), chardevs), words=st.booleans())
        def add_device(self, driver, id_, iobase, iosize, chardev, words):
            arguments = {"driver": driver, "iobase": "0x%x" % iobase if words else iobase}
            arguments.update({"id": id_} if id_ else {}, **({"chardev": chardev} if chardev else {}))
            if driver == "port-logger":
                arguments["iosize"] = iosize
            if driver not in DRIVERS:
                self.expect(False, "device_add", arguments)
                return
            device = Device(driver, id_, iobase, iosize, chardev)
            path = "/machine/peripheral/" + id_ if id_ else "/machine/peripheral-anon/device[%d]" % self.free_number()
            good = (path not in self.model.devices and self.model.room_for(device)
                    and (chardev is None or (chardev in self.model.chardevs and self.model.user_of(chardev) is None)))
            self.expect(good, "device_add", arguments)
            if good:
                device.realized = True
                self.model.devices[path] = device

        def free_number(self):
            taken = {int(p.split("[")[1][:-1]) for p in self.model.devices if "[" in p}
            return next(n for n in range(len(taken) + 1) if n not in taken)

        @rule(data=st.data(), by_path=st.booleans())
        def delete_device(self, data, by_path):
            path = data.draw(st.sampled_from(sorted(self.model.devices) + ["/machine/peripheral/b", "/machine/peripheral-anon/device[0]"]))
            device = self.model.devices.pop(path, None)
            name = device.id if device and device.id and not by_path else path
            self.expect(device is not None, "device_del", id=name, cls="DeviceNotFound")
            if device:
                self.gone.append({"path": path, **({"device": device.id} if device.id else {})})

        @rule(data=st.data(), realized=st.booleans())
        def realize(self, data, realized):
            if not self.model.devices:
                return
            path = data.draw(st.sampled_from(sorted(self.model.devices)))
            device = self.model.devices[path]
            good = not realized or device.realized or self.model.room_for(device)
            self.expect(good, "qom-set", path=path, property="realized", value=realized)
            device.realized = realized if good else device.realized

        @rule(data=st.data(), iobase=bases)
        def move(self, data, iobase):
            if not self.model.devices:
                return
            path = data.draw(st.sampled_from(sorted(self.model.devices)))
            device = self.model.devices[path]
            self.expect(not device.realized, "qom-set", path=path, property="iobase", value=iobase)
            device.iobase = device.iobase if device.realized else iobase

        @rule(path=st.sampled_from(["/machine/ram", "/machine", "/machine/isa.0", "/", "/nope"]))
        def take_away_what_stays(self, path):
            self.expect(False, "device_del", id=path, cls="DeviceNotFound" if path == "/nope" else "GenericError")
            self.expect(False, "qom-set", path=path, property="realized", value=False,
                        cls="DeviceNotFound" if path == "/nope" else "GenericError")

        # ---- Chardevs and monitors ----

        @rule(id_=chardevs, kind=st.sampled_from(["null", "ringbuf", "nope"]))
        def add_chardev(self, id_, kind):
            good = kind != "nope" and id_ not in self.model.chardevs
            self.expect(good, "chardev-add", id=id_, backend={"type": kind, "data": {}})
            self.model.chardevs |= {id_} if good else set()

        @rule(id_=st.one_of(chardevs, st.just("compat_monitor0")))
        def remove_chardev(self, id_):
            good = id_ in self.model.chardevs and self.model.user_of(id_) is None
            self.expect(good, "chardev-remove", id=id_)
            self.model.chardevs -= {id_} if good else set()

        @rule(id_=st.sampled_from(["m", "n"]), chardev=chardevs)
        def add_monitor(self, id_, chardev):
            good = id_ not in self.model.monitors and chardev in self.model.chardevs and self.model.user_of(chardev) is None
            self.expect(good, "object-add", {"qom-type": "monitor-qmp"}, id=id_, chardev=chardev)
            if good:
                self.model.monitors[id_] = chardev

        @rule(id_=st.sampled_from(["m", "n"]))
        def delete_monitor(self, id_):
            self.expect(self.model.monitors.pop(id_, None) is not None, "object-del", id=id_)

        # ---- The machine ----

        @rule(name=st.text(max_size=5).filter(lambda t: "\0" not in t))
        def name_it(self, name):
            self.expect(True, "qom-set", path="/machine", property="guest-name", value=name)
            self.model.set["guest-name"] = name

        @rule(register=st.sampled_from(["rax", "cs"]), value=st.one_of(st.integers(-1, 2 ** 64), st.sampled_from([0xffff, 0x10000])))
        def set_register(self, register, value):
            good = 0 <= value < 2 ** (64 if register == "rax" else 16)
            self.expect(good, "qom-set", path="/machine", property=register, value=value)
            if good:
                self.model.set[register] = value

        @rule()
        def reset(self):
            self.expect(True, "system_reset")

        @rule()
        def go(self):
            self.expect(True, "cont")
            self.model.running = self.model.started = True

        @rule()
        def stop(self):
            self.expect(True, "stop")
            self.model.running = False

        @rule(port=bases.filter(lambda p: p <= machine_model.LAST_PORT))
        def read_port(self, port):
            self.good = False
            device, value = self.model.at_port(port), self.tested.read_port(port)
            if device is None:
                assert value == 0xff, (port, value)
            elif device.driver == "isa-debugcon":
                assert value == 0xe9, (port, value)

        # ---- After each step ----

        @invariant()
        def the_tree_is_what_the_model_says(self):
            counts["steps"] += 1
            tree = self.qmp.command("qom-tree")
            check_tree(self.model, tree)
            check_rest(self.rest, tree)
            deleted = [e["data"] for e in self.qmp.events if e["event"] == "DEVICE_DELETED"]
            assert deleted == self.gone, (deleted, self.gone)
            self.gone = []
            self.qmp.events.clear()
            status = self.qmp.command("query-status")
            assert status["running"] == self.model.running, status
            self.good = True

        def teardown(self):
            self.tested.close(self.good)

    return Rules


def the_machine_is_what_was_asked_for_after_any_commands():
    if not hypothesis:
        raise Skip("python3-hypothesis is not installed")
    with folder() as home:
        # What it notes for later would be left where the test was run.
        configuration.set_hypothesis_home_dir(home)
        take_steps()


def take_steps():
    seed, counts = seed_of_test(), {"steps": 0}
    while counts["steps"] < STEPS:
        examples = max(1, min(STEPS - counts["steps"], 1000) // STEPS_AT_ONCE)
        run_state_machine_as_test(
            hypothesis.seed(seed + counts["steps"])(machine_of_rules(counts)),
            settings=hypothesis.settings(max_examples=examples, stateful_step_count=STEPS_AT_ONCE, deadline=None, database=None,
                                         print_blob=False, suppress_health_check=list(hypothesis.HealthCheck)))
    print("# %d steps" % counts["steps"])


tap([the_machine_is_what_was_asked_for_after_any_commands])

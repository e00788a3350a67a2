#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a machine does when its guest ends, cannot go on, or is reset: -action, -no-reboot, -no-shutdown."""
import json
import os
import re
import select
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from cli import QOMET, TIMEOUT_S, folder, need_kvm, qomet, start, tap  # noqa: E402

# HLT; and in protected mode with no interrupt table: UD2.
HALTS = b"\xf4"
TRIPLE_FAULT = b"\x0f\x0b"


class Qmp:
    """A bare machine with a monitor on its standard input and output."""

    def __init__(self, code, *words):
        self.folder = folder()
        kernel = os.path.join(self.folder.name, "guest")
        with open(kernel, "wb") as file:
            file.write(code)
        self.process = subprocess.Popen(
            [QOMET, "-M", "bare,protected-mode=on", "-nodefaults", "-kernel", kernel, "-qmp", "stdio", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.rest = b""
        self.events = []
        assert "QMP" in self.line()
        self.ask("qmp_capabilities")

    def line(self):
        out = self.process.stdout.fileno()
        while b"\n" not in self.rest:
            assert select.select([out], [], [], TIMEOUT_S)[0], "nothing more comes after %s" % self.events
            more = os.read(out, 65536)
            assert more, "the program has ended: %r" % self.process.stderr.read()
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return json.loads(line)

    def say(self, command):
        self.process.stdin.write(json.dumps({"execute": command}).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, command):
        self.say(command)
        while True:
            answer = self.line()
            if "event" not in answer:
                assert "return" in answer, answer
                return answer["return"]
            self.events.append(answer)

    def wait_event(self, name):
        while not any(event.get("event") == name for event in self.events):
            self.events.append(self.line())
        return next(event for event in self.events if event.get("event") == name)

    def ends(self, status):
        self.process.wait(timeout=TIMEOUT_S)
        assert self.process.returncode == status, (self.process.returncode, self.process.stderr.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.folder.cleanup()


def without_an_action_a_shutdown_ends_the_program():
    need_kvm()
    with Qmp(HALTS, "-S") as qmp:
        qmp.say("cont")
        assert qmp.wait_event("SHUTDOWN")["data"] == {"guest": True, "reason": "guest-shutdown"}
        qmp.ends(0)


def no_shutdown_leaves_the_machine_to_be_looked_at():
    need_kvm()
    for words in (("-no-shutdown",), ("-action", "shutdown=pause")):
        with Qmp(HALTS, "-S", *words) as qmp:
            qmp.ask("cont")
            assert qmp.wait_event("SHUTDOWN")["data"] == {"guest": True, "reason": "guest-shutdown"}
            qmp.wait_event("STOP")
            assert qmp.ask("query-status")["status"] == "shutdown"
            qmp.ask("quit")
            qmp.ends(0)


def a_signal_ends_a_machine_that_was_only_stopped():
    need_kvm()
    with Qmp(HALTS, "-S", "-no-shutdown") as qmp:
        qmp.ask("cont")
        qmp.wait_event("STOP")
        qmp.process.send_signal(signal.SIGTERM)
        qmp.ends(0)


def no_reboot_makes_a_reset_a_shutdown():
    need_kvm()
    for words in (("-no-reboot",), ("-action", "reboot=shutdown")):
        with Qmp(HALTS, "-S", *words) as qmp:
            qmp.ask("system_reset")
            assert qmp.wait_event("SHUTDOWN")["data"] == {"guest": False, "reason": "host-qmp-system-reset"}
            qmp.ends(0)


def a_panic_has_status_1_unless_another_action_is_named():
    need_kvm()
    for words, status in (((), 1), (("-action", "panic=exit-failure"), 1), (("-action", "panic=shutdown"), 0)):
        with Qmp(TRIPLE_FAULT, "-S", *words) as qmp:
            qmp.say("cont")
            assert qmp.wait_event("GUEST_PANICKED")["data"]["action"] == "poweroff"
            qmp.ends(status)


def a_panic_may_leave_the_machine_to_be_looked_at():
    need_kvm()
    for action, state in (("pause", "guest-panicked"), ("none", "internal-error")):
        with Qmp(TRIPLE_FAULT, "-S", "-action", "panic=" + action) as qmp:
            qmp.ask("cont")
            assert qmp.wait_event("GUEST_PANICKED")["data"]["action"] == "pause"
            qmp.wait_event("STOP")
            assert not any(event.get("event") == "SHUTDOWN" for event in qmp.events), qmp.events
            assert qmp.ask("query-status")["status"] == state
            qmp.process.send_signal(signal.SIGTERM)
            qmp.ends(0)


def each_panic_after_a_reset_is_told():
    need_kvm()
    with Qmp(TRIPLE_FAULT, "-S", "-action", "panic=pause") as qmp:
        for _ in range(3):
            qmp.ask("cont")
            qmp.wait_event("GUEST_PANICKED")
            qmp.ask("system_reset")
            qmp.wait_event("RESET")
            qmp.events = []
        qmp.process.send_signal(signal.SIGTERM)
        err = qmp.process.communicate(timeout=TIMEOUT_S)[1]
        assert err.count(b"triple fault: an exception") == 3, err


def a_failure_that_was_told_keeps_its_status():
    need_kvm()
    with folder() as path:
        kernel = os.path.join(path, "guest")
        with open(kernel, "wb") as file:
            file.write(TRIPLE_FAULT)
        for i in range(400 if os.environ.get("QOMET_TEST_LONG") else 40):
            process = start("-M", "bare,protected-mode=on", "-nodefaults", "-kernel", kernel)
            time.sleep(i % 40 * 0.0005)
            process.send_signal(signal.SIGTERM)
            err = process.communicate(timeout=TIMEOUT_S)[1]
            told = b"triple fault" in err
            assert process.returncode in ((1,) if told else (0, -signal.SIGTERM)), (i, process.returncode, err)


def a_wrong_action_is_named_with_those_that_there_are():
    none = ("-accel", "qtest", "-M", "none")
    qomet(*none, "-action", "reboot=restart").expect(
        status=1, err=re.compile(r"\Aqomet: -action reboot=restart: .*'restart' is not an action.* reset, shutdown\n\Z"))
    qomet(*none, "-action", "panic=exitfailure").expect(status=1, err=re.compile("did you mean 'exit-failure'"))
    qomet(*none, "-action", "fire=run").expect(status=1, err=re.compile("fire"))


tap([without_an_action_a_shutdown_ends_the_program, no_shutdown_leaves_the_machine_to_be_looked_at,
     a_signal_ends_a_machine_that_was_only_stopped, no_reboot_makes_a_reset_a_shutdown,
     a_panic_has_status_1_unless_another_action_is_named, a_panic_may_leave_the_machine_to_be_looked_at,
     each_panic_after_a_reset_is_told, a_failure_that_was_told_keeps_its_status,
     a_wrong_action_is_named_with_those_that_there_are])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A conversation as users have it: on standard input and output."""
import contextlib
import json
import subprocess
import sys

sys.dont_write_bytecode = True
from qmp import QOMET, TIMEOUT_S  # noqa: E402
from cli import Skip, need_kvm, tap  # noqa: E402


def have_kvm():
    try:
        need_kvm()
        return True
    except Skip:
        return False


@contextlib.contextmanager
def talk(words):
    """A program with a monitor on its standard input and output, and a function that asks it: the answer, and events before it."""
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(name, **arguments):
        process.stdin.write(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        process.stdin.flush()
        events = []
        while True:
            line = json.loads(process.stdout.readline())
            if "event" not in line:
                assert "return" in line, (name, line)
                return line["return"], events
            events.append(line)

    try:
        yield process, ask
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def the_shown_conversation_works_to_the_letter():
    words = [QOMET, "-M", "bare", "-S", "-nodefaults", "-display", "none", "-qmp", "stdio"]
    if not have_kvm():
        words += ["-accel", "qtest"]
    with talk(words) as (process, ask):
        greeting = json.loads(process.stdout.readline())
        assert greeting["QMP"]["version"]["qemu"].keys() == {"major", "minor", "micro"}
        assert greeting["QMP"]["capabilities"] == ["oob"]
        assert ask("qmp_capabilities") == ({}, [])
        assert {"name": "isa-debugcon", "parent": "isa-device"} in ask("qom-list-types")[0]
        assert ask("device_add", driver="isa-debugcon", id="con", iobase=0x402) == ({}, [])
        assert ask("qom-get", path="/machine/peripheral/con", property="iobase") == (0x402, [])
        done, events = ask("device_del", id="con")
        assert done == {}
        deleted = events[0] if events else json.loads(process.stdout.readline())
        assert deleted["event"] == "DEVICE_DELETED"
        assert deleted["data"] == {"device": "con", "path": "/machine/peripheral/con"}
        assert ask("quit")[0] == {}
        assert json.loads(process.stdout.readline())["event"] == "SHUTDOWN"
        assert process.wait(timeout=TIMEOUT_S) == 0


tap([the_shown_conversation_works_to_the_letter])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Conversations as users and programs have them: on standard input and output, and the first questions of libvirt."""
import contextlib
import json
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from qmp import Qmp, connect  # noqa: E402
from cli import QOMET, TIMEOUT_S, Skip, folder, need_kvm, qomet, tap  # noqa: E402


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


def the_first_questions_of_libvirt_are_answered():
    with folder() as path:
        where, pidfile = os.path.join(path, "monitor.sock"), os.path.join(path, "pid")
        accel = "kvm:tcg" if have_kvm() else "kvm:tcg:qtest"
        qomet("-S", "-no-user-config", "-nodefaults", "-nographic", "-machine", "none,accel=" + accel, "-qmp",
              "unix:%s,server=on,wait=off" % where, "-pidfile", pidfile, "-daemonize").expect(status=0, out="", err="")
        with open(pidfile, encoding="ascii") as file:
            pid = int(file.read())
        try:
            qmp = Qmp(connect(where))
            version = qmp.command("query-version")["qemu"]
            assert (version["major"], version["minor"]) >= (4, 2)
            commands = {row["name"] for row in qmp.command("query-commands")}
            assert qmp.command("query-target") == {"arch": "x86_64"}
            assert qmp.command("query-kvm")["present"] in (True, False)
            assert {"name", "meta-type"} <= qmp.command("query-qmp-schema")[0].keys()
            assert any(row["name"] == "isa-serial" for row in qmp.command("qom-list-types"))
            assert any(row["name"] == "none" for row in qmp.command("query-machines"))
            assert any(row["name"] == "iobase" for row in qmp.command("device-list-properties", typename="isa-debugcon"))
            # What is not there says so, and is not in the list.
            for name in ("query-tpm-models", "query-cpu-definitions", "query-migrate-capabilities", "query-sev-capabilities"):
                assert name not in commands
                qmp.fails("CommandNotFound", "The command %s has not been found" % name, name)
            qmp.command("quit")
            until = time.monotonic() + TIMEOUT_S
            while os.path.exists(pidfile):
                assert time.monotonic() < until
                time.sleep(0.01)
            qmp.close()
        except BaseException:
            os.kill(pid, signal.SIGKILL)
            raise


tap([
    the_shown_conversation_works_to_the_letter,
    the_first_questions_of_libvirt_are_answered,
])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""-daemonize: who calls the program learns from its end whether the machine is ready."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from cli import QOMET, TIMEOUT_S, folder, qomet, start, tap  # noqa: E402

BARE = ("-accel", "qtest", "-M", "bare")


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open("/proc/%d/stat" % pid, encoding="ascii") as file:
        # Its parent is whoever takes in orphans, who may be slow.
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"


class Daemon:
    """A program in the background, found by its pid file; for a with statement."""

    def __init__(self, *words, **more):
        self.folder = folder()
        self.path = self.folder.name
        pidfile = os.path.join(self.path, "pid")
        words = [str(word).replace("FOLDER", self.path) for word in words]
        self.run = qomet(*words, "-daemonize", "-pidfile", pidfile, cwd=self.path, **more)
        self.run.expect(status=0, out="", err="")
        with open(pidfile, encoding="ascii") as file:
            self.pid = int(file.read())

    def ends(self):
        until = time.monotonic() + TIMEOUT_S
        while alive(self.pid):
            assert time.monotonic() < until, "it does not end"
            time.sleep(0.005)
        assert not os.path.exists(os.path.join(self.path, "pid"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if alive(self.pid):
            os.kill(self.pid, signal.SIGKILL)
        self.folder.cleanup()


def the_program_goes_on_in_a_session_of_its_own():
    with Daemon(*BARE) as daemon:
        assert alive(daemon.pid) and os.getsid(daemon.pid) == daemon.pid
        assert os.readlink("/proc/%d/cwd" % daemon.pid) == "/"
        for fd in (0, 1, 2):
            assert os.readlink("/proc/%d/fd/%d" % (daemon.pid, fd)) == "/dev/null"
        os.kill(daemon.pid, signal.SIGTERM)
        daemon.ends()


def the_first_questions_of_libvirt_are_answered():
    with Daemon("-S", "-no-user-config", "-nodefaults", "-nographic", "-machine", "none,accel=qtest:tcg",
                "-qmp", "unix:FOLDER/monitor.sock,server=on,wait=off") as daemon:
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(TIMEOUT_S)
            monitor.connect(os.path.join(daemon.path, "monitor.sock"))
            with monitor.makefile("rw") as lines:
                assert "QMP" in json.loads(lines.readline())
                for command in ("qmp_capabilities", "query-version", "query-target", "query-kvm", "query-commands", "quit"):
                    lines.write(json.dumps({"execute": command, "id": command}) + "\n")
                    lines.flush()
                    answer = json.loads(lines.readline())
                    # What is lacking is said so.
                    assert answer["id"] == command and ("return" in answer or "CommandNotFound" in str(answer)), answer
        daemon.ends()
        assert os.listdir(daemon.path) == []


def a_socket_at_a_relative_path_is_removed_all_the_same():
    with Daemon("-accel", "qtest", "-M", "none", "-qmp", "unix:here.sock,server=on,wait=off") as daemon:
        assert "here.sock" in os.listdir(daemon.path)
        os.kill(daemon.pid, signal.SIGTERM)
        daemon.ends()
        assert os.listdir(daemon.path) == []


def a_machine_that_cannot_be_made_is_told_of():
    qomet(*BARE, "-daemonize", "-kernel", "/nonexistent").expect(
        status=1, out="", err="qomet: -kernel /nonexistent: cannot open '/nonexistent': No such file or directory\n")
    qomet(*BARE, "-daemonize", "-device", "nope").expect(status=1, err=re.compile("nope"))


def standard_input_and_output_are_nobodys():
    for words in (("-serial", "stdio"), ("-chardev", "stdio,id=c"), ("-qtest", "stdio"), ("-qmp", "stdio")):
        qomet(*BARE, "-nodefaults", "-daemonize", *words).expect(
            status=1, err="qomet: %s: cannot use stdio with -daemonize\n" % " ".join(words))


def a_question_is_answered_in_the_foreground():
    qomet("-daemonize", "-M", "help").expect(status=0, out=re.compile(r"\ASupported machines are:\n"), err="")


def a_signal_that_the_caller_gets_ends_the_start():
    with folder() as path:
        # Waits for a peer before the machine is made.
        process = start(*BARE, "-daemonize", "-serial", "unix:%s/peer,server=on" % path, stderr=subprocess.PIPE)
        assert b"waiting" in process.stderr.readline()
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0
        assert os.listdir(path) == []


assert os.access(QOMET, os.X_OK)
tap([the_program_goes_on_in_a_session_of_its_own, the_first_questions_of_libvirt_are_answered,
     a_socket_at_a_relative_path_is_removed_all_the_same, a_machine_that_cannot_be_made_is_told_of,
     standard_input_and_output_are_nobodys, a_question_is_answered_in_the_foreground,
     a_signal_that_the_caller_gets_ends_the_start])

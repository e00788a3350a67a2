# SPDX-License-Identifier: MIT
"""What tests share that speak QMP: a connection, and a machine with one.

    with Machine("-M", "bare", "-S") as machine:
        machine.qmp.command("device_add", driver="isa-debugcon", id="con")
        machine.qmp.fails("DeviceNotFound", "Device 'x' not found", "device_del", id="x")
        machine.qmp.event("DEVICE_DELETED")

The machine is QEMU, or anything else that is started with the same words, where program= says so. Every wait is bounded.
"""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from cli import QOMET, TIMEOUT_S, without_quarantine  # noqa: E402, pylint: disable=wrong-import-position


class QmpError(Exception):
    """An answer that is an error: its class and description."""

    def __init__(self, error):
        super().__init__("%s: %s" % (error["class"], error["desc"]))
        self.cls, self.desc = error["class"], error["desc"]


class Qmp:
    """A connection: commands are answered in turn, events that come in between are kept in .events."""

    def __init__(self, connection, negotiate=True):
        self.connection, self.events = connection, []
        connection.settimeout(TIMEOUT_S)
        self.lines = connection.makefile("rb")
        self.greeting = self.receive()
        if negotiate:
            self.command("qmp_capabilities")

    def send(self, text):
        """Sends bytes or text as they are."""
        self.connection.sendall(text if isinstance(text, bytes) else text.encode())

    def receive(self):
        """The next message, whatever it is; None at the end of the connection."""
        line = self.lines.readline()
        return json.loads(line) if line else None

    def answer(self):
        """The next message that is no event."""
        while True:
            message = self.receive()
            if message is None:
                raise EOFError("the monitor has hung up")
            if "event" not in message:
                return message
            self.events.append(message)

    def ask(self, name, arguments=None, **more):
        """The whole answer to a command. Arguments are given by name, or in a dictionary where their names are no words."""
        request = {"execute": name}
        arguments = dict(arguments or {}, **more)
        if arguments:
            request["arguments"] = arguments
        self.send(json.dumps(request) + "\r\n")
        return self.answer()

    def command(self, name, arguments=None, **more):
        """What the command returns; an error is raised."""
        answer = self.ask(name, arguments, **more)
        if "error" in answer:
            raise QmpError(answer["error"])
        return answer["return"]

    def fails(self, cls, desc, name, arguments=None, **more):
        """Asserts that the command fails: with that class, and that description (a text, or a pattern that is to be found)."""
        answer = self.ask(name, arguments, **more)
        error = answer.get("error")
        assert error, "%s %s: expected a failure, got %r" % (name, more, answer)
        assert error["class"] == cls, "%s: expected %s, got %r" % (name, cls, error)
        good = desc.search(error["desc"]) if isinstance(desc, re.Pattern) else error["desc"] == desc
        assert good, "%s: expected %r, got %r" % (name, desc, error["desc"])

    def event(self, name, **data):
        """Waits for an event of that name with these data among its own, and takes it out of .events."""
        until = time.monotonic() + TIMEOUT_S
        while True:
            for event in self.events:
                if event["event"] == name and data.items() <= event.get("data", {}).items():
                    self.events.remove(event)
                    return event
            assert time.monotonic() < until, "no %s %r among %r" % (name, data, self.events)
            message = self.receive()
            assert message and "event" in message, "waiting for %s: %r" % (name, message)
            self.events.append(message)

    def close(self):
        self.lines.close()
        self.connection.close()


def connect(path, wait=True):
    """A connection to the monitor at @path, which may be about to come."""
    until = time.monotonic() + TIMEOUT_S
    while True:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(TIMEOUT_S if wait else 0)
        try:
            client.connect(path)
            return client
        except (FileNotFoundError, ConnectionRefusedError):
            client.close()
            assert time.monotonic() < until
            time.sleep(0.001)
        except BlockingIOError:
            client.close()
            return None


class Machine:
    """A running program with a monitor, for a with statement. At the end it must have come through: status 0, nothing on
    standard error unless quiet=False. With measured=True its resident_bytes() are what it holds, in every build."""

    def __init__(self, *words, program=QOMET, quiet=True, negotiate=True, measured=False, **more):
        self.folder = tempfile.TemporaryDirectory(prefix="qomet-qmp-")
        self.path, self.quiet, self.err = self.folder.name + "/qmp", quiet, None
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            listener.listen(1)
            listener.settimeout(TIMEOUT_S)
            more.setdefault("stdin", subprocess.DEVNULL)
            more.setdefault("stdout", subprocess.DEVNULL)
            if measured:
                more["env"] = without_quarantine()
            self.errors = tempfile.TemporaryFile()
            self.process = subprocess.Popen([program, *[str(w) for w in words], "-display", "none", "-qmp", "unix:" + self.path],
                                            stderr=self.errors, **more)
            try:
                self.qmp = Qmp(listener.accept()[0], negotiate)
            except Exception:
                self.kill()
                print("# " + self.errors_text().replace("\n", "\n# "))
                raise

    def errors_text(self):
        """What was written to standard error so far."""
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def resident_bytes(self):
        with open("/proc/%d/statm" % self.process.pid, encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def quit(self):
        """Ends it, and says whether it came through."""
        if self.process.poll() is None:
            try:
                self.qmp.command("quit")
            except (EOFError, OSError):
                pass
        status = self.process.wait(timeout=TIMEOUT_S)
        text = self.errors_text()
        assert status == 0 and not (self.quiet and text), "status %d, standard error %r" % (status, text)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.quit()
            else:
                self.kill()
                print("# standard error: " + self.errors_text().replace("\n", "\n# "))
        finally:
            self.kill()
            self.qmp.close()
            self.errors.close()
            self.folder.cleanup()

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""stdio in an attach is the terminal of whoever attaches; what uses it stays until one of them goes."""
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import termios
import time

sys.dont_write_bytecode = True
from cli import QOMET, TIMEOUT_S, Machine, folder, listed, need_kvm, qomet, takes_signal, tap, wait_for  # noqa: E402

BARE = ("-accel", "qtest", "-M", "bare", "-nodefaults", "-display", "none")
CONSOLE = ("-chardev", "stdio,id=c", "-device", "isa-debugcon,iobase=0xe9,id=con1,chardev=c")
SERIAL = ("-chardev", "stdio,id=c", "-device", "isa-serial,iobase=0x3f8,id=com1,chardev=c")


class Driven(Machine):
    """A machine whose ports a test drives."""

    def __init__(self, name, *words, **more):
        with folder() as path, socket.socket(socket.AF_UNIX) as listener:
            test = os.path.join(path, "test")
            listener.bind(test)
            listener.listen(1)
            listener.settimeout(TIMEOUT_S)
            super().__init__(name, *BARE, "-qtest", "unix:" + test, *words, **more)
            self.peer = listener.accept()[0]
        self.peer.settimeout(TIMEOUT_S)
        self.lines = self.peer.makefile("rw")

    def say(self, command):
        self.lines.write(command + "\n")
        self.lines.flush()
        answer = self.lines.readline()
        assert answer.startswith("OK"), answer
        return answer

    def out(self, port, text):
        for byte in text:
            self.say("outb %d %d" % (port, byte))

    def byte(self, port):
        return int(self.say("inb %d" % port).split()[1], 0)

    def received(self, count):
        """Bytes that came in at the first serial port."""
        text = b""
        until = time.monotonic() + TIMEOUT_S
        while len(text) < count:
            assert time.monotonic() < until, "only %r came" % text
            if self.byte(0x3fd) & 1:
                text += bytes([self.byte(0x3f8)])
        return text

    def has(self, path):
        return path in qomet("attach", self.name, "-monitor", "stdio", stdin=self.commands("info qom-tree")).out

    @staticmethod
    def commands(text):
        reading, writing = os.pipe()
        os.write(writing, text.encode() + b"\n")
        os.close(writing)
        return reading

    @contextlib.contextmanager
    def standing_still(self):
        """Takes no request meanwhile."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def is_empty(self):
        """Nothing that was attached is left."""
        return self.byte(0xe9) == 0xff and self.byte(0x3fd) == 0xff

    def __exit__(self, *args):
        # Whoever drives it and goes ends the machine.
        self.process.terminate()
        self.process.wait(timeout=TIMEOUT_S)
        self.lines.close()
        self.peer.close()
        super().__exit__(*args)


def attach(machine, *words, **more):
    """Attaches and stays."""
    return subprocess.Popen([QOMET, "attach", machine.name, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            **{"stdin": subprocess.DEVNULL, **more})


def read_some(fd, count):
    text = b""
    while len(text) < count:
        assert select.select([fd], [], [], TIMEOUT_S)[0], "only %r came" % text
        more = os.read(fd, count - len(text))
        assert more, "it ended after %r" % text
        text += more
    return text


def output_goes_to_the_caller_until_it_is_detached():
    with Driven("m") as machine:
        client = attach(machine, *CONSOLE)
        wait_for(lambda: machine.byte(0xe9) == 0xe9, client)
        machine.out(0xe9, b"hello")
        assert read_some(client.stdout.fileno(), 5) == b"hello"
        assert client.poll() is None
        machine.out(0xe9, b"bye")
        machine.detach("con1").expect(status=0)
        out, err = client.communicate(timeout=TIMEOUT_S)
        assert (client.returncode, out, err) == (0, b"bye", b""), (client.returncode, out, err)
        # Its chardev has gone too.
        client = attach(machine, *CONSOLE)
        wait_for(lambda: machine.byte(0xe9) == 0xe9, client)
        client.terminate()
        client.communicate(timeout=TIMEOUT_S)


def the_devices_go_with_the_caller():
    with Driven("m") as machine:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
            client = attach(machine, *CONSOLE)
            wait_for(lambda: machine.byte(0xe9) == 0xe9, client)
            client.send_signal(number)
            out, err = client.communicate(timeout=TIMEOUT_S)
            killed = number == signal.SIGKILL
            assert (client.returncode, out, err) == (-number if killed else 0, b"", b""), (client.returncode, out, err)
            if killed:
                wait_for(machine.is_empty)
            assert machine.is_empty()


def a_signal_ends_it_in_order_at_any_moment():
    with Driven("m") as machine:
        for delay_ms in range(12):
            client = attach(machine, *CONSOLE)
            wait_for(lambda: takes_signal(client, signal.SIGTERM), client)
            time.sleep(delay_ms / 1000)
            client.send_signal(signal.SIGTERM)
            out, err = client.communicate(timeout=TIMEOUT_S)
            assert (client.returncode, out, err) == (0, b"", b""), (client.returncode, out, err)
            assert machine.is_empty()


def waits(process):
    """Whether the process sleeps, and goes on doing so."""
    def sleeps():
        with open("/proc/%d/status" % process.pid, encoding="ascii") as file:
            found = re.search(r"^State:\s*S.*^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.M | re.S)
        return found and found[1]

    before = sleeps()
    time.sleep(0.05)
    return before and sleeps() == before


def what_was_asked_for_before_a_signal_is_taken_away_again():
    with Driven("m") as machine:
        with machine.standing_still():
            client = attach(machine, *CONSOLE)
            wait_for(lambda: takes_signal(client, signal.SIGHUP) and waits(client), client)
            client.send_signal(signal.SIGTERM)
        out, err = client.communicate(timeout=TIMEOUT_S)
        assert (client.returncode, out, err) == (0, b"", b""), (client.returncode, out, err)
        assert machine.is_empty()


def who_asks_twice_does_not_wait_for_a_machine_that_does_not_answer():
    with Driven("m") as machine:
        with machine.standing_still():
            client = attach(machine, *CONSOLE)
            wait_for(lambda: takes_signal(client, signal.SIGHUP) and waits(client), client)
            client.send_signal(signal.SIGINT)
            # The answer is waited for: what was asked for may have been done.
            wait_for(lambda: client.poll() is not None or waits(client))
            client.send_signal(signal.SIGTERM)
            out, err = client.communicate(timeout=TIMEOUT_S)
            assert (client.returncode, out, err) == (0, b"", b""), (client.returncode, out, err)
        # What came all the same is taken away when the machine sees that nobody is there.
        wait_for(machine.is_empty)


def the_end_of_the_machine_ends_the_caller():
    with Driven("m") as machine:
        client = attach(machine, *CONSOLE)
        wait_for(lambda: machine.byte(0xe9) == 0xe9, client)
        machine.process.terminate()
        out, err = client.communicate(timeout=TIMEOUT_S)
        assert (client.returncode, out, err) == (0, b"", b""), (client.returncode, out, err)


def a_machine_that_has_said_all_at_once_is_understood():
    with Driven("m"), socket.socket(socket.AF_UNIX) as listener:
        # It stands where a machine would, in the folder that one has made.
        listener.bind(os.environ["XDG_RUNTIME_DIR"] + "/qomet/quick")
        listener.listen(2)
        listener.settimeout(TIMEOUT_S)
        client = subprocess.Popen([QOMET, "attach", "quick", *CONSOLE], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        with listener.accept()[0] as first:
            first.sendall(b'{"need": {"name": "stdio", "flags": 0}, "error": "there is none"}\n')
            first.recv(1 << 16)
        with listener.accept()[0] as second:
            second.sendall(b'{"stays": {}}\n{"done": {}}\n')
            err = client.communicate(timeout=TIMEOUT_S)[1]
        assert (client.returncode, err) == (0, b""), (client.returncode, err)
        os.unlink(listener.getsockname())


def input_comes_from_the_caller():
    with Driven("m") as machine:
        client = attach(machine, *SERIAL, stdin=subprocess.PIPE)
        client.stdin.write(b"typed")
        client.stdin.flush()
        wait_for(lambda: machine.byte(0x3fd) != 0xff, client)
        assert machine.received(5) == b"typed"
        # The end of what can be read is not that of the device.
        client.stdin.close()
        client.stdin = None
        machine.out(0x3f8, b"back")
        assert read_some(client.stdout.fileno(), 4) == b"back"
        machine.detach("com1").expect(status=0)
        assert client.wait(timeout=TIMEOUT_S) == 0
        client.communicate()


def a_second_stdio_is_refused():
    with Driven("m") as machine:
        machine.attach(*CONSOLE, "-chardev", "stdio,id=d").expect(
            status=1, err="qomet: -chardev stdio,id=d: cannot use stdio by multiple character devices\n")
        assert machine.is_empty()


def an_attach_that_fails_does_not_stay():
    with Driven("m") as machine:
        machine.attach(*CONSOLE, "-device", "isa-debugcon,iobase=0x10000").expect(status=1, err=re.compile("0x10000"))
        assert machine.is_empty()


def a_caller_who_reads_nothing_does_not_stop_the_machine():
    with Driven("m") as machine:
        client = attach(machine, *CONSOLE)
        wait_for(lambda: machine.byte(0xe9) == 0xe9, client)
        client.send_signal(signal.SIGSTOP)
        # More than all that lies in between can hold.
        for _ in range(200):
            machine.lines.write("outb 0xe9 65\n" * 1000)
            machine.lines.flush()
            for _ in range(1000):
                assert machine.lines.readline() == "OK\n"
        machine.detach("con1").expect(status=0)
        client.send_signal(signal.SIGCONT)
        out, err = client.communicate(timeout=TIMEOUT_S)
        assert (client.returncode, set(out), err) == (0, set(b"A"), b""), (client.returncode, out[:100], err)


# ---- A terminal ----

class Terminal:
    """A session with a terminal of its own; programs are started in it as by a shell."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.children = []

    def start(self, *words, leader=True):
        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        child = subprocess.Popen([QOMET, *words], stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                 preexec_fn=own_terminal if leader else None)
        self.children.append(child)
        return child

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def type(self, text):
        os.write(self.master, text)

    def read(self, count):
        return read_some(self.master, count)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()
        for fd in (self.master, self.slave):
            try:
                os.close(fd)
            except OSError:
                pass


def a_terminal_is_raw_meanwhile_and_keys_go_to_the_guest():
    with Driven("m") as machine, Terminal() as terminal:
        client = terminal.start("attach", "m", *SERIAL)
        wait_for(terminal.is_raw, client)
        terminal.type(b"k\r")
        assert machine.received(2) == b"k\r"
        machine.out(0x3f8, b"ok")
        assert terminal.read(2) == b"ok"
        machine.detach("com1").expect(status=0)
        assert client.wait(timeout=TIMEOUT_S) == 0
        assert termios.tcgetattr(terminal.slave) == terminal.before


def keys_end_it():
    with Driven("m") as machine:
        for keys in (b"\x03", b"\x01x"):
            with Terminal() as terminal:
                client = terminal.start("attach", "m", *SERIAL)
                wait_for(terminal.is_raw, client)
                terminal.type(keys)
                assert client.wait(timeout=TIMEOUT_S) == 0
                assert termios.tcgetattr(terminal.slave) == terminal.before
            assert machine.is_empty() and machine.process.poll() is None


def with_signal_off_ctrl_c_is_for_the_guest():
    with Driven("m") as machine, Terminal() as terminal:
        client = terminal.start("attach", "m", "-chardev", "stdio,id=c,signal=off", *SERIAL[2:])
        wait_for(terminal.is_raw, client)
        terminal.type(b"\x03")
        assert machine.received(1) == b"\x03"
        terminal.type(b"\x01h")
        assert b"take away what was attached" in terminal.read(60)
        terminal.type(b"\x01x")
        assert client.wait(timeout=TIMEOUT_S) == 0


def a_terminal_that_is_closed_ends_it():
    with Driven("m") as machine, Terminal() as terminal:
        client = terminal.start("attach", "m", *SERIAL)
        wait_for(terminal.is_raw, client)
        os.close(terminal.slave)
        os.close(terminal.master)
        assert client.wait(timeout=TIMEOUT_S) == 0
        wait_for(machine.is_empty)


def a_machine_in_the_background_of_the_terminal_is_not_stopped():
    # The shell of this: it starts a machine in the background, then attaches to it in the foreground.
    script = ('set -m; "$0" -accel qtest -M bare -nodefaults -name bg </dev/null & '
              'until "$0" list | grep -q "^bg "; do sleep 0.01; done; "$0" attach bg -chardev stdio,id=c '
              '-device isa-serial,id=com1,chardev=c; echo "ended $?"; kill %1; wait %1; echo "machine $?"')
    with Terminal() as terminal:
        shell = subprocess.Popen(["bash", "-c", script, QOMET], stdin=terminal.slave, stdout=terminal.slave,
                                 stderr=terminal.slave, preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)))
        terminal.children.append(shell)
        wait_for(terminal.is_raw, shell)
        terminal.type(b"some keys\r")
        time.sleep(0.1)
        with open("/proc/%s/stat" % listed()["bg"][0], encoding="ascii") as file:
            assert file.read().rsplit(")", 1)[1].split()[0] != "T"
        qomet("detach", "bg", "com1").expect(status=0)
        text = b""
        while b"machine 0" not in text:
            text += terminal.read(1)
        assert b"ended 0" in text, text
        shell.wait(timeout=TIMEOUT_S)


# ---- Monitors ----

def an_attach_without_words_is_a_monitor():
    with Driven("m") as machine:
        run = machine.attach(stdin=machine.commands("info status"))
        run.expect(status=0, out=re.compile("VM status: "), err="")
        with Terminal() as terminal:
            client = terminal.start("attach", "m")
            wait_for(terminal.is_raw, client)
            terminal.type(b"info version\r")
            text = b""
            while not re.search(rb"info version\s+Qomet .*\n", text):
                text += terminal.read(1)
            terminal.type(b"\x03")
            assert client.wait(timeout=TIMEOUT_S) == 0
        assert machine.process.poll() is None


def all_is_answered_before_a_monitor_ends_with_its_input():
    with Driven("m") as machine:
        run = machine.attach(stdin=machine.commands("info qom-tree\n" * 100)).expect(status=0)
        assert run.out.count("/machine (bare-machine)") == 100, run


def a_program_can_ask_too():
    with Driven("m") as machine:
        run = machine.attach("-qmp", "stdio", stdin=machine.commands('{"execute": "qmp_capabilities"}'))
        assert run.status == 0 and run.out.count('{"return": {}}') == 1, run


def a_debugger_may_be_brought_and_taken_away():
    need_kvm()
    with folder() as path, Machine("m", "-M", "bare", "-nodefaults", "-S") as machine:
        machine.attach("-gdb", "unix:here", cwd=path).expect(status=0, out="", err="")
        assert os.listdir(path) == ["here"]
        machine.detach("gdb").expect(status=0)
        assert os.listdir(path) == []


tap([output_goes_to_the_caller_until_it_is_detached, the_devices_go_with_the_caller,
     a_signal_ends_it_in_order_at_any_moment, what_was_asked_for_before_a_signal_is_taken_away_again,
     who_asks_twice_does_not_wait_for_a_machine_that_does_not_answer, the_end_of_the_machine_ends_the_caller,
     a_machine_that_has_said_all_at_once_is_understood, input_comes_from_the_caller, a_second_stdio_is_refused,
     an_attach_that_fails_does_not_stay, a_caller_who_reads_nothing_does_not_stop_the_machine,
     a_terminal_is_raw_meanwhile_and_keys_go_to_the_guest, keys_end_it, with_signal_off_ctrl_c_is_for_the_guest,
     a_terminal_that_is_closed_ends_it, a_machine_in_the_background_of_the_terminal_is_not_stopped,
     an_attach_without_words_is_a_monitor, all_is_answered_before_a_monitor_ends_with_its_input, a_program_can_ask_too,
     a_debugger_may_be_brought_and_taken_away])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""qomet on a terminal: the serial port has it raw, and however the program ends it is as it was before."""
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

sys.dont_write_bytecode = True
from cli import QOMET, TIMEOUT_S, folder, tap  # noqa: E402

# No CPU, so the board waits for ever.
WORDS = ("-accel", "qtest", "-M", "bare")


class Terminal:
    """A program with a terminal of its own as its controlling one."""

    def __init__(self, *words):
        self.master, slave = pty.openpty()
        self.slave = os.dup(slave)
        self.before = termios.tcgetattr(self.slave)

        def own_terminal():
            os.setsid()
            import fcntl
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([QOMET, *words], stdin=slave, stdout=slave, stderr=slave,
                                        preexec_fn=own_terminal)
        os.close(slave)

    def lflag(self):
        return termios.tcgetattr(self.slave)[3]

    def wait_raw(self):
        until = time.monotonic() + TIMEOUT_S
        while self.lflag() & termios.ICANON:
            assert time.monotonic() < until and self.process.poll() is None, "the terminal does not become raw"
            time.sleep(0.002)
        assert not self.lflag() & termios.ECHO

    def type(self, text):
        os.write(self.master, text)

    def shown(self):
        """What has been printed on the terminal."""
        text = b""
        while select.select([self.master], [], [], 0)[0]:
            try:
                more = os.read(self.master, 65536)
            except OSError:
                break
            if not more:
                break
            text += more
        return text.decode(errors="replace")

    def ends(self, status=0):
        self.process.wait(timeout=TIMEOUT_S)
        assert self.process.returncode == status, (self.process.returncode, self.shown())
        after = termios.tcgetattr(self.slave)
        assert after == self.before, (after, self.before)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for fd in (self.master, self.slave):
            try:
                os.close(fd)
            except OSError:
                pass


def ctrl_a_x_ends_it():
    with Terminal(*WORDS) as terminal:
        terminal.wait_raw()
        terminal.type(b"\x01x")
        terminal.ends()


def ctrl_a_h_tells_the_keys():
    with Terminal(*WORDS) as terminal:
        terminal.wait_raw()
        terminal.type(b"\x01h")
        until = time.monotonic() + TIMEOUT_S
        text = ""
        while "x" not in text:
            assert time.monotonic() < until
            time.sleep(0.01)
            text += terminal.shown()
        terminal.type(b"\x01x")
        terminal.ends()


def signals_give_the_terminal_back():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with Terminal(*WORDS) as terminal:
            terminal.wait_raw()
            terminal.process.send_signal(number)
            terminal.ends()


def signals_give_it_back_at_any_moment():
    for i in range(100 if os.environ.get("QOMET_TEST_LONG") else 15):
        with Terminal(*WORDS) as terminal:
            time.sleep(i * 0.0007)
            terminal.process.send_signal(signal.SIGTERM)
            terminal.process.wait(timeout=TIMEOUT_S)
            # Before the program takes its signals, the terminal is still as it was.
            assert terminal.process.returncode in (0, -signal.SIGTERM)
            assert termios.tcgetattr(terminal.slave) == terminal.before


def an_error_after_it_was_raw_gives_it_back():
    with Terminal(*WORDS, "-device", "isa-debugcon,iobase=0x3f8") as terminal:
        terminal.ends(status=1)
        assert "-device isa-debugcon,iobase=0x3f8: " in terminal.shown()


def a_terminal_that_is_closed_ends_it():
    with Terminal(*WORDS) as terminal:
        terminal.wait_raw()
        os.close(terminal.slave)
        os.close(terminal.master)
        terminal.process.wait(timeout=TIMEOUT_S)
        assert terminal.process.returncode == 0


def a_signal_ends_the_wait_for_a_peer():
    with folder() as path:
        for number in (signal.SIGTERM, signal.SIGINT):
            process = subprocess.Popen([QOMET, *WORDS, "-serial", "unix:%s/peer,server=on" % path],
                                       stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            line = process.stderr.readline()
            assert "waiting" in line, line
            process.send_signal(number)
            err = process.communicate(timeout=TIMEOUT_S)[1]
            assert (process.returncode, err) == (0, ""), (process.returncode, err)


tap([ctrl_a_x_ends_it, ctrl_a_h_tells_the_keys, signals_give_the_terminal_back, signals_give_it_back_at_any_moment,
     an_error_after_it_was_raw_gives_it_back, a_terminal_that_is_closed_ends_it, a_signal_ends_the_wait_for_a_peer])

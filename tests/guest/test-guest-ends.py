#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Guests that are ended from outside at any moment: the status is 0, the terminal as it was, and nobody waits for long.

QOMET_TEST_SEED gives the first seed, QOMET_TEST_GUESTS how many guests each test ends.
"""
import os
import pty
import random
import signal
import subprocess
import sys
import termios
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from guests import LONG, Code, seed_of_test, take_terminal  # noqa: E402
from cli import QOMET, TIMEOUT_S, folder, need_kvm, tap  # noqa: E402

GUESTS = int(os.environ.get("QOMET_TEST_GUESTS") or (300 if LONG else 30))
LATEST_S = 0.05
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def flood(port):
    return Code(16, 0x1000).label("again").write_port(port, 1).jump("again").done()


# Guests that never end, with the words of their machine.
GUESTS_WITHOUT_END = (
    ("bare", Code(16).label("again").jump("again").done()),
    ("bare", flood(0x3f8)),
    ("bare", flood(0xe9)),
    ("bare,unassigned=ignore", flood(0x80)),
    ("bare,on-halt=wait", b"\xfa\xf4"),
    ("bare,kernel-irqchip=on", b"\xfa\xf4"),
    ("bare,kernel-irqchip=on,long-mode=on", b"\xfb\xf4\xeb\xfd"),
)


class Guest:
    """One of the guests without an end, begun in the folder @path with its streams as given."""

    def __init__(self, rng, path, **streams):
        machine, image = rng.choice(GUESTS_WITHOUT_END)
        kernel = os.path.join(path, "guest.bin")
        with open(kernel, "wb") as file:
            file.write(image)
        self.words = [QOMET, "-M", machine, "-smp", str(rng.choice((1, 2))), "-device", "isa-debugcon", "-kernel", kernel]
        streams = dict({"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}, **streams)
        self.process = subprocess.Popen(self.words, **streams)
        time.sleep(rng.random() * LATEST_S)

    def signal(self, number):
        self.process.send_signal(number)

    def ends(self, by=None):
        """With status 0, or by the signal @by when that came before the program takes its signals."""
        try:
            self.process.wait(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        err = self.process.stderr.read().decode() if self.process.stderr else ""
        if self.process.stderr:
            self.process.stderr.close()
        allowed = (0,) if by is None else (0, -by)
        assert self.process.returncode in allowed, (self.process.returncode, err, self.words)
        err = err.replace("qomet: info: every vCPU has halted, and nothing can wake one: there is no interrupt "
                          "controller\n", "")
        assert err == "" or "output is lost" in err, (err, self.words)


def repeated(test):
    need_kvm()
    first = seed_of_test()
    for seed in range(first, first + GUESTS):
        rng = random.Random(seed)
        with folder() as path:
            try:
                test(rng, path)
            except Exception:
                print("# seed %d" % seed)
                raise


def a_signal_ends_it_at_any_moment():
    def one(rng, path):
        number = rng.choice(SIGNALS)
        guest = Guest(rng, path)
        guest.signal(number)
        guest.ends(by=number)

    repeated(one)


def many_signals_end_it_once():
    def one(rng, path):
        guest = Guest(rng, path)
        first = rng.choice(SIGNALS)
        guest.signal(first)
        for _ in range(20):
            guest.signal(first)
            time.sleep(rng.random() * 0.001)
        guest.ends(by=first)

    repeated(one)


def sigpipe_does_not_end_it():
    def one(rng, path):
        guest = Guest(rng, path)
        # Until the program takes its signals, which it does before the machine is made.
        time.sleep(LATEST_S)
        with open("/proc/%d/status" % guest.process.pid, encoding="ascii") as file:
            ignored = next(int(line.split()[1], 16) for line in file if line.startswith("SigIgn:"))
        if ignored & 1 << signal.SIGPIPE - 1:
            guest.signal(signal.SIGPIPE)
            time.sleep(0.002)
            assert guest.process.poll() is None
        guest.signal(signal.SIGTERM)
        guest.ends(by=signal.SIGTERM)

    repeated(one)


def the_terminal_is_given_back_at_any_moment():
    def one(rng, path):
        master, slave = pty.openpty()
        before = termios.tcgetattr(slave)
        how = rng.choice(SIGNALS + ("keys", ))
        with open(os.path.join(path, "out"), "wb") as out:
            guest = Guest(rng, path, stdin=slave, stdout=out, preexec_fn=take_terminal)
            if how == "keys":
                # Until they are read by the program the keys mean nothing: wait for the mode.
                until = time.monotonic() + TIMEOUT_S
                while termios.tcgetattr(slave)[3] & termios.ICANON:
                    assert time.monotonic() < until and guest.process.poll() is None
                    time.sleep(0.001)
                os.write(master, rng.choice((b"\x01x", b"\x03", b"abc\x01x")))
                guest.ends()
            else:
                guest.signal(how)
                guest.ends(by=how)
        after = termios.tcgetattr(slave)
        os.close(master)
        os.close(slave)
        assert after == before, (how, after, before)

    repeated(one)


def a_terminal_that_goes_ends_it_at_any_moment():
    def one(rng, path):
        master, slave = pty.openpty()
        guest = Guest(rng, path, stdin=slave, stdout=slave, stderr=slave, preexec_fn=take_terminal)
        os.close(slave)
        os.close(master)
        guest.ends(by=signal.SIGHUP)

    repeated(one)


def a_reader_of_its_output_that_goes_does_not_matter():
    def one(rng, path):
        reading, writing = os.pipe()
        guest = Guest(rng, path, stdout=writing)
        os.close(writing)
        os.close(reading)
        time.sleep(rng.random() * LATEST_S)
        guest.signal(signal.SIGTERM)
        guest.ends(by=signal.SIGTERM)

    repeated(one)


def a_reader_of_its_messages_that_goes_does_not_matter():
    def one(rng, path):
        reading, writing = os.pipe()
        guest = Guest(rng, path, stdout=writing, stderr=writing)
        os.close(writing)
        os.close(reading)
        guest.signal(signal.SIGTERM)
        guest.ends(by=signal.SIGTERM)

    repeated(one)


tap([a_signal_ends_it_at_any_moment, many_signals_end_it_once, sigpipe_does_not_end_it,
     the_terminal_is_given_back_at_any_moment, a_terminal_that_goes_ends_it_at_any_moment,
     a_reader_of_its_output_that_goes_does_not_matter, a_reader_of_its_messages_that_goes_does_not_matter])

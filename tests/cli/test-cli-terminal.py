#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""qomet on a terminal: the serial port has it raw, and however the program ends it is as it was before."""
import os
import signal
import subprocess
import sys
import termios
import time

sys.dont_write_bytecode = True
from cli import QOMET, TIMEOUT_S, folder, tap  # noqa: E402
from terminal import Terminal  # noqa: E402

# No CPU, so the board waits for ever.
WORDS = ("-accel", "qtest", "-M", "bare")


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

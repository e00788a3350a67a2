#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A machine that runs is changed with words of the command line: qomet attach, detach and list."""
import os
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from cli import TIMEOUT_S, folder, need_kvm, qomet, start, tap  # noqa: E402

BARE = ("-accel", "qtest", "-M", "bare", "-nodefaults", "-display", "none")
# Writes 'X' to port 0xe9, waits, and begins again.
POLL = b"\xb0\x58\xe6\xe9\xb9\xff\xff\xe2\xfe\xeb\xf5"
CON1 = ("-chardev", "file,id=c,path=e9.txt", "-device", "isa-debugcon,iobase=0xe9,id=con1,chardev=c")


def wait_for(what, process=None):
    """Until @what() is true."""
    until = time.monotonic() + TIMEOUT_S
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        assert process is None or process.poll() is None, "the program has ended: %s" % process.communicate()[1]
        time.sleep(0.002)


def listed():
    """Name -> (process, machine, state) of the machines that run."""
    rows = [line.split(None, 3) for line in qomet("list").expect(status=0, err="").out.splitlines()]
    return {row[0]: (int(row[1]), row[2], row[3]) for row in rows}


class Machine:
    """A machine with a name, for a with statement; ended by SIGTERM, which must give status 0."""

    def __init__(self, name, *words, **more):
        self.name = name
        self.process = start(*words, "-name", name, **more)
        wait_for(lambda: self.name in listed(), self.process)

    def attach(self, *words, **more):
        return qomet("attach", self.name, *words, **more)

    def detach(self, name):
        return qomet("detach", self.name, name)

    def end(self, status=0, err=None):
        self.process.terminate()
        told = self.process.communicate(timeout=TIMEOUT_S)[1].decode()
        assert self.process.returncode == status, (self.process.returncode, told)
        assert err is None or told == err, told

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            if kind is None:
                self.end()
            else:
                self.process.kill()
                self.process.communicate()


def size(path):
    return os.stat(path).st_size


def a_running_machine_gets_a_console_and_loses_it():
    need_kvm()
    with folder() as path:
        kernel = os.path.join(path, "poll.bin")
        with open(kernel, "wb") as file:
            file.write(POLL)
        e9 = os.path.join(path, "e9.txt")
        with Machine("demo", "-M", "bare", "-kernel", kernel, "-display", "none", cwd=path) as demo:
            demo.attach(*CON1, cwd=path).expect(status=0, out="", err="")
            for _ in range(2):
                now = size(e9)
                wait_for(lambda now=now: size(e9) > now, demo.process)
            now = size(e9)
            demo.attach(*CON1, cwd=path).expect(
                status=1, out="",
                err="qomet: -chardev file,id=c,path=e9.txt: id 'c' is already taken by /chardevs/c (chardev-file); "
                    "-device isa-debugcon,iobase=0xe9,id=con1,chardev=c: id 'con1' is already taken by "
                    "/machine/peripheral/con1 (isa-debugcon)\n")
            assert size(e9) >= now, "the second one has emptied the file of the first"
            now = size(e9)
            wait_for(lambda: size(e9) > now, demo.process)
            demo.detach("con1").expect(status=0, out="", err="")
            now = size(e9)
            time.sleep(0.2)
            assert size(e9) == now and now > 0
            with open(e9, "rb") as file:
                assert set(file.read()) == set(b"X")
            # What came with the device has gone with it.
            demo.attach(*CON1, cwd=path).expect(status=0, out="", err="")
            demo.process.send_signal(signal.SIGTERM)
            demo.process.wait(timeout=TIMEOUT_S)
            assert demo.process.returncode == 0


tap([a_running_machine_gets_a_console_and_loses_it])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A client of QMP: how long a machine takes until it answers, what a question costs, devices that come and go under a guest that
runs, the whole tree of a machine with many of them, and the memory of a machine that only answers.
QEMU, where it is installed, is asked the same in the same run; else its figures of the kind of machine that Qomet is built on stand
beside.
"""
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(os.environ.get("abs_top_builddir", "."))
QOMET = os.environ.get("QOMET", str(BUILD / "qomet"))
QEMU = "qemu-system-x86_64"
WORDS = ("-S", "-nodefaults", "-display", "none")
# QEMU's way to -M none, and to the nearest that it has to -M bare.
MACHINES = {"none": ("none", "none"), "bare": ("bare", "microvm")}
MEASURED = {"qmp-start-none": 14, "qmp-start-bare": 29, "qmp-resident-none": 32, "qmp-4KiB": 1950,
            "qmp-device-add": 1460, "qmp-device-del": 59000, "qmp-tree-of-1000-devices": 500}

STATUS = b'{"execute": "query-status"}\n'
# 4 KiB that are refused, so that the answer is short.
LONG = b'{"execute": "stop", "arguments": {"x": "'
LONG += b"a" * (4096 - len(LONG) - 4) + b'"}}\n'


class Peer:
    """A program with a monitor, which has greeted and answered the first question."""

    def __init__(self, folder, program, machine, *more):
        path = f"{folder}/qmp"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(1)
            listener.settimeout(60)
            begin = time.perf_counter()
            self.process = subprocess.Popen([program, "-M", machine, *WORDS, "-qmp", f"unix:{path}", *more], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL)
            self.socket = listener.accept()[0]
        os.unlink(path)
        self.socket.settimeout(60)
        # Both at once, as a client may who knows what to expect.
        self.socket.sendall(b'{"execute": "qmp_capabilities"}' + STATUS)
        answer = b""
        while b'"running"' not in answer or not answer.endswith(b"\n"):
            answer += self.socket.recv(65536)
        self.started_s = time.perf_counter() - begin

    def ask(self, request):
        """Seconds until the answer is there."""
        begin = time.perf_counter()
        self.socket.sendall(request)
        while not self.socket.recv(65536).endswith(b"\n"):
            pass
        return time.perf_counter() - begin

    def command(self, name, **arguments):
        """Seconds until the command is carried out, and until the event that it leads to, if it is one that does."""
        begin = time.perf_counter()
        self.socket.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        answer = b""
        while b'"return"' not in answer or (name == "device_del" and b"DEVICE_DELETED" not in answer) or not answer.endswith(b"\n"):
            answer += self.socket.recv(1 << 20)
            if b'"error"' in answer:
                sys.exit(f"bench-qmp: {name}: {answer.decode()}")
        return time.perf_counter() - begin

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024 / 1e6

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.socket.close()


def row(name, value, unit, theirs):
    reference = theirs if theirs is not None else MEASURED.get(name)
    print(name, f"{value:.6g}", unit, f"{reference:.6g}" if reference is not None else "-", flush=True)


def starts(folder, which):
    """Milliseconds to the first answer, Qomet and QEMU in turn; the least, as what else the machine does only adds to a time."""
    names = MACHINES[which]
    ours, theirs = [], []
    for _ in range(15):
        with Peer(folder, QOMET, names[0]) as peer:
            ours.append(peer.started_s * 1e3)
        if shutil.which(QEMU):
            with Peer(folder, QEMU, names[1]) as peer:
                theirs.append(peer.started_s * 1e3)
    row("qmp-start-" + which, min(ours), "ms", min(theirs, default=None))


def questions(folder):
    """The least of several runs, as above."""
    figures = []
    for program in (QOMET, QEMU):
        if not shutil.which(program):
            figures.append((None, None, None))
            continue
        with Peer(folder, program, "none") as peer:
            resident = peer.resident_mb()
            status = min(statistics.median(peer.ask(STATUS) for _ in range(100)) for _ in range(10))
            long = min(statistics.median(peer.ask(LONG) for _ in range(20)) for _ in range(10))
            figures.append((status * 1e6, long * 1e9 / len(LONG), resident))
    ours, theirs = figures
    row("qmp-round-trip", ours[0], "us", theirs[0])
    row("qmp-4KiB", ours[1], "ns", theirs[1])
    row("qmp-resident-none", ours[2], "MB", theirs[2])


def devices(folder):
    """With a guest that runs and does nothing, where there is KVM."""
    guest = pathlib.Path(folder, "spin")
    guest.write_bytes(bytes.fromhex("eb fe"))
    running = os.access("/dev/kvm", os.R_OK | os.W_OK)
    if not running:
        print("# without KVM no guest runs while devices come and go")
    with Peer(folder, QOMET, "bare", "-kernel", str(guest), "-accel", "kvm" if running else "qtest") as peer:
        if running:
            peer.command("cont")
        add, delete = [], []
        for _ in range(20):
            turns = [(peer.command("device_add", driver="isa-debugcon", id="x"), peer.command("device_del", id="x")) for _ in range(20)]
            add.append(statistics.median(turn[0] for turn in turns))
            delete.append(statistics.median(turn[1] for turn in turns))
        row("qmp-device-add", min(add) * 1e6, "us", None)
        row("qmp-device-del", min(delete) * 1e6, "us", None)
        for n in range(1000):
            peer.command("device_add", driver="isa-debugcon", id=f"con{n}", iobase=0x1000 + n)
        row("qmp-tree-of-1000-devices", min(peer.ask(b'{"execute": "qom-tree"}\n') for _ in range(20)) * 1e3, "ms", None)


def main():
    if sys.argv[1:2] == ["--command"]:
        print(json.dumps(None))
        return
    with tempfile.TemporaryDirectory(prefix="qomet-bench-") as folder:
        for which in MACHINES:
            starts(folder, which)
        questions(folder)
        devices(folder)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What Qomet adds to KVM: the time of an exit, of a start, and memory, each beside a hand-written loop (bare-loop) in the same run.

Prints rows as run-bench.py wants them. The two take turns, and a ratio is the median of those of each turn, so that what else the
machine does strikes both. "--command exit-loop N" prints the command that runs a guest with N exits, for counting its instructions;
exit-loop-without-explain is the same in a program that was configured with --disable-explain.
"""
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(os.environ.get("abs_top_builddir", "."))
QOMET = os.environ.get("QOMET", str(BUILD / "qomet"))
BARE = str(BUILD / "tests/bench/bare-loop")
WITHOUT_EXPLAIN = str(BUILD / "build-bench/without-explain/qomet")  # configured with --disable-explain
DEVICES = str(BUILD / "tests/bench/bench-devices.so")

STORE, CLOCK = 0x200, 0x300  # the first vCPU's ports; the others' follow

# Writes to the serial port, then runs on without an exit.
FIRST_BYTE = bytes.fromhex("ba f8 03  b0 48  ee")  # mov dx, 0x3f8; mov al, 'H'; out dx, al
HALT = bytes.fromhex("f4")
SPIN = bytes.fromhex("eb fe")


def writer(n, one_device=False):
    """A guest: a write to the vCPU's clock, @n to its device (or all to one device), one more to the clock. EDX: its index."""
    return (bytes.fromhex("89 d6  81 c2") + CLOCK.to_bytes(2, "little") + bytes.fromhex("ee")  # mov si, dx; add dx, CLOCK; out dx, al
            + bytes.fromhex("31 d2" if one_device else "89 f2")                     # xor dx, dx / mov dx, si
            + bytes.fromhex("81 c2") + STORE.to_bytes(2, "little")                  # add dx, STORE
            + bytes.fromhex("66 b9") + n.to_bytes(4, "little")                      # mov ecx, n
            + bytes.fromhex("ee  66 49  75 fb")                                     # out dx, al; dec ecx; jnz
            + bytes.fromhex("89 f2  81 c2") + CLOCK.to_bytes(2, "little") + bytes.fromhex("ee") + HALT)


def row(name, value, unit, reference="-"):
    print(name, f"{value:.6g}", unit, reference, flush=True)


def run(command):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if result.returncode != 0:
        sys.exit(f"bench-exits: {' '.join(command)}: status {result.returncode}\n{result.stderr}")
    return result.stdout


class Guests:
    """Files of flat guests."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def file(self, name, code):
        path = self.folder / name
        path.write_bytes(code)
        return str(path)


def qomet_writers(guest, vcpus=1, devices=1, qomet=QOMET):
    command = [qomet, "-module", DEVICES, "-nodefaults", "-smp", str(vcpus), "-kernel", guest]
    for i in range(devices):
        command += ["-device", f"bench-store,iobase={STORE + i}"]
    for i in range(vcpus):
        command += ["-device", f"bench-clock,iobase={CLOCK + i}"]
    return command


def qomet_writes(n, guest, vcpus=1, devices=1, qomet=QOMET):
    """Exits a second on the clock, exits a second on a processor, and how many entries had to wait."""
    out = run(qomet_writers(guest, vcpus, devices, qomet))
    rate, busy_rate = 0, 0
    for i in range(vcpus):
        (begin, busy_begin), (end, busy_end) = re.findall(rf"clock {CLOCK + i:#x} ([0-9.]+) ([0-9.]+)", out)
        rate += (n + 1) / (float(end) - float(begin))
        busy_rate += (n + 1) / (float(busy_end) - float(busy_begin))
    stores = re.findall(r"store 0x\w+ (\d+) (\d+)", out)
    if sum(int(writes) for writes, _ in stores) != n * vcpus:
        sys.exit(f"bench-exits: writes were lost:\n{out}")
    return rate, busy_rate, sum(int(waited) for _, waited in stores)


def bare_writes(n, guest, vcpus=1):
    """Exits a second on the clock, and on a processor."""
    out = run([BARE, "-n", str(vcpus), "-x", str(n + 2), guest])
    times = re.findall(r"exits in ([0-9.]+) s, ([0-9.]+) s busy", out)
    return sum((n + 1) / float(clock) for clock, _ in times), sum((n + 1) / float(busy) for _, busy in times)


def turns(count, ours, bare):
    """Both @count times, each first in every other turn; the values of each."""
    values = [], []
    for i in range(count):
        for which in ((0, 1) if i % 2 else (1, 0)):
            values[which].append((ours, bare)[which]())
    return values


def ratio(ours, bare):
    return statistics.median(a / b for a, b in zip(ours, bare))


def exit_loop(guests):
    """One vCPU waits for nobody, so it is the time on a processor that tells."""
    n = 5000
    guest = guests.file("writer", writer(n))
    ours, bare = turns(24, lambda: qomet_writes(n, guest)[1], lambda: bare_writes(n, guest)[1])
    row("exit-loop", 1e9 / statistics.median(ours), "ns", f"bare={1e9 / statistics.median(bare):.6g}")
    without = statistics.median(qomet_writes(n, guest, qomet=WITHOUT_EXPLAIN)[1] for _ in range(8))
    row("exit-loop-without-explain", 1e9 / without, "ns")
    row("exit-loop-of-bare", ratio(ours, bare), "x")


def two_vcpus(guests):
    if os.cpu_count() < 2:
        print("# one processor: nothing is said about two vCPUs at once")
        return
    n = 10000
    apart, together = guests.file("apart", writer(n)), guests.file("together", writer(n, one_device=True))
    ours, bare = turns(16, lambda: (qomet_writes(n, apart, 2, 2), qomet_writes(n, together, 2, 1)), lambda: bare_writes(n, apart, 2)[0])
    rates, rates_one = [two[0] for two, _ in ours], [one[0] for _, one in ours]
    reference = f"bare={statistics.median(bare):.6g}"
    row("two-vcpus-two-devices", statistics.median(rates), "/s", reference)
    row("two-vcpus-two-devices-of-bare", ratio(rates, bare), "x")
    row("two-vcpus-two-devices-waits", max(two[2] for two, _ in ours), "times", f"one-device={max(one[2] for _, one in ours)}")
    row("two-vcpus-one-device", statistics.median(rates_one), "/s", reference)


def first_byte(command):
    """Milliseconds; measured by a program that does little else."""
    return float(re.match(r"([0-9.]+) us", run([BARE, "-t", "1"] + command))[1]) / 1000


def start(guests):
    guest = guests.file("first-byte", FIRST_BYTE + HALT)
    bare_command = [BARE, "-m", "128", guest]
    command = [QOMET, "-nodefaults", "-serial", "stdio", "-m", "128", "-kernel", guest]
    first_byte(bare_command), first_byte(command)  # reads the files into memory
    ours, bare = turns(30, lambda: first_byte(command), lambda: first_byte(bare_command))
    milliseconds = statistics.median(ours)
    row("start-to-first-byte", milliseconds, "ms", f"bare={statistics.median(bare):.4g}")
    row("start-to-first-byte-of-bare", ratio(ours, bare), "x")
    row("start-to-first-byte-and-kvmtool's", milliseconds, "ms", "kvmtool=8.9")
    row("start-to-first-byte-and-microvm's", milliseconds, "ms", "26")


def resident_mb(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024 / 1e6


def resident(guests):
    guest = guests.file("spin", FIRST_BYTE + SPIN)
    with subprocess.Popen([QOMET, "-nodefaults", "-serial", "stdio", "-m", "128", "-kernel", guest],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        if not process.stdout.read(1):
            sys.exit("bench-exits: the guest that writes one byte has written none")
        megabytes = resident_mb(process)
        process.terminate()
    row("resident-with-128-MiB", megabytes, "MB", "32")


def first_answer(folder, machine, *more):
    """Milliseconds from the start of a machine without a guest to its answer to a first question, and megabytes then."""
    path = f"{folder}/qtest"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(60)
        begin = time.perf_counter()
        with subprocess.Popen([QOMET, "-M", machine, "-nodefaults", "-accel", "qtest", "-qtest", f"unix:{path}", *more],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            peer, _ = listener.accept()
            with peer:
                peer.settimeout(60)
                peer.sendall(b"clock_step 0\n")
                answer = peer.recv(100)
                end = time.perf_counter()
                megabytes = resident_mb(process)
            process.wait(60)
    os.unlink(path)
    if not answer.startswith(b"OK"):
        sys.exit(f"bench-exits: answer to the first question of -M {machine}: {answer!r}")
    return (end - begin) * 1000, megabytes


def first_answers(folder):
    """The PC has firmware as large as SeaBIOS, which nothing runs."""
    firmware = pathlib.Path(folder, "firmware")
    firmware.write_bytes(bytes(256 << 10))
    for machine, milliseconds, megabytes, more in (("none", 14, 32, ()), ("bare", 29, None, ()), ("microvm", 29, None, ()),
                                                   ("pc", 39, 38, ("-bios", str(firmware)))):
        values = [first_answer(folder, machine, *more) for _ in range(15)]
        row(f"first-answer-{machine}", statistics.median(value[0] for value in values), "ms", str(milliseconds))
        if megabytes:
            row(f"resident-{machine}", statistics.median(value[1] for value in values), "MB", str(megabytes))


def why_no_kvm(guests):
    """Why the rows that need KVM cannot be had, or None."""
    result = subprocess.run([BARE, guests.file("nothing", HALT)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return None if result.returncode == 0 else result.stderr.strip() or f"bare-loop: status {result.returncode}"


def main():
    if sys.argv[1:2] == ["--command"]:
        # The guest must be there when the command is run: run-bench.py removes its folder.
        guests = Guests(os.environ.get("BENCH_FOLDER", tempfile.gettempdir()))
        reason = why_no_kvm(guests)
        if reason:
            sys.exit(reason)
        qomet = {"exit-loop": QOMET, "exit-loop-without-explain": WITHOUT_EXPLAIN}[sys.argv[2]]
        print(json.dumps(qomet_writers(guests.file("writer", writer(int(sys.argv[3]))), qomet=qomet)))
        return
    with tempfile.TemporaryDirectory(prefix="qomet-bench-") as folder:
        guests = Guests(folder)
        reason = why_no_kvm(guests)
        if reason:
            print(f"# without KVM nothing is said about exits, starts and memory with a guest ({reason})")
        else:
            exit_loop(guests)
            two_vcpus(guests)
            start(guests)
            resident(guests)
        first_answers(folder)


if __name__ == "__main__":
    main()

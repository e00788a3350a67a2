#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A guest that resets the machine in every way, again and again: it begins anew each time, and nothing grows."""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from cli import QOMET, TIMEOUT_S, need_kvm, tap, without_quarantine  # noqa: E402

ROMS = os.path.join(os.environ.get("abs_top_builddir", "."), "tests/guest/kernels")
WAYS = b"kpcat"
ROUNDS = 200 if os.environ.get("QOMET_TEST_LONG") else 20
FIRST_ROUNDS = 10  # until everything has been used once
# ThreadSanitizer keeps what each thread has done last: it has filled that when it is some hundred KiB more.
GROWTH_MAX = 1 << 20 if "thread" in os.environ.get("SANITIZERS", "").split() else 256 << 10


def resident_bytes(process):
    with open("/proc/%d/statm" % process.pid, encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def words_of(machine, rom, *more):
    return [QOMET, "-M", machine, "-accel", "kvm", "-nodefaults", "-display", "none", "-bios", os.path.join(ROMS, rom),
            "-chardev", "stdio,id=said,signal=off", "-device", "isa-debugcon,iobase=0xe9,chardev=said", *more]


def hears(process, rounds):
    """Reads what the ROM says in so many rounds."""
    for _ in range(rounds):
        said = b""
        while len(said) < len(WAYS):
            piece = process.stdout.read(len(WAYS) - len(said))
            assert piece, (said, process.communicate())
            said += piece
        assert said == WAYS, said


def stays_as_small_as_it_was(machine):
    need_kvm()
    with subprocess.Popen(words_of(machine, "resets.rom"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=without_quarantine()) as process:
        hears(process, FIRST_ROUNDS)
        before = resident_bytes(process)
        hears(process, ROUNDS)
        grown = resident_bytes(process) - before
        process.terminate()
        _, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, err) == (0, b""), (process.returncode, err)
    print("# %s: %d resets, %d bytes more" % (machine, len(WAYS) * ROUNDS, grown))
    assert grown < GROWTH_MAX, grown


def a_pc_is_reset_in_every_way_again_and_again():
    stays_as_small_as_it_was("pc")


def a_q35_is_reset_in_every_way_again_and_again():
    stays_as_small_as_it_was("q35")


def any_of_them_ends_it_where_no_reset_is_wanted():
    need_kvm()
    for machine in ("pc", "q35"):
        for rom, way in (("resets.rom", b"k"), ("triple.rom", b"t")):
            done = subprocess.run(words_of(machine, rom, "-no-reboot"), stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=TIMEOUT_S, check=False)
            assert (done.returncode, done.stdout, done.stderr) == (0, way, b""), done


tap([a_pc_is_reset_in_every_way_again_and_again, a_q35_is_reset_in_every_way_again_and_again,
     any_of_them_ends_it_where_no_reset_is_wanted])

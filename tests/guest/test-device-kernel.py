#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A kernel that uses what a PC has and its devices for tests finds the same on each machine, and on QEMU."""
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from cli import QOMET, TIMEOUT_S, Skip, folder, need_kvm, tap  # noqa: E402

KERNEL = os.path.join(os.environ.get("abs_top_builddir", "."), "tests/guest/kernels/devices.elf")
QEMU = shutil.which("qemu-system-x86_64")

# Of a bell: its name, the width of a write, where, what, and how often it rang after each of four; the last is wrong.
FOUND = """ioapic 17
pc-testdev 12345678 78 12ab5678 b2
line 0 1
memory mmio-no-eventfd 1 800 fa 1 2 3 3
ports portio-no-eventfd 1 83 fa 1 2 3 3
memory mmio-wildcard-eventfd 1 801 ce 1 2 3 4
ports portio-wildcard-eventfd 1 84 ce 1 2 3 4
memory mmio-datamatch-eventfd 1 802 fa 1 2 3 3
ports portio-datamatch-eventfd 1 85 fa 1 2 3 3
processors %d %d
timers agree
channel 0 1
"""


def found(program, cpus):
    with folder() as path:
        said = os.path.join(path, "said")
        done = subprocess.run([*program, "-smp", str(cpus), "-display", "none", "-nodefaults", "-kernel", KERNEL,
                               "-device", "pc-testdev", "-device", "pci-testdev", "-device", "isa-debug-exit,iobase=0xf4",
                               "-chardev", "file,id=said,path=" + said, "-device", "isa-debugcon,iobase=0xf1,chardev=said"],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False)
        with open(said, encoding="utf-8") as file:
            text = file.read()
    assert done.returncode == 33, (done, text)
    return text


def on_qomet(machine, *all_cpus):
    need_kvm()
    for cpus in all_cpus:
        text = found([QOMET, "-accel", "kvm", "-M", machine], cpus)
        assert text == FOUND % (cpus, cpus), text


def it_finds_them_on_pc():
    on_qomet("pc", 1, 4)


def it_finds_them_on_q35():
    on_qomet("q35", 1, 4)


def it_finds_them_where_only_the_local_apics_are_the_accelerators():
    on_qomet("pc,kernel-irqchip=split", 1, 2)


def it_finds_them_where_all_controllers_are_in_user_space():
    on_qomet("q35,kernel-irqchip=off", 1)


def qemu_has_them_alike():
    if not QEMU:
        raise Skip("there is no qemu-system-x86_64")
    # It does not count what an eventfd takes.
    expected = re.sub(r"(-(wildcard|datamatch)-eventfd( \w+){3}) .*", r"\1 0 0 0 0", FOUND % (2, 2))
    for machine in ("pc", "q35"):
        text = found([QEMU, "-accel", "tcg", "-M", machine], 2)
        assert text == expected, text


tap([it_finds_them_on_pc, it_finds_them_on_q35, it_finds_them_where_only_the_local_apics_are_the_accelerators,
     it_finds_them_where_all_controllers_are_in_user_space, qemu_has_them_alike])

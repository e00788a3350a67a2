#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every way of an interrupt to a guest, with the controllers in the accelerator, divided, and in user space."""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from cli import QOMET, TIMEOUT_S, folder, need_kvm, qomet, tap  # noqa: E402
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "monitor"))
from qmp import Machine  # noqa: E402

KERNEL = os.path.join(os.environ.get("abs_top_builddir", "."), "tests/guest/kernels/interrupts.elf")


def letters(chips, cpus):
    """What the kernel says, a letter for each kind of interrupt that came."""
    need_kvm()
    with folder() as path:
        said = os.path.join(path, "said")
        done = subprocess.run([QOMET, "-accel", "kvm", "-M", "microvm,kernel-irqchip=" + chips, "-smp", str(cpus),
                               "-display", "none", "-nodefaults", "-serial", "null", "-kernel", KERNEL, "-append",
                               str(cpus), "-chardev", "file,id=said,path=" + said, "-device",
                               "isa-debugcon,iobase=0xe9,chardev=said", "-device", "isa-debug-exit,iobase=0xf4"],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False)
        with open(said, encoding="utf-8") as file:
            assert (done.returncode, done.stderr) == (1, b""), (done, file.read())
            file.seek(0)
            return file.read()


def every_interrupt_comes_from_the_accelerators_controllers():
    assert letters("on", 1) == "PILTSN"
    assert letters("on", 2) == "PILTSNAD"


def every_interrupt_comes_where_only_the_local_apics_are_the_accelerators():
    assert letters("split", 1) == "PILTSN"
    assert letters("split", 2) == "PILTSNAD"


def every_interrupt_comes_from_controllers_in_user_space():
    assert letters("off", 1) == "PILTSN"
    assert letters("off", 2) == "PILTSNAD"


def an_nmi_from_outside_starts_no_processor_that_waits_for_its_start():
    need_kvm()
    with Machine("-S", "-accel", "kvm", "-M", "microvm,kernel-irqchip=off", "-smp", "2", "-nodefaults", "-kernel",
                 KERNEL) as m:
        m.qmp.command("inject-nmi")
        cpus = m.qmp.command("human-monitor-command", {"command-line": "info cpus"}).splitlines()
        assert [cpu.endswith("(halted)") for cpu in cpus] == [False, True], cpus


def a_word_that_is_none_of_the_three_is_refused():
    qomet("-M", "pc,kernel-irqchip=half").expect(status=1, out="")


def the_teaching_board_is_not_divided():
    qomet("-accel", "qtest", "-M", "bare,kernel-irqchip=split").expect(
        status=1, err="qomet: -M bare,kernel-irqchip=split: kernel-irqchip=split: this machine has all interrupt controllers, or none\n")


tap([every_interrupt_comes_from_the_accelerators_controllers,
     every_interrupt_comes_where_only_the_local_apics_are_the_accelerators,
     every_interrupt_comes_from_controllers_in_user_space,
     an_nmi_from_outside_starts_no_processor_that_waits_for_its_start,
     a_word_that_is_none_of_the_three_is_refused,
     the_teaching_board_is_not_divided])

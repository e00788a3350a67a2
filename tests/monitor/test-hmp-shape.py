#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the human monitor shows has the lines that scripts look for: each pattern here fits what QEMU says, which is tried where
QEMU is installed, and what Qomet says.
"""
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from qmp import Machine  # noqa: E402
from cli import QOMET, Skip, folder, need_kvm, tap  # noqa: E402

QEMU = "qemu-system-x86_64"
RANGE = r"[0-9a-f]{16}-[0-9a-f]{16}"
NAME = r"[^ ].*?"
REGION = r"%s \(prio -?\d+, (?:ram|rom|romd|i/o)\): " % RANGE
SEGMENT = r"(?: DPL=[0-3] (?:(?:CS64|CS32|CS16|DS  |DS16) \[[-CE][-RW][-A]\]|[A-Za-z0-9<>-]+))?"

# One pattern for a line; a listing is any number of lines, of which each must fit some pattern.
PATTERNS = {
    "info status": [r"VM status: (?:running|paused)(?: \([a-z-]+\))?"],
    "info mtree": [r"address-space: %s" % NAME, r"memory-region: %s" % NAME,
                   r"(?:  )+%s(?:alias %s @%s %s|%s)(?: \[disabled\])?" % (REGION, NAME, NAME, RANGE, NAME)],
    "info mtree -f": [r"FlatView #\d+", r' AS "%s", root: %s' % (NAME, NAME), r" Root memory region: %s" % NAME, r"  No rendered FlatView",
                      r"  %s%s(?: @[0-9a-f]{16})?(?: KVM)?" % (REGION, NAME)],
    "info qtree": [r" *bus: %s" % NAME, r" *type %s" % NAME, r' *dev: %s, id "[^"]*"' % NAME, r' *gpio-(?:in|out) "[^"]*" \d+',
                   r" *mmio [0-9a-f]{16}/[0-9a-f]{16}", r" *[A-Za-z0-9_-]+ = .*", r" *class .*", r" *bar \d+: .*"],
    "info qom-tree": [r"(?:  )*/\S.* \(\S+\)"],
    "info chardev": [r"\S+: filename=.*"],
    "info cpus": [r"[* ] CPU #\d+: thread_id=\d+(?: \(halted\))?"],
    "info irq": [r"IRQ statistics for \S+:", r" *\d+: \d+"],
}


def registers(wide, tables, modes):
    """The lines of "info registers" with registers of @wide digits, tables of @tables and what @modes says of a segment."""
    names = (("RAX RBX RCX RDX", "RSI RDI RBP RSP", "R8  R9  R10 R11", "R12 R13 R14 R15") if wide == 16 else
             ("EAX EBX ECX EDX", "ESI EDI EBP ESP"))
    number, base = "[0-9a-f]{%d}" % wide, "[0-9a-f]{%d}" % tables
    lines = [" ".join("%-3s=%s" % (name, number) for name in row.split()) for row in names]
    lines.append(r"%s=%s %s=[0-9a-f]{8} \[[-D][-O][-S][-Z][-A][-P][-C]\] CPL=\d II=\d A20=\d SMM=\d HLT=\d" %
                 (("RIP", number, "RFL") if wide == 16 else ("EIP", number, "EFL")))
    lines += ["%-3s=[0-9a-f]{4} %s [0-9a-f]{8} [0-9a-f]{8}%s" % (name, number, modes)
              for name in "ES CS SS DS FS GS LDT TR".split()]
    lines += ["%s=     %s [0-9a-f]{8}" % (name, base) for name in ("GDT", "IDT")]
    lines += ["CR0=[0-9a-f]{8} CR2=%s CR3=%s CR4=[0-9a-f]{8}" % (base, base)]
    lines += ["".join("DR%d=[0-9a-f]{16} " % i for i in range(4)), "DR6=[0-9a-f]{16} DR7=[0-9a-f]{16}", "EFER=[0-9a-f]{16}",
              r"FCW=[0-9a-f]{4} FSW=[0-9a-f]{4} \[ST=\d\] FTW=[0-9a-f]{2} MXCSR=[0-9a-f]{8}"]
    lines += ["FPR%d=[0-9a-f]{16} [0-9a-f]{4} FPR%d=[0-9a-f]{16} [0-9a-f]{4}" % (i, i + 1) for i in range(0, 8, 2)]
    lines += ["XMM%02d=[0-9a-f]{16} [0-9a-f]{16} XMM%02d=[0-9a-f]{16} [0-9a-f]{16}" % (i, i + 1) for i in range(0, wide, 2)]
    return lines


def ask(machine, line):
    return machine.qmp.command("human-monitor-command", {"command-line": line}).replace("\r\n", "\n")


def check(machine, commands):
    for command in commands:
        for line in ask(machine, command).splitlines():
            assert not line or any(re.fullmatch(p, line) for p in PATTERNS[command]), (command, line)


def check_registers(machine, lines):
    text = ask(machine, "info registers")
    assert re.match(r"\A\nCPU#0\n" + "\n".join(lines) + r"\n(?:\(.*\)\n)?\Z", text), text


def need_qemu():
    if not shutil.which(QEMU):
        raise Skip("no " + QEMU)


def what_qomet_shows_of_a_machine_fits():
    for words in (("-M", "none"), ("-M", "bare"), ("-M", "bare,memory-backend=m", "-object", "memory-backend-ram,id=m,size=8M")):
        with Machine(*words, "-accel", "qtest", "-S", "-nodefaults") as machine:
            check(machine, PATTERNS)


def what_qemu_shows_fits_too():
    need_qemu()
    for words in (("-M", "none"), ("-M", "pc", "-accel", "tcg"), ("-M", "microvm", "-accel", "tcg")):
        with Machine(*words, "-S", "-nodefaults", program=QEMU, quiet=False) as machine:
            check(machine, PATTERNS)


def registers_of_qomet_fit_in_each_mode():
    need_kvm()
    with folder() as path:
        with open(path + "/spin", "wb") as file:
            file.write(b"\xeb\xfe")
        for mode, lines in (("bare", registers(8, 8, "")), ("bare,protected-mode=on", registers(8, 8, SEGMENT)),
                            ("bare,long-mode=on", registers(16, 16, SEGMENT))):
            with Machine("-M", mode, "-S", "-nodefaults", "-kernel", path + "/spin") as machine:
                check_registers(machine, lines)


def registers_of_qemu_fit_too():
    need_qemu()
    with Machine("-M", "pc", "-accel", "tcg", "-S", "-nodefaults", program=QEMU, quiet=False) as machine:
        check_registers(machine, registers(8, 8, ""))


assert os.access(QOMET, os.X_OK)
tap([what_qomet_shows_of_a_machine_fits, what_qemu_shows_fits_too, registers_of_qomet_fit_in_each_mode,
     registers_of_qemu_fit_too])

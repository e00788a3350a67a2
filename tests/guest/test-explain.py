#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Explanations as a user meets them: exits told as paths, and why a guest cannot go on.

Guests that fail are run with -explain, so that the cause is found too where KVM has reset the vCPU before it says so (AMD).
"""
import os
import re
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from guests import MODES, Code, on_kvm  # noqa: E402
from cli import folder, need_kvm, qomet, tap  # noqa: E402

NOWHERE = 0xc0000000    # the tables of long mode map it, and nothing is there
UNMAPPED = 1 << 39      # they do not map it
IDT, IDTR, HANDLER = 0x3000, 0x2000, 0x2800  # in a guest's image, which begins at 0x1000


def run(words, image, *more):
    """Status, what the log tells, what is said."""
    need_kvm()
    with folder() as path:
        status, _, err = on_kvm(words, image, path, "-explain", "-D", "log", *more)
        with open(os.path.join(path, "log"), encoding="ascii") as file:
            return status, file.read(), err


def diagnosed(bits, code, cause, *patterns):
    image = code.done() if isinstance(code, Code) else code
    status, _, err = run(["-M", "bare" + MODES[bits], "-nodefaults"], image)
    assert status == 1, (status, err)
    for pattern in (r"^diagnosis: %s: " % cause,) + patterns:
        assert re.search(pattern, err, re.M), "%r is not in:\n%s" % (pattern, err)
    return err


def set_reg(code, number, value):
    """RAX, RSP ... := @value, in long mode."""
    return code.emit(0x48, 0xb8 + number, struct.pack("<Q", value))


RAX, RSP = 0, 4


def with_idt(code, handler=HANDLER):
    """The image of a 64-bit guest that loads an IDT in which every gate leads to @handler, where a HLT is, and goes on with @code."""
    start = Code(64, 0x1000).emit(0x0f, 0x01, 0x1c, 0x25, struct.pack("<I", IDTR))  # lidt
    image = bytearray(IDT - 0x1000 + 32 * 16)
    image[:len(start.bytes) + len(code.bytes)] = start.bytes + code.bytes
    struct.pack_into("<HQ", image, IDTR - 0x1000, 32 * 16 - 1, IDT)
    image[HANDLER - 0x1000] = 0xf4
    for vector in range(32):
        struct.pack_into("<HHBBHII", image, IDT - 0x1000 + vector * 16, handler & 0xffff, 0x18, 0, 0x8e,
                         handler >> 16 & 0xffff, handler >> 32, 0)
    return bytes(image)


# ---- Causes ----

def a_guest_without_an_idt():
    for bits in (32, 64):
        diagnosed(bits, Code(bits).emit(0x0f, 0x0b), "no IDT",
                  r"the IDT \(base 0x0, limit 0x0\) ends before the gate of #UD \(6\)",
                  r"^  gate   #DF \(8\): past the limit 0x0 of the IDT at 0x0$",
                  r"^[ER]IP=(00000000)?00001000 ")


def a_guest_with_a_bad_cr3():
    code = set_reg(Code(64), RAX, NOWHERE).emit(0x0f, 0x22, 0xd8).hlt()  # mov cr3, rax
    diagnosed(64, code, "bad CR3", "CR3 is 0xc0000000, and there is no RAM for a page table",
              r"^  code   0x100d: PML4E\[0\] at 0xc0000000 = 0x0 outside RAM$")
    # An address that is none does not get into CR3.
    diagnosed(64, set_reg(Code(64), RAX, 1 << 51).emit(0x0f, 0x22, 0xd8).hlt(), "bad CR3", "the instruction loads CR3 with")


def a_guest_that_reaches_for_a_page_that_is_not_present():
    code = set_reg(Code(64), RAX, UNMAPPED).emit(0x48, 0x8b, 0x00)  # mov rax, [rax]
    diagnosed(64, code, "page not present", r"is 0x8000000000, and the PML4E at 0x[0-9a-f]+ is not present",
              r"^  in 64-bit mode, CPL 0, at 0018:000000000000100a$",
              r"^  data   0x8000000000: PML4E\[1\] at 0x[0-9a-f]+ = 0x0 not present$")
    code = set_reg(Code(64), RAX, UNMAPPED).emit(0xff, 0xe0)  # jmp rax
    diagnosed(64, code, "page not present", "the code at RIP is 0x8000000000")


def a_guest_with_a_stack_outside_ram():
    diagnosed(64, set_reg(Code(64), RSP, UNMAPPED).emit(0x50), "stack outside RAM",  # push rax
              "reaches for 0x7ffffffff8 on the stack, where no page is mapped")
    # With an IDT, the stack is what the exception lacks.
    for where, what in ((UNMAPPED, "not mapped"), (NOWHERE, "mapped to where no RAM is")):
        code = set_reg(Code(64), RSP, where).emit(0x0f, 0x0b)
        diagnosed(64, with_idt(code), "stack outside RAM", "pushes on the stack below 0x[0-9a-f]+, which is %s" % what)
    # A return from there.
    diagnosed(64, set_reg(Code(64), RSP, NOWHERE).emit(0xc3), "stack outside RAM", "RIP is all ones")


def a_guest_that_jumps_into_a_hole():
    for bits in (32, 64):
        code = Code(bits).mov_a(4, NOWHERE).emit(0xff, 0xe0)  # jmp eax
        diagnosed(bits, code, "jump into a hole", "the code at RIP is 0xc0000000, .* and no RAM is there")
    code = Code(16).emit(0xea, 0x00, 0x00, 0x00, 0xa0)  # jmp 0xa000:0
    status, _, err = run(["-M", "bare", "-m", "512K", "-nodefaults"], code.done())
    assert status == 1 and "diagnosis: jump into a hole: the code at RIP is 0xa0000" in err, err


def a_vcpu_that_kvm_has_reset_is_said_to_be_run_once_more():
    need_kvm()
    code = Code(64).emit(0x0f, 0x0b)
    told = diagnosed(64, code, "no IDT")
    with folder() as path:
        status, _, alone = on_kvm(["-M", "bare" + MODES[64], "-nodefaults"], code.done(), path)
    assert status == 1, alone
    # AMD's KVM does so, before it says that the guest has failed; the state is there only if it was kept.
    reset = "since the state is lost; with -explain" in alone
    assert reset or os.environ.get("LAB") != "kvm_amd", alone
    assert reset or re.search("^diagnosis: no IDT: ", alone, re.M), alone
    assert reset == ("Run once more from its last entry (RIP 0x1000)" in told), told


def a_guest_that_takes_its_exceptions_is_not_diagnosed():
    status, log, err = run(["-M", "bare,long-mode=on", "-nodefaults"], with_idt(Code(64).emit(0x0f, 0x0b)))
    assert (status, err) == (0, ""), (status, err)
    assert re.search(r"^exit 1 of vCPU 0: hlt, the guest executed HLT; RIP 0x2801$", log, re.M), log


# ---- Exits ----

def each_exit_is_told_as_a_path():
    code = Code(16, 0x1000).mov_a(1, 0x48).write_port(0xf1, 1).read_port(0x3fd, 1).write_port(0x500, 2).hlt()
    status, log, err = run(["-M", "bare,unassigned=ignore", "-device", "isa-debugcon,iobase=0xf1,id=con"], code.done())
    assert (status, err) == (0, ""), (status, err)
    told = re.sub(r"[0-9.]+ [nu]s", "TIME", re.sub(r"; RIP 0x10[0-9a-f]+", "", log))
    assert told == """\
exit 1 of vCPU 0: io, the guest used a port
  write of 1 byte, 0x48, to I/O 0xf1
  -> region debugcon, offset 0x0
  -> object /machine/peripheral/con (isa-debugcon)
  -> write method of class isa-debugcon: TIME
exit 2 of vCPU 0: io, the guest used a port
  read of 1 byte, 0x60, from I/O 0x3fd
  -> region serial, offset 0x5
  -> object /machine/serial0 (isa-serial)
  -> read method of class isa-serial: TIME
exit 3 of vCPU 0: io, the guest used a port
  write of 2 bytes, 0x60, to I/O 0x500
  -> nothing is there: lost, TIME
exit 4 of vCPU 0: hlt, the guest executed HLT
""", told


def a_string_instruction_is_told_by_elements():
    code = Code(32, 0x1000).print_text("text", 3, 0xf1, "outs").hlt().label("text").emit(b"abc")
    status, log, err = run(["-M", "bare,protected-mode=on", "-device", "isa-debugcon,iobase=0xf1"], code.done())
    assert (status, err) == (0, ""), (status, err)
    assert re.findall(r"write of 1 byte, (\w+), to I/O 0xf1", log) == ["0x61", "0x62", "0x63"], log


def an_instruction_of_many_accesses_is_told_in_the_room_of_one():
    # KVM completes each of them with the next one: so it goes for a thousand, before it looks whether somebody waits.
    for opcode in (0xa4, 0xa6):  # rep movsb; repe cmpsb
        code = Code(32, 0x1000).mov_si(NOWHERE).mov_di(0x200000 if opcode == 0xa4 else NOWHERE).mov_cx(3000)
        code.emit(0xf3, opcode).mov_a(1, 0x2a).write_port(0xf4, 1)
        status, log, err = run(["-M", "bare,protected-mode=on,unassigned=ignore", "-device", "isa-debug-exit,iobase=0xf4"],
                               code.done())
        assert (status, err) == (0x55, ""), (status, err)
        accesses = len(re.findall(r"from memory 0xc0000[0-9a-f]{3}$", log, re.M))
        assert accesses == (3000 if opcode == 0xa4 else 6000), accesses


def exits_are_timed_where_that_is_asked_for():
    need_kvm()
    qomet("-accel", "kvm,help").expect(0, re.compile("exit-timing=<bool>"))
    qomet("-accel", "kvm,exit-timing=maybe", "-M", "none").expect(1, "", re.compile("exit-timing"))


tap([a_guest_without_an_idt, a_guest_with_a_bad_cr3, a_guest_that_reaches_for_a_page_that_is_not_present,
     a_guest_with_a_stack_outside_ram, a_guest_that_jumps_into_a_hole, a_vcpu_that_kvm_has_reset_is_said_to_be_run_once_more,
     a_guest_that_takes_its_exceptions_is_not_diagnosed,
     each_exit_is_told_as_a_path, a_string_instruction_is_told_by_elements,
     an_instruction_of_many_accesses_is_told_in_the_room_of_one, exits_are_timed_where_that_is_asked_for])

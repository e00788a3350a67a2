#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Guests that wait for interrupts: the serial port on IRQ 4 of KVM's PIC, its input echoed by the guest's handler."""
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from guests import MODES, Code, on_kvm, take_terminal  # noqa: E402
from cli import QOMET, TIMEOUT_S, folder, need_kvm, tap  # noqa: E402

LOAD = 0x2000
VECTOR = 0x24  # IRQ 4, with the PIC's vectors from 0x20 on
WORDS = ["-M", "bare,kernel-irqchip=on,on-halt=wait,load-address=0x%x,unassigned=stop%s", "-device",
         "isa-debug-exit,iobase=0xf4"]
STATUS = (ord("q") << 1 | 1) & 0xff

# How the FIFO is set up: none; an interrupt for each byte; one for 14 bytes, or when no more come for a while.
NO_FIFO, EACH, FOURTEEN = None, 0x01, 0xc1


def echo(bits, fcr):
    """A guest that sends back what it receives until that is a "q"; vCPUs other than the first halt for good."""
    code = Code(bits, LOAD)
    code.sized(4).emit(0x83, 0xfa, 0).emit(0x74).hole("first", 1, True)  # cmp edx,0; je first
    code.emit(0xfa).hlt()
    code.label("first")
    if bits == 16:
        code.emit(0xc7, 0x06, struct.pack("<H", VECTOR * 4)).hole("handler", 2, False)  # mov [vector],handler
        code.emit(0xc7, 0x06, struct.pack("<HH", VECTOR * 4 + 2, 0))
    else:
        code.emit(0x0f, 0x01, 0x1c, 0x25).hole("table", 4, False)  # lidt [table]
    # ICW1 to ICW4, then all but IRQ 4 masked.
    for port, value in ((0x20, 0x11), (0x21, 0x20), (0x21, 0x04), (0x21, 0x01), (0x21, 0xef)):
        code.mov_a(1, value).write_port(port, 1)
    if fcr is not None:
        code.mov_a(1, fcr).write_port(0x3fa, 1)
    code.mov_a(1, 0x08).write_port(0x3fc, 1)  # OUT2
    code.mov_a(1, 0x01).write_port(0x3f9, 1)  # interrupts of the receiver
    code.mov_a(1, ord(">")).write_port(0x3f8, 1)
    code.emit(0xfb).label("wait").hlt().jump("wait")

    code.label("handler").emit(0x50, 0x52)  # push ax, dx
    code.label("next").read_port(0x3fd, 1).emit(0xa8, 0x01, 0x74).hole("done", 1, True)  # test al,1; jz done
    code.read_port(0x3f8, 1).write_port(0x3f8, 1)
    code.emit(0x3c, ord("q"), 0x75).hole("next", 1, True)  # cmp al,'q'; jne next
    code.write_port(0xf4, 1).emit(0xf4)
    code.label("done").mov_a(1, 0x20).write_port(0x20, 1)
    code.emit(0x5a, 0x58, b"\x48" if bits == 64 else b"", 0xcf)  # pop; iret
    if bits == 64:
        # Intel SDM vol. 3, 7.14.1: a 64-bit interrupt gate through selector 0x18.
        code.label("table").emit(struct.pack("<H", 16 * (VECTOR + 1) - 1)).hole("gates", 8, False)
        code.label("gates").emit(bytes(16 * VECTOR)).hole("handler", 2, False).emit(0x18, 0, 0, 0x8e, bytes(10))
    return code.done()


def words(bits):
    return [WORDS[0], WORDS[1] % (LOAD, MODES[bits] or ",rsp=0x1000"), *WORDS[2:]]


def echoes(bits, fcr, cpus=1):
    """Types through a pipe, more than any FIFO holds."""
    need_kvm()
    text = b"".join(b"line %d of the input\n" % i for i in range(60)).replace(b"q", b"")
    with folder() as path:
        kernel = os.path.join(path, "guest.bin")
        with open(kernel, "wb") as file:
            file.write(echo(bits, fcr))
        with subprocess.Popen([QOMET, *words(bits), "-smp", str(cpus), "-kernel", kernel], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            # Setting up the FIFO empties it, so the guest says when it is ready.
            assert os.read(process.stdout.fileno(), 1) == b">"
            out, err = process.communicate(text + b"q", timeout=TIMEOUT_S)
    assert (process.returncode, out, err) == (STATUS, text + b"q", b""), (process.returncode, out, err)


def input_is_echoed_in_real_mode():
    echoes(16, NO_FIFO)


def input_is_echoed_through_the_fifo():
    echoes(16, EACH)
    echoes(16, FOURTEEN)


def input_is_echoed_in_long_mode():
    echoes(64, NO_FIFO)
    echoes(64, FOURTEEN)


def input_is_echoed_with_several_vcpus():
    echoes(16, EACH, 2)
    echoes(64, EACH, 4)


class Typing:
    """The echoing guest on a terminal."""

    def __init__(self, bits, fcr, path):
        kernel = os.path.join(path, "guest.bin")
        with open(kernel, "wb") as file:
            file.write(echo(bits, fcr))
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([QOMET, *words(bits), "-kernel", kernel], stdin=slave, stdout=slave,
                                        stderr=subprocess.PIPE, preexec_fn=take_terminal)
        os.close(slave)
        self.expect(b">")

    def expect(self, text):
        have = b""
        while len(have) < len(text):
            have += os.read(self.master, len(text) - len(have))
        assert have == text, (have, text)

    def type(self, text):
        os.write(self.master, text)

    def ends(self, status):
        _, err = self.process.communicate(timeout=TIMEOUT_S)
        assert (self.process.returncode, err) == (status, b""), (self.process.returncode, err)
        os.close(self.master)


def keys_are_echoed_one_by_one():
    need_kvm()
    for bits, fcr in ((16, NO_FIFO), (16, FOURTEEN), (64, EACH)):
        with folder() as path:
            guest = Typing(bits, fcr, path)
            for key in (b"a", b"\r", b"\x04", b"\x00", b"\x7f", b"\xff", b"\n"):
                guest.type(key)
                # The terminal goes to the start of each new line.
                guest.expect(b"\r\n" if key == b"\n" else key)
            # Ctrl-a twice is one for the guest.
            guest.type(b"\x01\x01")
            guest.expect(b"\x01")
            guest.type(b"q")
            guest.expect(b"q")
            guest.ends(STATUS)


def keys_for_the_program_end_a_guest_that_waits():
    need_kvm()
    for keys in (b"\x01x", b"\x03"):
        with folder() as path:
            guest = Typing(16, EACH, path)
            guest.type(b"x")
            guest.expect(b"x")
            guest.type(keys)
            guest.ends(0)


def a_signal_ends_a_guest_that_waits():
    need_kvm()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with folder() as path:
            guest = Typing(64, EACH, path)
            begin = time.monotonic()
            guest.process.send_signal(number)
            guest.ends(0)
            assert time.monotonic() - begin < TIMEOUT_S / 4


def a_halt_cannot_end_a_machine_whose_vcpus_wait_in_kvm():
    need_kvm()
    with folder() as path:
        have = on_kvm(["-M", "bare,kernel-irqchip=on,on-halt=exit"], b"\xf4", path)
    assert have[:2] == (1, b""), have
    assert re.fullmatch(r"qomet: .*on-halt=exit is for a machine without .*\n", have[2]), have


tap([input_is_echoed_in_real_mode, input_is_echoed_through_the_fifo, input_is_echoed_in_long_mode,
     input_is_echoed_with_several_vcpus, keys_are_echoed_one_by_one,
     keys_for_the_program_end_a_guest_that_waits,
     a_signal_ends_a_guest_that_waits, a_halt_cannot_end_a_machine_whose_vcpus_wait_in_kvm])

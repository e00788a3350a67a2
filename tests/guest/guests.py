# SPDX-License-Identifier: MIT
"""What the tests of guests share: a small assembler of flat binaries, and boards driven with and without a CPU."""
import fcntl
import os
import socket
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from cli import QOMET, TIMEOUT_S, start  # noqa: E402, pylint: disable=wrong-import-position

LONG = bool(os.environ.get("QOMET_TEST_LONG"))

# How a guest starts: the width of its code, and the words of the machine that say so.
MODES = {16: "", 32: ",protected-mode=on", 64: ",long-mode=on"}


def seed_of_test():
    """A number for random.Random, printed, from QOMET_TEST_SEED where that is set."""
    seed = int(os.environ.get("QOMET_TEST_SEED") or int.from_bytes(os.urandom(4), "little"))
    print("# QOMET_TEST_SEED=%d" % seed)
    sys.stdout.flush()
    return seed


def take_terminal():
    """In a new process: standard input is its controlling terminal; only such a one is made raw."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Code:
    """Machine code of 16, 32 or 64 bits that is @start bytes into its code segment when it runs."""

    def __init__(self, bits, start=0):
        self.bits, self.start, self.bytes = bits, start, bytearray()
        self.labels, self.holes = {}, []

    def here(self):
        return self.start + len(self.bytes)

    def emit(self, *parts):
        for part in parts:
            self.bytes += part if isinstance(part, (bytes, bytearray)) else bytes([part])
        return self

    def label(self, name):
        self.labels[name] = self.here()
        return self

    def hole(self, name, size, relative):
        """@size bytes that done() fills with where @name is, or how far that is from their end."""
        self.holes.append((len(self.bytes), name, size, relative))
        return self.emit(bytes(size))

    def done(self):
        for at, name, size, relative in self.holes:
            value = self.labels[name] - (self.start + at + size if relative else 0)
            self.bytes[at:at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
        return bytes(self.bytes)

    # ---- Instructions ----

    def sized(self, width):
        """The prefix by which an operand has @width bytes."""
        return self.emit(0x66) if width == (4 if self.bits == 16 else 2) else self

    def mov_a(self, width, value):
        """AL, AX, EAX or RAX := @value."""
        if width == 1:
            return self.emit(0xb0, value)
        if width == 8:
            return self.emit(0x48, 0xb8, struct.pack("<Q", value))
        return self.sized(width).emit(0xb8, value.to_bytes(width, "little"))

    def mov_dx(self, value):
        return self.sized(2).emit(0xba, struct.pack("<H", value))

    def mov_word(self, opcode, value):
        """A register as wide as addresses are, 32 bits in long mode; @value is a number or a label."""
        size = 2 if self.bits == 16 else 4
        self.emit(opcode)
        return self.hole(value, size, False) if isinstance(value, str) else self.emit(value.to_bytes(size, "little"))

    def mov_si(self, value):
        return self.mov_word(0xbe, value)

    def mov_di(self, value):
        return self.mov_word(0xbf, value)

    def mov_cx(self, value):
        return self.mov_word(0xb9, value)

    def port(self, opcode, port, width, by_dx):
        """IN (0xe4) or OUT (0xe6); ports from 0x100 on only by DX."""
        if by_dx or port > 0xff:
            return self.mov_dx(port).sized(width).emit(opcode + 8 + (width > 1))
        return self.sized(width).emit(opcode + (width > 1), port)

    def read_port(self, port, width, by_dx=False):
        return self.port(0xe4, port, width, by_dx)

    def write_port(self, port, width, by_dx=False):
        return self.port(0xe6, port, width, by_dx)

    def memory(self, opcode, addr, width):
        """MOV between the accumulator and memory at @addr (0x88: write, 0x8a: read); not for 16 bits."""
        self.mov_di(addr)
        if width == 8:
            self.emit(0x48)
        return self.sized(width).emit(opcode + (width > 1), 0x07)

    def print_text(self, name, length, port, how):
        """The text at label @name to @port: by "loop" or by "outs", relative to CS in real mode."""
        segment = b"\x2e" if self.bits == 16 else b""
        self.mov_si(name).mov_cx(length).mov_dx(port)
        if how == "outs":
            return self.emit(segment, 0xf3, 0x6e)
        back = len(self.bytes)
        self.emit(segment, 0xac, 0xee)  # lodsb; out dx,al
        return self.emit(0xe2, (back - len(self.bytes) - 2) & 0xff)  # loop

    def if_not_cpu(self, index, name):
        """To @name unless EDX, the number of this vCPU, is @index."""
        self.sized(4).emit(0x83, 0xfa, index)
        return self.emit(0x0f, 0x85).hole(name, 2 if self.bits == 16 else 4, True)

    def hlt(self):
        return self.emit(0xf4)

    def jump(self, name):
        return self.emit(0xeb).hole(name, 1, True)


def on_kvm(words, image, path, *more):
    """Runs the guest @image in the folder @path: its status, what it printed (bytes), what was said (text)."""
    kernel = os.path.join(path, "guest.bin")
    with open(kernel, "wb") as file:
        file.write(image)
    done = subprocess.run([QOMET, *words, "-kernel", kernel, *more], cwd=path, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=TIMEOUT_S, check=False)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def without_a_cpu(words, commands, path):
    """Drives the board by @commands until they are done or it ends: the answers, status, what it printed."""
    name = os.path.join(path, "socket")
    answers = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name)
        listener.listen(1)
        listener.settimeout(TIMEOUT_S)
        process = start(*words, "-accel", "qtest", "-qtest", "unix:" + name, cwd=path)
        peer = listener.accept()[0]
    os.unlink(name)
    with peer, peer.makefile("rwb") as lines:
        for command in commands:
            try:
                lines.write(command.encode() + b"\n")
                lines.flush()
                answer = lines.readline()
            except ConnectionError:
                answer = b""
            if not answer:
                break
            answers.append(answer.decode().rstrip("\n"))
    out, err = process.communicate(timeout=TIMEOUT_S)
    return answers, process.returncode, out, err.decode()

# SPDX-License-Identifier: MIT
"""What tests of the gdb server share: guests to debug, gdb as a peer, and a peer that speaks the protocol byte by byte.

    with Debuggee(code, mode=32) as machine:
        text = machine.gdb("break *0x1001", "continue")
        with machine.peer() as peer:
            assert peer.ask("?").startswith("T05")
"""
import os
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "guest"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from cli import TIMEOUT_S, Skip, folder, need_kvm  # noqa: E402, pylint: disable=wrong-import-position
from guests import MODES, Code  # noqa: E402, pylint: disable=wrong-import-position
from qmp import Machine  # noqa: E402, pylint: disable=wrong-import-position

ENTRY, COUNTER = 0x1000, 0x2000


def need_gdb():
    if not shutil.which("gdb"):
        raise Skip("gdb is not installed")


def counting(bits=32):
    """A guest that counts in memory and prints a byte at each round; and where the instructions of a round are."""
    code = Code(bits, ENTRY)
    at = {"first": code.here()}
    code.emit(0x90).label("round")
    at["inc"] = code.here()
    code.emit(0x67 if bits == 16 else b"", 0xff, 0x05 if bits != 64 else b"\x04\x25", COUNTER.to_bytes(4, "little"))
    at["print"] = code.here()
    code.mov_a(1, 0x58).emit(0xe6, 0xe9)
    at["nops"] = code.here()
    code.emit(0x90, 0x90, 0x90, 0x90)
    at["jump"] = code.here()
    code.jump("round")
    return code.done(), at


def run_gdb(*commands):
    """Runs gdb's @commands: what it printed. Standard error too, for what goes wrong is seen in the text."""
    need_gdb()
    words = ["gdb", "-nx", "-batch", "-ex", "set pagination off", "-ex", "set confirm off"]
    for command in commands:
        words += ["-ex", command]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S,
                          check=False, env=dict(os.environ, HOME=os.environ["XDG_RUNTIME_DIR"], LC_ALL="C"))
    return done.stdout.decode(errors="replace")


class Debuggee:
    """A machine that runs @image and waits for gdb, with a monitor besides (.qmp); for a with statement."""

    def __init__(self, image, *words, mode=32, machine="", place=None, **more):
        need_kvm()
        self.folder = folder()
        self.socket, self.printed = self.folder.name + "/gdb", self.folder.name + "/e9"
        kernel = self.folder.name + "/guest.bin"
        with open(kernel, "wb") as file:
            file.write(image)
        try:
            self.machine = Machine("-M", "bare" + MODES[mode] + machine, "-serial", "none", "-kernel", kernel,
                                   "-chardev", "file,id=e9,path=" + self.printed,
                                   "-device", "isa-debugcon,iobase=0xe9,chardev=e9", "-gdb", place or "unix:" + self.socket, *words,
                                   **more)
        except BaseException:
            self.folder.cleanup()
            raise
        self.qmp = self.machine.qmp

    def gdb(self, *commands):
        return run_gdb("target remote " + self.socket, *commands)

    def peer(self, no_ack=False):
        return Peer(self.socket, no_ack)

    def printed_bytes(self):
        return os.path.getsize(self.printed)

    def goes_on(self):
        """Whether the guest prints."""
        before, until = self.printed_bytes(), time.monotonic() + TIMEOUT_S / 3
        while self.printed_bytes() == before and time.monotonic() < until:
            time.sleep(0.002)
        return self.printed_bytes() != before

    def stands_still(self):
        before = self.printed_bytes()
        time.sleep(0.05)
        return self.printed_bytes() == before

    def __enter__(self):
        self.machine.__enter__()
        return self

    def __exit__(self, *what):
        try:
            self.machine.__exit__(*what)
        finally:
            self.folder.cleanup()


def checksum(contents):
    return b"%02x" % (sum(contents) & 0xff)


class Peer:
    """A connection that speaks the protocol as it is told, for a with statement."""

    def __init__(self, path, no_ack=False):
        self.socket, self.buffer, self.no_ack = socket.socket(socket.AF_UNIX), b"", False
        self.socket.settimeout(TIMEOUT_S)
        self.connect(path)
        if no_ack:
            assert self.ask("QStartNoAckMode") == "OK"
            self.raw(b"+")
            self.no_ack = True

    def connect(self, path):
        """Waits until those are served who came before."""
        until = time.monotonic() + TIMEOUT_S
        while True:
            try:
                self.socket.connect(path)
                return
            except BlockingIOError:
                assert time.monotonic() < until, "the gdb server takes nobody"
                time.sleep(0.001)

    def raw(self, data):
        """Sends bytes as they are."""
        self.socket.sendall(data)

    def byte(self):
        if not self.buffer:
            self.buffer = self.socket.recv(65536)
            if not self.buffer:
                raise EOFError("the gdb server has hung up")
        first, self.buffer = self.buffer[:1], self.buffer[1:]
        return first

    def send(self, contents):
        """Sends a packet, and takes the sign that it has come."""
        contents = contents.encode() if isinstance(contents, str) else contents
        self.raw(b"$" + contents + b"#" + checksum(contents))
        if not self.no_ack:
            sign = self.byte()
            assert sign == b"+", "no acknowledgement but %r" % sign

    def reply(self):
        """The next packet, without escapes, as text of one character a byte."""
        byte = self.byte()
        assert byte == b"$", "no packet but %r" % byte
        contents, end = b"", self.byte()
        while end != b"#":
            contents, end = contents + end, self.byte()
        given = self.byte() + self.byte()
        assert given == checksum(contents), "%r has the sum %r" % (contents, given)
        if not self.no_ack:
            self.raw(b"+")
        out, escaped = bytearray(), False
        for byte in contents:
            if escaped:
                out.append(byte ^ 0x20)
            elif byte != 0x7d:
                out.append(byte)
            escaped = byte == 0x7d and not escaped
        return out.decode("latin-1")

    def ask(self, contents):
        self.send(contents)
        return self.reply()

    def interrupt(self):
        self.raw(b"\x03")
        return self.reply()

    def silent(self, seconds=0.1):
        """Whether nothing comes."""
        if self.buffer:
            return False
        self.socket.settimeout(seconds)
        try:
            self.buffer = self.socket.recv(65536)
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(TIMEOUT_S)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Guests made at random: what they print, byte for byte, and what "-d exits" tells of them, line for line.

A board has a few devices at random ports; a guest is a row of accesses to them, and to where nothing is, of each width
and in each mode. A model of the devices in this file says what each access gives and prints. The guest runs on KVM with
and without "-d exits", and the same accesses are done on the same board without a CPU.

QOMET_TEST_SEED gives the first seed, QOMET_TEST_GUESTS how many guests there are.
"""
import os
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from guests import LONG, MODES, Code, on_kvm, seed_of_test, without_a_cpu  # noqa: E402
from cli import folder, need_kvm, tap  # noqa: E402

GUESTS = int(os.environ.get("QOMET_TEST_GUESTS") or (600 if LONG else 60))
KIB, MIB = 1 << 10, 1 << 20
STDOUT = "standard output"


# ---- Models of the devices ----

class Device:
    """One device: its words, where "-d exits" finds it, and what it has printed (on the board, in the end)."""

    def __init__(self, kind, port, size, words=""):
        self.kind, self.port, self.size, self.words = kind, port, size, words
        self.path = self.chardev = self.printed = None

    def contains(self, port):
        return self.port <= port < self.port + self.size

    def say(self, data):
        self.printed += data


class Debugcon(Device):
    def __init__(self, rng, port):
        self.readback = rng.choice((0xe9, rng.randrange(256)))
        super().__init__("isa-debugcon", port, 1, "iobase=0x%x%s" % (
            port, "" if self.readback == 0xe9 else ",readback=%d" % self.readback))

    def write(self, offset, width, value):
        self.say(bytes([value & 0xff]))

    def read(self, offset, width):
        return self.readback

    max_width = 1


class Logger(Device):
    def __init__(self, rng, port):
        size = rng.choice((1, 2, 4, 8))
        self.limit, self.lines, self.ended = 0, 0, False
        super().__init__("port-logger", port, size, "iobase=%d,iosize=%d" % (port, size))

    def end_after(self, limit):
        self.limit = limit
        self.words += ",limit=%d" % limit

    def write(self, offset, width, value):
        self.say(b"port 0x%x <- 0x%0*x\n" % (self.port + offset, 2 * width, value))
        self.lines += 1
        self.ended = self.lines == self.limit

    def read(self, offset, width):
        return (1 << 8 * width) - 1

    max_width = 8


class Serial(Device):
    """A 16550A without input, outside of loopback."""

    def __init__(self, rng, port, index=None):
        del rng
        self.divisor, self.ier, self.lcr, self.mcr, self.scr = 12, 0, 0, 0, 0
        super().__init__("isa-serial", port, 8, "iobase=0x%x,index=%s" % (port, index))

    def write(self, offset, width, value):
        dlab = self.lcr & 0x80
        if offset == 0 and dlab:
            self.divisor = self.divisor & 0xff00 | value
        elif offset == 0:
            self.say(bytes([value]))
        elif offset == 1 and dlab:
            self.divisor = self.divisor & 0xff | value << 8
        elif offset == 1:
            self.ier = value & 0x0f
        elif offset == 3:
            self.lcr = value
        elif offset == 4:
            self.mcr = value & 0x1f
        elif offset == 7:
            self.scr = value

    def read(self, offset, width):
        dlab = self.lcr & 0x80
        return {0: self.divisor & 0xff if dlab else 0, 1: self.divisor >> 8 if dlab else self.ier, 3: self.lcr,
                4: self.mcr, 5: 0x60, 7: self.scr}[offset]

    max_width = 1


class DebugExit(Device):
    def __init__(self, port):
        self.status = None
        super().__init__("isa-debug-exit", port, 4, "iobase=0x%x,iosize=4" % port)

    def write(self, offset, width, value):
        self.status = (value << 1 | 1) & 0xff

    max_width = 4


# ---- Boards ----

class Board:
    def __init__(self, rng, cpus):
        self.rng, self.cpus = rng, cpus
        self.ram = rng.choice((1, 2, 16, 128)) * MIB
        self.bits = rng.choice((16, 16, 32, 64))
        self.devices, self.words = [], []
        self.streams = {STDOUT: bytearray()}
        self.anonymous, self.serials = 0, 0
        if cpus == 1 and rng.random() < 0.5:
            self.add_board_serial()
        else:
            self.words += ["-nodefaults"]
        for index in range(max(cpus, rng.randint(1, 5))):
            self.add(index)
        self.exit_device = None
        if rng.random() < 0.2 and cpus == 1:
            self.exit_device = DebugExit(self.free_port())
            self.plug(self.exit_device, None)
        self.finish()

    def free_port(self):
        """A port with nothing on it or near."""
        while True:
            port = self.rng.choice((self.rng.randrange(0x10, 0xf0), self.rng.randrange(0x100, 0xfff0)))
            if not any(device.port - 24 < port < device.port + device.size + 16 for device in self.devices):
                return port

    def add_board_serial(self):
        device = Serial(self.rng, 0x3f8)
        device.path = "/machine/serial0"
        device.printed = self.streams[STDOUT]
        self.devices.append(device)

    def add(self, index):
        rng, port = self.rng, self.free_port()
        kinds = [Debugcon, Logger] + ([Serial] if self.serials < 3 else [])
        kind = rng.choice(kinds)
        if kind is Serial:
            self.serials += 1
            device = Serial(rng, port, self.serials)
        else:
            device = kind(rng, port)
            if kind is Logger and self.cpus == 1 and rng.random() < 0.2:
                device.end_after(rng.randint(1, 8))
        # Streams of several vCPUs would mix.
        self.plug(device, "file%d" % index if self.cpus > 1 or kind is Serial or rng.random() < 0.3 else None)

    def plug(self, device, file):
        if file:
            device.chardev = file
            device.words += ",chardev=" + file
        device.printed = self.streams.setdefault(file or STDOUT, bytearray())
        if self.rng.random() < 0.5:
            name = "dev%d" % len(self.devices)
            device.words += ",id=" + name
            device.path = "/machine/peripheral/" + name
        else:
            device.path = "/machine/peripheral-anon/device[%d]" % self.anonymous
            self.anonymous += 1
        self.devices.append(device)

    def finish(self):
        for device in self.devices:
            if device.chardev:
                self.words += ["-chardev", "file,id=%s,path=%s" % (device.chardev, device.chardev)]
            if device.path.startswith("/machine/peripheral"):
                self.words += ["-device", device.kind + "," + device.words]

    def at(self, port):
        return next((device for device in self.devices if device.contains(port)), None)


# ---- Guests ----

class Guest:
    """A row of accesses, and what they lead to: lines of "-d exits", answers, what is printed."""

    def __init__(self, board, cpu, mine, code):
        self.board, self.rng, self.cpu, self.mine, self.code = board, board.rng, cpu, mine, code
        self.lines, self.commands, self.answers, self.texts = [], [], [], []
        self.status = None  # what the machine has ended with

    def ended(self):
        return self.status is not None

    def tell(self, exit_name, device, addr, width, word, value):
        self.lines.append("vcpu %d exit=%s path=%s type=%s addr=0x%x size=%d %s value=0x%x" % (
            self.cpu, exit_name, device.path if device else "-", device.kind if device else "-", addr, width, word, value))

    def command(self, text, answer):
        self.commands.append(text)
        self.answers.append(answer)

    def out(self, device, port, width, value, emit=True):
        """One write, and the instructions for it unless they are there already."""
        if emit:
            self.code.mov_a(width, value).write_port(port, width, self.rng.random() < 0.3)
        if self.ended():
            return
        self.tell("io", device, port, width, "write", value)
        self.command("out%s 0x%x 0x%x" % (" bw l"[width], port, value), "OK")
        if device:
            part = min(width, device.max_width)
            for i in range(0, width, part):
                if device.contains(port + i):
                    device.write(port + i - device.port, part, value >> 8 * i & (1 << 8 * part) - 1)
            if getattr(device, "ended", False):
                self.status = 0
            elif getattr(device, "status", None) is not None:
                self.status = device.status

    def read(self, device, port, width):
        """One read; the guest says what it got to the first device that takes it as it is."""
        value = (1 << 8 * width) - 1
        if device:
            part = min(width, device.max_width)
            value = 0
            for i in range(0, width, part):
                inside = device.contains(port + i)
                value |= (device.read(port + i - device.port, part) if inside else (1 << 8 * part) - 1) << 8 * i
        self.code.read_port(port, width, self.rng.random() < 0.3)
        if not self.ended():
            self.tell("io", device, port, width, "read", value)
            self.command("in%s 0x%x" % (" bw l"[width], port), "OK 0x%016x" % value)
        echo = next((d for d in self.mine if d.kind == "port-logger" and d.size >= width), None)
        if echo:
            self.code.write_port(echo.port, width)
            self.out(echo, echo.port, width, value, emit=False)

    def print_text(self, device, port):
        text = bytes(self.rng.choice(b"abcxyz0189 ,.!\n") for _ in range(self.rng.randint(1, 20)))
        how = self.rng.choice(("each", "loop", "outs"))
        if how == "each":
            for byte in text:
                self.out(device, port, 1, byte)
            return
        name = "text %d %d" % (self.cpu, len(self.texts))
        self.texts.append((name, text))
        self.code.print_text(name, len(text), port, how)
        for byte in text:
            self.out(device, port, 1, byte, emit=False)

    def nowhere(self):
        """A port or an address where nothing is: reads give ones."""
        rng = self.rng
        width = rng.choice((1, 2, 4))
        if self.board.bits == 16 or rng.random() < 0.5:
            port = self.board.free_port()
            if rng.random() < 0.5:
                self.out(None, port, width, rng.getrandbits(8 * width))
            else:
                self.read(None, port, width)
            return
        if self.board.bits == 64 and rng.random() < 0.3:
            width = 8
        addr = 0xd0000000 + rng.randrange(MIB) * 8
        if rng.random() < 0.5:
            value = rng.getrandbits(8 * width)
            self.code.mov_a(width, value).memory(0x88, addr, width)
            word, text, answer = "write", " 0x%x" % value, "OK"
        else:
            value = (1 << 8 * width) - 1
            self.code.memory(0x8a, addr, width)
            word, text, answer = "read", "", "OK 0x%016x" % value
        if not self.ended():
            self.tell("mmio", None, addr, width, word, value)
            self.command("%s%s 0x%x%s" % (word, {1: "b", 2: "w", 4: "l", 8: "q"}[width], addr, text), answer)

    def use(self, device):
        rng = self.rng
        if device.kind == "isa-debugcon":
            choice = rng.random()
            if choice < 0.6:
                self.print_text(device, device.port)
            elif choice < 0.8:
                # Wider than the device: what is beyond goes nowhere.
                width = rng.choice((2, 4))
                self.out(device, device.port, width, rng.getrandbits(8 * width))
            else:
                self.read(device, device.port, rng.choice((1, 2, 4)))
        elif device.kind == "port-logger":
            width = rng.choice([w for w in (1, 2, 4) if w <= device.size])
            port = device.port + rng.randrange(device.size - width + 1)
            if rng.random() < 0.8:
                self.out(device, port, width, rng.getrandbits(8 * width))
            else:
                self.read(device, port, width)
        else:
            choice = rng.random()
            if choice < 0.5:
                self.print_text(device, device.port)
            elif choice < 0.7:
                offset, mask = rng.choice(((1, 0xff), (3, 0xff), (4, 0xef), (7, 0xff)))
                self.out(device, device.port + offset, 1, rng.getrandbits(8) & mask)
            elif choice < 0.8:
                # Two registers at once.
                self.out(device, device.port, 2, rng.getrandbits(16))
            else:
                self.read(device, device.port + rng.choice((0, 1, 3, 4, 5, 7)), 1)

    def make(self):
        """Instructions and expectations up to the end of this vCPU."""
        for _ in range(self.rng.randint(1, 12)):
            if self.rng.random() < 0.15:
                self.nowhere()
            else:
                self.use(self.rng.choice(self.mine))
        if self.board.exit_device:
            width = self.rng.choice((1, 2, 4))
            value = self.rng.randrange(128)
            self.out(self.board.exit_device, self.board.exit_device.port, width, value)
        self.code.hlt()
        if not self.ended():
            self.lines.append("vcpu %d exit=hlt path=- type=-" % self.cpu)


def place(board):
    """Where the image lies, how far its code is in, and the words that say so: load address, offset, start, words."""
    rng = board.rng
    pad = rng.choice((0, 0, rng.randrange(64)))
    room = board.ram - 128 * KIB
    if board.bits != 16:
        load = rng.randrange(room)
        start = load + pad
        return load, pad, start, "" if not pad else ",entry=0x%x" % start
    if rng.random() < 0.3:
        # Without a segment: the offset is the address.
        load = rng.randrange(0x500, 0xc000)
        return load, pad, load + pad, "" if not pad else ",entry=0x%x" % (load + pad)
    load = rng.randrange(0x500, min(room, MIB))
    selector = rng.randrange(max(0, load - 0xc000) // 16 + (load > 0xc000), load // 16 + 1)
    start = load + pad - 16 * selector
    return load, pad, start, ",cs=0x%x,entry=%d" % (selector, start)


class Case:
    """A board and the guest on it, made of one seed."""

    def __init__(self, seed, cpus):
        rng = random.Random(seed)
        self.seed = seed
        self.board = board = Board(rng, cpus)
        load, pad, start, words = place(board)
        code = Code(board.bits, start)
        usable = [d for d in board.devices if d is not board.exit_device]
        self.guests = []
        for cpu in range(cpus):
            guest = Guest(board, cpu, usable[cpu::cpus], code)
            if cpu < cpus - 1:
                code.if_not_cpu(cpu, "cpu %d" % (cpu + 1))
            guest.make()
            code.label("cpu %d" % (cpu + 1))
            self.guests.append(guest)
        for guest in self.guests:
            for name, text in guest.texts:
                code.label(name).emit(text)
        self.image = rng.randbytes(pad) + code.done()
        self.words = ["-M", "bare,load-address=0x%x,unassigned=ignore%s%s" % (load, MODES[board.bits], words),
                      "-m", "%dM" % (board.ram // MIB), "-smp", str(cpus)] + board.words
        self.status = self.guests[0].status or 0

    def check(self, how, path, have):
        """What was said, printed and returned: @have is status, standard output and standard error."""
        status, out, err = have
        self.same(how, "standard error", err, "")
        for name, want in self.board.streams.items():
            if name == STDOUT:
                printed = out
            else:
                with open(os.path.join(path, name), "rb") as file:
                    printed = file.read()
            self.same(how, name, printed, bytes(want))
        self.same(how, "status", status, self.status)

    def same(self, how, what, have, want):
        assert have == want, "seed %d, %s, %s:\n  have %r\n  want %r\n  words %s\n  code %s" % (
            self.seed, how, what, have, want, " ".join(self.words), self.image.hex())

    def run_on_kvm(self):
        with folder() as path:
            self.check("on KVM", path, on_kvm(self.words, self.image, path))
        with folder() as path:
            how = "on KVM with -d exits"
            self.check(how, path, on_kvm(self.words, self.image, path, "-d", "exits", "-D", "log"))
            with open(os.path.join(path, "log"), encoding="ascii") as file:
                lines = file.read().splitlines()
        for guest in self.guests:
            mine = [line for line in lines if line.startswith("vcpu %d " % guest.cpu)]
            self.same(how, "exits of vCPU %d" % guest.cpu, mine, guest.lines)
        self.same(how, "lines of the log", len(lines), sum(len(guest.lines) for guest in self.guests))

    def drive_without_a_cpu(self):
        """All that the vCPUs do, in an order drawn anew."""
        rows = [list(zip(guest.commands, guest.answers)) for guest in self.guests]
        rng, commands, want = random.Random(self.seed), [], []
        while any(rows):
            command, answer = rng.choice([row for row in rows if row]).pop(0)
            commands.append(command)
            want.append(answer)
        with folder() as path:
            answers, *have = without_a_cpu(self.words, commands, path)
            self.check("without a CPU", path, have)
        if self.guests[0].ended():
            # The last answer may not get out any more.
            self.same("without a CPU", "answers", answers[:len(want) - 1], want[:-1])
        else:
            self.same("without a CPU", "answers", answers, want)


SEED = seed_of_test()


def cases(first, cpus):
    """Guests of consecutive seeds, a tenth of them with several vCPUs."""
    count = GUESTS // 10 if cpus else GUESTS - GUESTS // 10
    for i in range(count):
        yield Case(SEED + first + i, 2 + i % 3 if cpus else 1)


def guests_on_kvm_do_what_the_model_says():
    need_kvm()
    for case in cases(0, False):
        case.run_on_kvm()


def guests_with_several_vcpus_do_so_each():
    need_kvm()
    for case in cases(1000000, True):
        case.run_on_kvm()


def boards_driven_without_a_cpu_print_the_same():
    for case in cases(0, False):
        case.drive_without_a_cpu()


def boards_of_several_vcpus_driven_without_a_cpu_print_the_same():
    for case in cases(1000000, True):
        case.drive_without_a_cpu()


tap([guests_on_kvm_do_what_the_model_says, guests_with_several_vcpus_do_so_each,
     boards_driven_without_a_cpu_print_the_same, boards_of_several_vcpus_driven_without_a_cpu_print_the_same])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Guests that go wrong, as a user meets them: what is said, the status, and that the program outlives all they do.

QOMET_TEST_SEED gives the first seed of the guests of random bytes, QOMET_TEST_GUESTS how many there are.
"""
import os
import pty
import random
import re
import signal
import subprocess
import sys
import tempfile
import termios
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from guests import LONG, MODES, Code, on_kvm, seed_of_test, take_terminal  # noqa: E402
from cli import QOMET, TIMEOUT_S, folder, need_kvm, takes_signal, tap, wait_for  # noqa: E402

GUESTS = int(os.environ.get("QOMET_TEST_GUESTS") or (2000 if LONG else 200))
# How long a guest of random bytes runs, and how soon after a signal the program ends, on a busy machine too.
RUN_S, SOON_S = 0.1, 5


def says(words, image, status, *patterns):
    """Runs @image and looks for each of @patterns in what is said; that is the answer."""
    need_kvm()
    with folder() as path:
        have, out, err = on_kvm(words, image, path)
    assert (have, out) == (status, b""), (have, out, err)
    for pattern in patterns:
        assert re.search(pattern, err, re.M), "%r is not in:\n%s" % (pattern, err)
    return err


def was_reset(err):
    """On AMD, KVM resets a vCPU before it reports a triple fault."""
    return "KVM has reset the registers" in err


# ---- Each kind ----

def a_triple_fault_is_explained():
    for bits, *texts in ((32, "(protected mode, no paging, CPL 0)", "EAX=12345678", "EIP=00001005"),
                         (64, "(64-bit mode, CPL 0)", "RAX=0000000012345678", "RIP=0000000000001005")):
        code = Code(bits).mov_a(4, 0x12345678).emit(0x0f, 0x0b).done()  # ud2
        err = says(["-M", "bare" + MODES[bits]], code, 1,
                   r"\Aqomet: vCPU 0: triple fault: .* \[KVM_EXIT 8, shutdown\]$")
        if not was_reset(err):
            for text in (*texts, "code at RIP: 0f 0b"):
                assert text in err, (text, err)
        assert err.count("\n") < 30 and err.count("qomet: ") == 1, err


def only_the_vcpu_that_failed_is_told_of():
    code = Code(64, 0x1000).if_not_cpu(2, "wait").emit(0x0f, 0x0b).label("wait").jump("wait").done()
    err = says(["-M", "bare,long-mode=on", "-smp", "3"], code, 1, r"\Aqomet: vCPU 2: triple fault: ")
    assert err.count("vCPU ") == 1, err


def a_jump_out_of_ram_is_told_with_the_address():
    code = Code(32).mov_a(4, 0x9000000).emit(0xff, 0xe0).done()  # jmp eax
    says(["-M", "bare,protected-mode=on"], code, 1, r"\Aqomet: vCPU 0: KVM had to execute an instruction",
         r"[ER]IP=(00000000)?09000000", r"^code at RIP: none, for 0x9000000 is outside RAM$")


def running_off_the_end_of_ram_is_told_with_the_address():
    # A jump to the last bytes of 1 MiB, which are NOPs; behind them is nothing.
    code = Code(32)
    code.mov_di(0xfffff0).mov_cx(16).mov_a(1, 0x90).emit(0xf3, 0xaa).mov_a(4, 0xfffff0).emit(0xff, 0xe0)
    says(["-M", "bare,protected-mode=on,load-address=0x1000", "-m", "16M"], code.done(), 1,
         r"^[ER]IP=(00000000)?010000[0-9a-f]{2} ", r"is outside RAM$|code at RIP: none")


def reading_off_the_end_of_ram_gives_ones_and_is_told():
    code = Code(32).memory(0x8a, 0x1000000, 4).write_port(0xf1, 4)
    code.mov_a(4, 0x55).memory(0x88, 0x1000000 + 0x5000, 1).memory(0x8a, 0xffffff, 2).hlt()
    need_kvm()
    with folder() as path:
        words = ["-M", "bare,protected-mode=on", "-m", "16M", "-device", "port-logger,iobase=0xf1,iosize=4"]
        have, out, err = on_kvm(words, code.done(), path)
    assert (have, out) == (0, b"port 0xf1 <- 0xffffffff\n"), (have, out, err)
    lines = err.splitlines()
    assert lines[:2] == [
        "qomet: warning: a read (size 4) of address 0x1000000, where nothing is (told once for each page)",
        "qomet: warning: a write of 0x55 (size 1) to address 0x1005000, where nothing is (told once for each page)"], err
    assert len(lines) == 2, err


def an_access_to_nowhere_stops_the_guest_that_wants_it():
    code = Code(16, 0x1000).mov_a(1, 7).write_port(0x99, 1).hlt().done()
    says(["-M", "bare,unassigned=stop"], code, 1,
         r"\Aqomet: vCPU 0: a write of 0x7 \(size 1\) to port 0x99, where nothing is \(unassigned=stop\)\.$",
         r"^EAX=00000007 ", r"real mode")
    assert says(["-M", "bare,unassigned=ignore"], code, 0) == ""


def no_code_at_all_is_told_with_its_bytes():
    err = says(["-M", "bare,protected-mode=on"], b"\x0f\xff\xff\xff" * 8, 1, r"\Aqomet: vCPU 0: ")
    if not was_reset(err):
        assert "code at RIP: 0f ff ff ff 0f ff" in err, err


def halting_with_interrupts_off():
    code = Code(16).emit(0xfa).hlt().done()  # cli
    assert says(["-M", "bare"], code, 0) == ""
    assert says(["-M", "bare", "-smp", "4"], code, 0) == ""
    assert says(["-M", "bare,on-halt=exit,long-mode=on"], code, 0) == ""


# ---- Those that go on until somebody ends them ----

class Running:
    """A guest that runs, its output in files of the folder @path."""

    def __init__(self, path, words, image, **streams):
        kernel = os.path.join(path, "guest.bin")
        with open(kernel, "wb") as file:
            file.write(image)
        self.err = open(os.path.join(path, "err"), "w+b")  # pylint: disable=consider-using-with
        streams = dict({"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": self.err}, **streams)
        self.process = subprocess.Popen([QOMET, *words, "-kernel", kernel], **streams)

    def said(self):
        self.err.seek(0)
        return self.err.read().decode(errors="replace")

    def lasts(self, seconds):
        """Whether it runs for so long."""
        try:
            self.process.wait(timeout=seconds)
            return False
        except subprocess.TimeoutExpired:
            return True

    def end(self, number=signal.SIGTERM):
        """The status after a signal, and how many seconds that took."""
        begin = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=TIMEOUT_S)
        return self.process.returncode, time.monotonic() - begin

    def wait_until_it_speaks(self):
        until = time.monotonic() + TIMEOUT_S
        while not self.said() and time.monotonic() < until:
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.err.close()


def a_halt_that_nothing_ends_is_said_and_waits():
    need_kvm()
    code = Code(16).emit(0xfa).hlt().done()
    with folder() as path, Running(path, ["-M", "bare,on-halt=wait", "-smp", "2"], code) as guest:
        guest.wait_until_it_speaks()
        assert guest.lasts(RUN_S)
        assert guest.end()[0] == 0
        assert guest.said() == ("qomet: info: every vCPU has halted, and nothing can wake one: there is no interrupt "
                                "controller\n"), guest.said()


def ends_soon(words, image, check=lambda said: said == "", speaks=False, **streams):
    """A guest that never ends by itself ends with status 0 soon after SIGTERM. One that speaks has done so by then."""
    need_kvm()
    took = []
    for i in range(3):
        with folder() as path, Running(path, words, image, **streams) as guest:
            wait_for(lambda: takes_signal(guest.process, signal.SIGTERM), guest.process)
            if speaks:
                guest.wait_until_it_speaks()
            assert guest.lasts(RUN_S * (1 + i)), guest.said()
            status, seconds = guest.end()
            took.append(seconds)
            assert status == 0, (status, guest.said())
            assert check(guest.said()), guest.said()[:2000]
    # The best of some: the machine may be busy.
    assert min(took) < SOON_S, took


def flood(port):
    return Code(16, 0x1000).label("again").write_port(port, 1).jump("again").done()


def a_guest_that_spins_or_halts_in_kvm_is_ended():
    ends_soon(["-M", "bare", "-smp", "2"], Code(16, 0x1000).label("again").jump("again").done())
    ends_soon(["-M", "bare,kernel-irqchip=on", "-smp", "2"], Code(16).emit(0xfa).hlt().done())


def a_flood_of_a_port_is_ended():
    ends_soon(["-M", "bare", "-smp", "2", "-device", "isa-debugcon,iobase=0xf1"], flood(0xf1))
    ends_soon(["-M", "bare", "-device", "port-logger,iobase=0xf1"], flood(0xf1))
    ends_soon(["-M", "bare"], flood(0x3f8))


def a_flood_of_nowhere_is_told_once():
    ends_soon(["-M", "bare", "-smp", "2"], flood(0xf1), lambda said: said.count("\n") == 1, speaks=True)


def a_flood_of_every_port_is_told_once_for_each():
    # out dx,al; inc dx
    code = Code(16, 0x1000).label("again").emit(0xee, 0x42).jump("again").done()
    ends_soon(["-M", "bare", "-nodefaults"], code, lambda said: said.count("\n") <= 65536)


def a_flood_with_every_exit_told_is_ended():
    ends_soon(["-M", "bare", "-smp", "2", "-d", "exits", "-D", "/dev/null", "-device", "isa-debugcon,iobase=0xf1"],
              flood(0xf1))


def a_flood_that_nobody_reads_is_ended():
    reading, writing = os.pipe()
    with os.fdopen(reading), os.fdopen(writing) as pipe:
        device = ["-M", "bare", "-smp", "2", "-device", "isa-debugcon,iobase=0xf1"]
        lost = re.compile(r"(qomet: warning: chardev '\S+': its peer takes nothing; output is lost\n)?")
        ends_soon(device, flood(0xf1), lost.fullmatch, stdout=pipe)
        ends_soon(["-M", "bare"], flood(0x3f8), lost.fullmatch, stdout=pipe)
        ends_soon(device + ["-d", "exits"], flood(0xf1), stderr=pipe)
        # A line for each of 65536 ports.
        ends_soon(["-M", "bare"], Code(16, 0x1000).label("again").emit(0xee, 0x42).jump("again").done(), stderr=pipe)


# ---- Bytes drawn at random ----

# Instructions that reach for more than registers and memory.
POOL = [bytes.fromhex(text) for text in (
    "f4", "fa", "fb", "cf", "cc", "cd10", "ce", "9d", "0f0b", "0fff", "6c", "6d", "6e", "6f", "f36e", "f36d", "f3a4", "f3aa",
    "ee", "ef", "ec", "ed", "e6f1", "e7f1", "e4f1", "e680", "e461", "0f01c1", "0f01d9", "0f01c8", "0f01d0", "0f01f9",
    "0f011e0010", "0f01160010", "0f30", "0f32", "0f31", "0fa2", "0f20c0", "0f22c0", "0f22d8", "0f22e0", "0f23f8", "0f09",
    "0f06", "0f05", "0f34", "0faa", "ea0000ffff", "9b", "d9e8", "0f77", "0f28c0", "0fae00", "0fc7c8", "f00fc70e", "8ed8",
    "8ed0", "0f00d8", "0f00d0", "31c0", "40", "48", "ba f103", "b8ffff", "ebfe", "ff20", "ffe0", "c3", "cb", "c8ffff1f",
    "6698", "67a4", "2ea4", "f0ff00", "0f0d00", "0f18f8", "0f1f00", "0f38f0c1", "660f3a0fc1ff", "62f17c48", "c5f877",
    "f30fb8c0", "f30fbcc0", "0fc733", "0f01ca", "0f01ee", "0f78c1")]


def wild_image(rng):
    size = rng.choice((16, 64, 512, 4096))
    if rng.random() < 0.4:
        return rng.randbytes(size)
    image = b""
    while len(image) < size:
        image += rng.choice(POOL) if rng.random() < 0.6 else rng.randbytes(rng.randint(1, 4))
    return image


def wild_words(rng):
    words = "bare" + rng.choice(list(MODES.values())) + ",unassigned=" + rng.choice(("ignore", "warn", "stop"))
    if rng.random() < 0.25:
        words += ",kernel-irqchip=on"
    elif rng.random() < 0.2:
        words += ",on-halt=wait"
    for register in ("rax", "rbx", "rcx", "rsi", "rdi", "rsp"):
        if rng.random() < 0.3:
            words += ",%s=0x%x" % (register, rng.getrandbits(rng.choice((8, 16, 32, 64))))
    more = ["-device", "isa-debugcon,iobase=0xf1", "-device", "port-logger,iobase=0x80,iosize=4", "-m",
            rng.choice(("1M", "16M"))]
    if rng.random() < 0.3:
        more += ["-d", "exits,guest_errors", "-D", "/dev/null"]
    return ["-M", words, "-smp", str(rng.choice((1, 1, 2, 4)))] + more


def random_bytes_neither_break_nor_hold_the_program():
    """The terminal is that of the serial port, and is as it was afterwards."""
    need_kvm()
    first = seed_of_test()
    raw = 0
    endings = {"by itself": 0, "with a report": 0, "by SIGTERM": 0}
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    for seed in range(first, first + GUESTS):
        rng = random.Random(seed)
        image, words = wild_image(rng), wild_words(rng)
        what = "seed %d, words %s, code %s" % (seed, " ".join(words), image.hex())
        with folder() as path, tempfile.TemporaryFile() as out, \
                Running(path, words, image, stdin=slave, stdout=out, preexec_fn=take_terminal) as guest:
            if rng.random() < 0.5:
                # Not only while it starts, however slow the machine is.
                wait_for(lambda: guest.process.poll() is not None or termios.tcgetattr(slave) != before)
            ended = not guest.lasts(RUN_S * rng.random())
            raw += termios.tcgetattr(slave) != before
            try:
                status = guest.process.returncode if ended else guest.end()[0]
            except subprocess.TimeoutExpired:
                raise AssertionError("SIGTERM does not end it: " + what) from None
            said = guest.said()
            # Before the program takes its signals they end it the hard way.
            assert status in (0, 1) or (not ended and status == -signal.SIGTERM and not said), (
                status, said[-4000:], what)
            # A report and SIGTERM may meet.
            reported = "code at RIP:" in said
            assert reported == (status == 1) or (reported and not ended), (status, said[-4000:], what)
            assert termios.tcgetattr(slave) == before, what
            endings["with a report" if status == 1 else "by itself" if ended else "by SIGTERM"] += 1
    os.close(master)
    os.close(slave)
    assert raw, "the terminal was never raw"
    print("# " + ", ".join("%s: %d" % pair for pair in endings.items()))


tap([a_triple_fault_is_explained, only_the_vcpu_that_failed_is_told_of, a_jump_out_of_ram_is_told_with_the_address,
     running_off_the_end_of_ram_is_told_with_the_address, reading_off_the_end_of_ram_gives_ones_and_is_told,
     an_access_to_nowhere_stops_the_guest_that_wants_it, no_code_at_all_is_told_with_its_bytes,
     halting_with_interrupts_off, a_halt_that_nothing_ends_is_said_and_waits,
     a_guest_that_spins_or_halts_in_kvm_is_ended, a_flood_of_a_port_is_ended, a_flood_of_nowhere_is_told_once,
     a_flood_of_every_port_is_told_once_for_each, a_flood_with_every_exit_told_is_ended,
     a_flood_that_nobody_reads_is_ended, random_bytes_neither_break_nor_hold_the_program])

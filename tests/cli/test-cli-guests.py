#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The three teaching guests: on KVM, and their devices driven without a CPU by a script on a socket."""
import os
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from cli import QOMET, TIMEOUT_S, folder, need_kvm, qomet, start, tap  # noqa: E402

# Program, words, what a CPU does to ports (as commands of a test), what is printed.
HI = (b"\260\110\346\361\260\151\346\361\260\012\346\361\364",
      ("-M", "bare", "-device", "isa-debugcon,iobase=0xf1"),
      ("outb 0xf1 0x48", "outb 0xf1 0x69", "outb 0xf1 0x0a"), "Hi\n")
FOUR = (b"\272\370\003\000\330\004\060\356\260\012\356\364",
        ("-M", "bare,load-address=0x1000,entry=0x1000,rax=2,rbx=2"),
        ("outb 0x3f8 0x34", "outb 0x3f8 0x0a"), "4\n")
COUNT = (b"\061\300\347\020\100\353\373",
         ("-M", "bare,load-address=0x10000,cs=0x1000,entry=0", "-device", "port-logger,iobase=0x10,iosize=2,limit=5"),
         tuple("outw 0x10 %d" % i for i in range(5)), "".join("port 0x10 <- 0x%04x\n" % i for i in range(5)))


def on_kvm(guest):
    need_kvm()
    program, words, _, output = guest
    with folder() as path:
        name = os.path.join(path, "guest.bin")
        with open(name, "wb") as file:
            file.write(program)
        qomet(*words, "-kernel", name).expect(status=0, out=output, err="")


def without_a_cpu(guest):
    program, words, commands, output = guest
    with folder() as path:
        kernel, name = os.path.join(path, "guest.bin"), os.path.join(path, "socket")
        with open(kernel, "wb") as file:
            file.write(program)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(name)
            listener.listen(1)
            listener.settimeout(TIMEOUT_S)
            process = start(*words, "-kernel", kernel, "-accel", "qtest", "-qtest", "unix:" + name)
            peer = listener.accept()[0]
        with peer, peer.makefile("rw") as lines:
            for command in commands:
                lines.write(command + "\n")
                lines.flush()
                answer = lines.readline()
                assert answer == "OK\n", (command, answer)
        out, err = process.communicate(timeout=TIMEOUT_S)
        assert (process.returncode, out.decode(), err) == (0, output, b""), (process.returncode, out, err)


def hi_on_kvm():
    on_kvm(HI)


def four_on_kvm():
    on_kvm(FOUR)


def count_on_kvm():
    on_kvm(COUNT)


def hi_without_a_cpu():
    without_a_cpu(HI)


def four_without_a_cpu():
    without_a_cpu(FOUR)


def count_without_a_cpu():
    without_a_cpu(COUNT)


def a_guest_is_where_it_was_loaded():
    """What was loaded is seen in memory, where no CPU has changed it."""
    program, words = FOUR[:2]
    with folder() as path:
        kernel = os.path.join(path, "guest.bin")
        with open(kernel, "wb") as file:
            file.write(program)
        run = subprocess.run([QOMET, *words, "-kernel", kernel, "-qtest", "stdio"],
                             input=b"read 0x1000 %d\n" % len(program), capture_output=True, timeout=TIMEOUT_S, check=False)
        assert (run.returncode, run.stdout) == (0, b"OK 0x" + program.hex().encode() + b"\n"), run


def signals_end_a_guest_that_spins():
    need_kvm()
    with folder() as path:
        name = os.path.join(path, "spin.bin")
        with open(name, "wb") as file:
            file.write(b"\353\376")
        for more in ((), ("-smp", "2"), ("-S",)):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                process = start("-M", "bare", "-nodefaults", "-kernel", name, *more)
                time.sleep(0.1)
                process.send_signal(number)
                out, err = process.communicate(timeout=TIMEOUT_S)
                assert process.returncode in (0, -number), (more, number, process.returncode)
                assert (out, err) == (b"", b""), (out, err)


def each_serial_word_is_the_next_port():
    """COM1 is left out, COM2 leads to standard output, COM3 to a file."""
    need_kvm()
    with folder() as path:
        name, other = os.path.join(path, "guest.bin"), os.path.join(path, "out")
        with open(name, "wb") as file:
            # mov dx, PORT; mov al, LETTER; out dx, al - three times, then hlt
            file.write(b"\272\370\003\260A\356\272\370\002\260B\356\272\350\003\260C\356\364")
        run = qomet("-M", "bare,unassigned=ignore", "-kernel", name, "-serial", "none", "-serial", "stdio",
                    "-serial", "file:" + other)
        run.expect(status=0, out="B", err="")
        with open(other, "rb") as file:
            assert file.read() == b"C"


def a_wrong_property_of_a_cpu_names_the_option():
    need_kvm()
    qomet("-cpu", "host,colour=red").expect(
        status=1, out="", err="qomet: -cpu host,colour=red: Property 'host-x86_64-cpu.colour' not found\n")


def a_guest_that_floods_a_closed_pipe_ends_as_usual():
    need_kvm()
    program, words = COUNT[:2]
    with folder() as path:
        name = os.path.join(path, "guest.bin")
        with open(name, "wb") as file:
            file.write(program)
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            run = qomet(*[w.replace("limit=5", "limit=5000") for w in words], "-kernel", name, stdout=pipe)
        run.expect(status=0)
        assert run.err.count("\n") <= 1, run


# As a person types them, in the folder where the program is.
TYPED = r"""
printf '\260\110\346\361\260\151\346\361\260\012\346\361\364' > hi.bin; ./qomet -M bare -kernel hi.bin -device isa-debugcon,iobase=0xf1
echo status $?
printf '\272\370\003\000\330\004\060\356\260\012\356\364' > four.bin; ./qomet -M bare,load-address=0x1000,entry=0x1000,rax=2,rbx=2 -kernel four.bin
echo status $?
printf '\061\300\347\020\100\353\373' > count.bin; ./qomet -M bare,load-address=0x10000,cs=0x1000,entry=0 -kernel count.bin -device port-logger,iobase=0x10,iosize=2,limit=5
echo status $?
./qomet -device nope
echo status $?
./qomet -kernel hi.bin -device isa-debugcon,iobase=0xf1
echo status $?
"""


def what_a_person_types_gives_the_same():
    """In both shells that people have, on KVM, and without -M too."""
    need_kvm()
    want = "".join("%sstatus 0\n" % guest[3] for guest in (HI, FOUR, COUNT))
    want += "qomet: -device nope: 'nope' is not a valid device model name\nstatus 1\nHi\nstatus 0\n"
    for shell in ("bash", "sh"):
        with folder() as path:
            os.symlink(QOMET, os.path.join(path, "qomet"))
            run = subprocess.run([shell, "-c", TYPED], cwd=path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False)
        assert run.stdout.decode() == want, (shell, run)


tap([hi_on_kvm, four_on_kvm, count_on_kvm, hi_without_a_cpu, four_without_a_cpu, count_without_a_cpu,
     a_guest_is_where_it_was_loaded, signals_end_a_guest_that_spins, each_serial_word_is_the_next_port,
     a_wrong_property_of_a_cpu_names_the_option, a_guest_that_floods_a_closed_pipe_ends_as_usual,
     what_a_person_types_gives_the_same])

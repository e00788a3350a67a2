#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""-M ...,memory-backend=ID: a machine whose RAM is an object that the user has made."""
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
from cli import folder, need_kvm, qomet, start, tap  # noqa: E402

HI = b"\260\110\346\361\260\151\346\361\260\012\346\361\364"
BARE = ("-M", "bare,memory-backend=m0,load-address=0x2000,entry=0x2000")
QTEST = ("-accel", "qtest", "-nodefaults")


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def a_guest_runs_in_the_memory_of_a_file():
    need_kvm()
    with folder() as path:
        write(path + "/hi.bin", HI)
        qomet(*BARE, "-object", "memory-backend-file,id=m0,size=2M,share=on,mem-path=%s/ram" % path, "-kernel",
              path + "/hi.bin", "-device", "isa-debugcon,iobase=0xf1").expect(status=0, out="Hi\n", err="")
        with open(path + "/ram", "rb") as file:
            ram = file.read()
        assert len(ram) == 2 << 20 and ram[0x2000:0x2000 + len(HI)] == HI


def each_kind_of_backend_is_memory_for_a_guest():
    need_kvm()
    with folder() as path:
        write(path + "/hi.bin", HI)
        for words in ("memory-backend-ram,id=m0,size=5000000", "memory-backend-ram,id=m0,size=2M,share=on,prealloc=on",
                      "memory-backend-ram,id=m0,size=2M,reserve=off,merge=off,dump=off", "memory-backend-memfd,id=m0,size=2M",
                      "memory-backend-file,id=m0,size=2M,align=2M,discard-data=on,mem-path=" + path,
                      '{"qom-type": "memory-backend-ram", "id": "m0", "size": 2097152}'):
            qomet(*BARE, "-object", words, "-kernel", path + "/hi.bin", "-device", "isa-debugcon,iobase=0xf1").expect(
                status=0, out="Hi\n", err="")


def the_size_is_the_backends_unless_m_says_otherwise():
    words = ("-object", "memory-backend-ram,id=m0,size=8M", *QTEST, "-dump-board")
    for more in ((), ("-m", "8"), ("-m", "8M")):
        qomet("-M", "bare,memory-backend=m0", *words, *more).expect(status=0, out=re.compile("ram-size: 8M"), err="")
    qomet("-M", "bare,memory-backend=m0", *words, "-m", "16").expect(
        status=1, out="", err="qomet: -M bare,memory-backend=m0: Machine memory size does not match the size of the memory "
        "backend: 'm0' has 8M, not 16M\n")


def a_backend_that_cannot_be_used_is_told():
    qomet("-M", "bare,memory-backend=m0", *QTEST).expect(
        status=1, err="qomet: -M bare,memory-backend=m0: memory backend 'm0' not found: there is no -object of that id\n")
    qomet("-M", "none,memory-backend=m0", *QTEST, "-object", "memory-backend-ram,id=m0,size=8M").expect(
        status=1, err="qomet: -M none,memory-backend=m0: memory-backend=m0: no RAM of the machine 'none' is to "
        "come from there\n")


def a_board_takes_its_memory_from_there_too():
    with folder() as path:
        board = path + "/a.board"
        dumped = qomet("-M", "bare", *QTEST, "-dump-board").expect(status=0).out
        write(board, dumped.encode())
        with_backend = ("-board", board, "-M", "a-board,memory-backend=m0", "-object", "memory-backend-ram,id=m0,size=32M")
        text = qomet(*with_backend, *QTEST, "-dump-board").expect(status=0, err="").out
        assert "ram-size: 32M" in text and "memory-backend: m0" in text and "memdev: $memory-backend" in text, text
        # One that does not ask for it is not passed over in silence.
        write(board, b"ram: ram at 0\n    size: 1M\n")
        for size in (b"1M", b"$ram-size"):
            write(board, b"ram: ram at 0\n    size: " + size + b"\n")
            qomet(*with_backend, *QTEST).expect(status=1, err=re.compile(
                "memory-backend=m0: no RAM of the machine 'a-board' is to come from there"))


def a_board_can_hold_a_backend():
    with folder() as path:
        board = path + "/b.board"
        write(board, b"m0: memory-backend-ram\n    size: 1M\n\nram: ram at 0\n    memdev: m0\n")
        words = ("-M", "b-board", *QTEST, "-dump-board")
        text = qomet("-board", board, *words).expect(status=0, err="").out
        assert "m0: memory-backend-ram" in text and "memdev: /machine/m0" in text, text
        write(board, text.encode())
        assert qomet("-board", board, *words).expect(status=0, err="").out == text
        assert os.listdir(path) == ["b.board"]


def flags_of_ram(*words):
    """What the host has for the guest's RAM, of 37 MiB, when the machine has been made."""
    process = start(*words, *QTEST, "-S", "-m", "37", "-monitor", "stdio", stdin=subprocess.PIPE)
    try:
        process.stdin.write(b"info status\n")
        process.stdin.flush()
        answer = b""
        while b"VM status" not in answer:
            read = os.read(process.stdout.fileno(), 4096)
            assert read, process.communicate()
            answer += read
        with open("/proc/%d/smaps" % process.pid) as file:
            flags, = re.findall(r"^Size: +%d kB\n(?:[A-Z]\S+: .*\n)*?VmFlags: (.*)$" % (37 << 10), file.read(), re.M)
    finally:
        process.kill()
        process.communicate()
    return flags.split()


def ram_is_merged_and_dumped_by_the_host_unless_the_machine_says_otherwise():
    for machine in ("pc", "q35", "microvm", "bare"):
        flags = flags_of_ram("-M", machine)
        assert "mg" in flags and "dd" not in flags, flags
        flags = flags_of_ram("-M", machine + ",mem-merge=off,dump-guest-core=off")
        assert "mg" not in flags and "dd" in flags, flags


def ram_of_a_backend_is_merged_or_dumped_if_the_machine_agrees():
    for machine, backend, merged, dumped in (("on", "on", True, True), ("on", "off", False, False), ("off", "on", False, False)):
        flags = flags_of_ram("-M", "pc,memory-backend=m0,mem-merge=%s,dump-guest-core=%s" % (machine, machine),
                             "-object", "memory-backend-ram,id=m0,size=37M,merge=%s,dump=%s" % (backend, backend))
        assert ("mg" in flags) == merged and ("dd" not in flags) == dumped, flags


tap([a_guest_runs_in_the_memory_of_a_file, each_kind_of_backend_is_memory_for_a_guest,
     the_size_is_the_backends_unless_m_says_otherwise, a_backend_that_cannot_be_used_is_told,
     a_board_takes_its_memory_from_there_too, a_board_can_hold_a_backend,
     ram_is_merged_and_dumped_by_the_host_unless_the_machine_says_otherwise,
     ram_of_a_backend_is_merged_or_dumped_if_the_machine_agrees])

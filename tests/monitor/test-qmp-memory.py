#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The guest's memory into files, and interrupts from nowhere."""
import os
import re
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from qmp import TIMEOUT_S, Machine  # noqa: E402
from cli import folder, need_kvm, tap  # noqa: E402

BARE = ("-M", "bare", "-nodefaults", "-m", "4")
RAM = 4 << 20


def file_with(path, content):
    with open(path, "wb") as file:
        file.write(content)
    return path


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def physical_memory_is_what_is_in_ram():
    need_kvm()
    with folder() as path:
        image = bytes(range(256)) * 400
        with Machine(*BARE, "-S", "-kernel", file_with(path + "/guest", image)) as machine:
            for addr, size in ((0x1000, len(image)), (0x1003, 70000), (0, 0x1100), (RAM - 1, 1), (0x1000, 0), (0, RAM)):
                machine.qmp.command("pmemsave", val=addr, size=size, filename=path + "/out")
                ram = bytearray(RAM)
                ram[0x1000:0x1000 + len(image)] = image
                assert bytes_of(path + "/out") == ram[addr:addr + size], (addr, size)


def virtual_memory_is_what_the_vcpu_sees():
    need_kvm()
    with folder() as path:
        image = bytes(range(256)) * 40
        for mode in ("", ",long-mode=on"):
            with Machine("-M", "bare" + mode, *BARE[2:], "-S", "-kernel", file_with(path + "/guest", image)) as machine:
                machine.qmp.command("memsave", {"val": 0x1004, "size": 9000, "filename": path + "/out", "cpu-index": 0})
                assert bytes_of(path + "/out") == image[4:9004], mode


def a_machine_without_vcpus_has_physical_memory():
    with folder() as path, Machine(*BARE, "-S", "-accel", "qtest") as machine:
        machine.qmp.command("pmemsave", val=0, size=RAM, filename=path + "/out")
        assert bytes_of(path + "/out") == bytes(RAM)
        machine.qmp.fails("GenericError", "Parameter 'cpu-index' expects a CPU number", "memsave", val=0, size=1,
                          filename=path + "/other")
        assert os.listdir(path) == ["out"]


def what_is_not_there_leaves_a_file_as_it_was():
    need_kvm()
    with folder() as path:
        guest, out = file_with(path + "/guest", b"\xf4"), path + "/out"
        for accel in ("kvm", "qtest"):
            with Machine(*BARE, "-S", "-kernel", guest, "-accel", accel) as machine:
                file_with(out, b"before")
                wrong = [("pmemsave", 0, RAM + 1), ("pmemsave", RAM, 1), ("pmemsave", -1, 1), ("pmemsave", 0, 2 ** 63 - 1)]
                if accel == "kvm":
                    wrong += [("memsave", RAM - 1, 2), ("memsave", 4 * RAM, 1)]
                for name, addr, size in wrong:
                    machine.qmp.fails("GenericError", re.compile("there is no memory at 0x|specified$"), name, val=addr, size=size,
                                      filename=out)
                    assert bytes_of(out) == b"before", (name, addr, size)


def arguments_that_make_no_sense_are_refused():
    with folder() as path, Machine(*BARE, "-S", "-accel", "qtest") as machine:
        out = path + "/out"
        machine.qmp.fails("GenericError", "Invalid addr 0xffffffffffffffff/size 16 specified", "pmemsave", val=-1, size=16,
                          filename=out)
        machine.qmp.fails("GenericError", "Invalid addr 0x0000000000000000/size -16 specified", "pmemsave", val=0, size=-16,
                          filename=out)
        machine.qmp.fails("GenericError", "Invalid parameter type for 'val', expected: integer", "pmemsave", val="0", size=1,
                          filename=out)
        machine.qmp.fails("GenericError", "Parameter 'filename' is missing", "pmemsave", val=0, size=1)
        machine.qmp.fails("GenericError", re.compile("Could not open '%s/no/out': No such file" % path), "pmemsave", val=0, size=1,
                          filename=path + "/no/out")
        for index in (-1, 1, 2 ** 40):
            machine.qmp.fails("GenericError", "Parameter 'cpu-index' expects a CPU number", "memsave",
                              {"val": 0, "size": 1, "filename": out, "cpu-index": index})
        assert os.listdir(path) == []


def nobody_waits_for_who_reads():
    with folder() as path, Machine(*BARE, "-S", "-accel", "qtest") as machine:
        os.mkfifo(path + "/pipe")
        machine.qmp.fails("GenericError", re.compile("Could not open .*pipe"), "pmemsave", val=0, size=RAM, filename=path + "/pipe")
        reader = os.open(path + "/pipe", os.O_RDONLY | os.O_NONBLOCK)
        machine.qmp.fails("GenericError", re.compile("An IO error has occurred"), "pmemsave", val=0, size=RAM,
                          filename=path + "/pipe")
        os.close(reader)
        machine.qmp.fails("GenericError", re.compile("An IO error has occurred|No space"), "pmemsave", val=0, size=RAM,
                          filename="/dev/full")


# Real mode: vector 2 is set, R printed, then it waits; the handler prints N.
NMI_GUEST = bytes.fromhex("c7060800 1910 c7060a00 0000 b052 e6e9") + bytes.fromhex("f4 ebfd") + bytes(6) + \
    bytes.fromhex("b04e e6e9 cf")


def text(machine):
    return machine.qmp.command("qom-get", path="/chardevs/log", property="text")


def wait_for(machine, expected):
    until = time.monotonic() + TIMEOUT_S
    while text(machine) != expected:
        assert time.monotonic() < until, text(machine)
        time.sleep(0.002)


def every_vcpu_takes_an_nmi():
    need_kvm()
    with folder() as path:
        guest = file_with(path + "/guest", NMI_GUEST)
        for chips in ("off", "on"):
            with Machine("-M", "bare,on-halt=wait,kernel-irqchip=" + chips, "-nodefaults", "-kernel", guest, "-chardev",
                         "ringbuf,id=log", "-device", "isa-debugcon,chardev=log", quiet=False) as machine:
                wait_for(machine, "R")
                for count in (1, 2, 3):
                    machine.qmp.command("inject-nmi")
                    wait_for(machine, "R" + count * "N")


def without_a_vcpu_there_are_no_nmis():
    with Machine("-M", "none", "-accel", "qtest") as machine:
        machine.qmp.fails("GenericError", re.compile("^this feature or command is not currently supported"), "inject-nmi")


tap([physical_memory_is_what_is_in_ram, virtual_memory_is_what_the_vcpu_sees, a_machine_without_vcpus_has_physical_memory,
     what_is_not_there_leaves_a_file_as_it_was, arguments_that_make_no_sense_are_refused, nobody_waits_for_who_reads,
     every_vcpu_takes_an_nmi, without_a_vcpu_there_are_no_nmis])

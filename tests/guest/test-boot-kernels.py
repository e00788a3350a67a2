#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Kernels that are started without firmware, by each protocol; what they find is what QEMU gives them."""
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from cli import QOMET, TIMEOUT_S, Skip, folder, need_kvm, tap  # noqa: E402

KERNELS = os.path.join(os.environ.get("abs_top_builddir", "."), "tests/guest/kernels")
MACHINES = ("microvm", "pc", "q35")
QEMU = shutil.which("qemu-system-x86_64")


def run(program, path, kernel, words):
    """The status of @kernel on @program with the @words, and what it wrote to port 0xe9."""
    said = os.path.join(path, "said")
    done = subprocess.run([*program, "-display", "none", "-nodefaults", "-kernel", os.path.join(KERNELS, kernel), *words,
                           "-chardev", "file,id=said,path=" + said, "-device", "isa-debugcon,iobase=0xe9,chardev=said",
                           "-device", "isa-debug-exit,iobase=0xf4"],
                          cwd=path, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False)
    with open(said, encoding="utf-8") as file:
        return done.returncode, file.read()


def on_qomet(*args):
    """What each machine makes of it, which is the same."""
    need_kvm()
    told = {machine: run([QOMET, "-M", machine], *args) for machine in MACHINES}
    assert len(set(told.values())) == 1, told
    return told[MACHINES[0]]


def on_qemu(*args):
    if not QEMU:
        raise Skip("there is no qemu-system-x86_64")
    return run([QEMU, "-M", "pc", "-accel", "tcg"], *args)


def written(path, name, text):
    with open(os.path.join(path, name), "w", encoding="utf-8") as file:
        file.write(text)


def a_multiboot_kernel_is_told_its_words_and_modules():
    kernel = os.path.join(KERNELS, "hello.elf")
    with folder() as path:
        written(path, "one", "abc")
        written(path, "two", "defg" * 2000)
        told = on_qomet(path, "hello.elf", ["-append", "some words", "-initrd", "one x=1,two"])
    assert told == (5, "M %s some words one x=1 abc two %s" % (kernel, "defg" * 2000)), told


def a_pvh_kernel_is_told_its_words_and_its_ram_disk():
    with folder() as path:
        written(path, "disk", "abc")
        told = on_qomet(path, "hello-pvh.elf", ["-append", "some words", "-initrd", "disk"])
    assert told == (3, "P some words abc"), told


def without_words_and_modules_there_are_none():
    with folder() as path:
        told = on_qomet(path, "hello.elf", [])
        assert told == (1, "M " + os.path.join(KERNELS, "hello.elf")), told
        told = on_qomet(path, "hello-pvh.elf", [])
        assert told == (1, "P "), told


def qemu_tells_them_the_same():
    for kernel in ("hello.elf", "hello-pvh.elf"):
        for words in (["-append", "a b"], ["-append", "a", "-initrd", "one"]):
            with folder() as path:
                written(path, "one", "abc")
                qemu, qomet = on_qemu(path, kernel, words), on_qomet(path, kernel, words)
            assert qemu == qomet, (qemu, qomet)


def what_is_no_kernel_is_said():
    with folder() as path:
        written(path, "text", "no kernel at all")
        done = subprocess.run([QOMET, "-M", "microvm", "-accel", "qtest", "-display", "none", "-kernel", "text"], cwd=path,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 1, done
    assert b"'text' is no kernel that is known here: a bzImage, an ELF file, or one with a multiboot header" in done.stderr, done


def firmware_beside_a_kernel_means_nothing():
    for machine in ("pc", "q35"):
        done = subprocess.run([QOMET, "-M", machine, "-accel", "qtest", "-display", "none", "-bios", "bios-256k.bin",
                               "-kernel", os.path.join(KERNELS, "hello.elf")],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False)
        assert done.returncode == 1, done
        assert b"-bios means nothing to the machine" in done.stderr, done


tap([a_multiboot_kernel_is_told_its_words_and_modules, a_pvh_kernel_is_told_its_words_and_its_ram_disk,
     without_words_and_modules_there_are_none, qemu_tells_them_the_same, what_is_no_kernel_is_said,
     firmware_beside_a_kernel_means_nothing])

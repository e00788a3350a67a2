#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""SeaBIOS (Debian's package seabios) on the machines "pc" and "q35", to the end of its log."""
import os
import re
import select
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from cli import QOMET, need_kvm, tap  # noqa: E402

LIMIT_S = 100  # it interprets its own code here and there
END = b"No bootable device"


def log_of(*words):
    """What it says until it finds nothing to boot."""
    need_kvm()
    until = time.monotonic() + LIMIT_S
    log = b""
    with subprocess.Popen([QOMET, "-accel", "kvm", "-nographic", "-device", "isa-debugcon,iobase=0x402", *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while END not in log and select.select([process.stdout], [], [], max(0, until - time.monotonic()))[0]:
            piece = os.read(process.stdout.fileno(), 4096)
            if not piece:
                break
            log += piece
        process.terminate()
        _, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0 and err == b"", (process.returncode, err)
    assert END in log, log.decode(errors="replace")
    return log.decode(errors="replace")


def found(log, pattern):
    assert re.search(pattern, log, re.M), "'%s' is not in:\n%s" % (pattern, log)


def it_finds_the_board_and_nothing_to_boot():
    log = log_of("-M", "pc")
    found(log, r"^Running on QEMU \(i440fx\)")
    found(log, r"^PCI: init bdf=00:00\.0 id=8086:1237")
    found(log, r"^PCI: init bdf=00:01\.0 id=8086:7000")
    found(log, r"^PCI: init bdf=00:01\.3 id=8086:7113")
    found(log, r"^ACPI: parse DSDT at 0x")
    found(log, r"^PS2 keyboard initialized")
    found(log, r"^Found 1 cpu\(s\)")
    found(log, r"^Found 1 serial ports")


def it_finds_more_processors_devices_and_ram():
    log = log_of("-M", "pc", "-smp", "4", "-m", "5G", "-device", "edu", "-device", "pci-testdev,addr=1f.0")
    found(log, r"^Found 4 cpu\(s\)")
    found(log, r"^qemu/e820: addr 0x0+ len 0x0*c0000000 \[RAM\]")
    found(log, r"^qemu/e820: addr 0x0*100000000 len 0x0*80000000 \[RAM\]")
    found(log, r"bdf=00:02\.0 +bar 0, addr [0-9a-f]{8}, size 00100000 \[mem\]")
    found(log, r"bdf=00:1f\.0 +bar 1, addr [0-9a-f]{8}, size 00000100 \[io\]")
    found(log, r"0000000100000000 - 0000000180000000 = 1 RAM")


def it_finds_what_is_behind_a_root_port_of_q35():
    log = log_of("-M", "q35", "-smp", "2", "-m", "3G", "-device", "pcie-root-port,id=rp", "-device", "edu,bus=rp")
    found(log, r"^Running on QEMU \(q35\)")
    found(log, r"^PCIe: using q35 mmconfig at 0xb0000000")
    found(log, r"^PCI: init bdf=00:00\.0 id=8086:29c0")
    found(log, r"^PCI: init bdf=00:1f\.0 id=8086:2918")
    found(log, r"bdf=01:00\.0 +bar 0, addr [0-9a-f]{8}, size 00100000 \[mem\]")
    found(log, r"^ACPI: parse DSDT at 0x")
    found(log, r"^Found 2 cpu\(s\)")
    found(log, r"^qemu/e820: addr 0x0+ len 0x0*80000000 \[RAM\]")


def it_runs_where_only_the_local_apics_are_the_accelerators():
    for words in (["pc"], ["pc", "-smp", "4"], ["q35"], ["q35", "-smp", "4"]):
        log = log_of("-M", words[0] + ",kernel-irqchip=split", *words[1:])
        found(log, r"^Found %s cpu\(s\)" % words[-1].replace("pc", "1").replace("q35", "1"))


def it_starts_processors_by_the_ids_that_sockets_and_cores_give_them():
    for irqchip in ("on", "split", "off"):
        log = log_of("-M", "pc,kernel-irqchip=" + irqchip, "-smp", "6,sockets=2")
        for apic_id in (1, 2, 4, 5, 6):
            found(log, r"^handle_smp: apic_id=0x%x$" % apic_id)
        found(log, r"^Found 6 cpu\(s\) max supported 7 cpu\(s\)")


def it_runs_without_a_clock_and_its_memory():
    for machine in ("pc", "q35"):
        log = log_of("-M", machine + ",rtc=off", "-smp", "2")
        found(log, r"^Found 2 cpu\(s\)")
        found(log, r"^qemu/e820: addr 0x0+ len 0x0*8000000 \[RAM\]")


def it_runs_with_all_controllers_in_user_space():
    for machine in ("pc", "q35"):
        found(log_of("-M", machine + ",kernel-irqchip=off"), r"^Found 1 cpu\(s\)")


tap([it_finds_the_board_and_nothing_to_boot, it_finds_more_processors_devices_and_ram,
     it_finds_what_is_behind_a_root_port_of_q35,
     it_runs_where_only_the_local_apics_are_the_accelerators,
     it_starts_processors_by_the_ids_that_sockets_and_cores_give_them,
     it_runs_without_a_clock_and_its_memory,
     it_runs_with_all_controllers_in_user_space])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A gdb client beside others that do as they like: the machine runs on, stops, or has no descriptors left."""
import os
import resource
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gdb import COUNTER, ENTRY, Debuggee, counting  # noqa: E402
from cli import tap  # noqa: E402

CODE, AT = counting()


def a_breakpoint_is_refused_without_descriptors_and_made_with_them():
    # Only a machine made on trial shows what KVM's debug registers can do.
    with Debuggee(CODE, "-S") as machine, machine.peer() as peer:
        assert peer.ask("?").startswith("T")
        assert len(peer.ask("g")) > 100  # the vCPU has its descriptors
        pid = machine.machine.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        taken = {int(fd) for fd in os.listdir("/proc/%d/fd" % pid)}
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(set(range(1024)) - taken), hard))
        answers = [peer.ask("Z%d,%x,1" % (kind, AT["inc"])) for kind in (1, 2)]
        assert all(answer in ("OK", "", "E22") for answer in answers), answers
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        assert peer.ask("Z1,%x,1" % AT["inc"]) == "OK"
        assert peer.ask("c").startswith("T05")


def packets_are_answered_while_somebody_else_lets_the_machine_run():
    with Debuggee(CODE, "-smp", "2") as machine, machine.peer() as peer:
        assert peer.ask("?").startswith("T05")
        machine.qmp.command("cont")
        for _ in range(50):
            registers = peer.ask("g")
            assert len(registers) > 100 and registers[0] != "E", registers
            assert peer.ask("P0=" + "0" * 16) == "OK"
            assert len(peer.ask("m%x,4" % COUNTER)) == 8
            assert peer.ask("Z0,%x,1" % AT["jump"]) == peer.ask("z0,%x,1" % AT["jump"]) == "OK"
        assert machine.qmp.command("query-status")["running"] in (True, False)
        machine.qmp.command("cont")
        assert machine.goes_on()


def a_client_that_detaches_hears_no_more_of_the_machine():
    with Debuggee(CODE) as machine, machine.peer() as peer:
        peer.send("c")
        assert peer.ask("D") == "OK"
        machine.qmp.command("stop")
        assert peer.silent()
        assert peer.ask("m%x,1" % ENTRY) == "90"


tap([a_breakpoint_is_refused_without_descriptors_and_made_with_them, packets_are_answered_while_somebody_else_lets_the_machine_run,
     a_client_that_detaches_hears_no_more_of_the_machine])

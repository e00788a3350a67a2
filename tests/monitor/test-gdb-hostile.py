#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A gdb client of a machine that others do as they like with."""
import os
import resource
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gdb import Debuggee, counting  # noqa: E402
from cli import tap  # noqa: E402

CODE, AT = counting()


def a_breakpoint_is_refused_without_descriptors_and_made_with_them():
    # Only a machine made on trial shows what KVM's debug registers can do.
    with Debuggee(CODE, "-S") as machine, machine.peer() as peer:
        assert peer.ask("?").startswith("T")
        pid = machine.machine.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        taken = {int(fd) for fd in os.listdir("/proc/%d/fd" % pid)}
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(set(range(1024)) - taken), hard))
        answers = [peer.ask("Z%d,%x,1" % (kind, AT["inc"])) for kind in (1, 2)]
        assert all(answer in ("OK", "", "E22") for answer in answers), answers
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        assert peer.ask("Z1,%x,1" % AT["inc"]) == "OK"
        assert peer.ask("c").startswith("T05")


tap([a_breakpoint_is_refused_without_descriptors_and_made_with_them])

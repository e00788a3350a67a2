#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""gdb, as it is packaged, with the gdb server."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gdb import COUNTER, ENTRY, Debuggee, counting, need_gdb, run_gdb  # noqa: E402
from cli import QOMET, folder, need_kvm, tap  # noqa: E402
from guests import Code  # noqa: E402


def expect(text, *patterns):
    """Each pattern is to be found, one behind the other."""
    at = 0
    for pattern in patterns:
        found = re.compile(pattern).search(text, at)
        assert found, "no %r behind character %d in:\n%s" % (pattern, at, text)
        at = found.end()


def debug(bits):
    image, at = counting(bits)
    with Debuggee(image, "-S", mode=bits) as machine:
        text = machine.gdb("print $rip", "break *%#x" % at["print"], "continue", "print/x $rip", "x/dw %#x" % COUNTER,
                           "stepi", "print/x $rip", "stepi", "print/x $rip", "continue", "x/dw %#x" % COUNTER, "delete",
                           "detach")
        expect(text, r"\$1 = .*%#x" % ENTRY, "Breakpoint 1, ", r"\$2 = %#x" % at["print"], r"0x2000:\s*1\b",
               r"\$3 = %#x" % (at["print"] + 2), r"\$4 = %#x" % at["nops"], "Breakpoint 1, ", r"0x2000:\s*2\b", "detached")
        assert machine.goes_on()


def a_guest_in_protected_mode_is_broken_into_stepped_read_and_goes_on():
    debug(32)


def a_guest_in_long_mode_is_broken_into_stepped_read_and_goes_on():
    debug(64)


def a_guest_in_real_mode_is_broken_into_stepped_read_and_goes_on():
    debug(16)


def a_guest_that_runs_is_stopped_by_gdb():
    image, _ = counting()
    with Debuggee(image) as machine:
        assert machine.goes_on()
        text = machine.gdb("info registers rip cs eflags cr0", "info threads", "detach")
        expect(text, r"rip +0x10", r"cs +0x8", r"eflags", r"cr0 +0x\w+ +\[ PE ET", r"\* 1 .*CPU#0 \[running\]")
        assert machine.goes_on()


def a_watchpoint_tells_of_the_new_value():
    image, _ = counting()
    with Debuggee(image, "-S") as machine:
        text = machine.gdb("watch *(int *)%#x" % COUNTER, "continue", "continue", "delete", "detach")
        expect(text, "atchpoint 1", "Old value = 0", "New value = 1", "Old value = 1", "New value = 2")


def hardware_breakpoints_leave_the_code_alone():
    image, at = counting()
    with Debuggee(image, "-S") as machine:
        text = machine.gdb("hbreak *%#x" % at["nops"], "continue", "print/x $rip", "detach")
        expect(text, "Hardware assisted breakpoint 1", "Breakpoint 1, ", r"\$1 = %#x" % at["nops"])


def more_breakpoints_than_debug_registers_are_met():
    image, at = counting()
    places = [at["nops"] + i for i in range(4)] + [at["inc"], at["print"], at["jump"]]
    with Debuggee(image, "-S") as machine:
        text = machine.gdb(*["break *%#x" % place for place in places], *["continue"] * 7, "delete", "detach")
        expect(text, *["Breakpoint %d, " % n for n in (5, 6, 1, 2, 3, 4, 7)])
        assert machine.goes_on()


def registers_and_memory_are_changed():
    image, at = counting()
    with Debuggee(image, "-S") as machine:
        text = machine.gdb("set $rbx = 0x123456789abcdef0", "set $eflags |= 1", "set $xmm3.uint128 = 0x77",
                           "set $st1 = 1.5", "set {int}%#x = 41" % COUNTER, "maint flush register-cache", "print/x $rbx",
                           "print $eflags", "print $xmm3.v4_int32", "print $st1", "break *%#x" % at["print"], "continue",
                           "x/dw %#x" % COUNTER, "set $pc = %#x" % at["inc"], "continue", "x/dw %#x" % COUNTER, "detach")
        expect(text, r"\$1 = 0x123456789abcdef0", r"\$2 = \[ CF \]", r"\$3 = \{119, 0, 0, 0\}", r"\$4 = 1.5",
               r"0x2000:\s*42", "Breakpoint 1", r"0x2000:\s*43")


def all_registers_have_their_names():
    image, _ = counting(64)
    with Debuggee(image, "-S", mode=64) as machine:
        text = machine.gdb("info registers", "info registers float", "info registers vector", "info registers system")
        expect(text, r"rax ", r"rip ", r"eflags ", r"gs ", r"fs_base ", r"gs_base ", r"k_gs_base ", r"cr0 .*PG",
               r"cr3 ", r"cr4 .*PAE", r"cr8 ", r"efer .*LME LMA", r"st0 ", r"ftag +0xffff", r"mxcsr +0x1f80")


def what_is_not_mapped_cannot_be_read():
    image, _ = counting(64)
    with Debuggee(image, "-S", mode=64) as machine:
        text = machine.gdb("x/1xb 0x1000000000", "x/1xb 0x8000000000000000", "break *0x1000000000", "continue")
        expect(text, "Cannot access memory at address 0x1000000000", "Cannot access memory at address 0x80000000",
               "Cannot (access memory|insert breakpoint)")


def vcpus_are_threads():
    image, at = counting()
    with Debuggee(image, "-S", "-smp", "2") as machine:
        text = machine.gdb("info threads", "thread 2", "print $edx", "set scheduler-locking on", "stepi", "stepi",
                           "print/x $rip", "thread 1", "print/x $rip", "stepi", "print/x $rip", "detach")
        expect(text, r"\* 1 .*CPU#0", r"  2 .*CPU#1", r"\$1 = 1", r"\$2 = %#x" % at["print"], r"\$3 = 0x1000",
               r"\$4 = 0x1001")


def a_breakpoint_of_one_thread_is_not_the_others():
    image, at = counting()
    with Debuggee(image, "-S", "-smp", "2") as machine:
        text = machine.gdb("break *%#x thread 2" % at["nops"], "continue", "print $_thread", "continue", "print $_thread",
                           "delete", "detach")
        expect(text, r"Thread 2 .*hit Breakpoint 1", r"\$1 = 2", r"Thread 2 .*hit Breakpoint 1", r"\$2 = 2")
        assert machine.goes_on()


def a_machine_that_is_reset_by_gdbs_monitor_meets_its_breakpoints_again():
    image, at = counting()
    with Debuggee(image, "-S") as machine:
        text = machine.gdb("break *%#x" % at["nops"], "continue", "monitor system_reset", "maintenance flush register-cache",
                           "print/x $rip", "continue", "delete", "detach")
        expect(text, "Breakpoint 1, ", r"\$1 = %#x" % ENTRY, "Breakpoint 1, ")
        assert machine.goes_on()


def monitor_passes_its_words_on():
    image, _ = counting()
    with Debuggee(image) as machine:
        text = machine.gdb("monitor info status", "monitor nonsense", "monitor cont", "monitor info status", "monitor stop",
                           "x/1xb %#x" % ENTRY)
        expect(text, r"VM status: paused\n", "unknown command: 'nonsense'", r"VM status: running\n", r"0x1000:\s*0x90")


def gdb_starts_the_machine_itself():
    need_kvm()
    image, at = counting()
    with folder() as path:
        with open(path + "/guest.bin", "wb") as file:
            file.write(image)
        start = "%s -S -M bare,protected-mode=on,unassigned=ignore -kernel %s/guest.bin -gdb stdio" % (QOMET, path)
        text = run_gdb("target remote | " + start, "break *%#x" % at["nops"], "continue", "print/x $rip", "kill")
        expect(text, "Breakpoint 1, ", r"\$1 = %#x" % at["nops"], "killed")


def the_end_of_the_guest_is_told_with_its_status():
    code = Code(32, ENTRY)
    code.mov_a(1, 3).emit(0xe6, 0xf4).hlt()
    with Debuggee(code.done(), "-S", "-device", "isa-debug-exit,iobase=0xf4,iosize=1") as machine:
        expect(machine.gdb("continue"), r"exited with code 07")
        assert machine.machine.process.wait() == 7
        machine.machine.kill()
        # It has ended as it was told to.
        machine.machine.process.returncode = 0


def kill_ends_the_machine():
    image, _ = counting()
    with Debuggee(image) as machine:
        expect(machine.gdb("kill"), "killed")
        assert machine.machine.process.wait() == 0


def the_physical_memory_is_read_on_request():
    image, _ = counting(64)
    with Debuggee(image, "-S", mode=64) as machine:
        text = machine.gdb("maintenance packet Qqemu.PhyMemMode:1", "maintenance packet qqemu.PhyMemMode",
                           "x/1xb %#x" % ENTRY, "maintenance packet Qqemu.PhyMemMode:0")
        expect(text, 'received: "OK"', 'received: "1"', r"0x1000:\s*0x90", 'received: "OK"')


def a_second_gdb_finds_what_the_first_one_left():
    image, at = counting()
    with Debuggee(image, "-S") as machine:
        machine.gdb("break *%#x" % at["nops"], "continue", "set $rcx = 77", "disconnect")
        assert machine.stands_still()
        text = machine.gdb("print $rcx", "print/x $rip", "x/2i $pc", "detach")
        expect(text, r"\$1 = 77", r"\$2 = %#x" % at["nops"], "nop", "nop")
        assert machine.goes_on()


if __name__ == "__main__":
    try:
        need_gdb()
    except Exception as reason:  # pylint: disable=broad-except
        print("1..0 # SKIP %s" % reason)
        sys.exit(0)
    tap([
        a_guest_in_protected_mode_is_broken_into_stepped_read_and_goes_on,
        a_guest_in_long_mode_is_broken_into_stepped_read_and_goes_on,
        a_guest_in_real_mode_is_broken_into_stepped_read_and_goes_on,
        a_guest_that_runs_is_stopped_by_gdb,
        a_watchpoint_tells_of_the_new_value,
        hardware_breakpoints_leave_the_code_alone,
        more_breakpoints_than_debug_registers_are_met,
        registers_and_memory_are_changed,
        all_registers_have_their_names,
        what_is_not_mapped_cannot_be_read,
        vcpus_are_threads,
        a_breakpoint_of_one_thread_is_not_the_others,
        a_machine_that_is_reset_by_gdbs_monitor_meets_its_breakpoints_again,
        monitor_passes_its_words_on,
        gdb_starts_the_machine_itself,
        the_end_of_the_guest_is_told_with_its_status,
        kill_ends_the_machine,
        the_physical_memory_is_read_on_request,
        a_second_gdb_finds_what_the_first_one_left,
    ])

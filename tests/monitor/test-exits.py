#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Exits as both monitors tell them: counts by object, always, and the last ones as paths, when somebody asked for that."""
import os
import re
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from qmp import Machine  # noqa: E402
from cli import TIMEOUT_S, folder, need_kvm, tap  # noqa: E402

# l: out 0xf1, al; in ax, 0x70; dec ecx; mov ecx, 0x4000; again: loop again; jmp l  (so that there is a pause)
LOOP = bytes.fromhex("e6 f1 e5 70 b9 00 40 e2 fe eb f5")
CON = "/machine/peripheral/con"
BOARD = ("-M", "bare,unassigned=ignore", "-nodefaults", "-device", "isa-debugcon,iobase=0xf1,id=con")


def hmp(machine, line):
    return machine.qmp.command("human-monitor-command", {"command-line": line})


def running(path, *more):
    """The board with a guest that writes to the debug console and reads from nowhere for ever."""
    need_kvm()
    kernel = os.path.join(path, "loop.bin")
    with open(kernel, "wb") as file:
        file.write(LOOP)
    return Machine(*BOARD, "-kernel", kernel, *more)


def counts(machine, path=CON):
    return next(c for c in machine.qmp.command("query-exits") if c["path"] == path)


def until(machine, done):
    end = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end:
        if done():
            return
        time.sleep(0.01)
    raise AssertionError("nothing has come of it: %r" % machine.qmp.command("query-exits"))


def counts_begin_at_zero():
    with Machine(*BOARD, "-accel", "qtest") as machine:
        assert counts(machine) == {"path": CON, "type": "isa-debugcon", "reads": 0, "writes": 0, "read-bytes": 0,
                                   "write-bytes": 0, "entries": 0, "access-ns": 0, "contended": 0, "refused": 0}
        table = [line.split() for line in hmp(machine, "info exits").splitlines()[1:]]
        assert table == [["0"] * 5 + "all: 0 objects, entered 0 times".split()], table


def accesses_are_counted_by_object():
    with folder() as path, running(path) as machine:
        until(machine, lambda: counts(machine)["writes"] > 10)
        machine.qmp.command("stop")
        con = counts(machine)
        assert con["write-bytes"] == con["writes"] and con["reads"] == 0 and con["access-ns"] == 0, con
        assert machine.qmp.command("qom-get", path=CON, property="writes") == con["writes"]
        table = hmp(machine, "info exits")
        assert re.search(r"^ +0 +0 +%d +%d +0  /machine/peripheral/con \(isa-debugcon\)\r?$" % (con["writes"], con["writes"]),
                         table, re.M), table
        assert "time us" not in table, table


def the_ten_entered_most_often_are_told_first_and_the_sum_of_all():
    need_kvm()
    times = [4, 11, 2, 9, 7, 12, 1, 5, 10, 3, 8, 6]
    # For each n: mov cx, times[n]; again: out 0xb0 + n, al; loop again. Then it stays where it is.
    code = b"".join(bytes([0xb9, many, 0, 0xe6, 0xb0 + n, 0xe2, 0xfc]) for n, many in enumerate(times)) + b"\xeb\xfe"
    devices = [word for n in range(len(times)) for word in ("-device", "isa-debugcon,iobase=%d,id=con%d" % (0xb0 + n, n))]
    with folder() as path:
        kernel = os.path.join(path, "counts.bin")
        with open(kernel, "wb") as file:
            file.write(code)
        with Machine("-M", "bare", "-nodefaults", *devices, "-kernel", kernel) as machine:
            until(machine, lambda: counts(machine, "/machine/peripheral/con11")["writes"] == times[-1])
            told = [c["writes"] for c in machine.qmp.command("query-exits") if c["type"] == "isa-debugcon"]
            assert told == sorted(times, reverse=True), told
            table = [line.split() for line in hmp(machine, "info exits").splitlines()[1:]]
            paths = ["/machine/peripheral/con%d" % times.index(many) for many in range(12, 2, -1)]
            assert [row[5] for row in table[:10]] == paths, table
            assert table[10:] == ["0 0 3 3 0 2 others".split(), "0 0 78 78 0 all: 12 objects, entered 78 times".split()], table


def time_is_counted_where_that_is_asked_for():
    with folder() as path, running(path, "-accel", "kvm,exit-timing=on") as machine:
        until(machine, lambda: counts(machine)["access-ns"] > 10)
        assert "time us" in hmp(machine, "info exits")
        machine.qmp.command("qom-set", path="/machine/accel", property="exit-timing", value=False)
        assert machine.qmp.command("qom-get", path="/machine/accel", property="exit-timing") is False
        machine.qmp.command("stop")
        before = counts(machine)
        machine.qmp.command("cont")
        until(machine, lambda: counts(machine)["writes"] > before["writes"] + 10)
        assert counts(machine)["access-ns"] == before["access-ns"]
        # And on again, while it runs.
        machine.qmp.command("qom-set", path="/machine/accel", property="exit-timing", value=True)
        until(machine, lambda: counts(machine)["access-ns"] > before["access-ns"])


def no_exit_is_explained_before_that_is_asked_for():
    with folder() as path, running(path) as machine:
        machine.qmp.fails("GenericError", re.compile("^no exits are recorded: .*-explain"), "explain-exit")
        assert "no exits are recorded" in hmp(machine, "explain")


def that_there_was_none_yet_is_told():
    with Machine(*BOARD, "-accel", "qtest") as machine:
        assert hmp(machine, "explain on") == ""
        assert "no exit has been recorded yet" in hmp(machine, "explain")


def the_last_exits_are_told_newest_first():
    with folder() as path, running(path) as machine:
        machine.qmp.command("explain-exit", record=True)
        until(machine, lambda: len(machine.qmp.command("explain-exit", count=10)) == 10)
        machine.qmp.command("stop")
        exits = machine.qmp.command("explain-exit", count=10)
        numbers = [e["number"] for e in exits]
        assert numbers == list(range(numbers[0], numbers[0] - 10, -1)), numbers
        accesses = [e for e in exits if "address" in e]
        write = next(e for e in accesses if e["write"])
        assert (write["reason"], write["address-space"], write["address"], write["size"], write["region"], write["offset"],
                write["path"], write["type"], write["method-class"], write["result"], write["cpu-index"]) == (
                    "io", "I/O", 0xf1, 1, "debugcon", 0, CON, "isa-debugcon", "isa-debugcon", "ok", 0), write
        assert write["rip"] in (0x1000, 0x1002) and write["time-ns"] >= 0, write
        read = next(e for e in accesses if not e["write"])
        assert (read["address"], read["size"], read["value"], read["result"]) == (0x70, 2, 0xffff, "unassigned"), read
        assert "path" not in read and "region" not in read, read
        assert "-> nothing is there: all ones" in read["text"], read
        assert machine.qmp.command("explain-exit", {"cpu-index": 0}) == exits[:1]


def people_read_them_in_order():
    with folder() as path, running(path) as machine:
        assert hmp(machine, "explain on") == ""
        until(machine, lambda: "exit 4 of vCPU 0" in hmp(machine, "explain 256"))
        machine.qmp.command("stop")
        text = hmp(machine, "explain 4")
        numbers = [int(n) for n in re.findall(r"^exit (\d+) of vCPU 0: ", text, re.M)]
        assert len(numbers) == 4 and numbers == sorted(numbers), text
        assert "-> write method of class isa-debugcon: " in text, text
        assert hmp(machine, "explain off") == ""
        machine.qmp.command("cont")
        assert text.splitlines()[-1] in hmp(machine, "explain 4")


def a_guest_that_runs_is_logged_from_the_word_on_until_the_next_one():
    with folder() as path:
        log = os.path.join(path, "log")
        with running(path, "-D", log) as machine:
            until(machine, lambda: counts(machine)["writes"] > 10)
            for on, off in (("log exits", "log none"), ("trace-event exits on", "trace-event exits off")):
                before = os.path.getsize(log) if os.path.exists(log) else 0
                assert hmp(machine, on) == ""
                until(machine, lambda: os.path.exists(log) and os.path.getsize(log) > before + 1000)
                assert hmp(machine, off) == ""
                # What was under way may be written still.
                until(machine, lambda: (os.path.getsize(log), time.sleep(0.1))[0] == os.path.getsize(log))


def wrong_words_are_told_so():
    with Machine(*BOARD, "-accel", "qtest") as machine:
        for wrong in ("maybe", "0", "-3", "9x"):
            assert "'%s' is neither on, off, nor a number of exits" % wrong in hmp(machine, "explain " + wrong)
        machine.qmp.fails("GenericError", re.compile("^0 is no number of exits, accepted are 1 to 256"), "explain-exit", count=0)
        machine.qmp.fails("GenericError", re.compile("^there is no vCPU 5"), "explain-exit", {"cpu-index": 5})
        machine.qmp.fails("GenericError", re.compile("record"), "explain-exit", record="yes")


tap([counts_begin_at_zero, accesses_are_counted_by_object,
     the_ten_entered_most_often_are_told_first_and_the_sum_of_all, time_is_counted_where_that_is_asked_for,
     no_exit_is_explained_before_that_is_asked_for, that_there_was_none_yet_is_told,
     the_last_exits_are_told_newest_first, people_read_them_in_order,
     a_guest_that_runs_is_logged_from_the_word_on_until_the_next_one,
     wrong_words_are_told_so])

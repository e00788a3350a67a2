#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The timeline of -trace-file: what stands in it, that it is what the trace event format asks for, and that it is whole however
the program ends.

The format: "Trace Event Format" of the Chrome project. Viewers take the object form with "traceEvents"; each event has "ph", "pid",
"tid" and "name"; "X" has "ts" and "dur" in microseconds, "i" has "ts" and a scope "s", "M" has "args". Slices of one row nest or
follow each other, they do not cross.
"""
import json
import os
import resource
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from guests import Code, on_kvm  # noqa: E402
from cli import QOMET, TIMEOUT_S, folder, need_kvm, qomet, start, tap  # noqa: E402

CON = "/machine/peripheral/con"
BOARD = ("-M", "bare,unassigned=ignore", "-nodefaults", "-device", "isa-debugcon,iobase=0xf1,id=con")


def check(trace):
    """Asserts that it is of the format; its events."""
    assert set(trace) == {"displayTimeUnit", "traceEvents"}, set(trace)
    assert trace["displayTimeUnit"] in ("ms", "ns")
    rows = {}
    for event in trace["traceEvents"]:
        assert isinstance(event["pid"], int) and isinstance(event["tid"], int) and isinstance(event["name"], str), event
        if event["ph"] == "X":
            assert event["ts"] >= 0 and event["dur"] >= 0 and event["cat"], event
            rows.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["ts"] + event["dur"]))
        elif event["ph"] == "i":
            assert event["ts"] >= 0 and event["s"] in "gpt", event
        else:
            assert event["ph"] == "M" and event["name"] in ("process_name", "thread_name"), event
            assert isinstance(event["args"]["name"], str), event
    for row, slices in rows.items():
        for (_, end), (begin, _) in zip(sorted(slices), sorted(slices)[1:]):
            assert begin >= end - 0.0015, (row, end, begin)
    return trace["traceEvents"]


def load(path, torn=False):
    """The events of a timeline; where it may be @torn, without what stands behind the last whole line."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        return check(json.loads(text))
    except json.JSONDecodeError:
        if not torn:
            raise
    return check(json.loads(text[:text.rindex("\n", 0, text.rindex("\n"))].rstrip().rstrip(",") + "]}"))


def row_names(events):
    return {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}


def slices(events, row):
    """Those of the row of that name."""
    names = row_names(events)
    return [e for e in events if e["ph"] in "Xi" and names.get((e["pid"], e["tid"])) == row]


def traced(code, *words):
    need_kvm()
    with folder() as path:
        status, _, err = on_kvm([*BOARD, "-trace-file", "run.json", *words], code, path)
        assert (status, err) == (0, ""), (status, err)
        return load(os.path.join(path, "run.json"))


def writer(n):
    """Writes @n times to the debug console, then halts."""
    code = Code(16, 0x1000).sized(4).emit(0xb9).emit(n.to_bytes(4, "little")).mov_a(1, 0x2e)  # mov ecx, n
    return code.emit(0xe6, 0xf1, 0x66, 0x49, 0x75, 0xfa).hlt().done()  # out 0xf1, al; dec ecx; jnz


def each_exit_is_a_slice_between_slices_of_the_guest():
    events = slices(traced(writer(5)), "vcpu 0")
    assert [e["name"] for e in events] == ["guest", "io"] * 5 + ["guest", "hlt"], [e["name"] for e in events]
    assert events[1]["args"] == {"address-space": "I/O", "address": "0xf1", "size": 1, "write": "0x2e", "region": "debugcon",
                                 "path": CON, "class": "isa-debugcon"}, events[1]


def a_device_that_is_reached_has_a_row_of_its_own():
    events = traced(writer(5))
    writes = slices(events, CON)
    assert [e["name"] for e in writes] == ["write"] * 5 and {e["cat"] for e in writes} == {"device"}, writes
    exits = [e for e in slices(events, "vcpu 0") if e["name"] == "io"]
    for write, leave in zip(writes, exits):
        assert leave["ts"] - 0.0015 <= write["ts"] and write["ts"] + write["dur"] <= leave["ts"] + leave["dur"] + 0.0015, (write, leave)


def the_main_loop_and_the_state_of_the_machine_are_there():
    events = slices(traced(writer(5)), "main loop")
    assert [e["name"] for e in events if e["ph"] == "i"] == ["running", "shutdown"], events
    # It is woken by the guest's end at the latest.
    assert any(e["name"] == "round" for e in slices(traced(writer(20000)), "main loop"))


def several_vcpus_have_a_row_each():
    code = Code(16, 0x1000).emit(0xb9, 0xf4, 0x01, 0xe6, 0xf1, 0xe2, 0xfc).hlt().done()  # mov cx, 500; l: out 0xf1, al; loop l
    events = traced(code, "-smp", "3")
    for i in range(3):
        assert len([e for e in slices(events, "vcpu %d" % i) if e["name"] == "io"]) == 500
    assert len(slices(events, CON)) == 1500


def odd_names_are_text():
    need_kvm()
    with folder() as path:
        name = 'o"dd\\'
        status, _, err = on_kvm(["-M", "bare", "-nodefaults", "-device", "isa-debugcon,iobase=0xf1", "-trace-file", name], writer(2), path)
        assert (status, err) == (0, ""), err
        load(os.path.join(path, name))


def the_file_is_whole_however_the_program_ends():
    need_kvm()
    for number, status in ((signal.SIGTERM, 0), (signal.SIGKILL, -9), (signal.SIGKILL, -9), (signal.SIGSEGV, None), (signal.SIGABRT, None)):
        with folder() as path:
            kernel, run = os.path.join(path, "guest.bin"), os.path.join(path, "run.json")
            with open(kernel, "wb") as file:
                file.write(bytes.fromhex("e6 f1 eb fc"))  # out 0xf1, al; jmp
            with start(*BOARD, "-kernel", kernel, "-trace-file", run, stdout=subprocess.DEVNULL, cwd=path) as process:
                until = time.monotonic() + TIMEOUT_S
                while not os.path.exists(run) or os.path.getsize(run) < 200000:
                    assert time.monotonic() < until, "the guest writes, and the timeline does not grow"
                    time.sleep(0.01)
                process.send_signal(number)
                process.wait(timeout=TIMEOUT_S)
                assert status is None or process.returncode == status, process.returncode
            # A signal that kills ends the other threads even in the middle of a write, where a page of the file ends.
            events = load(run, torn=number != signal.SIGTERM)
            assert len([e for e in events if e["name"] == "io"]) > 100


def a_full_disk_ends_the_timeline_and_not_the_machine():
    need_kvm()
    with folder() as path:
        kernel = os.path.join(path, "guest.bin")
        with open(kernel, "wb") as file:
            file.write(writer(5000))
        done = subprocess.run([QOMET, *BOARD, "-kernel", kernel, "-trace-file", "run.json"], cwd=path, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False,
                              # Python ignores SIGXFSZ, and so does what it starts then.
                              restore_signals=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000)))
        assert done.returncode == 0 and len(done.stdout) == 5000, done
        assert b"warning: -trace-file: File too large: the timeline ends here" in done.stderr, done.stderr
        assert len(load(os.path.join(path, "run.json"))) > 10


def what_cannot_be_written_is_told_before_anything_runs():
    with folder() as path:
        os.mkfifo(os.path.join(path, "pipe"))
        for name, why in (("nowhere/run.json", "No such file or directory"), (".", "Is a directory"), ("pipe", ""),
                          ("/dev/null", "it is no regular file")):
            run = qomet("-M", "none", "-accel", "qtest", "-trace-file", name, cwd=path)
            assert run.status == 1 and run.err.startswith("qomet: -trace-file %s: cannot write the timeline '%s': " % (name, name)), run
            assert why in run.err, run


tap([each_exit_is_a_slice_between_slices_of_the_guest, a_device_that_is_reached_has_a_row_of_its_own,
     the_main_loop_and_the_state_of_the_machine_are_there, several_vcpus_have_a_row_each, odd_names_are_text,
     the_file_is_whole_however_the_program_ends, a_full_disk_ends_the_timeline_and_not_the_machine,
     what_cannot_be_written_is_told_before_anything_runs])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Board files on the command line: -board, -dump-board, the example boards with their guests, and what a user is told."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "monitor"))
from cli import folder, need_kvm, qomet, tap  # noqa: E402
from qmp import Machine  # noqa: E402

EXAMPLES = os.path.join(os.environ.get("abs_top_srcdir", "."), "examples", "boards")
TEACHING = os.path.join(EXAMPLES, "teaching.board")
PARTY_LINE = os.path.join(EXAMPLES, "party-line.board")

# The three teaching guests: code, properties of the machine, devices, what is printed.
HI = (b"\260\110\346\361\260\151\346\361\260\012\346\361\364", "", ("-device", "isa-debugcon,iobase=0xf1"), "Hi\n")
FOUR = (b"\272\370\003\000\330\004\060\356\260\012\356\364", ",load-address=0x1000,entry=0x1000,rax=2,rbx=2", (), "4\n")
COUNT = (b"\061\300\347\020\100\353\373", ",load-address=0x10000,cs=0x1000,entry=0",
         ("-device", "port-logger,iobase=0x10,iosize=2,limit=5"), "".join("port 0x10 <- 0x%04x\n" % i for i in range(5)))


def write(path, name, text):
    whole = os.path.join(path, name)
    with open(whole, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return whole


def the_teaching_board_runs(guest):
    need_kvm()
    code, properties, devices, output = guest
    with folder() as path:
        kernel = write(path, "guest.bin", code)
        qomet("-board", TEACHING, "-M", "teaching" + properties, *devices, "-kernel", kernel).expect(0, output, "")


def the_teaching_board_passes_the_first_guest():
    the_teaching_board_runs(HI)


def the_teaching_board_passes_the_second_guest():
    the_teaching_board_runs(FOUR)


def the_teaching_board_passes_the_third_guest():
    the_teaching_board_runs(COUNT)


def tree(*words):
    """Every object and property below /machine of a machine that is made and not started, as lines."""
    lines = []

    def walk(qmp, path):
        for prop in qmp.command("qom-list", path=path):
            name, kind = prop["name"], prop["type"]
            # The first two are of the class; the threads of vCPUs run for a moment.
            if (path, name) in (("/machine", "type"), ("/machine", "kernel-irqchip")) or name == "thread-id":
                continue
            value = "" if kind.startswith("child<") else qmp.command("qom-get", path=path, property=name)
            lines.append("%s.%s (%s) = %r" % (path, name, kind, value))
            if kind.startswith("child<"):
                walk(qmp, path + "/" + name)

    with Machine(*words, "-S") as machine:
        walk(machine.qmp, "/machine")
    return sorted(lines)


def a_machine_with_vcpus_read_back_is_the_same():
    need_kvm()
    words = ("-M", "bare,kernel-irqchip=on", "-smp", "2", "-cpu", "max,kvm-hypercalls=on", "-m", "5G", "-serial", "null",
             "-device", "isa-debugcon,id=con", "-device", "port-logger")
    with folder() as path:
        kernel = write(path, "halt.bin", b"\xf4")
        text = qomet(*words, "-dump-board").expect(0, err="").out
        assert text.count("cpu[") == 2 and "kvm-hypercalls: on" in text, text
        board = write(path, "again.board", text)
        again = ("-board", board, "-M", "again-board", "-serial", "null")
        qomet(*again, "-dump-board").expect(0, text, "")
        before, after = tree(*words, "-kernel", kernel), tree(*again, "-kernel", kernel)
    assert before == after, [line for line in before + after if (line in before) != (line in after)]


def the_board_is_written_without_a_kernel_and_without_starting():
    done = qomet("-M", "bare", "-dump-board").expect(0, re.compile("^machine from flat "), "")
    assert "\nserial0: isa-serial on isa.0\n" in done.out, done


def boards_are_listed_and_tell_their_properties():
    with folder() as path:
        board = write(path, "my.board", 'machine "mine"\n  ram-size: 3M\n  rax: 0x11\n\nram: ram at 0\n  size: $ram-size\n')
        other = write(path, "other.board", "machine other from my-board\n")
        done = qomet("-board", board, "-board", other, "-M", "help").expect(0, err="")
        assert re.search("^my-board +mine$", done.out, re.M), done
        assert re.search("^other +board from the file .*other.board$", done.out, re.M), done
        done = qomet("-board", board, "-M", "my-board,help").expect(0, err="")
        assert re.search(r"^  ram-size=<size> .*\(default: 3M\)$", done.out, re.M), done
        assert re.search(r"^  rax=<uint64> .*\(default: 17\)$", done.out, re.M), done


def a_board_may_come_through_a_pipe():
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as text:
        text.write(b"isa.0: ISA\n")
    with os.fdopen(reader, "rb") as stdin:
        qomet("-board", "/dev/stdin", "-M", "stdin", "-accel", "qtest", "-dump-board", stdin=stdin).expect(
            0, re.compile("^isa.0: ISA$", re.M), "")


def names_that_clash_are_told():
    with folder() as path:
        bare = write(path, "a.board", "machine bare\n")
        one = write(path, "one.board", "machine twin\n")
        two = write(path, "two.board", "\nmachine twin\n")
        qomet("-board", bare).expect(1, "", "qomet: -board %s: %s:1:9: there is a machine 'bare' already\n" % (bare, bare))
        qomet("-board", one, "-board", two).expect(
            1, "", "qomet: -board %s: %s:2:9: there is a machine 'twin' already, from %s\n" % (two, two, one))
        digits = write(path, "1.board", "")
        qomet("-board", digits).expect(
            1, "", "qomet: -board %s: %s:1:1: expected a line 'machine NAME', since this file's own name cannot be that of a "
            "machine\n" % (digits, digits))


def mistakes_are_told_with_file_line_and_column():
    with folder() as path:
        part = write(path, "part.board", "x: or-irq\n  num-lines: many\n")
        board = write(path, "b.board", 'include "part.board"\n')
        qomet("-board", board, "-M", "b-board", "-accel", "qtest").expect(
            1, "", re.compile("^qomet: -M b-board: %s:2:14: property 'num-lines' of 'or-irq': 'many' " % re.escape(part)))
        write(path, "part.board", "x or-irq\n")
        qomet("-board", board).expect(
            1, "", "qomet: -board %s: %s:1:3: expected ':' and a type, or '->' and where the line leads, after 'x', not "
            "'or-irq' (included at %s:1)\n" % (board, part, board))
        write(path, "part.board", 'include "b.board"\n')
        qomet("-board", board).expect(1, "", re.compile("expected a file that is not being read already: .* -> .* -> "))
        os.symlink(board, os.path.join(path, "link.board"))
        write(path, "part.board", 'include "link.board"\n')
        qomet("-board", board).expect(1, "", re.compile("expected a file that is not being read already: "))


def devices_come_and_go_on_its_buses():
    with Machine("-board", PARTY_LINE, "-M", "party-line", "-accel", "qtest", "-S") as machine:
        machine.qmp.command("device_add", driver="isa-debugcon", id="con", bus="isa.0", iobase=0xf1)
        assert machine.qmp.command("qom-get", path="/machine/peripheral/con", property="iobase") == 0xf1
        assert machine.qmp.command("qom-get", path="/machine/logger", property="iobase") == 0x80
        machine.qmp.command("device_del", id="con")
        machine.qmp.event("DEVICE_DELETED")


tap([the_teaching_board_passes_the_first_guest, the_teaching_board_passes_the_second_guest,
     the_teaching_board_passes_the_third_guest, a_machine_with_vcpus_read_back_is_the_same,
     the_board_is_written_without_a_kernel_and_without_starting, boards_are_listed_and_tell_their_properties,
     a_board_may_come_through_a_pipe, names_that_clash_are_told, mistakes_are_told_with_file_line_and_column,
     devices_come_and_go_on_its_buses])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The gdb server's protocol, byte by byte: also with clients that mean it badly."""
import os
import random
import re
import socket
import sys
import time
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gdb import COUNTER, ENTRY, Debuggee, checksum, counting  # noqa: E402
from cli import folder, need_kvm, qomet, tap  # noqa: E402
from guests import LONG, seed_of_test  # noqa: E402

INVALID, FAULT = "E22", "E14"
RIP, CR0 = 16, 60  # gdb's numbers of registers


def number(reply):
    return int.from_bytes(bytes.fromhex(reply), "little")


def digits(value, size):
    return value.to_bytes(size, "little").hex()


def stopped_machine(*words, **more):
    return Debuggee(counting()[0], "-S", *words, **more)


def line(text):
    return "qRcmd," + text.encode().hex()


def output(peer, text):
    """What the command "monitor" prints."""
    peer.send(line(text))
    out, reply = "", peer.reply()
    while reply.startswith("O") and reply != "OK":
        out, reply = out + bytes.fromhex(reply[1:]).decode(), peer.reply()
    assert reply == "OK", reply
    return out


# ---- The outer form ----


def a_wrong_sum_is_refused_and_the_packet_taken_when_it_comes_again():
    with stopped_machine() as machine, machine.peer() as peer:
        peer.raw(b"$?#00")
        assert peer.byte() == b"-"
        assert peer.ask("?") == "T05thread:1;"


def an_answer_comes_again_when_it_is_not_understood():
    with stopped_machine() as machine, machine.peer() as peer:
        peer.send("qC")
        assert peer.reply() == "QC1"
        peer.raw(b"-")
        assert peer.reply() == "QC1"


def without_acknowledgements_none_come():
    with stopped_machine() as machine, machine.peer(no_ack=True) as peer:
        assert peer.ask("qC") == "QC1"
        peer.raw(b"$qC#00")
        assert peer.silent()
        assert peer.ask("qC") == "QC1"


def what_is_between_packets_is_passed_over():
    with stopped_machine() as machine, machine.peer() as peer:
        peer.raw(b"GET / HTTP/1.1\r\n\r\n\0\xff#00++")
        assert peer.ask("qC") == "QC1"


def an_endless_packet_takes_no_memory_and_is_refused_at_its_end():
    with stopped_machine(measured=True) as machine, machine.peer() as peer:
        before = machine.machine.resident_bytes()
        peer.raw(b"$")
        for _ in range(16):
            peer.raw(b"m" * (1 << 20))
        peer.raw(b"#00")  # 2^24 times a byte is a multiple of 256.
        assert peer.byte() == b"+"
        assert peer.reply() == INVALID
        assert machine.machine.resident_bytes() < before + (4 << 20)
        assert peer.ask("qC") == "QC1"


def many_packets_at_once_are_answered_in_turn():
    with stopped_machine() as machine, machine.peer(no_ack=True) as peer:
        peer.raw(b"$qC#b4" * 1000)
        for _ in range(1000):
            assert peer.reply() == "QC1"


def a_client_that_does_not_read_is_not_heard_until_it_does():
    with stopped_machine(measured=True) as machine, machine.peer(no_ack=True) as peer:
        size = len(peer.ask("g")) + len("$#00")
        before = machine.machine.resident_bytes()
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        peer.socket.setblocking(False)
        sent, packets = 0, b"$g#67" * 1000
        while sent < 1 << 24:
            try:
                sent += peer.socket.send(packets[sent % 5:])
            except BlockingIOError:
                break
        assert sent < 1 << 24
        machine.qmp.command("query-status")
        assert machine.machine.resident_bytes() < before + (4 << 20)
        peer.socket.setblocking(True)
        left = sent // 5 * size
        while left > 0:
            left -= len(peer.socket.recv(1 << 20))
        assert left == 0


def unknown_packets_are_answered_by_nothing():
    with stopped_machine() as machine, machine.peer() as peer:
        for packet in ("", "!", "vMustReplyEmpty", "vFile:open:00,0,0", "qFoo", "QFoo", "Y", "qXfer:auxv:read::0,10", "b",
                       "qSupportedNot", "\0", "Z3,2000,4", "Z9,0,0", "z5,0,0"):
            assert peer.ask(packet) == "", packet


# ---- What packets mean ----


def features_are_agreed_upon():
    with stopped_machine() as machine, machine.peer() as peer:
        reply = peer.ask("qSupported:multiprocess+;swbreak+;xmlRegisters=i386").split(";")
        assert set(reply) == {"PacketSize=4000", "qXfer:features:read+", "vContSupported+", "QStartNoAckMode+", "swbreak+",
                              "hwbreak+"}, reply
        assert peer.ask("vCont?") == "vCont;c;C;s;S;t"
        assert peer.ask("qAttached") == "1"


def the_description_is_the_same_in_whatever_pieces():
    with stopped_machine() as machine, machine.peer() as peer:
        whole, reply = "", "m"
        while reply[0] == "m":
            reply = peer.ask("qXfer:features:read:target.xml:%x,ffffffff" % len(whole))
            whole += reply[1:]
        features = [feature.get("name") for feature in xml.etree.ElementTree.fromstring(whole).iter("feature")]
        assert features == ["org.gnu.gdb.i386.core", "org.gnu.gdb.i386.sse", "org.gnu.gdb.i386.segments", "org.qomet.i386.system"]
        for step in (1000, 4000):
            text, reply = "", "m"
            while reply[0] == "m":
                reply = peer.ask("qXfer:features:read:target.xml:%x,%x" % (len(text), step))
                text += reply[1:]
            assert text == whole
        assert peer.ask("qXfer:features:read:target.xml:%x,10" % len(whole)) == "l"
        assert peer.ask("qXfer:features:read:target.xml:%x,10" % (len(whole) + 1)) == INVALID
        assert peer.ask("qXfer:features:read:target.xml:10") == INVALID
        assert peer.ask("qXfer:features:read:other.xml:0,10") == "E00"
        sizes = [int(bits) // 8 for bits in re.findall('<reg [^>]*bitsize="([0-9]+)"', whole)]
        assert len(peer.ask("g")) == 2 * sum(sizes)
        for i, size in enumerate(sizes):
            assert len(peer.ask("p%x" % i)) == 2 * size, i
        assert peer.ask("p%x" % len(sizes)) == FAULT


def registers_are_written_one_by_one_and_together():
    with stopped_machine() as machine, machine.peer() as peer:
        assert number(peer.ask("p%x" % RIP)) == ENTRY
        assert peer.ask("P%x=%s" % (RIP, digits(ENTRY + 1, 8))) == "OK"
        assert number(peer.ask("p%x" % RIP)) == ENTRY + 1
        everything = peer.ask("g")
        assert peer.ask("G" + everything) == "OK"
        assert peer.ask("g") == everything
        changed = digits(0x1122334455667788, 8) + everything[16:]
        assert peer.ask("G" + changed) == "OK"
        assert peer.ask("g") == changed
        for bad in ("G", "G00", "G" + changed[2:], "G" + changed + "00", "Gx" + changed[1:], "P0", "P0=", "P0=00", "Pfff=00",
                    "P0=" + "0" * 18, "P=00", "P0=" + "x" * 16):
            assert peer.ask(bad) == INVALID, bad
        assert peer.ask("g") == changed


def registers_that_no_processor_takes_are_refused_and_nothing_changes():
    with stopped_machine() as machine, machine.peer() as peer:
        before = peer.ask("g")
        names = re.findall('<reg name="([^"]*)"', peer.ask("qXfer:features:read:target.xml:0,ffff")[1:])
        for name, value, size in (("cr0", 1 << 40, 8), ("efer", 1 << 10, 8), ("mxcsr", 0xffffffff, 4), ("cs", 0xfff8, 4),
                                  ("ds", 0x7ff3, 4)):
            assert peer.ask("P%x=%s" % (names.index(name), digits(value, size))) == INVALID, name
        assert peer.ask("g") == before
        assert peer.ask("s") == "T05thread:1;"


def segments_are_loaded_from_their_table():
    with stopped_machine() as machine, machine.peer() as peer:
        names = re.findall('<reg name="([^"]*)"', peer.ask("qXfer:features:read:target.xml:0,ffff")[1:])
        fs, fs_base = names.index("fs"), names.index("fs_base")
        data = number(peer.ask("p%x" % names.index("ds")))
        assert peer.ask("P%x=%s" % (fs_base, digits(0x3000, 8))) == "OK"
        assert peer.ask("P%x=%s" % (fs, digits(0, 4))) == "OK"
        assert peer.ask("P%x=%s" % (fs, digits(data, 4))) == "OK"
        assert number(peer.ask("p%x" % fs_base)) == 0
        assert peer.ask("s") == "T05thread:1;"
    with stopped_machine(mode=16) as machine, machine.peer() as peer:
        assert peer.ask("P%x=%s" % (fs, digits(0x1234, 4))) == "OK"
        assert number(peer.ask("p%x" % fs_base)) == 0x12340


def memory_is_read_and_written_within_bounds():
    with stopped_machine() as machine, machine.peer() as peer:
        assert peer.ask("M3000,4:01020304") == "OK"
        assert peer.ask("m3000,4") == "01020304"
        assert peer.ask("m3000,0") == ""
        assert peer.ask(b"X3004,4:}\x03}\x5d*\0") == "OK"
        assert peer.ask("m3000,8") == "0102030423 7d2a00".replace(" ", "")
        assert peer.ask("X3000,0:") == "OK"
        # As much as fits, as much as is there.
        assert len(peer.ask("m0,ffffffffffffffff")) == 0x4000
        assert 2 <= len(peer.ask("mfffff0,100")) <= 32
        for bad in ("m", "m1", "m1,", "m,1", "mx,1", "m1,1,1", "m10000000000000000,1", "M3000,4:0102", "M3000,1:0102", "M3000,1:0x",
                    "M3000,ffffffffffffffff:00", "M3000", "X3000,4:a", "X3000,1:ab", "X3000,ffffffffffffffff:", "X"):
            assert peer.ask(bad) == INVALID, bad
        for bad in ("m1000000,1", "mffffffff,1", "M1000000,1:00", "Mffffff,2:0000", "X1000000,1:a"):
            assert peer.ask(bad) == FAULT, bad
        assert peer.ask("m3000,4") == "01020304"


def breakpoints_are_made_once_and_taken_away_for_good():
    with stopped_machine() as machine, machine.peer() as peer:
        _, at = counting()
        place = "%x,1" % at["nops"]
        for kind in "01":
            for packet in ("Z", "Z", "z", "z"):
                assert peer.ask(packet + kind + "," + place) == "OK"
        assert peer.ask("m" + place) == "90"
        for bad in ("Z0", "Z0,", "Z0,x,1", "Z0,1000", "Z0,1000,", "z0", "Z2,0,0", "Z2,ffffffffffffffff,2"):
            assert peer.ask(bad) in (INVALID, FAULT), bad
        assert peer.ask("Z0,1000000,1") == FAULT
        # The debug registers are four.
        assert [peer.ask("Z1,%x,1" % (ENTRY + i)) for i in range(5)] == ["OK"] * 4 + [FAULT]
        assert peer.ask("Z2,2000,100") == FAULT


def a_machine_takes_a_thousand_breakpoints_and_no_more():
    with stopped_machine() as machine, machine.peer(no_ack=True) as peer:
        replies = [peer.ask("Z0,%x,1" % (0x4000 + i)) for i in range(1030)]
        assert replies == ["OK"] * 1024 + [FAULT] * 6
        assert peer.ask("m4000,2") == "0000"


def stops_say_why():
    _, at = counting()
    with stopped_machine() as machine, machine.peer() as peer:
        assert peer.ask("?") == "T05thread:1;"
        assert peer.ask("s") == "T05thread:1;"
        assert peer.ask("Z0,%x,1" % at["nops"]) == "OK"
        assert peer.ask("c") == "T05thread:1;"
        assert peer.ask("qSupported:swbreak+;hwbreak+").startswith("PacketSize")
        assert peer.ask("s") in ("T05thread:1;", "T05thread:1;swbreak:;")
        assert peer.ask("z0,%x,1" % at["nops"]) == "OK"
        assert peer.ask("Z0,%x,1" % at["jump"]) == "OK"
        assert peer.ask("vCont;c") == "T05thread:1;swbreak:;"
        assert peer.ask("z0,%x,1" % at["jump"]) == "OK"
        assert peer.ask("Z1,%x,1" % at["nops"]) == "OK"
        assert peer.ask("vCont;C05:1") == "T05thread:1;hwbreak:;"
        assert peer.ask("z1,%x,1" % at["nops"]) == "OK"
        assert peer.ask("Z2,%x,4" % COUNTER) == "OK"
        assert peer.ask("vCont;c:-1") == "T05thread:1;watch:%x;" % COUNTER
        assert peer.ask("z2,%x,4" % COUNTER) == "OK"
        peer.send("c")
        assert machine.goes_on()
        assert peer.interrupt() == "T02thread:1;"
        assert machine.stands_still()


def vcpus_are_let_go_one_by_one():
    _, at = counting()
    with stopped_machine("-smp", "3") as machine, machine.peer() as peer:
        assert peer.ask("qfThreadInfo") == "m1,2,3"
        assert peer.ask("qsThreadInfo") == "l"
        assert bytes.fromhex(peer.ask("qThreadExtraInfo,3")).decode() == "CPU#2 [running]"
        assert peer.ask("vCont;s:2") == "T05thread:2;"
        assert number(peer.ask("p%x" % RIP)) == ENTRY + 1
        assert peer.ask("qC") == "QC2"
        for thread, place in ((1, ENTRY), (2, ENTRY + 1), (3, ENTRY)):
            assert peer.ask("Hg%x" % thread) == "OK"
            assert number(peer.ask("p%x" % RIP)) == place
        assert peer.ask("Hc3") == "OK"
        assert peer.ask("vCont;s:3;c:1;t") == "T05thread:3;"
        assert peer.ask("Hg2") == "OK"
        assert number(peer.ask("p%x" % RIP)) == ENTRY + 1
        assert peer.ask("vCont;t") == "T00thread:2;"
        assert peer.ask("vCont") == "T00thread:2;"
        assert peer.ask("Z0,%x,1" % at["nops"]) == "OK"
        assert peer.ask("vCont;t:1;t:2;c") == "T05thread:3;"
        assert peer.ask("T3") == "OK"
        assert peer.ask("Hg0") == "OK"
        assert peer.ask("Hc-1") == "OK"
        for bad in ("H", "Hx1", "Hg4", "Hg", "Hgx", "Hg1x", "T", "T4", "Tx", "vCont;x", "vCont;c:4", "vCont;c:", "vContx",
                    "vCont;C", "vCont;c1", "qThreadExtraInfo", "qThreadExtraInfo,9", "s1000", "c1000"):
            assert peer.ask(bad) == INVALID, bad


def a_packet_for_a_machine_that_runs_is_refused():
    with stopped_machine() as machine, machine.peer() as peer:
        peer.send("c")
        assert machine.goes_on()
        for packet in ("g", "m1000,4", "c", "?", "vCont;s:1"):
            assert peer.ask(packet) == INVALID, packet
        assert peer.interrupt() == "T02thread:1;"
        assert len(peer.ask("g")) > 1000


def others_may_stop_the_machine_and_let_it_go_on():
    _, at = counting()
    with stopped_machine() as machine, machine.peer() as peer:
        peer.send("c")
        assert machine.goes_on()
        machine.qmp.command("stop")
        machine.qmp.event("STOP")
        assert peer.reply() == "T02thread:1;"
        machine.qmp.command("cont")
        assert machine.goes_on()
        # It is the client that does not know; what it asks is answered, and a breakpoint is met.
        assert len(peer.ask("m1000,4")) == 8
        assert peer.ask("Z0,%x,1" % at["nops"]) == "OK"
        machine.qmp.event("STOP")
        assert machine.qmp.command("query-status")["status"] in ("debug", "paused")
        assert number(peer.ask("p%x" % RIP)) == at["nops"]
        assert peer.ask("c") == "T05thread:1;"


def a_reset_leaves_breakpoints_where_they_are():
    _, at = counting()
    with stopped_machine() as machine, machine.peer() as peer:
        assert peer.ask("Z0,%x,1" % at["nops"]) == "OK"
        assert peer.ask("Z0,%x,1" % at["first"]) == "OK"
        for _ in range(3):
            assert peer.ask("z0,%x,1" % at["first"]) == "OK"
            assert peer.ask("c") == "T05thread:1;"
            assert number(peer.ask("p%x" % RIP)) == at["nops"]
            assert peer.ask("Z0,%x,1" % at["first"]) == "OK"
            machine.qmp.command("system_reset")
            machine.qmp.event("RESET")
            assert number(peer.ask("p%x" % RIP)) == ENTRY
            assert peer.ask("m%x,1" % at["first"]) == "90"
            assert peer.ask("c") == "T05thread:1;"
            assert number(peer.ask("p%x" % RIP)) == ENTRY


def the_steps_of_qemu_are_set():
    with stopped_machine() as machine, machine.peer() as peer:
        assert peer.ask("qqemu.sstepbits") == "ENABLE=1,NOIRQ=2"
        assert peer.ask("qqemu.sstep") == "0x3"
        assert peer.ask("Qqemu.sstep=0x1") == "OK"
        assert peer.ask("qqemu.sstep") == "0x1"
        assert peer.ask("s") == "T05thread:1;"
        for bad in ("Qqemu.sstep", "Qqemu.sstep=", "Qqemu.sstep=x", "Qqemu.sstep=100", "Qqemu.PhyMemMode:", "Qqemu.PhyMemMode:1x"):
            assert peer.ask(bad) == INVALID, bad


# ---- monitor ----


def lines_of_the_monitor_are_carried_out():
    with stopped_machine() as machine, machine.peer() as peer:
        assert output(peer, "info status") == "VM status: paused (prelaunch)\n"
        assert "unknown command" in output(peer, "nonsense")
        assert output(peer, "") == ""
        assert "system_reset" in output(peer, "help")
        for bad in ("qRcmd", "qRcmd,1", "qRcmd,xx", "qRcmd,00", "qRcmd,4100"):
            assert peer.ask(bad) == INVALID, bad


def long_output_of_the_monitor_comes_in_pieces():
    with stopped_machine() as machine, machine.peer() as peer:
        # What is unknown is named; with the words around it that is more than a packet holds.
        name = "x" * (0x4000 // 2 - len("qRcmd,"))
        assert name in output(peer, name)


# ---- Clients that leave ----


def a_client_that_leaves_takes_its_breakpoints_along():
    _, at = counting()
    with stopped_machine() as machine:
        with machine.peer() as peer:
            assert peer.ask("Z0,%x,1" % at["nops"]) == "OK"
            assert peer.ask("Z2,%x,4" % COUNTER) == "OK"
            assert peer.ask("vCont;s").startswith("T05")
            peer.raw(b"$m1000")
        with machine.peer() as peer:
            assert peer.ask("qC") == "QC1"
            peer.send("c")
            assert machine.goes_on()


def a_client_that_leaves_a_guest_that_runs_lets_it_run():
    _, at = counting()
    with stopped_machine() as machine:
        with machine.peer() as peer:
            # It is not met again.
            assert peer.ask("s") == "T05thread:1;"
            assert peer.ask("Z0,%x,1" % at["first"]) == "OK"
            peer.send("vCont;c")
            assert machine.goes_on()
        assert machine.goes_on()
        # The next one stops it, and lets it go on by leaving in order.
        with machine.peer() as peer:
            assert peer.ask("qC") == "QC1"
            assert machine.stands_still()
            assert peer.ask("D") == "OK"
        assert machine.goes_on()


def clients_come_and_go_by_the_hundred():
    with stopped_machine() as machine:
        for i in range(200):
            with machine.peer() as peer:
                peer.raw((b"$g#67", b"$", b"$vCont;s#b8", b"\x03", b"", b"$Z0,1000,1#db")[i % 6])
        with machine.peer() as peer:
            assert peer.ask("m1000,1") == "90"
        machine.qmp.command("query-status")


def a_vcpu_that_stays_is_let_go_when_the_client_leaves():
    with stopped_machine("-smp", "2") as machine:
        with machine.peer() as peer:
            peer.send("vCont;c:2")
            time.sleep(0.01)
        assert machine.goes_on()
        with machine.peer() as peer:
            start = [(peer.ask("Hg%d" % i), peer.ask("p0"))[1] for i in (1, 2)]
            peer.send("c")
            time.sleep(0.05)
            peer.interrupt()
            assert start  # Both have run: neither is where it started.
            assert all(peer.ask("Hg%d" % i) == "OK" and number(peer.ask("p%x" % RIP)) != ENTRY for i in (1, 2))


# ---- The server as an object ----


def a_server_is_made_and_deleted_while_the_machine_runs():
    with Debuggee(counting()[0]) as machine:
        machine.qmp.command("chardev-add", id="null", backend={"type": "null", "data": {}})
        machine.qmp.fails("GenericError", re.compile("in the hands of a debugger already"), "object-add",
                          {"qom-type": "gdb-server", "id": "two", "chardev": "null"})
    with folder() as path, Debuggee(counting()[0], place="none") as machine:
        machine.socket = path + "/gdb"
        machine.qmp.command("chardev-add", id="g", backend={
            "type": "socket", "data": {"addr": {"type": "unix", "data": {"path": machine.socket}}, "server": True, "wait": False}})
        machine.qmp.command("object-add", {"qom-type": "gdb-server", "id": "gdb0", "chardev": "g"})
        with machine.peer() as peer:
            assert peer.ask("Z0,%x,1" % ENTRY) == "OK"
            assert machine.stands_still()
            peer.send("c")
            machine.qmp.event("RESUME")  # it was heard
            machine.qmp.command("object-del", id="gdb0")
            assert machine.goes_on()
            machine.qmp.command("object-add", {"qom-type": "gdb-server", "id": "gdb1", "chardev": "g"})


def without_a_cpu_there_is_nothing_to_debug():
    with folder() as path:
        place = "unix:%s/gdb" % path
        refused = re.compile(r"^qomet: -gdb unix:\S+: the accelerator 'qtest' executes no code that could be debugged\n$")
        qomet("-M", "bare", "-accel", "qtest", "-gdb", place).expect(1, "", refused)
        need_kvm()
        refused = re.compile(r"^qomet: -gdb unix:\S+: the machine has no CPU that could be debugged\n$")
        qomet("-M", "none", "-accel", "kvm", "-gdb", place).expect(1, "", refused)


def a_place_that_is_none_is_told_as_such():
    need_kvm()
    qomet("-M", "bare", "-S", "-gdb", "nonsense").expect(1, "", re.compile("^qomet: -gdb nonsense: could not connect"))


def a_port_is_this_hosts_alone():
    with stopped_machine(place="tcp::0") as machine:
        names = [c["filename"] for c in machine.qmp.command("query-chardev") if c["label"] == "gdb"]
        assert len(names) == 1 and "127.0.0.1" in names[0], names


# ---- Anything ----


def packet_of(rng):
    """Something between a packet and noise, that does not end the machine."""
    names = ["g", "G", "p", "P", "m", "M", "X", "Z0", "z0", "Z1", "z1", "Z2", "z2", "Z4", "H", "Hg", "Hc", "T", "?", "s", "c", "vCont",
             "vCont;s", "vCont;c", "qSupported:", "qfThreadInfo", "qsThreadInfo", "qThreadExtraInfo", "qXfer:features:read:target.xml:",
             "qC", "Qqemu.PhyMemMode:", "Qqemu.sstep=", "D"]
    pieces = ["0", "1", "2", ",", ":", ";", "=", "-1", "1000", "2000", "ffffffffffffffff", "10000000000000000", "90", "cc", "}", "\0", "x"]
    text = rng.choice(names) + "".join(rng.choice(pieces) for _ in range(rng.randrange(6)))
    if rng.random() < 0.1:
        text += "".join(rng.choice(pieces) for _ in range(rng.randrange(8000)))
    raw = text.encode()
    framed = b"$" + raw + b"#" + checksum(raw)
    if rng.random() < 0.2:
        framed = bytes(rng.choice(framed) for _ in range(rng.randrange(len(framed))))
    return framed + (b"\x03" if rng.random() < 0.5 else b"+")


def nothing_that_a_client_says_does_harm():
    rng = random.Random(seed_of_test())
    with stopped_machine("-smp", "2") as machine:
        for _ in range(40 if LONG else 5):
            with machine.peer() as peer:
                peer.socket.setblocking(False)
                for _ in range(200):
                    try:
                        peer.raw(packet_of(rng))
                        peer.socket.recv(1 << 20)
                    except BlockingIOError:
                        pass
            machine.qmp.command("query-status")
        machine.qmp.command("stop")
        with machine.peer() as peer:
            assert peer.ask("qC") == "QC1"


tap([
    a_wrong_sum_is_refused_and_the_packet_taken_when_it_comes_again,
    an_answer_comes_again_when_it_is_not_understood,
    without_acknowledgements_none_come,
    what_is_between_packets_is_passed_over,
    an_endless_packet_takes_no_memory_and_is_refused_at_its_end,
    many_packets_at_once_are_answered_in_turn,
    a_client_that_does_not_read_is_not_heard_until_it_does,
    unknown_packets_are_answered_by_nothing,
    features_are_agreed_upon,
    the_description_is_the_same_in_whatever_pieces,
    registers_are_written_one_by_one_and_together,
    registers_that_no_processor_takes_are_refused_and_nothing_changes,
    segments_are_loaded_from_their_table,
    memory_is_read_and_written_within_bounds,
    breakpoints_are_made_once_and_taken_away_for_good,
    a_machine_takes_a_thousand_breakpoints_and_no_more,
    stops_say_why,
    vcpus_are_let_go_one_by_one,
    a_packet_for_a_machine_that_runs_is_refused,
    others_may_stop_the_machine_and_let_it_go_on,
    a_reset_leaves_breakpoints_where_they_are,
    the_steps_of_qemu_are_set,
    lines_of_the_monitor_are_carried_out,
    long_output_of_the_monitor_comes_in_pieces,
    a_client_that_leaves_takes_its_breakpoints_along,
    a_client_that_leaves_a_guest_that_runs_lets_it_run,
    clients_come_and_go_by_the_hundred,
    a_vcpu_that_stays_is_let_go_when_the_client_leaves,
    a_server_is_made_and_deleted_while_the_machine_runs,
    without_a_cpu_there_is_nothing_to_debug,
    a_place_that_is_none_is_told_as_such,
    a_port_is_this_hosts_alone,
    nothing_that_a_client_says_does_harm,
])

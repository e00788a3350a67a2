#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The human monitor as people have it: a line on a terminal, alone or together with a guest, and over a socket."""
import os
import random
import re
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from qmp import Machine, connect  # noqa: E402
from cli import QOMET, TIMEOUT_S, folder, need_kvm, tap  # noqa: E402
from terminal import Terminal  # noqa: E402

PROMPT = r"\(qomet\) "
BOARD = ("-accel", "qtest", "-M", "bare", "-display", "none")
# in the loop: dx = 0x3fd; wait for a byte; dx = 0x3f8; read it and write it back
ECHO = b"\xba\xfd\x03\xec\xa8\x01\x74\xfb\xba\xf8\x03\xec\xee\xeb\xf1"


def script(text, *words):
    """What the monitor on standard input and output says to a script, as lines."""
    done = subprocess.run([QOMET, *words, "-monitor", "stdio"], input=text.encode(), stdout=subprocess.PIPE,
                          timeout=TIMEOUT_S, check=True)
    return done.stdout.decode().replace("\r\n", "\n")


class Line:
    """A connection to a monitor over a socket."""

    def __init__(self, path):
        self.socket = connect(path)
        self.unread = ""
        self.shows(PROMPT)

    def shows(self, pattern):
        """Reads until the pattern has come; the text up to its end."""
        while True:
            found = re.search(pattern, self.unread)
            if found:
                text, self.unread = self.unread[:found.end()], self.unread[found.end():]
                return text
            more = self.socket.recv(65536)
            assert more, "the monitor has hung up: %r" % self.unread
            self.unread += more.decode()

    def say(self, line):
        """What a line prints."""
        self.socket.sendall(line.encode() + b"\r")
        text = self.shows(r"\r\n(?:.*\r\n)*" + PROMPT)
        return text[text.index("\r\n") + 2:-len("(qomet) ")].replace("\r\n", "\n")


# ---- Standard input and output ----

def a_script_is_answered_line_by_line():
    text = script("info status\nhelp quit\nstpo\nquit\nstop\n", *BOARD)
    assert re.fullmatch(r"Qomet \S+ monitor - type 'help' for more information\n"
                        r"\(qomet\) info status\nVM status: running\n"
                        r"\(qomet\) help quit\nquit\|q -- end the machine and the program\n"
                        r"\(qomet\) stpo\nunknown command: 'stpo' \(did you mean 'stop'\?\)\n"
                        r"\(qomet\) quit\n", text), text


def lines_may_end_in_both_characters():
    assert script("info status\r\nquit\r\n", *BOARD).count("(qomet) ") == 2


def keys_edit_the_line():
    with Terminal(*BOARD, "-monitor", "stdio") as terminal:
        terminal.shows(PROMPT)
        terminal.type(b"nfo statsu\x01i\x05\x7f\x7fus\r")
        terminal.shows("VM status: running\r\r\n" + PROMPT)
        terminal.type(b"help q\x15info version\x17status\r")
        terminal.shows("VM status: running\r\r\n" + PROMPT)
        # The arrows bring lines back.
        terminal.type(b"version\x1b[A\x1b[B\x1b[A\r")
        terminal.shows("VM status: running\r\r\n" + PROMPT)
        terminal.type(b"stop\x01\x0b\x0cq\r")
        terminal.ends()


def tab_completes_and_lists():
    with Terminal(*BOARD, "-serial", "null", "-monitor", "stdio") as terminal:
        terminal.shows(PROMPT)
        terminal.type(b"sys\t")
        terminal.shows("system_")
        terminal.type(b"\t")
        terminal.shows(r"\r\nsystem_powerdown +system_reset \r\r\n" + PROMPT + "system_")
        terminal.type(b"\x15device_a\tisa-debugc\tiob\t0x100,i\tcon\r")
        terminal.shows("device_add isa-debugcon,iobase=0x100,id=con(\x1b\\[K)?\r\r\n" + PROMPT)
        terminal.type(b"qom-get /mach\tperipheral/\t iob\t\r")
        terminal.shows("256\r\r\n" + PROMPT)
        terminal.type(b"quit\r")
        terminal.ends()


def ctrl_c_at_a_monitor_of_its_own_ends_the_machine():
    with Terminal(*BOARD, "-monitor", "stdio") as terminal:
        terminal.shows(PROMPT)
        terminal.type(b"sto\x03")
        terminal.ends()


# ---- Together with a guest ----

def a_guest_and_a_monitor_share_the_terminal():
    with folder() as path:
        need_kvm()
        with open(path + "/echo", "wb") as file:
            file.write(ECHO)
        for words in (["-nographic"], ["-serial", "mon:stdio"],
                      ["-chardev", "stdio,id=c,mux=on,signal=off", "-serial", "chardev:c", "-mon", "c"]):
            with Terminal("-M", "bare", "-kernel", path + "/echo", *words) as terminal:
                terminal.wait_raw()
                terminal.type(b"guest")
                terminal.shows("^guest$")
                terminal.type(b"\x01c")
                terminal.shows("^Qomet .* monitor - type 'help' for more information\r\r\n" + PROMPT + "$")
                terminal.type(b"info st")
                terminal.shows("info st")
                # Half a line waits for its turn.
                terminal.type(b"\x01c")
                terminal.shows("\r\n")
                terminal.type(b"again\x01\x01")
                terminal.shows("^again\x01$")
                terminal.type(b"\x01c")
                terminal.shows(PROMPT + "info st")
                terminal.type(b"atus\r")
                terminal.shows("VM status: running\r\r\n" + PROMPT)
                # Ctrl-c ends the line, not the machine.
                terminal.type(b"nothing\x03info status\r")
                terminal.shows("nothing\r\r\n" + PROMPT + "info status\r\r\nVM status: running\r\r\n" + PROMPT)
                terminal.type(b"\x01h")
                terminal.shows("C-a c    switch between the guest and the monitor\r\n")
                terminal.type(b"\x01x")
                terminal.shows("qomet: terminated")
                terminal.ends()


def without_a_guest_the_terminal_is_the_monitor_s():
    with Terminal("-M", "none", "-nographic") as terminal:
        terminal.shows(PROMPT)
        terminal.type(b"info chardev\r")
        terminal.shows("serial0-base: filename=stdio\r\r\nserial0: filename=mux\r\r\n" + PROMPT)
        terminal.type(b"quit\r")
        terminal.ends()


def nographic_leaves_what_was_said_otherwise():
    with Terminal("-accel", "qtest", "-M", "bare", "-nographic", "-serial", "null", "-monitor", "stdio") as terminal:
        terminal.shows(PROMPT)
        terminal.type(b"info chardev\r")
        text = terminal.shows("\r\r\n(.*\r\r\n)*" + PROMPT)
        assert "serial0: filename=null" in text and "mux" not in text, text
        terminal.type(b"q\r")
        terminal.ends()
    with Terminal("-accel", "qtest", "-M", "bare", "-nographic", "-monitor", "none") as terminal:
        terminal.wait_raw()
        terminal.type(b"\x01c")
        terminal.shows("there is no monitor on this terminal")
        terminal.type(b"\x01x")
        terminal.ends()


# ---- Over a socket ----

def socket_words(path, *names):
    words = []
    for name in names:
        words += ["-monitor", "unix:%s/%s,server=on,wait=off" % (path, name)]
    return words


def several_people_talk_at_once():
    names = ["m%d" % i for i in range(8)]
    with folder() as path, Machine(*BOARD, *socket_words(path, *names)):
        lines = [Line(path + "/" + name) for name in names]
        for i, line in enumerate(lines):
            assert line.say("qom-set /machine guest-name g%d" % i) == ""
            assert all(other.say("qom-get /machine guest-name") == '"g%d"\n' % i for other in lines)
        # Half a line of one is not another's.
        lines[0].socket.sendall(b"info st")
        assert lines[1].say("info status") == "VM status: running\n"
        assert lines[0].say("atus") == "VM status: running\n"
        for line in lines:
            line.socket.close()


def a_peer_comes_again_to_an_empty_line():
    with folder() as path, Machine(*BOARD, *socket_words(path, "m")):
        for _ in range(3):
            line = Line(path + "/m")
            line.socket.sendall(b"sto")
            line.socket.close()
        assert Line(path + "/m").say("info status") == "VM status: running\n"


def ctrl_d_on_an_empty_line_hangs_up():
    with folder() as path, Machine(*BOARD, *socket_words(path, "m")):
        line = Line(path + "/m")
        line.socket.sendall(b"x\x04\x7f\x04")
        while line.socket.recv(4096):
            pass
        assert Line(path + "/m").say("info status") == "VM status: running\n"


def an_endless_line_and_control_bytes_do_no_harm():
    rand = random.Random(7)
    with folder() as path, Machine(*BOARD, *socket_words(path, "m"), measured=True) as machine:
        line = Line(path + "/m")
        before = machine.resident_bytes()
        for _ in range(64):
            line.socket.sendall(b"x" * (256 << 10))
        line.socket.sendall(b"\r")
        line.shows("unknown command: 'x{4096}'")
        line.shows(PROMPT)
        # Everything but what ends a line, hangs up, or may complete to a word that does something.
        keys = bytes(b for b in range(256) if b not in (4, 9, 10, 13))
        drain = socket.socket.dup(line.socket)
        drain.setblocking(False)
        for _ in range(200):
            line.socket.sendall(bytes(rand.choice(keys) for _ in range(4096)))
            try:
                while drain.recv(1 << 20):
                    pass
            except BlockingIOError:
                pass
        # Whatever state the keys have left: out of any sequence, and the line away.
        line.socket.sendall(b"zz\x03")
        line.socket.sendall(b"info status\r")
        line.shows("VM status: running\r\n" + PROMPT)
        assert machine.resident_bytes() - before < 8 << 20, machine.resident_bytes() - before


def who_never_reads_holds_up_nobody():
    with folder() as path, Machine(*BOARD, *socket_words(path, "m"), measured=True) as machine:
        client = connect(path + "/m")
        client.setblocking(False)
        sent = 0
        try:
            while sent < 64 << 20:
                sent += client.send(b"info qom-tree\rhelp\r" * 1000)
        except BlockingIOError:
            pass
        before = machine.resident_bytes()
        for _ in range(20):
            assert machine.qmp.command("query-status")["running"]
            time.sleep(0.01)
        assert machine.resident_bytes() - before < 32 << 20
        # All of it is answered when it reads.
        client.setblocking(True)
        client.settimeout(TIMEOUT_S)
        text = b""
        while text.count(b"(qomet) ") < 50:
            text += client.recv(1 << 20)
        client.close()


def a_monitor_may_delete_itself():
    with folder() as path, Machine(*BOARD, "-chardev", "socket,id=c,path=%s/m,server=on,wait=off" % path) as machine:
        machine.qmp.command("object-add", {"qom-type": "monitor-hmp", "id": "me", "chardev": "c"})
        client = connect(path + "/m")
        client.settimeout(TIMEOUT_S)
        client.sendall(b"object_del me\rinfo status\r")
        while any(child["name"] == "me" for child in machine.qmp.command("qom-list", path="/objects")):
            pass
        assert machine.qmp.command("query-status")["running"]
        client.close()


tap([a_script_is_answered_line_by_line, lines_may_end_in_both_characters, keys_edit_the_line, tab_completes_and_lists,
     ctrl_c_at_a_monitor_of_its_own_ends_the_machine, a_guest_and_a_monitor_share_the_terminal,
     without_a_guest_the_terminal_is_the_monitor_s, nographic_leaves_what_was_said_otherwise, several_people_talk_at_once,
     a_peer_comes_again_to_an_empty_line, ctrl_d_on_an_empty_line_hangs_up, an_endless_line_and_control_bytes_do_no_harm,
     who_never_reads_holds_up_nobody, a_monitor_may_delete_itself])

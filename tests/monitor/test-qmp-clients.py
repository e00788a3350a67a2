#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Clients of QMP monitors: many of them, those that never read, leave at any moment, or hand over descriptors."""
import array
import os
import select
import signal
import socket
import subprocess
import sys

sys.dont_write_bytecode = True
from qmp import Machine, Qmp, connect  # noqa: E402
from cli import QOMET, TIMEOUT_S, folder, qomet, tap  # noqa: E402

NONE = ("-M", "none", "-accel", "qtest")


def server(path, *words):
    """A program with a monitor that listens, soon, at @path."""
    return subprocess.Popen([QOMET, *words, "-qmp", "unix:%s,server=on,wait=off" % path], stdin=subprocess.DEVNULL)


def end(process):
    process.terminate()
    assert process.wait(timeout=TIMEOUT_S) == 0


def send_fds(client, text, *files):
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [f.fileno() for f in files]))]
    client.sendmsg([text], rights)


def monitors_are_made_by_each_of_the_words():
    with folder() as path:
        names = [os.path.join(path, str(n)) for n in range(3)]
        words = ["-mon", "chardev=c,mode=control,pretty=on,id=mine", "-chardev", "socket,id=c,server=on,wait=off,path=" + names[1],
                 "-qmp-pretty", "unix:%s,server=on,wait=off" % names[2]]
        process = server(names[0], *NONE, *words)
        with connect(names[0]) as client:
            assert client.recv(4096).count(b"\n") == 1
        for name in names[1:]:
            with connect(name) as client:
                assert client.recv(4096).startswith(b'{\n    "QMP": {\n')
        end(process)


def wrong_words_for_a_monitor_are_refused():
    for words, text in (
            (("-mon", "chardev=nope,mode=control"), "qomet: -mon chardev=nope,mode=control: chardev 'nope' not found\n"),
            (("-mon", "mode=control"), "qomet: -mon mode=control: 'chardev' is missing\n"),
            (("-mon", "c,mode=x", "-chardev", "null,id=c"),
             "qomet: -mon c,mode=x: mode=x: 'x' is not a mode, accepted are readline and control\n"),
            (("-mon", "c,pretty=on", "-chardev", "null,id=c"),
             "qomet: -mon c,pretty=on: 'pretty' is not compatible with mode=readline\n"),
            (("-mon", "c,mode=control,colour=red", "-chardev", "null,id=c"), None),
            (("-qmp", "nowhere"), None),
            (("-qmp", "stdio", "-qmp", "stdio"), None)):
        result = qomet(*NONE, *words)
        assert result.status == 1 and result.err.startswith("qomet: " + words[0]), result
        assert text is None or result.err == text, result


def events_go_to_every_client_that_has_negotiated():
    with folder() as path:
        where = os.path.join(path, "qmp")
        with Machine(*NONE, "-qmp", "unix:%s,server=on,wait=off" % where) as machine:
            other, silent = Qmp(connect(where)), None
            machine.qmp.command("stop")
            assert machine.qmp.event("STOP")["timestamp"]["seconds"] > 1600000000
            assert other.receive()["event"] == "STOP"
            other.close()
            silent = Qmp(connect(where), negotiate=False)
            machine.qmp.command("cont")
            silent.send('{"execute": "qmp_capabilities"}')
            assert silent.receive() == {"return": {}}
            silent.close()


def hundreds_of_clients_come_and_go_on_several_monitors():
    count = 400 if os.environ.get("QOMET_TEST_LONG") else 100
    with folder() as path:
        places = [os.path.join(path, str(n)) for n in range(4)]
        words = [word for place in places[1:] for word in ("-qmp", "unix:%s,server=on,wait=off" % place)]
        process = server(places[0], *NONE, *words)
        for place in places:
            waiting = []
            while len(waiting) < count and (client := connect(place, wait=False)):
                waiting.append(client)
            # One after the other: each is served when those before it have left.
            for client in waiting:
                qmp = Qmp(client)
                assert qmp.command("query-status")["running"]
                qmp.close()
        for number in range(count):
            qmp = Qmp(connect(places[number % 4]))
            assert qmp.command("query-status")["running"]
            qmp.close()
        fds = os.listdir("/proc/%d/fd" % process.pid)
        assert len(fds) < 40, fds
        end(process)


def a_client_may_leave_in_the_middle_of_anything():
    script = (b'{"execute": "qmp_capabilities"}\n{"execute": "query-qmp-schema"}\n{"execute": "stop", "id": {"a": [1]}}\n'
              b'{"execute": "cont"}\n')
    with folder() as path:
        where = os.path.join(path, "qmp")
        process = server(where, *NONE)
        for length in range(0, len(script), 3):
            with connect(where) as client:
                client.sendall(script[:length])
                if length % 2:
                    client.recv(100)
        qmp = Qmp(connect(where))
        assert qmp.command("query-version")
        qmp.close()
        end(process)


def carried_out(words, script, leave):
    """Whether a monitor made by @words does what @script asks for, which a client has sent before it leaves by leave()."""
    with folder() as path:
        where = os.path.join(path, "b")
        with Machine("-M", "none", "-S", "-nodefaults", words, "unix:%s,server=on,wait=off" % where) as machine:
            with connect(where) as client:
                assert client.recv(1000)
                # Nothing of it is read before the client has left.
                machine.process.send_signal(signal.SIGSTOP)
                os.waitid(os.P_PID, machine.process.pid, os.WSTOPPED | os.WNOWAIT)
                client.sendall(script)
                leave(client)
                machine.process.send_signal(signal.SIGCONT)
                with connect(where) as again:  # its turn comes when the first has gone
                    assert again.recv(1000)
            return "made" in str(machine.qmp.command("qom-tree"))


def what_a_client_sends_before_it_hangs_up_is_not_carried_out():
    """So it is with QEMU, and what was sent before the client only ended its own output is."""
    scripts = {"-qmp": b'{"execute": "qmp_capabilities"}{"execute": "chardev-add", "arguments": {"id": "made", "backend": '
                       b'{"type": "null", "data": {}}}}',
               "-monitor": b"object_add memory-backend-ram,id=made,size=4096\n"}
    for words, script in scripts.items():
        assert not carried_out(words, script, lambda client: client.close()), words
        assert carried_out(words, script, lambda client: client.shutdown(socket.SHUT_WR)), words


def nothing_behind_the_end_of_input_is_carried_out():
    with folder() as path:
        with Machine("-M", "none", "-S", "-nodefaults", "-monitor", "unix:%s/b,server=on,wait=off" % path) as machine:
            with connect(path + "/b") as client:
                client.sendall(b"\x04object_add memory-backend-ram,id=made,size=4096\n")
                while client.recv(1000):
                    pass
            assert "made" not in str(machine.qmp.command("qom-tree"))


def a_client_that_never_reads_neither_blocks_nor_fills_the_machine():
    with folder() as path:
        where = os.path.join(path, "qmp")
        with Machine(*NONE, "-qmp", "unix:%s,server=on,wait=off" % where, measured=True) as machine:
            before = machine.resident_bytes()
            stuck = connect(where)
            stuck.sendall(b'{"execute": "qmp_capabilities"}\n')
            stuck.setblocking(False)
            question, sent = b'{"execute": "query-qmp-schema"}\n' * 100, 0
            # Nothing more is read from it once its answers wait.
            while sent < 1 << 20 and select.select([], [stuck], [], 0.5)[1]:
                sent += stuck.send(question)
            assert sent < 1 << 20, "it is still read from"
            assert machine.qmp.command("query-status")["running"]
            # Events are kept for it, until that is too much: then it has left.
            told = 0
            while told < 20 << 20:
                machine.qmp.send(b'{"execute": "stop"}{"execute": "cont"}' * 500)
                lines = [machine.qmp.lines.readline() for _ in range(2000)]
                told += sum(map(len, lines)) - lines.count(b'{"return": {}}\r\n') * len(lines[1])
            assert machine.resident_bytes() < before + (64 << 20), machine.resident_bytes()
            stuck.settimeout(TIMEOUT_S)
            try:
                while stuck.recv(1 << 20):
                    pass
            except ConnectionResetError:
                pass  # what it has sent was not read either
            stuck.close()
            again = Qmp(connect(where))
            assert again.command("query-status")["running"]
            again.close()


def what_is_told_to_a_pipe_that_nobody_reads_is_bounded():
    read_end, write_end = os.pipe()
    with folder() as path:
        where = os.path.join(path, "qmp")
        process = subprocess.Popen([QOMET, *NONE, "-qmp", "stdio", "-qmp", "unix:%s,server=on,wait=off" % where],
                                   stdin=subprocess.PIPE, stdout=write_end, stderr=subprocess.DEVNULL)
        os.close(write_end)
        process.stdin.write(b'{"execute": "qmp_capabilities"}\n')
        process.stdin.write(b'{"execute": "query-qmp-schema"}\n' * 100)
        process.stdin.flush()
        qmp = Qmp(connect(where))
        for _ in range(50):
            qmp.command("stop")
            qmp.command("cont")
        qmp.command("quit")
        assert process.wait(timeout=TIMEOUT_S) == 0
        process.stdin.close()
        qmp.close()
    os.close(read_end)


def descriptors_are_handed_over_by_name():
    with folder() as path:
        where, line = os.path.join(path, "qmp"), os.path.join(path, "line")
        process = server(where, *NONE, "-chardev", "socket,id=line,server=on,wait=off,path=" + line)
        client = connect(where)
        qmp = Qmp(client)
        ours, theirs = socket.socketpair()
        qmp.fails("GenericError", "No file descriptor supplied via SCM_RIGHTS", "getfd", fdname="x")
        send_fds(client, b'{"execute": "getfd", "arguments": {"fdname": "1x"}}', theirs)
        assert "not starting with a digit" in qmp.answer()["error"]["desc"]
        send_fds(client, b'{"execute": "getfd", "arguments": {"fdname": "x"}}', theirs)
        assert qmp.answer() == {"return": {}}
        qmp.fails("GenericError", "protocol 'nope' is invalid: accepted are the ids of chardevs", "add_client", protocol="nope",
                  fdname="x")
        qmp.fails("GenericError", "File descriptor named 'x' has not been found", "add_client", protocol="line", fdname="x")
        send_fds(client, b'{"execute": "getfd", "arguments": {"fdname": "y"}}', theirs)
        assert qmp.answer() == {"return": {}}
        assert qmp.command("add_client", protocol="line", fdname="y") == {}
        theirs.close()
        # The other end is held by the machine, and by nobody else.
        ours.setblocking(False)
        try:
            assert ours.recv(1) != b"", "the chardev did not take the socket"
        except BlockingIOError:
            pass
        third, fourth = socket.socketpair()
        send_fds(client, b'{"execute": "getfd", "arguments": {"fdname": "z"}}', third)
        assert qmp.answer() == {"return": {}}
        qmp.fails("GenericError", "chardev 'line' has a client already", "add_client", protocol="line", fdname="z")
        send_fds(client, b'{"execute": "getfd", "arguments": {"fdname": "z"}}', third)
        assert qmp.answer() == {"return": {}}
        assert qmp.command("closefd", fdname="z") == {}
        qmp.fails("GenericError", "File descriptor named 'z' not found", "closefd", fdname="z")
        for other in (ours, third, fourth):
            other.close()
        qmp.close()
        end(process)


def descriptors_that_nobody_wants_are_closed():
    with folder() as path:
        where = os.path.join(path, "qmp")
        process = server(where, *NONE)
        for _ in range(30):
            client = connect(where)
            qmp = Qmp(client)
            with open("/dev/null", "rb") as null:
                # More than are kept, and again before anybody asks for them.
                for _ in range(3):
                    send_fds(client, b'{"execute": "query-status"}', *[null] * 40)
                    qmp.answer()
            qmp.close()
        qmp = Qmp(connect(where))
        qmp.command("query-status")
        fds = [os.readlink("/proc/%d/fd/%s" % (process.pid, fd)) for fd in os.listdir("/proc/%d/fd" % process.pid)]
        assert fds.count("/dev/null") <= 2, fds
        qmp.close()
        end(process)


tap([
    monitors_are_made_by_each_of_the_words,
    wrong_words_for_a_monitor_are_refused,
    events_go_to_every_client_that_has_negotiated,
    hundreds_of_clients_come_and_go_on_several_monitors,
    a_client_may_leave_in_the_middle_of_anything,
    what_a_client_sends_before_it_hangs_up_is_not_carried_out,
    nothing_behind_the_end_of_input_is_carried_out,
    a_client_that_never_reads_neither_blocks_nor_fills_the_machine,
    what_is_told_to_a_pipe_that_nobody_reads_is_bounded,
    descriptors_are_handed_over_by_name,
    descriptors_that_nobody_wants_are_closed,
])

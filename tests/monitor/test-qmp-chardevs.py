#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Character devices that come and go over QMP."""
import json
import os
import re
import select
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from qmp import TIMEOUT_S, Machine, Qmp, connect  # noqa: E402
from cli import folder, qomet, start, tap, wait_for  # noqa: E402

NONE = ("-M", "none", "-accel", "qtest")


def add(machine, name, kind, **data):
    return machine.qmp.command("chardev-add", id=name, backend={"type": kind, "data": data})


def info(machine, name):
    found = [c for c in machine.qmp.command("query-chardev") if c["label"] == name]
    assert len(found) == 1, found
    assert set(found[0]) == {"label", "filename", "frontend-open"}
    return found[0]["filename"], found[0]["frontend-open"]


def inet(port):
    return {"type": "inet", "data": {"host": "127.0.0.1", "port": str(port)}}


def qmp_on(machine, name, **more):
    """A second monitor on that chardev."""
    machine.qmp.command("object-add", {"qom-type": "monitor-qmp", "id": "on-" + name, "chardev": name}, **more)


def the_monitor_itself_is_one():
    with Machine(*NONE) as machine:
        assert info(machine, "compat_monitor0") == ("unix:" + machine.path, True)
        machine.qmp.fails("GenericError", re.compile("^Chardev 'compat_monitor0' is busy"), "chardev-remove", id="compat_monitor0")


def each_kind_comes_and_goes():
    with Machine(*NONE) as machine, folder() as path:
        with open(path + "/in", "w", encoding="ascii"):
            pass
        os.mkfifo(path + "/pipe")
        add(machine, "behind", "null")
        for kind, data, filename in (
                ("null", {}, "null"), ("ringbuf", {"size": 4096}, "ringbuf"), ("memory", {}, "ringbuf"),
                ("file", {"out": path + "/out"}, "file"),
                ("file", {"out": path + "/out", "in": path + "/in", "append": True}, "file"),
                ("socket", {"addr": {"type": "unix", "data": {"path": path + "/s"}}},
                 "disconnected:unix:%s/s,server=on" % path),
                ("socket", {"addr": {"type": "inet", "data": {"host": "127.0.0.1", "port": "0"}}, "server": True, "nodelay": False},
                 re.compile("^disconnected:tcp:127.0.0.1:[1-9][0-9]*,server=on$")),
                ("socket", {"addr": {"type": "unix", "data": {"path": path + "/nobody"}}, "server": False, "reconnect": 3600},
                 "disconnected:unix:%s/nobody" % path),
                ("pipe", {"device": path + "/pipe"}, "pipe"),
                ("udp", {"remote": inet(9)}, "udp:127.0.0.1:9"),
                ("udp", {"remote": inet(9), "local": {"type": "inet", "data": {"host": "127.0.0.1", "port": "0"}}}, "udp:127.0.0.1:9"),
                ("mux", {"chardev": "behind"}, "mux")):
            assert add(machine, "c", kind, **data) == {}
            have, used = info(machine, "c")
            assert not used and (filename.search(have) if isinstance(filename, re.Pattern) else have == filename), have
            machine.qmp.command("chardev-remove", id="c")
            machine.qmp.fails("GenericError", "Chardev 'c' not found", "chardev-remove", id="c")
        assert sorted(os.listdir(path)) == ["in", "out", "pipe"]


def a_pseudo_terminal_tells_its_path():
    with Machine(*NONE) as machine:
        path = add(machine, "p", "pty")["pty"]
        assert info(machine, "p") == ("pty:" + path, False)
        os.close(os.open(path, os.O_RDWR | os.O_NOCTTY))


def a_file_is_emptied_unless_it_is_appended_to():
    with Machine(*NONE) as machine, folder() as path:
        with open(path + "/out", "w", encoding="ascii") as out:
            out.write("before\n")
        add(machine, "a", "file", out=path + "/out", append=True)
        qmp_on(machine, "a")
        with open(path + "/out", encoding="ascii") as out:
            assert out.read().startswith("before\n{\"QMP\"")
        machine.qmp.command("object-del", id="on-a")
        machine.qmp.command("chardev-remove", id="a")
        add(machine, "a", "file", out=path + "/out")
        assert os.path.getsize(path + "/out") == 0


def a_server_does_not_hold_up_the_machine():
    with Machine(*NONE) as machine, folder() as path:
        address = {"type": "unix", "data": {"path": path + "/s"}}
        add(machine, "s", "socket", addr=address, wait=True)
        qmp_on(machine, "s")
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(TIMEOUT_S)
            peer.connect(path + "/s")
            second = Qmp(peer)
            assert second.command("query-name") == {}
            assert info(machine, "s") == ("unix:%s/s,server=on" % path, True)
            # A monitor may end itself; it has no words for that any more.
            second.send('{"execute": "object-del", "arguments": {"id": "on-s"}}\r\n')
            machine.qmp.command("query-name")
            second.close()
        machine.qmp.command("chardev-remove", id="s")


class Deaf:
    """A server that does not answer, for a with statement: no more than it has taken fits into its queue."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.waiting = []
        while self.add():
            pass

    def add(self):
        """Whether one more was taken."""
        client = socket.socket()
        client.setblocking(False)
        self.waiting.append(client)
        client.connect_ex(("127.0.0.1", self.port))
        return bool(select.select([], [client], [], 0.2)[1])

    def listen_again(self):
        for client in self.waiting:
            client.close()
        self.listener.setblocking(False)
        self.listener.listen(8)

    def accept(self):
        """Takes those who wait."""
        try:
            while True:
                self.waiting.append(self.listener.accept()[0])
        except BlockingIOError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in (self.listener, *self.waiting):
            end.close()


def a_client_does_not_wait_for_a_server_that_is_deaf():
    with Machine(*NONE) as machine, Deaf() as server:
        add(machine, "c", "socket", addr=inet(server.port), server=False)
        assert info(machine, "c")[0] == "disconnected:tcp:127.0.0.1:%d" % server.port
        server.listen_again()
        wait_for(lambda: server.accept() or info(machine, "c")[0] == "tcp:127.0.0.1:%d" % server.port)


def a_server_that_never_answers_is_told_of():
    with Machine(*NONE, quiet=False) as machine:
        with Deaf() as server:
            add(machine, "c", "socket", addr=inet(server.port), server=False)
        text = "warning: chardev 'c': Failed to connect to 'tcp:127.0.0.1:%d': Connection refused\n" % server.port
        wait_for(lambda: text in machine.errors_text())
        assert info(machine, "c")[0] == "disconnected:tcp:127.0.0.1:%d" % server.port
        machine.qmp.command("chardev-remove", id="c")


def send_fd(machine, end, name):
    socket.send_fds(machine.qmp.connection, [json.dumps({"execute": "getfd", "arguments": {"fdname": name}}).encode()],
                    [end.fileno()])
    assert machine.qmp.answer() == {"return": {}}


def a_socket_that_the_client_has_opened_is_taken():
    with Machine(*NONE) as machine, folder() as path:
        mine, theirs = socket.socketpair()
        send_fd(machine, theirs, "pair")
        theirs.close()
        add(machine, "c", "socket", addr={"type": "fd", "data": {"str": "pair"}}, server=False)
        machine.qmp.fails("GenericError", "File descriptor named 'pair' not found", "closefd", fdname="pair")
        qmp_on(machine, "c")
        mine.settimeout(TIMEOUT_S)
        second = Qmp(mine)
        assert second.command("query-name") == {} and info(machine, "c") == ("unix:", True)
        second.close()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path + "/here")
            listener.listen(1)
            send_fd(machine, listener, "wrong way round")
            machine.qmp.fails("GenericError", re.compile("^Failed to add chardev 'd': descriptor [0-9]+ is no stream socket that is "
                                                         "connected$"), "chardev-add", id="d",
                              backend={"type": "socket", "data": {"addr": {"type": "fd", "data": {"str": "wrong way round"}},
                                                                  "server": False}})
            send_fd(machine, listener, "listener")
        add(machine, "d", "socket", addr={"type": "fd", "data": {"str": "listener"}})
        qmp_on(machine, "d")
        assert info(machine, "d")[0] == "disconnected:unix:%s/here,server=on" % path
        third = Qmp(connect(path + "/here"))
        assert third.command("query-name") == {}
        third.close()


def a_program_that_opens_the_sockets_hands_them_down():
    with folder() as path, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path + "/qmp")
        listener.listen(1)
        process = start(*NONE, "-chardev", "socket,id=m,fd=%d,server=on,wait=off" % listener.fileno(), "-mon", "m,mode=control",
                        pass_fds=[listener.fileno()])
        qmp = Qmp(connect(path + "/qmp"))
        qmp.command("quit")
        out, err = process.communicate(timeout=TIMEOUT_S)
        assert (process.returncode, out, err) == (0, b"", b""), (process.returncode, out, err)
        qmp.close()
    for words, why in (("fd=0", "descriptor 0 is no stream socket that is connected"),
                       ("fd=1000", "descriptor 1000 is no stream socket that is connected"),
                       ("fd=x", "'x' is not a number"), ("fd=-1", "'-1' is out of range"),
                       ("fd=0,path=x", "an open socket has no path, port or reconnect")):
        qomet(*NONE, "-chardev", "socket,id=m," + words).expect(status=1, err=re.compile(re.escape(why)))


def an_abstract_address_is_no_file():
    with Machine(*NONE) as machine, folder() as path:
        add(machine, "s", "socket", addr={"type": "unix", "data": {"path": path + "/abstract", "abstract": True}})
        assert os.listdir(path) == []


def what_cannot_be_made_leaves_nothing():
    with Machine(*NONE) as machine, folder() as path:
        before = machine.qmp.command("query-chardev")
        unix = {"type": "unix", "data": {"path": path + "/nobody"}}
        kinds = "'file', 'null', 'mux', 'pipe', 'pty', 'ringbuf', 'memory', 'socket', 'stdio', 'udp'"
        for desc, args in (
                ("Parameter 'id' is missing", {"backend": {"type": "null", "data": {}}}),
                ("Parameter 'backend' is missing", {"id": "c"}),
                ("Parameter 'backend.type' is missing", {"id": "c", "backend": {}}),
                ("Parameter 'backend.data' is missing", {"id": "c", "backend": {"type": "null"}}),
                ("Invalid parameter type for 'backend', expected: object", {"id": "c", "backend": "null"}),
                ("Invalid parameter type for 'backend.type', expected: string", {"id": "c", "backend": {"type": 1, "data": {}}}),
                ("Invalid parameter type for 'backend.data', expected: object", {"id": "c", "backend": {"type": "null", "data": 1}}),
                ("Parameter 'backend.type' does not accept value 'nul', accepted are " + kinds,
                 {"id": "c", "backend": {"type": "nul", "data": {}}}),
                ("Parameter 'backend.x' is unexpected", {"id": "c", "backend": {"type": "null", "data": {}, "x": 1}}),
                ("Parameter 'backend.data.path' is unexpected", {"id": "c", "backend": {"type": "null", "data": {"path": "x"}}}),
                ("Parameter 'backend.data.out' is missing", {"id": "c", "backend": {"type": "file", "data": {}}}),
                ("Failed to add chardev 'c': Could not open '%s/no/out': No such file or directory" % path,
                 {"id": "c", "backend": {"type": "file", "data": {"out": path + "/no/out"}}}),
                (re.compile("Failed to add chardev 'c': .*'/no-input'"),
                 {"id": "c", "backend": {"type": "file", "data": {"out": path + "/out", "in": "/no-input"}}}),
                ("Parameter 'backend.data.addr' is missing", {"id": "c", "backend": {"type": "socket", "data": {}}}),
                ("Parameter 'backend.data.addr.type' does not accept value 'vsock', accepted are 'inet', 'unix', 'fd'",
                 {"id": "c", "backend": {"type": "socket", "data": {"addr": {"type": "vsock", "data": {"cid": "x"}}}}}),
                ("Failed to add chardev 'c': File descriptor named 'x' has not been found",
                 {"id": "c", "backend": {"type": "socket", "data": {"addr": {"type": "fd", "data": {"str": "x"}}}}}),
                ("Failed to add chardev 'c': File descriptor named '0' has not been found",
                 {"id": "c", "backend": {"type": "socket", "data": {"addr": {"type": "fd", "data": {"str": "0"}}}}}),
                ("Failed to add chardev 'c': chardev 'nope' not found", {"id": "c", "backend": {"type": "mux", "data": {"chardev": "nope"}}}),
                (re.compile("Failed to add chardev 'c': .*compat_monitor0"),
                 {"id": "c", "backend": {"type": "mux", "data": {"chardev": "compat_monitor0"}}}),
                (re.compile("Failed to add chardev 'c': Could not open '%s/p'" % path),
                 {"id": "c", "backend": {"type": "pipe", "data": {"device": path + "/p"}}}),
                ("Parameter 'backend.data.remote' is missing", {"id": "c", "backend": {"type": "udp", "data": {}}}),
                (re.compile("Failed to add chardev 'c': "), {"id": "c", "backend": {"type": "udp", "data": {"remote": unix}}}),
                ("Parameter 'backend.data.addr.data.port' is missing",
                 {"id": "c", "backend": {"type": "socket", "data": {"addr": {"type": "inet", "data": {"host": "::"}}}}}),
                (re.compile("Failed to connect to 'unix:%s/nobody'" % path),
                 {"id": "c", "backend": {"type": "socket", "data": {"addr": unix, "server": False}}}),
                (re.compile("'reconnect' option is incompatible"),
                 {"id": "c", "backend": {"type": "socket", "data": {"addr": unix, "reconnect": 1}}}),
                (re.compile("property 'reconnect' of 'chardev-socket': '-1' is out of range"),
                 {"id": "c", "backend": {"type": "socket", "data": {"addr": unix, "server": False, "reconnect": -1}}}),
                (re.compile("Failed to add chardev 'c': .*power of two"),
                 {"id": "c", "backend": {"type": "ringbuf", "data": {"size": 1000}}}),
                (re.compile("Failed to add chardev '9': '9' is not a valid id"), {"id": "9", "backend": {"type": "null", "data": {}}}),
                ("Chardev with id 'compat_monitor0' already exists",
                 {"id": "compat_monitor0", "backend": {"type": "null", "data": {}}})):
            machine.qmp.fails("GenericError", desc, "chardev-add", args)
            assert machine.qmp.command("query-chardev") == before, args
            assert os.listdir(path) == [], args


def the_schema_shows_the_kinds_of_chardevs():
    """The way that libvirt goes to ask whether a socket may reconnect."""
    with Machine(*NONE) as machine:
        schema = {e["name"]: e for e in machine.qmp.command("query-qmp-schema")}

        def members(name):
            return {m["name"]: m for m in schema[name]["members"]}
        backend = schema[members(schema["chardev-add"]["arg-type"])["backend"]["type"]]
        assert backend["tag"] == "type" and backend["meta-type"] == "object"
        kinds = {v["case"]: v["type"] for v in backend["variants"]}
        assert set(kinds) == set(schema[members(backend["name"])["type"]["type"]]["values"])
        socket_ = members(members(kinds["socket"])["data"]["type"])
        assert socket_["reconnect"] == {"name": "reconnect", "type": "int", "default": None}, socket_


tap([the_monitor_itself_is_one, each_kind_comes_and_goes, a_pseudo_terminal_tells_its_path,
     a_file_is_emptied_unless_it_is_appended_to, a_server_does_not_hold_up_the_machine,
     a_client_does_not_wait_for_a_server_that_is_deaf, a_server_that_never_answers_is_told_of,
     a_socket_that_the_client_has_opened_is_taken, a_program_that_opens_the_sockets_hands_them_down, an_abstract_address_is_no_file,
     what_cannot_be_made_leaves_nothing, the_schema_shows_the_kinds_of_chardevs])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What speaks to the socket of a machine may be no qomet: the machine goes on, and keeps nothing of it."""
import json
import os
import random
import select
import socket
import sys
import time

sys.dont_write_bytecode = True
from cli import TIMEOUT_S, Machine, folder, tap, wait_for  # noqa: E402

BARE = ("-accel", "qtest", "-M", "bare", "-nodefaults", "-display", "none")
MAX_LINE, MAX_FDS, MAX_PEERS = 1 << 20, 16, 64


def connect(name="m"):
    peer = socket.socket(socket.AF_UNIX)
    # Without a time limit: with one, a machine that has many waiting is an error.
    peer.connect(os.path.join(os.environ["XDG_RUNTIME_DIR"], "qomet", name))
    peer.settimeout(TIMEOUT_S)
    return peer


def request(**more):
    return json.dumps({"qomet-attach": 1, **more}).encode() + b"\n"


def attach_request(*words, **more):
    return request(do="attach", directory="/", words=list(words), **more)


def answer(sent, fds=(), name="m"):
    """Sends it and returns what is answered, as JSON; None: nothing."""
    with connect(name) as peer:
        try:
            if fds:
                socket.send_fds(peer, [sent], fds)
            else:
                peer.sendall(sent)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_answer(peer)


def read_answer(peer):
    text = b""
    while not text.endswith(b"\n"):
        try:
            more = peer.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            break
        text += more
    return json.loads(text) if text else None


class Watched(Machine):
    """A machine that is in the end as it was in the beginning."""

    def __enter__(self):
        self.tree = self.get_tree()
        # Of the clients so far, the last one may just be going.
        counts = []
        while len(counts) < 20 or len(set(counts[-20:])) > 1:
            counts.append(self.count_fds())
            time.sleep(0.005)
        self.fds = counts[-1]
        return self

    def count_fds(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def get_tree(self):
        reading, writing = os.pipe()
        os.write(writing, b"info qom-tree\n")
        os.close(writing)
        return self.attach(stdin=reading).expect(status=0).out

    def __exit__(self, kind, *args):
        try:
            if kind is None:
                assert self.process.poll() is None, "the machine has ended: %s" % (self.process.communicate(),)
                wait_for(lambda: self.count_fds() == self.fds, self.process)
                assert self.get_tree() == self.tree
                self.end(err=b"")
        except Exception:
            kind = True
            raise
        finally:
            super().__exit__(kind, *args)


def what_is_no_message_is_answered_with_an_error():
    with Watched("m", *BARE) as machine:
        for sent in (b"\n", b"hello\n", b"{\n", b"[]\n", b"1\n", b'"x"\n', b"{}\n", b"\0\0\0\n", b"\xff\xfe\n", b'{"a": "\xff"}\n',
                     b'{"qomet-attach": 1, "do": "status"\0}\n', b'{"qomet-attach": 1, "do": "status"}\0\n',
                     b'{"qomet-attach": 1, "do": "status", "do": "status"}\n', b"[" * 100000 + b"\n",
                     b'{"a":' * 10000 + b"\n", b'{"qomet-attach": 99999999999999999999999999}\n',
                     request(do="nope"), request(do=1), request(do=None), request(), request(do=["attach"]),
                     b'{"qomet-attach": 2, "do": "status"}\n', b'{"qomet-attach": "1", "do": "status"}\n',
                     b'{"qomet-attach": 1.0, "do": "status"}\n'):
            have = answer(sent)
            assert have and list(have) == ["error"], (sent[:80], have)
        assert answer(request(do="status"))["done"]["pid"] == machine.process.pid


def requests_that_lack_something_are_answered_with_an_error():
    with Watched("m", *BARE):
        words = ["-device", "isa-debugcon"]
        for more in ({}, {"words": words}, {"directory": "/"}, {"directory": "here", "words": words},
                     {"directory": 1, "words": words}, {"directory": "/", "words": "-device"},
                     {"directory": "/", "words": [1]}, {"directory": "/", "words": ["-device", None]},
                     {"directory": "/", "words": []}, {"directory": "/", "words": {"a": "b"}},
                     {"directory": "/", "words": words, "files": [1]}, {"directory": "/", "words": words, "files": [{}]},
                     {"directory": "/", "words": words, "files": [{"name": "x"}]},
                     {"directory": "/", "words": words, "files": [{"name": "x", "flags": "y"}]},
                     {"directory": "/", "words": words, "files": [{"name": "x", "flags": 0}]}):
            have = answer(request(do="attach", **more))
            assert have and list(have) == ["error"], (more, have)
        for more in ({}, {"id": 1}, {"id": None}, {"id": ["x"]}, {"id": "x" * 100000}, {"id": "/"}, {"id": "a\u0000"}):
            have = answer(request(do="detach", **more))
            assert have and list(have) == ["error"], (more, have)


def what_is_unknown_is_passed_over():
    with Watched("m", *BARE):
        assert "done" in answer(request(do="status", colour="red", more=[{"a": None}] * 100))


def long_lines_are_refused_and_long_words_are_taken():
    with Watched("m", *BARE):
        have = answer(b"x" * (MAX_LINE + 100000) + b"\n")
        assert have is None or "longer" in have["error"], have
        have = answer(b"x" * (3 * MAX_LINE))
        assert have is None or "longer" in have["error"], have
        # Nearly as long as can be; the error tells all of it.
        have = answer(attach_request("-device", "x" * 900000))
        assert list(have) == ["error"]
        have = answer(attach_request(*["-chardev", "null"] * 5000))
        assert "-chardev null: Parameter 'id' is missing" in have["error"], have
        words = [word for i in range(3000) for word in ("-chardev", "null,id=c%d" % i)]
        assert "done" in answer(attach_request(*words))
        # All or none of thousands.
        words = [word for i in range(3000) for word in ("-chardev", "null,id=d%d" % i)]
        have = answer(attach_request(*words, "-device", "isa-debugcon,iobase=0x10000"))
        assert "0x10000" in have["error"]
        for i in range(0, 3000, 2):
            assert "done" in answer(request(do="detach", id="c%d" % i))
        for i in range(1, 3000, 2):
            assert "done" in answer(request(do="detach", id="c%d" % i))


def half_a_message_holds_nobody_up():
    with Watched("m", *BARE) as machine:
        peers = [connect() for _ in range(20)]
        for i, peer in enumerate(peers):
            peer.sendall(attach_request("-device", "isa-debugcon")[:3 * i + 1])
        for _ in range(10):
            assert answer(request(do="status"))["done"]["pid"] == machine.process.pid
        for peer in peers:
            peer.close()
        # In pieces it is a message all the same.
        with connect() as peer:
            for byte in request(do="status"):
                peer.sendall(bytes([byte]))
            assert "done" in read_answer(peer)


def who_says_nothing_is_not_waited_for_long():
    if not os.environ.get("QOMET_TEST_LONG"):
        return
    with Watched("m", *BARE) as machine:
        peers = [connect() for _ in range(MAX_PEERS)]
        wait_for(lambda: machine.count_fds() == machine.fds, machine.process)
        for peer in peers:
            peer.close()


def too_many_at_a_time_are_told_so():
    with Watched("m", *BARE):
        peers = [connect() for _ in range(MAX_PEERS)]
        refused = connect()
        assert "too many" in read_answer(refused)["error"]
        refused.close()
        for peer in peers:
            peer.close()
        wait_for(lambda: "done" in (answer(request(do="status")) or {}))


def who_never_reads_is_dropped():
    with Watched("m", *BARE):
        for _ in range(200):
            peer = connect()
            peer.sendall(attach_request("-device", "help"))
            peer.close()
        # An answer that the socket cannot take at once.
        peer = connect()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        peer.sendall(attach_request("-device", "y" * 900000))
        assert "done" in answer(request(do="status"))
        peer.close()


def descriptors_that_were_not_asked_for_are_closed():
    with Watched("m", *BARE) as machine:
        reading, writing = os.pipe()
        for count in (1, 5, MAX_FDS, MAX_FDS + 1, 100, 253):
            have = answer(request(do="status"), fds=[writing] * count)
            assert have is None or list(have) in (["done"], ["error"]), have
            have = answer(attach_request("-device", "isa-debugcon"), fds=[writing] * count)
            assert have is None or list(have) == ["error"], have
            have = answer(b"{", fds=[writing] * count) if count <= MAX_FDS else None
        # With every byte of it.
        with connect() as peer:
            for byte in request(do="status"):
                try:
                    socket.send_fds(peer, [bytes([byte])], [writing])
                except (BrokenPipeError, ConnectionResetError):
                    break
            assert "error" in read_answer(peer)
        # Named, and not used.
        have = answer(attach_request("-device", "nope", files=[{"name": "/x", "flags": 0}]), fds=[writing])
        assert list(have) == ["error"]
        wait_for(lambda: machine.count_fds() == machine.fds, machine.process)
        os.close(writing)
        assert select.select([reading], [], [], TIMEOUT_S)[0] and os.read(reading, 1) == b"", "somebody still has it"
        os.close(reading)


def a_descriptor_may_be_anything():
    with Watched("m", *BARE) as machine, folder() as path:
        words = ("-chardev", "file,id=c,path=/none/x", "-device", "isa-debugcon,id=con1,chardev=c")
        need = answer(attach_request(*words))["need"]
        kinds = [os.open(path, os.O_RDONLY), os.open(path, os.O_PATH), os.open("/dev/null", os.O_RDONLY),
                 os.open("/proc/self/status", os.O_RDONLY), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).detach()]
        for fd in kinds:
            have = answer(attach_request(*words, files=[need]), fds=[fd])
            assert list(have) in (["done"], ["error"]) or "need" in have, have
            if "done" in have:
                assert "done" in answer(request(do="detach", id="con1"))
            os.close(fd)
        assert machine.process.poll() is None


def a_terminal_whose_other_end_is_gone():
    with Watched("m", *BARE):
        words = ("-chardev", "stdio,id=c", "-device", "isa-debugcon,id=con1,chardev=c")
        need = answer(attach_request(*words))["need"]
        assert need == {"name": "stdio", "flags": 1}
        for _ in range(20):
            ours, theirs = socket.socketpair()
            with connect() as peer:
                socket.send_fds(peer, [attach_request(*words, files=[need])], [theirs.fileno()])
                theirs.close()
                ours.close()
                assert "stays" in read_answer(peer)


def a_second_request_ends_a_connection():
    with Watched("m", *BARE):
        with connect() as peer:
            peer.sendall(request(do="status") + request(do="status"))
            assert "done" in read_answer(peer)
        words = ("-chardev", "stdio,id=c", "-device", "isa-debugcon,id=con1,chardev=c")
        ours, theirs = socket.socketpair()
        with connect() as peer:
            socket.send_fds(peer, [attach_request(*words, files=[{"name": "stdio", "flags": 1}])], [theirs.fileno()])
            theirs.close()
            assert "stays" in read_answer(peer)
            peer.sendall(request(do="status"))
            assert "one request" in read_answer(peer)["error"]
        ours.close()


def clients_that_come_and_go_at_any_point():
    rng = random.Random(int(os.environ.get("QOMET_TEST_SEED", "1")))
    with Watched("m", *BARE):
        for i in range(3000 if os.environ.get("QOMET_TEST_LONG") else 300):
            sent = attach_request("-device", "isa-debugcon,id=x%d,iobase=%d" % (i, 0x400 + i % 64)) if i % 3 else request(do="status")
            cut = rng.randrange(len(sent)) if i % 2 else len(sent) - 1
            with connect() as peer:
                peer.sendall(sent[:cut])
                if rng.randrange(2):
                    peer.shutdown(socket.SHUT_WR)
        assert "done" in answer(request(do="status"))


def random_bytes_do_no_harm():
    rng = random.Random(int(os.environ.get("QOMET_TEST_SEED", "1")))
    valid = attach_request("-chardev", "null,id=c", "-device", "nope,chardev=c", files=[{"name": "/x", "flags": 0}])
    with Watched("m", *BARE):
        for i in range(3000 if os.environ.get("QOMET_TEST_LONG") else 300):
            sent = bytearray(rng.randbytes(rng.randrange(200)) if i % 2 else valid)
            for _ in range(rng.randrange(1, 8)):
                if sent:
                    sent[rng.randrange(len(sent))] = rng.randrange(256)
            with connect() as peer:
                peer.sendall(bytes(sent) + b"\n")
                have = read_answer(peer)
                assert have and "stays" not in have, (bytes(sent), have)


tap([what_is_no_message_is_answered_with_an_error, requests_that_lack_something_are_answered_with_an_error,
     what_is_unknown_is_passed_over, long_lines_are_refused_and_long_words_are_taken, half_a_message_holds_nobody_up,
     who_says_nothing_is_not_waited_for_long, too_many_at_a_time_are_told_so, who_never_reads_is_dropped,
     descriptors_that_were_not_asked_for_are_closed, a_descriptor_may_be_anything, a_terminal_whose_other_end_is_gone,
     a_second_request_ends_a_connection, clients_that_come_and_go_at_any_point, random_bytes_do_no_harm])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A machine that runs is changed with words of the command line: qomet attach, detach and list."""
import fcntl
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from cli import QOMET, TIMEOUT_S, Machine, Skip, folder, listed, need_kvm, qomet, start, tap, wait_for  # noqa: E402

BARE = ("-accel", "qtest", "-M", "bare", "-nodefaults", "-display", "none")
# Writes 'X' to port 0xe9, waits, and begins again.
POLL = b"\xb0\x58\xe6\xe9\xb9\xff\xff\xe2\xfe\xeb\xf5"
CON1 = ("-chardev", "file,id=c,path=e9.txt", "-device", "isa-debugcon,iobase=0xe9,id=con1,chardev=c")
NOBODY = 65534


def size(path):
    return os.stat(path).st_size


def holds(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def need_root():
    if os.geteuid() != 0:
        raise Skip("only root can be two users")


def runtime_folder():
    return os.path.join(os.environ["XDG_RUNTIME_DIR"], "qomet")


# ---- A device comes and goes ----

def a_running_machine_gets_a_console_and_loses_it():
    need_kvm()
    with folder() as path:
        kernel = os.path.join(path, "poll.bin")
        with open(kernel, "wb") as file:
            file.write(POLL)
        e9 = os.path.join(path, "e9.txt")
        with Machine("demo", "-M", "bare", "-kernel", kernel, "-display", "none", cwd=path) as demo:
            demo.attach(*CON1, cwd=path).expect(status=0, out="", err="")
            for _ in range(2):
                now = size(e9)
                wait_for(lambda now=now: size(e9) > now, demo.process)
            now = size(e9)
            demo.attach(*CON1, cwd=path).expect(
                status=1, out="",
                err="qomet: -chardev file,id=c,path=e9.txt: id 'c' is already taken by /chardevs/c (chardev-file); "
                    "-device isa-debugcon,iobase=0xe9,id=con1,chardev=c: id 'con1' is already taken by "
                    "/machine/peripheral/con1 (isa-debugcon)\n")
            assert size(e9) >= now, "the second one has emptied the file of the first"
            now = size(e9)
            wait_for(lambda: size(e9) > now, demo.process)
            demo.detach("con1").expect(status=0, out="", err="")
            now = size(e9)
            time.sleep(0.2)
            assert size(e9) == now and now > 0
            assert set(holds(e9)) == {"X"}
            # What came with the device has gone with it.
            demo.attach(*CON1, cwd=path).expect(status=0, out="", err="")
            demo.process.send_signal(signal.SIGTERM)
            demo.process.wait(timeout=TIMEOUT_S)
            assert demo.process.returncode == 0


def a_machine_that_was_not_started_takes_devices_too():
    with folder() as path, Machine("still", *BARE, "-S") as still:
        assert listed()["still"] == (str(still.process.pid), "bare", "prelaunch")
        still.attach(*CON1, cwd=path).expect(status=0, out="", err="")
        still.detach("con1").expect(status=0, out="", err="")


def relative_paths_are_those_of_the_caller():
    with folder() as path, folder() as elsewhere, Machine("m", *BARE, cwd=elsewhere) as machine:
        machine.attach(*CON1, cwd=path).expect(status=0)
        assert os.listdir(path) == ["e9.txt"] and os.listdir(elsewhere) == []
        machine.attach("-chardev", "socket,id=s,path=s.sock,server=on", cwd=path).expect(status=0)
        assert sorted(os.listdir(path)) == ["e9.txt", "s.sock"]
        machine.detach("s").expect(status=0)
        assert os.listdir(path) == ["e9.txt"]


def what_fails_leaves_no_file_and_changes_none():
    with folder() as path, Machine("m", *BARE) as machine:
        old = os.path.join(path, "old")
        with open(old, "w", encoding="ascii") as file:
            file.write("kept")
        machine.attach("-chardev", "file,id=a,path=old", "-chardev", "file,id=b,path=new",
                       "-device", "isa-debugcon,iobase=0x10000", cwd=path).expect(status=1, err=re.compile("0x10000"))
        assert os.listdir(path) == ["old"] and holds(old) == "kept"


def a_question_is_answered_by_the_machine():
    with Machine("m", *BARE) as machine:
        machine.attach("-device", "isa-debugcon,help").expect(status=0, out=re.compile(r"\Aisa-debugcon options:\n"), err="")
        machine.attach("-chardev", "help").expect(status=0, out=re.compile("ringbuf"), err="")


def what_a_running_machine_does_not_take_is_said():
    with Machine("m", *BARE) as machine:
        machine.attach("-M", "none").expect(
            status=1, err=re.compile(r"\Aqomet: -M none: a machine that runs does not take this; it takes .*-device.*\n\Z"))
        machine.attach("-devise", "x").expect(status=1, err=re.compile("did you mean '-device'"))
        machine.attach("-netdev", "user,id=n").expect(status=1, err=re.compile("-netdev: invalid option"))
        machine.attach("isa-debugcon").expect(status=1, err=re.compile("isa-debugcon: not an option"))


def an_unknown_id_is_not_detached():
    with folder() as path, Machine("m", *BARE) as machine:
        machine.attach(*CON1, cwd=path).expect(status=0)
        machine.detach("con").expect(
            status=1, out="", err="qomet: there is no device, monitor, object or chardev 'con' (did you mean 'con1'?)\n")
        machine.detach("c").expect(status=1, err="qomet: Chardev 'c' is busy: '/machine/peripheral/con1' uses it\n")
        for odd in ("", "/", "..", "/machine", "attach-server", "a\nb"):
            machine.detach(odd).expect(status=1)


def many_clients_may_come_at_once():
    with folder() as path, Machine("m", *BARE) as machine:
        clients = [subprocess.Popen([QOMET, "attach", "m", "-chardev", "file,id=c%d,path=%d" % (i, i),
                                     "-device", "isa-debugcon,id=d%d,chardev=c%d,iobase=%d" % (i, i, 0x400 + i)], cwd=path)
                   for i in range(30)]
        for client in clients:
            assert client.wait(timeout=TIMEOUT_S) == 0
        assert len(os.listdir(path)) == 30
        machine.detach("d7").expect(status=0)


def words_are_missing():
    for words in (("attach",), ("detach",), ("detach", "m"), ("detach", "m", "a", "b"), ("list", "m")):
        qomet(*words).expect(status=1, out="", err=re.compile(r"\Aqomet: usage: qomet %s( |\n)" % words[0]))


# ---- Names ----

def a_name_that_nothing_has_is_said():
    qomet("attach", "nobody", "-device", "isa-debugcon").expect(status=1, err="qomet: no machine of the name 'nobody' runs\n")
    with Machine("somebody", *BARE):
        qomet("detach", "somebode", "x").expect(
            status=1, err="qomet: no machine of the name 'somebode' runs (did you mean 'somebody'?)\n")


def of_two_machines_of_one_name_the_second_is_refused():
    with Machine("twin", *BARE) as twin:
        qomet(*BARE, "-name", "twin").expect(
            status=1, err="qomet: -name twin: a machine of the name 'twin' runs already (process %d)\n" % twin.process.pid)
        assert listed()["twin"][0] == str(twin.process.pid)


def of_many_that_start_at_once_one_gets_the_name():
    for _ in range(60 if os.environ.get("QOMET_TEST_LONG") else 15):
        # A name that a machine has left behind is what all of them find.
        os.makedirs(runtime_folder(), mode=0o700, exist_ok=True)
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(os.path.join(runtime_folder(), "one"))
        machines = [start("-accel", "qtest", "-M", "none", "-name", "one") for _ in range(8)]
        wait_for(lambda machines=machines: sum(machine.poll() is not None for machine in machines) >= 7)
        alive = [machine for machine in machines if machine.poll() is None]
        assert len(alive) == 1, [machine.communicate() for machine in machines]
        assert listed()["one"][0] == str(alive[0].pid)
        for machine in machines:
            machine.terminate()
            machine.communicate(timeout=TIMEOUT_S)
        assert os.listdir(runtime_folder()) == []


def who_changes_the_folder_has_it_alone():
    os.makedirs(runtime_folder(), mode=0o700, exist_ok=True)
    left = os.path.join(runtime_folder(), "left")
    with socket.socket(socket.AF_UNIX) as nobody:
        nobody.bind(left)
    held = os.open(runtime_folder(), os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    clients = [start("list"), start("-accel", "qtest", "-M", "none", "-name", "left")]
    made = os.stat(left).st_ino
    time.sleep(0.3)
    # It may be about to be listened at.
    assert os.stat(left).st_ino == made and clients[0].poll() is None
    os.close(held)
    assert clients[0].wait(timeout=TIMEOUT_S) == 0
    wait_for(lambda: "left" in listed(), clients[1])
    clients[1].terminate()
    for client in clients:
        client.communicate(timeout=TIMEOUT_S)
    assert clients[1].returncode == 0


def a_machine_that_was_killed_leaves_its_name():
    with Machine("dead", *BARE) as dead:
        dead.process.kill()
        dead.process.communicate()
    assert os.path.exists(os.path.join(runtime_folder(), "dead"))
    qomet("attach", "dead", "-device", "isa-debugcon").expect(status=1, err="qomet: no machine of the name 'dead' runs\n")
    assert not os.path.exists(os.path.join(runtime_folder(), "dead"))
    with Machine("dead", *BARE) as dead:
        dead.process.kill()
        dead.process.communicate()
    assert listed() == {}
    assert os.listdir(runtime_folder()) == []
    with Machine("dead", *BARE) as dead:
        dead.process.kill()
        dead.process.communicate()
    with Machine("dead", *BARE):
        pass
    assert os.listdir(runtime_folder()) == []


def a_name_may_hold_anything():
    for name in ("my-vm", "../up", ".hidden", "a/b", "a,b=c", "%41", "ärger"):
        with Machine(name, *BARE) as machine:
            assert len(os.listdir(runtime_folder())) == 1
            machine.attach("-device", "isa-debugcon,id=x").expect(status=0)
    qomet(*BARE, "-name", "x" * 200).expect(status=1, err=re.compile("too long"))


def machines_without_a_name_cannot_be_found():
    process = start(*BARE)
    try:
        time.sleep(0.1)
        assert listed() == {}
    finally:
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)


# ---- The folder ----

def without_a_runtime_folder_one_is_made_of_the_users_own():
    with folder() as path:
        env = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
        env["TMPDIR"] = path
        process = subprocess.Popen([QOMET, *BARE, "-name", "m"], env=env, stdin=subprocess.DEVNULL)
        own = os.path.join(path, "qomet-%d" % os.geteuid())
        wait_for(lambda: os.path.exists(os.path.join(own, "m")), process)
        assert stat.S_IMODE(os.stat(own).st_mode) == 0o700
        done = subprocess.run([QOMET, "list"], env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        assert re.match(r"m +%d +bare +running\n\Z" % process.pid, done.stdout), done
        process.terminate()
        assert process.wait(timeout=TIMEOUT_S) == 0
        assert os.listdir(own) == []


def a_folder_that_others_may_enter_is_not_used():
    with folder() as path:
        own = os.path.join(path, "qomet")
        os.mkdir(own)
        os.chmod(own, 0o755)
        for words in ((*BARE, "-name", "m"), ("attach", "m", "-device", "x"), ("list",)):
            qomet(*words, env={"XDG_RUNTIME_DIR": path}).expect(
                status=1, err=re.compile(r"folder '%s' is open to others \(mode 755\).* 700\n\Z" % re.escape(own)))
        os.rmdir(own)
        os.symlink("/tmp", own)
        qomet(*BARE, "-name", "m", env={"XDG_RUNTIME_DIR": path}).expect(status=1, err=re.compile("cannot open the folder"))
        qomet(*BARE, "-name", "m", env={"XDG_RUNTIME_DIR": path + "/none"}).expect(
            status=1, err=re.compile("cannot make the folder"))


# ---- Two users ----

class OtherUser:
    """A folder and a copy of the program that nobody, as a user, may use."""

    def __init__(self):
        need_root()
        self.folder = folder()
        self.path = self.folder.name
        os.chmod(self.path, 0o755)
        self.program = os.path.join(self.path, "qomet")
        shutil.copy(QOMET, self.program)
        self.runtime = os.path.join(self.path, "run")
        os.mkdir(self.runtime)
        os.chown(self.runtime, NOBODY, NOBODY)
        os.chmod(self.runtime, 0o700)
        self.env = dict(os.environ, XDG_RUNTIME_DIR=self.runtime)

    def popen(self, *words):
        def become_nobody():
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)

        return subprocess.Popen([self.program, *words], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, preexec_fn=become_nobody, cwd="/")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()


def what_the_machine_may_not_open_comes_from_the_caller():
    with OtherUser() as other, folder() as path, socket.socket(socket.AF_UNIX) as listener:
        test = os.path.join(other.runtime, "test")
        listener.bind(test)
        listener.listen(1)
        listener.settimeout(TIMEOUT_S)
        os.chmod(test, 0o777)
        process = other.popen(*BARE, "-name", "m", "-qtest", "unix:" + test)
        try:
            with listener.accept()[0] as tester, tester.makefile("rw") as lines:
                carry_files_over(path, other.env, lines)
        finally:
            process.kill()
            process.communicate()


def carry_files_over(path, env, lines):
    secret = os.path.join(path, "secret")
    with open(secret, "w", encoding="ascii") as file:
        file.write("old")
    os.chmod(secret, 0o600)
    words = ("-chardev", "file,id=c,path=secret", "-device", "isa-debugcon,id=con1,chardev=c")
    qomet("attach", "m", *words, "-device", "isa-debugcon,iobase=0x10000", cwd=path, env=env).expect(status=1)
    assert holds(secret) == "old"
    qomet("attach", "m", *words, cwd=path, env=env).expect(status=0, out="", err="")
    lines.write("outb 0xe9 65\n")
    lines.flush()
    assert lines.readline() == "OK\n"
    assert holds(secret) == "A"
    # One that is made belongs to the caller, and one that was made in vain goes.
    new = ("-chardev", "file,id=d,path=new", "-device", "isa-debugcon,id=con2,chardev=d,iobase=1")
    qomet("attach", "m", *new, "-device", "isa-debugcon,iobase=0x10000", cwd=path, env=env).expect(status=1)
    assert sorted(os.listdir(path)) == ["secret"]
    qomet("attach", "m", *new, cwd=path, env=env).expect(status=0, out="", err="")
    assert os.stat(os.path.join(path, "new")).st_uid == os.geteuid()
    qomet("attach", "m", "-chardev", "file,id=e,path=none/new", cwd=path, env=env).expect(
        status=1, err=re.compile("Could not open 'none/new': "))


def another_user_is_refused():
    need_root()
    with Machine("m", *BARE):
        # Even when the folder is open to all: the kernel says who asks.
        for place in (os.environ["XDG_RUNTIME_DIR"], runtime_folder(), os.path.join(runtime_folder(), "m")):
            os.chmod(place, 0o777)
        try:
            asks = ("import os, socket, sys; os.setgroups([]); os.setgid(%d); os.setuid(%d); s = socket.socket(socket.AF_UNIX);"
                    "s.connect(sys.argv[1]); print(s.makefile().read())" % (NOBODY, NOBODY))
            done = subprocess.run([sys.executable, "-c", asks, os.path.join(runtime_folder(), "m")], capture_output=True,
                                  text=True, timeout=TIMEOUT_S, check=False)
            assert "this machine belongs to another user" in done.stdout, done
        finally:
            for place in (os.environ["XDG_RUNTIME_DIR"], runtime_folder()):
                os.chmod(place, 0o700)


def somebody_elses_folder_is_not_used():
    with OtherUser() as other:
        os.mkdir(os.path.join(other.runtime, "qomet"), 0o700)
        process = other.popen(*BARE, "-name", "m")
        err = process.communicate(timeout=TIMEOUT_S)[1].decode()
        assert process.returncode == 1, err
        assert "cannot open the folder" in err or "belongs to the user 0" in err, err


tap([a_running_machine_gets_a_console_and_loses_it, a_machine_that_was_not_started_takes_devices_too,
     relative_paths_are_those_of_the_caller, what_fails_leaves_no_file_and_changes_none,
     a_question_is_answered_by_the_machine, what_a_running_machine_does_not_take_is_said, an_unknown_id_is_not_detached,
     many_clients_may_come_at_once, words_are_missing, a_name_that_nothing_has_is_said,
     of_two_machines_of_one_name_the_second_is_refused, of_many_that_start_at_once_one_gets_the_name, who_changes_the_folder_has_it_alone,
     a_machine_that_was_killed_leaves_its_name, a_name_may_hold_anything,
     machines_without_a_name_cannot_be_found, without_a_runtime_folder_one_is_made_of_the_users_own,
     a_folder_that_others_may_enter_is_not_used, what_the_machine_may_not_open_comes_from_the_caller,
     another_user_is_refused, somebody_elses_folder_is_not_used])

# SPDX-License-Identifier: MIT
"""What the tests of the command line share: running qomet, and TAP.

A test is a function whose name reads like a sentence; tap(tests) runs them all. A test fails by an exception and is
skipped by raising Skip(reason).
"""
import atexit
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

QOMET = os.path.abspath(os.environ.get("QOMET", "./qomet"))
TIMEOUT_S = 60

# Machines with a name are found in here, and never those of another test.
os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="qomet-cli-run-")
atexit.register(shutil.rmtree, os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)


class Skip(Exception):
    pass


class Run:
    """A finished run: status, out and err (text)."""

    def __init__(self, args, status, out, err):
        self.args, self.status, self.out, self.err = args, status, out, err

    def __repr__(self):
        return "%s\n  status %s\n  out %r\n  err %r" % (" ".join(self.args), self.status, self.out, self.err)

    def expect(self, status=None, out=None, err=None):
        """Compares; out and err are whole texts, or compiled patterns that are to be found."""
        wrong = status is not None and self.status != status
        for have, want in ((self.out, out), (self.err, err)):
            if want is not None:
                wrong = wrong or not (want.search(have) if isinstance(want, re.Pattern) else have == want)
        if wrong:
            raise AssertionError("expected status %r out %r err %r:\n%r" % (status, out, err, self))
        return self


def qomet(*args, env=None, stdin=subprocess.DEVNULL, cwd=None, **more):
    """Runs qomet to its end."""
    words = [QOMET] + [str(a) for a in args]
    full = dict(os.environ, **(env or {}))
    done = subprocess.run(words, env=full, stdin=stdin, cwd=cwd, stdout=more.pop("stdout", subprocess.PIPE),
                          stderr=subprocess.PIPE, timeout=TIMEOUT_S, **more)
    out = done.stdout.decode(errors="replace") if done.stdout is not None else None
    return Run(words, done.returncode, out, done.stderr.decode(errors="replace"))


def without_quarantine():
    """An environment in which what is freed is free at once: AddressSanitizer keeps it from use otherwise, and the
    program is as large as all that it ever had."""
    return dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + (
        ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0:allocator_release_to_os_interval_ms=0"))


def start(*args, **more):
    """Starts qomet and comes back at once."""
    for name in ("stdin", "stdout", "stderr"):
        more.setdefault(name, subprocess.DEVNULL if name == "stdin" else subprocess.PIPE)
    return subprocess.Popen([QOMET] + [str(a) for a in args], **more)


def wait_for(what, process=None):
    """Until @what() is true."""
    until = time.monotonic() + TIMEOUT_S
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        assert process is None or process.poll() is None, "the program has ended: %s" % (process.communicate(),)
        time.sleep(0.002)


def takes_signal(process, number):
    """Whether the process has a handler for a signal: one that comes earlier ends it by itself."""
    with open("/proc/%d/status" % process.pid, encoding="ascii") as file:
        return bool(int(re.search(r"^SigCgt:\s*(\w+)", file.read(), re.M)[1], 16) >> number - 1 & 1)


def listed(**more):
    """Name -> (process, machine, state) of the machines that run."""
    rows = [line.split(None, 3) for line in qomet("list", **more).expect(status=0, err="").out.splitlines()]
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


class Machine:
    """A machine with a name, for a with statement; at its end SIGTERM must give status 0 and nothing more be said."""

    def __init__(self, name, *words, **more):
        self.name = name
        self.env = more.get("env")
        self.process = start(*words, "-name", name.replace(",", ",,"), **more)
        wait_for(lambda: self.name in listed(env=self.env), self.process)

    def attach(self, *words, **more):
        return qomet("attach", self.name, *words, **more)

    def detach(self, name):
        return qomet("detach", self.name, name)

    def end(self, err=None):
        self.process.terminate()
        told = self.process.communicate(timeout=TIMEOUT_S)[1]
        assert self.process.returncode == 0, (self.process.returncode, told)
        assert err is None or told == err, told

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            if kind is None:
                self.end()
            else:
                self.process.kill()
                print("# the machine said: %r" % (self.process.communicate()[1],))


KVM_GET_API_VERSION, KVM_API_VERSION = 0xae00, 12


def need_kvm():
    try:
        with open("/dev/kvm", "rb+", buffering=0) as kvm:
            if fcntl.ioctl(kvm, KVM_GET_API_VERSION) != KVM_API_VERSION:
                raise Skip("no usable KVM: /dev/kvm has another API version")
    except OSError as error:
        raise Skip("no usable KVM: /dev/kvm: " + error.strerror) from None


def folder():
    """An empty folder, for a with statement."""
    return tempfile.TemporaryDirectory(prefix="qomet-cli-")


def tap(tests):
    print("1..%d" % len(tests))
    failed = 0
    for number, test in enumerate(tests, 1):
        name = test.__name__
        try:
            test()
            print("ok %d - %s" % (number, name))
        except Skip as reason:
            print("ok %d - %s # SKIP %s" % (number, name, reason))
        except Exception:  # pylint: disable=broad-except
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            print("not ok %d - %s" % (number, name))
        sys.stdout.flush()
    sys.exit(1 if failed else 0)

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


def start(*args, **more):
    """Starts qomet and comes back at once."""
    for name in ("stdin", "stdout", "stderr"):
        more.setdefault(name, subprocess.DEVNULL if name == "stdin" else subprocess.PIPE)
    return subprocess.Popen([QOMET] + [str(a) for a in args], **more)


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

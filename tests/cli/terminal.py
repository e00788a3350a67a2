# SPDX-License-Identifier: MIT
"""A program at a terminal, for tests."""
import fcntl
import os
import pty
import re
import select
import subprocess
import termios
import time

from cli import QOMET, TIMEOUT_S


class Terminal:
    """A program with a terminal of its own as its controlling one."""

    def __init__(self, *words):
        self.master, slave = pty.openpty()
        self.slave = os.dup(slave)
        self.unread = ""
        self.before = termios.tcgetattr(self.slave)

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([QOMET, *words], stdin=slave, stdout=slave, stderr=slave,
                                        preexec_fn=own_terminal)
        os.close(slave)

    def lflag(self):
        return termios.tcgetattr(self.slave)[3]

    def wait_raw(self):
        until = time.monotonic() + TIMEOUT_S
        while self.lflag() & termios.ICANON:
            assert time.monotonic() < until and self.process.poll() is None, "the terminal does not become raw"
            time.sleep(0.002)
        assert not self.lflag() & termios.ECHO

    def type(self, text):
        os.write(self.master, text)

    def shown(self):
        """What has been printed on the terminal."""
        text = b""
        while select.select([self.master], [], [], 0)[0]:
            try:
                more = os.read(self.master, 65536)
            except OSError:
                break
            if not more:
                break
            text += more
        return text.decode(errors="replace")

    def shows(self, pattern):
        """Waits until what is printed from now on has the pattern; that, up to its end. What follows is for the next call."""
        until = time.monotonic() + TIMEOUT_S
        while True:
            self.unread += self.shown()
            found = re.search(pattern, self.unread)
            if found:
                text, self.unread = self.unread[:found.end()], self.unread[found.end():]
                return text
            assert time.monotonic() < until, "waiting for %r: %r" % (pattern, self.unread)
            select.select([self.master], [], [], 0.1)

    def ends(self, status=0):
        self.process.wait(timeout=TIMEOUT_S)
        assert self.process.returncode == status, (self.process.returncode, self.shown())
        after = termios.tcgetattr(self.slave)
        assert after == self.before, (after, self.before)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for fd in (self.master, self.slave):
            try:
                os.close(fd)
            except OSError:
                pass

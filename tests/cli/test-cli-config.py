#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""-readconfig: options from a file in QEMU's form."""
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
from cli import QOMET, TIMEOUT_S, folder, qomet, tap  # noqa: E402

BOARD = """# A board with a console.
[machine]
  type = "bare"
  accel = "qtest"

[device "con"]
  driver = "isa-debugcon"
  iobase = "0xe9"
  chardev = "c"

[chardev "c"]
  backend = "file"
  path = "a,b"
[memory]
size="3M"
"""


def written(path, text):
    name = os.path.join(path, "board.cfg")
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    return name


def drive(path, said, *words):
    """Runs qomet with a test on its standard input; what it answered."""
    run = subprocess.run([QOMET, *words, "-nodefaults", "-qtest", "stdio"], input=said.encode(), cwd=path,
                         capture_output=True, timeout=TIMEOUT_S, check=False)
    assert (run.returncode, run.stderr) == (0, b""), run
    return run.stdout.decode()


def a_file_holds_what_the_command_line_would():
    with folder() as path:
        assert drive(path, "outb 0xe9 65\n", "-readconfig", written(path, BOARD)) == "OK\n"
        with open(os.path.join(path, "a,b"), "rb") as file:
            assert file.read() == b"A"


def options_beside_it_are_read_in_their_order():
    with folder() as path:
        name = written(path, '[device "con"]\n driver = "isa-debugcon"\n readback = "7"\n')
        words = ("-M", "bare", "-accel", "qtest", "-readconfig", name, "-device", "isa-debugcon,iobase=1,readback=8")
        answers = drive(path, "inb 0xe9\ninb 1\n", *words)
        assert answers == "OK 0x0000000000000007\nOK 0x0000000000000008\n", answers


def a_mistake_is_told_with_its_line():
    cases = (
        ("\n[devise]\n", r":2: there is no option group 'devise' \(did you mean 'device'\?\)"),
        ("x\n", r':1: expected KEY = "VALUE"'),
        ("[device]\n= \"x\"\n", r':2: expected KEY = "VALUE"'),
        ("[device]\ndriver = x\n", r':2: expected KEY = "VALUE"'),
        ("driver = \"x\"\n", r":1: a key before the first \[GROUP\]"),
        ("[device\n", r':1: expected \[GROUP\] or \[GROUP "ID"\]'),
        ("[device \"x\"\n", r':1: expected \[GROUP\] or \[GROUP "ID"\]'),
        ("[kernel]\n", r":1: there is no option group 'kernel'"),
    )
    with folder() as path:
        for text, message in cases:
            name = written(path, text)
            qomet("-readconfig", name).expect(
                status=1, err=re.compile(r"\Aqomet: -readconfig %s: %s%s\n\Z" % (re.escape(name), re.escape(name), message)))
        name = written(path, '\n[device "c"]\ndriver = "nope"\n')
        qomet("-readconfig", name).expect(
            status=1, err='qomet: %s:2: [device "c"]: \'nope\' is not a valid device model name\n' % name)


def what_is_no_text_is_refused():
    for name, reason in (("/nonexistent", "No such file"), ("/dev/zero", "is more than 1 MiB"), ("/", "is a directory")):
        qomet("-readconfig", name).expect(status=1, err=re.compile(re.escape(reason)))


tap([a_file_holds_what_the_command_line_would, options_beside_it_are_read_in_their_order, a_mistake_is_told_with_its_line,
     what_is_no_text_is_refused])

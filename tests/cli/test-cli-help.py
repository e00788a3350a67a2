#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Questions: each is answered on standard output, with status 0 and nothing on standard error."""
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
from cli import QOMET, Machine, qomet, tap  # noqa: E402


def answers(*args, out):
    return qomet(*args).expect(status=0, out=out, err="").out


def the_version():
    answers("-version", out=re.compile(r"\AQomet version [0-9]+\.[0-9.]+\n\Z"))
    answers("--version", out=re.compile(r"\AQomet version "))
    answers("-kernel", "missing", "-version", out=re.compile(r"\AQomet version "))


def the_options():
    text = answers("-help", out=re.compile(r"\Ausage: qomet \[OPTION\]"))
    assert text == answers("-h", out=None) == answers("--help", out=None)
    for option in ("-M, -machine TYPE", "-accel NAME", "-cpu MODEL", "-m [size=]SIZE", "-smp [cpus=]N", "-kernel FILE",
                   "-initrd FILE", "-append TEXT", "-bios FILE", "-display none", "-nographic", "-h, -help",
                   "-device DRIVER", "-object TYPE", "-global DRIVER", "-chardev BACKEND", "-serial WHERE",
                   "-module FILE.so", "-nodefaults", "-no-user-config", "-S", "-name", "-pidfile FILE", "-qtest unix:PATH",
                   "-qtest-log FILE", "-d ITEM", "-D FILE", "-version"):
        assert re.search(r"^  %s" % re.escape(option), text, re.M), option
    assert max(map(len, text.splitlines())) <= 110


def the_machines():
    text = answers("-M", "help", out=re.compile(r"\ASupported machines are:\n"))
    assert re.search(r"^bare +\S.*\(default\)$", text, re.M) and re.search(r"^none +\S", text, re.M)
    answers("-machine", "?", out=text)


def the_properties_of_a_machine():
    text = answers("-M", "bare,help", out=re.compile(r"\Abare options:\n"))
    for line in (r"  load-address=<uint64> +- .*\(default: .*\)", r"  long-mode=<bool> +- .*\(default: off\)",
                 r"  rax=<uint64> +- ", r"  kernel=<str> +- "):
        assert re.search("^" + line, text, re.M), line


def the_devices():
    text = answers("-device", "help", out=re.compile(r'^name "isa-debugcon", bus ISA, desc ".+"$', re.M))
    for name in ("isa-debug-exit", "isa-serial", "port-logger"):
        assert 'name "%s", bus ISA' % name in text
    assert "cpu" not in text
    names = re.findall(r'^name "([^"]+)"', text, re.M)
    assert names == sorted(names)


def the_properties_of_a_device():
    text = answers("-device", "isa-debugcon,help", out=re.compile(r"\Aisa-debugcon options:\n"))
    for line in (r"  iobase=<uint32>        - .*\(default: 233\)", r"  readback=<uint32>      - .*\(default: 233\)",
                 r"  chardev=<str>          - "):
        assert re.search("^" + line, text, re.M), (line, text)
    assert "realized" not in text
    lines = text.splitlines()[1:]
    assert lines == sorted(lines)


def what_is_accepted_is_listed():
    text = answers("-M", "bare,help", out=None)
    assert re.search(r"^  unassigned=<enum> +- .*, ignore/warn/stop \(default: warn\)$", text, re.M), text
    text = answers("-device", "isa-debug-exit,help", out=None)
    assert re.search(r"^  iosize=<uint32> +- .*, 1 to 65536 \(default: 2\)$", text, re.M), text
    text = answers("-device", "isa-serial,help", out=None)
    assert not re.search(r"\(default:.*\(default:", text), text


def accelerators_objects_backends_cpus_log_items():
    answers("-accel", "help", out=re.compile(r"^kvm .*\nqtest ", re.M))
    answers("-object", "help", out=re.compile(r"^  qtest$", re.M))
    answers("-object", "qtest,help", out=re.compile(r"^  address=<str> +- ", re.M))
    text = answers("-chardev", "help", out=re.compile(r"^null ", re.M))
    for name in ("file", "pty", "ringbuf", "socket", "stdio"):
        assert re.search("^%s " % name, text, re.M), name
    answers("-chardev", "file,help", out=re.compile(r"^  path=<str>", re.M))
    answers("-cpu", "help", out=re.compile(r"^host", re.M))
    answers("-d", "help", out=re.compile(r"^exits +\S.*\n(.*\n)*all ", re.M))
    answers("-display", "help", out=re.compile(r"^none$", re.M))


def a_question_is_answered_before_anything_is_opened():
    answers("-kernel", "missing", "-M", "bare", "-pidfile", "/nonexistent/x", "-device", "help",
            out=re.compile(r"isa-debugcon"))


def a_question_about_what_is_not_there_is_an_error():
    qomet("-device", "nope,help").expect(status=1, out="", err=re.compile(r"-device nope,help: 'nope' is not a valid"))
    qomet("-M", "nope,help").expect(status=1, out="", err=re.compile(r"-M nope,help: .*'nope'"))


def the_manual_page_and_the_completion_know_every_option():
    here = os.environ.get("abs_top_builddir", ".")
    text = answers("-help", out=None)
    options = re.findall(r"^  -([\w-]+)", text, re.M)
    assert len(options) > 25
    with open(os.path.join(here, "docs/qomet.1"), encoding="utf-8") as file:
        page = file.read().replace("\\-", "-")
    script = os.path.join(here, "options/completion/qomet")
    with open(script, encoding="utf-8") as file:
        completion = file.read()
    for option in options:
        assert re.search(r"fB-%s\\fR" % option, page), option
        assert re.search(r"[ \"]-%s " % option, completion), option
    # bash reads it, and it lists devices.
    done = subprocess.run(["bash", "-c", 'source "$0"; _qomet "$1" isa-debugc -device; echo "${COMPREPLY[@]}"; '
                           '_qomet "$1" -kern x; echo "${COMPREPLY[@]}"; _qomet "$1" ba -M; echo "${COMPREPLY[@]}"',
                           script, QOMET], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "isa-debugcon\n-kernel\nbare\n", done


def the_commands_are_known_like_options():
    here = os.environ.get("abs_top_builddir", ".")
    text = answers("-help", out=re.compile(r"\Ausage: qomet \[OPTION\]...\n       qomet attach NAME \[OPTION...\]\n"))
    with open(os.path.join(here, "docs/qomet.1"), encoding="utf-8") as file:
        page = file.read()
    for command in ("attach NAME", "detach NAME ID", "list"):
        assert re.search("^  qomet %s" % command, text, re.M), command
        assert page.count("fBqomet %s" % command.split()[0]) == 2, command
    with Machine("here", "-accel", "qtest", "-M", "none"):
        done = subprocess.run(["bash", "-c", 'source "$0"; _qomet "$1" h attach; echo "${COMPREPLY[@]}"; '
                               '_qomet "$1" det x; echo "${COMPREPLY[@]}"', os.path.join(here, "options/completion/qomet"),
                               QOMET], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "here\ndetach\n", done


tap([the_version, the_options, the_machines, the_properties_of_a_machine, the_devices, the_properties_of_a_device,
     what_is_accepted_is_listed, accelerators_objects_backends_cpus_log_items, a_question_is_answered_before_anything_is_opened,
     a_question_about_what_is_not_there_is_an_error, the_manual_page_and_the_completion_know_every_option,
     the_commands_are_known_like_options])

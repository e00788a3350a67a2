#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The program as a process: how it ends, its pid file, its log, and what it does without standard streams."""
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from cli import QOMET, TIMEOUT_S, Skip, folder, need_kvm, qomet, start, tap, wait_for  # noqa: E402

NONE = ("-accel", "qtest", "-M", "none")
BARE = ("-accel", "qtest", "-M", "bare", "-nodefaults")


def signals_end_it_with_status_0():
    with folder() as path:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            pidfile = os.path.join(path, "pid")
            process = start(*NONE, "-pidfile", pidfile)
            wait_for(lambda: os.path.exists(pidfile), process)
            process.send_signal(number)
            out, err = process.communicate(timeout=TIMEOUT_S)
            assert (process.returncode, out, err) == (0, b"", b""), (number, process.returncode, out, err)
            assert not os.path.exists(pidfile)


def a_signal_may_come_at_any_moment():
    # Before the program has taken its signals they end it the hard way; afterwards always with status 0.
    count = 200 if os.environ.get("QOMET_TEST_LONG") else 20
    for i in range(count):
        process = start(*BARE)
        time.sleep(i * 0.0005)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode in (0, -signal.SIGTERM), (i, process.returncode, err)


def a_pid_file_holds_the_id_and_a_lock():
    with folder() as path:
        pidfile = os.path.join(path, "pid")
        with open(pidfile, "w", encoding="ascii") as file:
            file.write("12345678901234567890\n")
        process = start(*NONE, "-pidfile", pidfile)
        wait_for(lambda: open(pidfile, encoding="ascii").read() == "%d\n" % process.pid, process)
        qomet(*NONE, "-pidfile", pidfile, "-qtest", "stdio").expect(
            status=1, err=re.compile(r"\Aqomet: -pidfile \S+: cannot lock .*another process.*\n\Z"))
        # The one that failed has not taken the file away.
        assert os.path.exists(pidfile)
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0 and not os.path.exists(pidfile)


def a_pid_file_of_somebody_else_is_left():
    with folder() as path:
        pidfile = os.path.join(path, "pid")
        process = start(*NONE, "-pidfile", pidfile)
        wait_for(lambda: os.path.exists(pidfile) and os.path.getsize(pidfile), process)
        os.rename(pidfile, pidfile + ".old")
        with open(pidfile, "w", encoding="ascii") as file:
            file.write("another\n")
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0 and open(pidfile, encoding="ascii").read() == "another\n"


def a_pid_file_goes_when_the_machine_cannot_be_made():
    with folder() as path:
        pidfile = os.path.join(path, "pid")
        qomet(*BARE, "-pidfile", pidfile, "-kernel", "/nonexistent/kernel").expect(status=1)
        assert not os.path.exists(pidfile)


def questions_survive_any_standard_output():
    with open("/dev/full", "wb") as full:
        assert qomet("-help", stdout=full).status == 0
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        for words in (("-help",), ("-device", "help"), ("-M", "bare,help")):
            run = qomet(*words, stdout=pipe)
            assert run.status == 0 and run.err == "", run
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        assert subprocess.run(["bash", "-c", '"$0" -help %s | cat >/dev/null; exit ${PIPESTATUS[0]}' % closed, QOMET],
                              timeout=TIMEOUT_S, check=False).returncode == 0, closed


def write_ports(words, stdout):
    """Runs a board with a console and writes to it over the socket of a test; the exit status."""
    with folder() as path:
        name = os.path.join(path, "socket")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(name)
            listener.listen(1)
            process = start(*BARE, *words, "-qtest", "unix:" + name, stdout=stdout, stderr=subprocess.DEVNULL)
            listener.settimeout(TIMEOUT_S)
            peer = listener.accept()[0]
        with peer, peer.makefile("rw") as lines:
            for letter in "abc\n":
                lines.write("outb 0xe9 %d\n" % ord(letter))
                lines.flush()
                assert lines.readline() == "OK\n"
        process.wait(timeout=TIMEOUT_S)
        return process.returncode


def a_device_prints_into_a_closed_pipe():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        assert write_ports(("-device", "isa-debugcon"), pipe) == 0


def a_device_prints_with_standard_output_full():
    with open("/dev/full", "wb") as full:
        assert write_ports(("-device", "isa-debugcon"), full) == 0


def no_standard_streams_at_all():
    with folder() as path:
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            pidfile = os.path.join(path, "pid")
            process = subprocess.Popen(["bash", "-c", 'exec "$@" %s' % closed, "-", QOMET, "-accel", "qtest", "-M", "bare",
                                        "-pidfile", pidfile])
            wait_for(lambda: os.path.exists(pidfile), process)
            process.terminate()
            assert process.wait(timeout=TIMEOUT_S) == 0, closed


def the_log_goes_to_its_file():
    with folder() as path:
        log = os.path.join(path, "log-%d")
        process = start(*NONE, "-d", "exits,guest_errors", "-D", log)
        name = os.path.join(path, "log-%d" % process.pid)
        wait_for(lambda: os.path.exists(name), process)
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0


def what_a_test_says_is_logged():
    with folder() as path:
        log = os.path.join(path, "log")
        run = subprocess.run([QOMET, *NONE, "-qtest", "stdio", "-qtest-log", log], input=b"endianness\nnope\n",
                             capture_output=True, timeout=TIMEOUT_S, check=False)
        assert (run.returncode, run.stdout, run.stderr) == (0, b"OK little\nFAIL Unknown command 'nope'\n", b""), run
        with open(log, encoding="ascii") as file:
            text = file.read()
        assert re.match(r"\[I \+\d+\.\d+\] OPENED\n\[R \+\S+\] endianness\n\[S \+\S+\] OK little\n\[R \+\S+\] nope\n"
                        r"\[S \+\S+\] FAIL .*\n\[I \+\S+\] CLOSED\n\Z", text), text


def a_test_on_standard_input_has_it_alone():
    run = subprocess.run([QOMET, "-M", "bare", "-qtest", "stdio"], input=b"inb 0x3fd\noutb 0x3f8 65\n",
                         capture_output=True, timeout=TIMEOUT_S, check=False)
    assert run.returncode == 0 and run.stdout == b"OK 0x00000000000000ff\nOK\n", run


def objects_on_chardevs_are_made_after_the_chardevs():
    said = b'{"execute":"qmp_capabilities"}{"execute":"quit"}'
    for words in ("monitor-qmp,id=m,chardev=c", '{"qom-type": "monitor-qmp", "id": "m", "chardev": "c"}'):
        run = subprocess.run([QOMET, "-M", "none", "-accel", "qtest", "-object", words, "-chardev", "stdio,id=c"], input=said,
                             capture_output=True, timeout=TIMEOUT_S, check=False)
        assert (run.returncode, run.stderr) == (0, b"") and run.stdout.startswith(b'{"QMP": '), run
    qomet("-M", "none", "-accel", "qtest", "-object", "monitor-qmp,id=m,chardev=d", "-chardev", "null,id=c").expect(
        status=1, err="qomet: -object monitor-qmp,id=m,chardev=d: property 'chardev' of 'monitor-qmp': can't find value 'd': no "
        "chardev has that id\n")
    need_kvm()
    with folder() as path:
        process = start("-M", "bare", "-S", "-nodefaults", "-object", "gdb-server,id=g,chardev=c", "-chardev",
                        "socket,id=c,path=%s/gdb,server=on,wait=off" % path)
        wait_for(lambda: os.path.exists(path + "/gdb"), process)
        process.terminate()
        assert process.wait(timeout=TIMEOUT_S) == 0
        process.communicate()


def words_that_libvirt_gives_are_taken():
    with folder() as path:
        pidfile = os.path.join(path, "pid")
        process = start("-S", "-no-user-config", "-nodefaults", "-nographic", "-machine", "none,accel=kvm:qtest",
                        "-name", "guest=vm,process=qomet-vm,debug-threads=on", "-display", "none", "-pidfile", pidfile)
        wait_for(lambda: os.path.exists(pidfile), process)
        wait_for(lambda: open("/proc/%d/comm" % process.pid, encoding="ascii").read() == "qomet-vm\n", process)
        process.terminate()
        out, err = process.communicate(timeout=TIMEOUT_S)
        assert (process.returncode, out, err) == (0, b"", b""), (process.returncode, out, err)


def a_limit_of_address_space_ends_no_program():
    def limited():
        # Room for the program and the guest, not for all that four vCPUs would like to reserve.
        resource.setrlimit(resource.RLIMIT_AS, (150 << 20, 150 << 20))

    if start("-version", preexec_fn=limited, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait() != 0:
        raise Skip("this build needs more address space")
    need_kvm()
    with folder() as path:
        kernel = os.path.join(path, "halt")
        with open(kernel, "wb") as file:
            file.write(b"\xf4")
        qomet("-M", "bare", "-nodefaults", "-smp", "4", "-kernel", kernel, preexec_fn=limited).expect(status=0, err="")


tap([signals_end_it_with_status_0, a_signal_may_come_at_any_moment, a_pid_file_holds_the_id_and_a_lock,
     a_pid_file_of_somebody_else_is_left, a_pid_file_goes_when_the_machine_cannot_be_made,
     questions_survive_any_standard_output, a_device_prints_into_a_closed_pipe,
     a_device_prints_with_standard_output_full, no_standard_streams_at_all, a_limit_of_address_space_ends_no_program,
     the_log_goes_to_its_file, what_a_test_says_is_logged, a_test_on_standard_input_has_it_alone,
     objects_on_chardevs_are_made_after_the_chardevs, words_that_libvirt_gives_are_taken])

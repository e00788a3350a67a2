#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a QMP monitor does with whatever is sent to it: each mistake is answered, and the next request is carried out."""
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from qmp import Machine  # noqa: E402
from cli import QOMET, TIMEOUT_S, folder, tap  # noqa: E402

NONE = ("-M", "none", "-accel", "qtest")
STATUS = b'{"execute": "query-status"}'


def wrong(machine, text, desc, errors=1):
    """Every mistake in @text is answered, the first as @desc says, and the monitor goes on."""
    machine.qmp.send(text)
    for number in range(errors):
        answer = machine.qmp.answer()
        assert answer.get("error", {}).get("class") == "GenericError", (text[:80], answer)
        assert number or re.search(desc, answer["error"]["desc"]), (text[:80], answer)
    assert machine.qmp.command("query-status")["status"] == "running"


def a_truncated_request_is_waited_for_and_forgotten_with_its_client():
    with folder() as path:
        where = os.path.join(path, "qmp")
        with Machine(*NONE, "-qmp", "unix:%s,server=on,wait=off" % where) as machine:
            for text in (b'{"execute": "qu', b'{"execute": "quit"', b"[[[[", b'"', b""):
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(where)
                    client.sendall(text)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(where)
                client.sendall(b'}{"execute": "qmp_capabilities"}')
                answers = client.makefile("rb")
                assert b'"QMP"' in answers.readline()
                assert b"not valid JSON at character 1" in answers.readline()
                assert json.loads(answers.readline()) == {"return": {}}
                answers.close()
            assert machine.qmp.command("query-status")["running"]


def a_token_of_64_mib_is_refused_or_taken():
    with Machine(*NONE, measured=True) as machine:
        before = machine.resident_bytes()
        wrong(machine, b'{"execute": "' + b"x" * (64 << 20) + b'"}', "it is too long")
        # One that is just small enough is a name that nobody knows.
        name = b"x" * ((64 << 20) - 100)
        machine.qmp.send(b'{"execute": "' + name + b'"}')
        answer = machine.qmp.answer()
        assert answer["error"]["class"] == "CommandNotFound", answer["error"]["desc"][:100]
        assert machine.qmp.command("query-status")["running"]
        assert machine.resident_bytes() < before + (16 << 20), machine.resident_bytes()


def depth_100000_is_refused():
    with Machine(*NONE) as machine:
        wrong(machine, b"[" * 100000 + b"\n", "nested too deeply")
        wrong(machine, b"[" * 100000 + b"]" * 100000, "nested too deeply")
        wrong(machine, b'{"execute": "query-status", "arguments": ' + b'{"a":' * 100000 + b"1" + b"}" * 100001,
              "nested too deeply")


def more_parts_than_2_million_are_refused():
    with Machine(*NONE) as machine:
        wrong(machine, b"[" + b"1," * (2 << 20) + b"1]", "too many parts")


def invalid_utf8_is_refused():
    with Machine(*NONE) as machine:
        for bad in (b"\xc3", b"\x80", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"):
            wrong(machine, b'{"execute": "query-' + bad + b'status"}', "it is not valid UTF-8")
        wrong(machine, b'{"execute": "\xff"}\n', "it is not valid UTF-8", errors=2)


def a_nul_is_refused():
    with Machine(*NONE) as machine:
        wrong(machine, b"\0", "control character")
        wrong(machine, b'{"execute": "query-\0status"}', "control character")
        wrong(machine, b'{"execute": "query-\\u0000status"}', r"a string cannot hold \\u0000")
        wrong(machine, b'{"execute"\0: "query-status"}', "control character")


def duplicate_keys_are_refused():
    with Machine(*NONE) as machine:
        wrong(machine, b'{"execute": "stop", "execute": "query-status"}', "'execute' is given twice")
        wrong(machine, b'{"execute": "stop", "id": {"a": 1, "\\u0061": 2}}', "'a' is given twice")


def numbers_past_2_to_the_64_are_refused():
    with Machine(*NONE) as machine:
        for number in (b"18446744073709551616", b"-9223372036854775809", b"1e999", b"1" + b"0" * 1000):
            wrong(machine, b'{"execute": "query-status", "id": ' + number + b"}", "out of range|too large")
        machine.qmp.send(b'{"execute": "query-status", "id": 18446744073709551615}')
        assert machine.qmp.answer()["id"] == 18446744073709551615
        machine.qmp.send(b'{"execute": "query-status", "id": -9223372036854775808}')
        assert machine.qmp.answer()["id"] == -9223372036854775808


def commands_arguments_and_types_that_are_not_there_are_named():
    with Machine(*NONE) as machine:
        machine.qmp.fails("CommandNotFound", "The command query-statsu has not been found (did you mean 'query-status'?)",
                          "query-statsu")
        machine.qmp.fails("GenericError", "Parameter 'speed' is unexpected", "stop", speed=1)
        machine.qmp.fails("GenericError", "Parameter 'fdname' is missing", "getfd")
        machine.qmp.fails("GenericError", "Invalid parameter type for 'fdname', expected: string", "getfd", fdname=[])
        machine.qmp.fails("DeviceNotFound", re.compile("isa-debugcom"), "device-list-properties", typename="isa-debugcom")


def lines_may_end_in_any_way_or_not_at_all():
    with Machine(*NONE) as machine:
        for end in (b"", b"\n", b"\r\n", b"\r", b"  \t\n\n"):
            machine.qmp.send(STATUS + end)
            assert "return" in machine.qmp.answer()
        for byte in STATUS:
            machine.qmp.send(bytes([byte]))
        assert "return" in machine.qmp.answer()


def a_client_may_begin_anew_with_byte_ff():
    with Machine(*NONE) as machine:
        wrong(machine, b'{"execute": ["\xff', "not valid UTF-8")


def garbage_does_no_harm():
    with open(QOMET, "rb") as program, Machine(*NONE) as machine:
        text = program.read(1 << 20) + b'\n\xff\n{"execute": "query-status", "id": "at last"}'
        # A client that does not read is not read from either.
        threading.Thread(target=machine.qmp.send, args=(text,), daemon=True).start()
        until = time.monotonic() + TIMEOUT_S
        while machine.qmp.answer().get("id") != "at last":
            assert time.monotonic() < until


def control_characters_on_standard_input_are_data():
    # Ctrl-a x would end a machine whose serial port is there.
    process = subprocess.Popen([QOMET, *NONE, "-qmp", "stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(b'{"execute": "qmp_capabilities"}\x01x\n{"execute": "quit"}\n')
    process.stdin.flush()
    lines = [json.loads(process.stdout.readline()) for _ in range(5)]
    assert "control character" in lines[2]["error"]["desc"], lines
    assert lines[3] == {"return": {}} and lines[4]["event"] == "SHUTDOWN", lines
    assert process.wait(timeout=TIMEOUT_S) == 0
    process.stdin.close()
    process.stdout.close()


tap([
    a_truncated_request_is_waited_for_and_forgotten_with_its_client,
    a_token_of_64_mib_is_refused_or_taken,
    depth_100000_is_refused,
    more_parts_than_2_million_are_refused,
    invalid_utf8_is_refused,
    a_nul_is_refused,
    duplicate_keys_are_refused,
    numbers_past_2_to_the_64_are_refused,
    commands_arguments_and_types_that_are_not_there_are_named,
    lines_may_end_in_any_way_or_not_at_all,
    a_client_may_begin_anew_with_byte_ff,
    garbage_does_no_harm,
    control_characters_on_standard_input_are_data,
])

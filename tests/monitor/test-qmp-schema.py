#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Introspection: query-qmp-schema makes sense in itself, agrees with the reference, and with QEMU where QEMU is installed."""
import os
import shutil
import sys

sys.dont_write_bytecode = True
from qmp import Machine  # noqa: E402
from cli import Skip, tap  # noqa: E402

NONE = ("-M", "none", "-accel", "qtest")
QEMU = "qemu-system-x86_64"


def schema(program=None):
    """The entries by name and kind (QEMU hides the names of types, not those of commands and events)."""
    with Machine("-M", "none", *(("-S", "-nodefaults") if program else NONE[2:]),
                 **({"program": program, "quiet": False} if program else {})) as machine:
        entries = machine.qmp.command("query-qmp-schema")
    assert len({row["name"] for row in entries}) == len(entries)
    return {row["name"]: row for row in entries}


def members(entries, name):
    """{member: (type, whether it must be there)} of an object type."""
    return {row["name"]: (row["type"], "default" not in row) for row in entries[name]["members"]}


def every_type_that_is_named_is_there():
    entries = schema()
    used = set()
    for row in entries.values():
        named = [row.get("element-type"), row.get("arg-type"), row.get("ret-type")]
        if row["meta-type"] == "object":
            named += [member["type"] for member in row["members"] + row.get("variants", [])]
        used.update(name for name in named if name)
        assert row["meta-type"] in ("builtin", "enum", "array", "object", "command", "event"), row
    assert used <= entries.keys(), used - entries.keys()
    types = {name for name, row in entries.items() if row["meta-type"] not in ("command", "event", "builtin")}
    assert types <= used, types - used


def commands_and_events_are_those_of_the_lists():
    entries = schema()
    with Machine(*NONE) as machine:
        for name, kind in (("query-commands", "command"), ("query-events", "event")):
            listed = {row["name"] for row in machine.qmp.command(name)}
            assert listed == {name for name, row in entries.items() if row["meta-type"] == kind}


def the_reference_has_them_all():
    path = os.path.join(os.environ["abs_top_builddir"], "docs/qmp-reference.md")
    with open(path, encoding="utf-8") as file:
        lines = set(file.read().splitlines())
    entries = schema()
    # Made for objects of several shapes, whose entries list the words.
    kinds = {members(entries, row["name"])[row["tag"]][0] for row in entries.values() if "tag" in row}
    for name, row in entries.items():
        if name in kinds:
            continue
        if row["meta-type"] in ("command", "event", "enum") or (row["meta-type"] == "object" and not name.startswith("q_")):
            assert "### " + name in lines, name


def what_qemu_has_too_takes_the_same_arguments():
    if not shutil.which(QEMU):
        raise Skip("there is no " + QEMU)
    ours, theirs = schema(), schema(QEMU)
    wrong = []
    for name, row in ours.items():
        if row["meta-type"] not in ("command", "event") or name not in theirs:
            continue
        here, there = (members(entries, entries[name]["arg-type"]) for entries in (ours, theirs))
        # Whoever says what must be said to QEMU is understood, and is asked for no more.
        wrong += [(name, member, "is not known here") for member, (_, must) in there.items() if must and member not in here]
        wrong += [(name, member, "must be there here only") for member, (_, must) in here.items()
                  if must and not there.get(member, (None, False))[1]]
        wrong += [(name, member, "is not known to QEMU") for member in here.keys() - there.keys()]
    assert not wrong, wrong


def what_qemu_has_too_returns_the_same_members():
    if not shutil.which(QEMU):
        raise Skip("there is no " + QEMU)
    ours, theirs = schema(), schema(QEMU)
    wrong = []

    def kind(row):
        """The kind of JSON value: words of an enum are strings."""
        return "string" if row["meta-type"] == "enum" else row.get("json-type", row["meta-type"])

    def compare(where, here, there):
        here, there = ours[here], theirs[there]
        if kind(there) != kind(here):
            if "value" not in (kind(here), kind(there)):
                wrong.append((where, kind(here), kind(there)))
        elif here["meta-type"] == "array":
            compare(where + "[]", here["element-type"], there["element-type"])
        elif here["meta-type"] == "object":
            have = {row["name"]: row["type"] for row in here["members"]}
            for row in there["members"]:
                if row["name"] in have:
                    compare(where + "." + row["name"], have[row["name"]], row["type"])
                elif "default" not in row:
                    wrong.append((where, row["name"], "is missing here"))

    for name, row in ours.items():
        if row["meta-type"] == "command" and name in theirs:
            compare(name, row["ret-type"], theirs[name]["ret-type"])
    assert not wrong, wrong


tap([
    every_type_that_is_named_is_there,
    commands_and_events_are_those_of_the_lists,
    the_reference_has_them_all,
    what_qemu_has_too_takes_the_same_arguments,
    what_qemu_has_too_returns_the_same_members,
])

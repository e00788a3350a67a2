#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Objects, their properties and their types over QMP."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from qmp import Machine  # noqa: E402
from cli import tap  # noqa: E402

BARE = ("-M", "bare", "-accel", "qtest", "-S", "-nodefaults", "-device", "isa-debugcon,id=con,iobase=0x1e9")
CON = "/machine/peripheral/con"


def by_name(infos):
    assert len({i["name"] for i in infos}) == len(infos), infos
    return {i["name"]: i for i in infos}


def a_list_names_properties_and_children_with_their_types():
    with Machine(*BARE) as machine:
        root = by_name(machine.qmp.command("qom-list", path="/"))
        assert root["machine"] == {"name": "machine", "type": "child<bare-machine>"}, root
        con = by_name(machine.qmp.command("qom-list", path=CON))
        for name, kind in (("type", "str"), ("iobase", "uint32"), ("realized", "bool"), ("parent_bus", "link<bus>"),
                           ("chardev", "str")):
            assert con[name] == {"name": name, "type": kind}, con[name]
        assert all(set(i) == {"name", "type"} for i in con.values())


def a_value_is_of_the_type_that_the_list_says():
    kinds = {"bool": bool, "str": str, "uint32": int, "uint64": int, "size": int}
    with Machine(*BARE) as machine:
        for path in ("/machine", CON):
            for info in machine.qmp.command("qom-list", path=path):
                value = machine.qmp.command("qom-get", path=path, property=info["name"])
                kind = kinds.get(info["type"], str if re.match("link<|child<", info["type"]) else None)
                assert kind is None or type(value) is kind, (info, value)


def every_object_tells_its_type():
    with Machine(*BARE) as machine:
        assert machine.qmp.command("qom-get", path=CON, property="type") == "isa-debugcon"
        assert machine.qmp.command("qom-get", path="/", property="type") == "container"
        machine.qmp.fails("GenericError", re.compile("'type' of 'isa-debugcon' is read-only"), "qom-set", path=CON,
                          property="type", value="x")


def children_and_links_are_paths():
    with Machine(*BARE) as machine:
        assert machine.qmp.command("qom-get", path="/machine", property="peripheral") == "/machine/peripheral"
        assert machine.qmp.command("qom-get", path=CON, property="parent_bus") == "/machine/isa.0"


def the_end_of_a_path_is_enough_where_only_one_has_it():
    with Machine(*BARE, "-device", "isa-debugcon,id=con2,iobase=0x1ea") as machine:
        assert machine.qmp.command("qom-get", path="con", property="iobase") == 0x1e9
        assert machine.qmp.command("qom-get", path="peripheral/con2", property="iobase") == 0x1ea
        machine.qmp.fails("GenericError", re.compile("Path 'debugcon' is ambiguous: it may be '/"), "qom-list", path="debugcon")


def a_path_that_leads_nowhere_is_told_with_the_nearest_one():
    with Machine(*BARE) as machine:
        for command in ({"name": "qom-list"}, {"name": "qom-get", "property": "type"},
                        {"name": "qom-set", "property": "iobase", "value": 1}):
            machine.qmp.fails("DeviceNotFound", "Device '/machine/peripheral/cont' not found (did you mean '%s'?)" % CON,
                              path="/machine/peripheral/cont", **command)
            machine.qmp.fails("DeviceNotFound", "Device '/quite-another' not found", path="/quite-another", **command)
            machine.qmp.fails("DeviceNotFound", "Device 'peripheri' not found (did you mean 'peripheral'?)", path="peripheri",
                              **command)
            machine.qmp.fails("GenericError", "Path '' is ambiguous: every object ends in it", path="", **command)


def a_property_that_is_not_there_is_told_with_the_nearest_one():
    with Machine(*BARE) as machine:
        wrong = "Property 'isa-debugcon.iobse' not found (did you mean 'iobase'?)"
        machine.qmp.fails("GenericError", wrong, "qom-get", path=CON, property="iobse")
        machine.qmp.fails("GenericError", wrong, "qom-set", path=CON, property="iobse", value=1)


def what_was_set_is_what_is_got():
    with Machine(*BARE) as machine:
        for name, value in (("guest-name", "a \"name\" \u00e9\u4e2d\U0001f600\n"), ("rax", 2 ** 64 - 1), ("rax", 2 ** 63),
                            ("rbx", 2 ** 63 - 1), ("cs", 0xffff), ("guest-name", "")):
            machine.qmp.command("qom-set", path="/machine", property=name, value=value)
            assert machine.qmp.command("qom-get", path="/machine", property=name) == value, name


def a_value_of_the_wrong_kind_or_size_changes_nothing():
    with Machine(*BARE) as machine:
        for name, value in (("cs", "1"), ("cs", True), ("cs", 1.5), ("cs", -1), ("cs", 2 ** 16), ("cs", None), ("cs", [1]),
                            ("cs", {"a": 1}), ("guest-name", 7), ("rax", -1), ("rax", "1G")):
            before = machine.qmp.command("qom-list-get", paths=["/machine"])
            machine.qmp.fails("GenericError", re.compile("property '%s' of 'bare-machine'" % name), "qom-set", path="/machine",
                              property=name, value=value)
            assert machine.qmp.command("qom-list-get", paths=["/machine"]) == before


def what_the_machine_was_made_of_is_not_set():
    with Machine(*BARE) as machine:
        machine.qmp.fails("GenericError", "property 'ram-size' of 'bare-machine' cannot change once the machine is made",
                          "qom-set", path="/machine", property="ram-size", value=1)


def a_realized_device_and_a_child_are_not_set():
    with Machine(*BARE) as machine:
        machine.qmp.fails("GenericError", re.compile("cannot change after realize"), "qom-set", path=CON, property="iobase",
                          value=5)
        machine.qmp.fails("GenericError", re.compile("is a child object"), "qom-set", path="/machine", property="peripheral",
                          value="/")


def several_objects_are_read_at_once():
    with Machine(*BARE) as machine:
        first, second = machine.qmp.command("qom-list-get", paths=[CON, "/machine"])
        values = by_name(first["properties"])
        assert values["iobase"] == {"name": "iobase", "type": "uint32", "value": 0x1e9}
        for path, object_ in ((CON, first), ("/machine", second)):
            listed = machine.qmp.command("qom-list", path=path)
            assert [{"name": p["name"], "type": p["type"]} for p in object_["properties"]] == listed
            for info in object_["properties"]:
                assert machine.qmp.command("qom-get", path=path, property=info["name"]) == info["value"]
        assert machine.qmp.command("qom-list-get", paths=[]) == []
        machine.qmp.fails("DeviceNotFound", re.compile("Device '/nope' not found"), "qom-list-get", paths=["/", "/nope"])
        machine.qmp.fails("GenericError", "Invalid parameter type for 'paths[1]', expected: string", "qom-list-get",
                          paths=["/", 1])


def an_answer_that_would_fill_the_memory_is_refused():
    with Machine(*BARE) as machine:
        properties = machine.qmp.command("qom-list-get", paths=["/machine"])[0]["properties"]
        several = machine.qmp.command("qom-list-get", paths=["/machine"] * 500)
        assert len(several) == 500 and several[0]["properties"] == several[-1]["properties"] == properties
        machine.qmp.fails("GenericError", re.compile(r"^'paths\[\d+\]' makes the answer longer than 64 MiB: "), "qom-list-get",
                          paths=["/machine"] * 200000)
        assert machine.qmp.command("query-status")["status"] == "prelaunch"


def walk(machine, path="/"):
    """What qom-tree says of @path, asked for one object after the other."""
    listed, = machine.qmp.command("qom-list-get", paths=[path])
    return {"name": path.rsplit("/", 1)[1] or "/",
            "properties": {p["name"]: p["value"] for p in listed["properties"] if not p["type"].startswith("child<")},
            "children": [walk(machine, p["value"]) for p in listed["properties"] if p["type"].startswith("child<")]}


def the_tree_is_all_that_can_be_asked_for_one_by_one():
    with Machine(*BARE, "-chardev", "ringbuf,id=log", "-name", "\"quoted\"\\ \u00e9") as machine:
        # Nothing changes in between but what the monitor itself is given to say.
        tree, walked = machine.qmp.command("qom-tree"), walk(machine)
        assert tree == walked, (tree, walked)
        part = machine.qmp.command("qom-tree", path=CON)
        assert part["name"] == "con" and part["properties"]["iobase"] == 0x1e9
        assert part["children"] == [c for c in walk(machine, CON)["children"]] != []
        machine.qmp.fails("DeviceNotFound", "Device '/nope' not found", "qom-tree", path="/nope")


def types_are_listed_by_what_they_implement():
    with Machine("-M", "none", "-accel", "qtest") as machine:
        def types(**args):
            return by_name(machine.qmp.command("qom-list-types", **args))
        machines = types(implements="machine")
        assert machines["none-machine"] == {"name": "none-machine", "parent": "machine"}, machines
        assert "machine" not in machines and "isa-debugcon" not in machines
        assert types(implements="machine", abstract=True)["machine"] == {"name": "machine", "parent": "object", "abstract": True}
        everything = types(abstract=True)
        assert everything["object"] == {"name": "object", "abstract": True}
        assert all(t.get("parent", "object") in everything for t in everything.values())
        assert set(types()) == {t["name"] for t in everything.values() if "abstract" not in t}
        assert types(implements="nope") == {}


def properties_of_a_type_are_those_of_its_objects():
    with Machine(*BARE) as machine:
        listed = by_name(machine.qmp.command("qom-list-properties", typename="isa-debugcon"))
        have = by_name(machine.qmp.command("qom-list", path=CON))
        assert {n: i["type"] for n, i in listed.items()} == {n: i["type"] for n, i in have.items()
                                                             if not i["type"].startswith("child<")}
        assert listed["iobase"] == {"name": "iobase", "type": "uint32", "description": "the port"}
        machine.qmp.fails("DeviceNotFound", "Class 'isa-debugcom' not found (did you mean 'isa-debugcon'?)",
                          "qom-list-properties", typename="isa-debugcom")
        machine.qmp.fails("GenericError", re.compile("'user-creatable' is an interface"), "qom-list-properties",
                          typename="user-creatable")


def properties_of_a_device_type_have_defaults_and_leave_out_the_common_ones():
    with Machine("-M", "none", "-accel", "qtest") as machine:
        listed = by_name(machine.qmp.command("device-list-properties", typename="isa-debugcon"))
        assert set(listed) == {"iobase", "readback", "chardev"}, listed
        assert listed["iobase"] == {"name": "iobase", "type": "uint32", "description": "the port", "default-value": 0xe9}
        machine.qmp.fails("DeviceNotFound", "Device 'isa-debugcom' not found (did you mean 'isa-debugcon'?)",
                          "device-list-properties", typename="isa-debugcom")
        for name in ("device", "none-machine", "user-creatable"):
            machine.qmp.fails("GenericError", "Parameter 'typename' expects a non-abstract device type",
                              "device-list-properties", typename=name)


tap([a_list_names_properties_and_children_with_their_types, a_value_is_of_the_type_that_the_list_says,
     every_object_tells_its_type, children_and_links_are_paths, the_end_of_a_path_is_enough_where_only_one_has_it,
     a_path_that_leads_nowhere_is_told_with_the_nearest_one, a_property_that_is_not_there_is_told_with_the_nearest_one,
     what_was_set_is_what_is_got, what_the_machine_was_made_of_is_not_set, a_value_of_the_wrong_kind_or_size_changes_nothing, a_realized_device_and_a_child_are_not_set,
     several_objects_are_read_at_once, an_answer_that_would_fill_the_memory_is_refused,
     the_tree_is_all_that_can_be_asked_for_one_by_one, types_are_listed_by_what_they_implement, properties_of_a_type_are_those_of_its_objects,
     properties_of_a_device_type_have_defaults_and_leave_out_the_common_ones])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What QMP says of the machine as a whole."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from qmp import Machine, QmpError  # noqa: E402
from cli import folder, need_kvm, tap  # noqa: E402

NOTHING = ("-M", "none", "-accel", "qtest")


def the_name_is_what_name_said():
    with Machine(*NOTHING, "-name", "demo") as machine:
        assert machine.qmp.command("query-name") == {"name": "demo"}


def without_name_there_is_none():
    with Machine(*NOTHING) as machine:
        assert machine.qmp.command("query-name") == {}


def kvm_is_present_and_enabled_where_it_is_used():
    with Machine(*NOTHING) as machine:
        assert machine.qmp.command("query-kvm") == {"enabled": False, "present": True}
    need_kvm()
    with Machine("-M", "none", "-accel", "kvm") as machine:
        assert machine.qmp.command("query-kvm") == {"enabled": True, "present": True}


def the_target_is_x86_64():
    with Machine(*NOTHING) as machine:
        assert machine.qmp.command("query-target") == {"arch": "x86_64"}


def machines_are_those_of_M_help():
    with Machine(*NOTHING) as machine:
        machines = {m["name"]: m for m in machine.qmp.command("query-machines")}
    assert machines["none"] == {"name": "none", "cpu-max": 1, "hotpluggable-cpus": False, "numa-mem-supported": False,
                                "deprecated": False}, machines["none"]
    assert machines["bare"] == {"name": "bare", "cpu-max": 255, "hotpluggable-cpus": False, "numa-mem-supported": False,
                                "deprecated": False, "is-default": True, "default-cpu-type": "qemu64-x86_64-cpu",
                                "default-ram-id": "ram"}, machines["bare"]


def a_machine_without_cpus_or_memory_has_none():
    with Machine(*NOTHING) as machine:
        assert machine.qmp.command("query-cpus-fast") == []
        assert machine.qmp.command("query-memory-size-summary") == {"base-memory": 0, "plugged-memory": 0}


def memory_is_what_m_said():
    with Machine("-M", "bare", "-accel", "qtest", "-S", "-serial", "null", "-m", "48") as machine:
        assert machine.qmp.command("query-memory-size-summary") == {"base-memory": 48 << 20, "plugged-memory": 0}


def each_vcpu_is_a_thread_of_the_process():
    need_kvm()
    with folder() as path:
        with open(path + "/hlt", "wb") as guest:
            guest.write(b"\xf4")
        vcpus_are_threads(path + "/hlt")


def vcpus_are_threads(guest):
    with Machine("-M", "bare", "-S", "-nodefaults", "-smp", "3", "-kernel", guest) as machine:
        cpus = machine.qmp.command("query-cpus-fast")
        threads = {int(t) for t in os.listdir("/proc/%d/task" % machine.process.pid)}
        paths = [c["qom-path"] for c in cpus]
        assert paths == ["/machine/cpu[0]", "/machine/cpu[1]", "/machine/cpu[2]"], paths
        ids = [c["thread-id"] for c in cpus]
        assert len(set(ids)) == 3 and set(ids) <= threads - {machine.process.pid}, (ids, threads)
        for index, cpu in enumerate(cpus):
            assert cpu["cpu-index"] == index and cpu["target"] == "x86_64"
            assert cpu["props"] == {"socket-id": 0, "core-id": index, "thread-id": 0}


def the_options_of_the_command_line_can_be_asked_for():
    with Machine(*NOTHING) as machine:
        options = {o["option"]: {p["name"]: p for p in o["parameters"]} for o in machine.qmp.command("query-command-line-options")}
        assert {"machine", "memory", "smp-opts", "chardev", "device", "object", "global", "name", "accel", "mon"} <= set(options)
        assert options["device"] == {} and set(options["memory"]) == {"size"}
        assert options["memory"]["size"]["type"] == "size" and options["name"]["debug-threads"]["type"] == "boolean"
        assert {"type", "accel", "smp", "load-address"} <= set(options["machine"])
        size = options["chardev"]["size"]
        assert (size["type"], size["default"]) == ("size", "64K") and options["chardev"]["server"]["default"] == "off"
        one, = machine.qmp.command("query-command-line-options", option="smp-opts")
        assert one["option"] == "smp-opts"
        assert one["parameters"][0] == {"name": "cpus", "type": "number", "help": "the number of CPUs"}
        assert {p["name"] for p in one["parameters"]} == {"cpus", "sockets", "dies", "clusters", "cores", "threads", "maxcpus"}
        machine.qmp.fails("GenericError", "invalid option name: smpopts (did you mean 'smp-opts'?)", "query-command-line-options",
                          option="smpopts")


def queries_take_no_arguments():
    with Machine(*NOTHING) as machine:
        for name in ("query-name", "query-kvm", "query-target", "query-machines", "query-cpus-fast",
                     "query-memory-size-summary"):
            machine.qmp.fails("GenericError", "Parameter 'x' is unexpected", name, x=1)
            try:
                machine.qmp.command(name, {"": None})
                raise AssertionError(name)
            except QmpError as error:
                assert error.desc == "Parameter '' is unexpected", error


tap([the_name_is_what_name_said, without_name_there_is_none, kvm_is_present_and_enabled_where_it_is_used,
     the_target_is_x86_64, machines_are_those_of_M_help, a_machine_without_cpus_or_memory_has_none, memory_is_what_m_said,
     each_vcpu_is_a_thread_of_the_process, the_options_of_the_command_line_can_be_asked_for, queries_take_no_arguments])

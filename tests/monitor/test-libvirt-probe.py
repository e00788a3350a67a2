#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What libvirt 9.0 asks a program before it counts it among its emulators: every question, in its order, with the answers that
it cannot do without. Written down from its log (virsh domcapabilities --emulatorbin); libvirt itself is not needed here.
"""
import os
import sys

sys.dont_write_bytecode = True
from qmp import Machine, Qmp, connect  # noqa: E402
from cli import Skip, folder, need_kvm, qomet, tap, wait_for  # noqa: E402

# What it asks about where qom-list-types names the type, and some of these where it does not.
DEVICES = """virtio-blk-pci virtio-net-pci virtio-scsi-pci virtio-net-ccw virtio-scsi-ccw vfio-pci scsi-hd ide-hd PIIX4_PM usb-redir
    usb-storage kvm-pit VGA vmware-svga qxl virtio-gpu-pci virtio-gpu-device ICH9-LPC virtio-balloon-pci virtio-balloon-ccw
    virtio-balloon-device intel-iommu mch nvdimm pcie-root-port usb-host vhost-user-fs-device virtio-mem-pci virtio-iommu-pci""".split()
OBJECTS = ["memory-backend-file", "memory-backend-memfd", "max-x86_64-cpu"]
# It does without an answer to these.
MAY_BE_UNKNOWN = ["query-cpu-definitions", "query-tpm-models", "query-tpm-types", "query-sev-capabilities",
                  "query-sgx-capabilities"]


class Probe:
    """The program as libvirt starts it."""

    def __init__(self):
        try:
            need_kvm()
            accel = "kvm:tcg"
        except Skip:
            accel = "kvm:tcg:qtest"
        self.folder = folder()
        where, self.pidfile = self.folder.name + "/qmp.monitor", self.folder.name + "/qmp.pid"
        qomet("-S", "-no-user-config", "-nodefaults", "-nographic", "-machine", "none,accel=" + accel, "-qmp",
              "unix:%s,server=on,wait=off" % where, "-pidfile", self.pidfile, "-daemonize").expect(status=0, out="", err="")
        self.qmp = Qmp(connect(where))

    def __enter__(self):
        return self.qmp

    def __exit__(self, *_):
        self.qmp.command("quit")
        wait_for(lambda: not os.path.exists(self.pidfile))
        self.qmp.close()
        self.folder.cleanup()


def ask_of_types(qmp, types):
    for name in DEVICES:
        answer = qmp.ask("device-list-properties", typename=name)
        if name in types:
            assert all({"name", "type"} <= row.keys() for row in answer["return"]), answer
        else:
            assert answer["error"] == {"class": "DeviceNotFound", "desc": "Device '%s' not found" % name}, answer
    for name in OBJECTS:
        # An error would be the end of libvirt itself.
        assert all({"name", "type"} <= row.keys() for row in qmp.command("qom-list-properties", typename=name)), name


def every_question_of_libvirt_has_an_answer_that_it_can_go_on_with():
    with Probe() as qmp:
        version = qmp.command("query-version")
        assert (version["qemu"]["major"], version["qemu"]["minor"]) >= (4, 2) and isinstance(version["package"], str)
        assert qmp.command("query-target") == {"arch": "x86_64"}
        schema = qmp.command("query-qmp-schema")
        assert all({"name", "meta-type"} <= row.keys() for row in schema)
        commands = {row["name"] for row in qmp.command("query-commands")}
        assert {row["name"] for row in schema if row["meta-type"] == "command"} == commands
        assert qmp.command("query-kvm").keys() == {"enabled", "present"}
        types = {row["name"] for row in qmp.command("qom-list-types")}
        assert set(OBJECTS) <= types
        ask_of_types(qmp, types)
        machines = {row["name"]: row for row in qmp.command("query-machines")}
        assert all({"name", "cpu-max", "hotpluggable-cpus"} <= row.keys() for row in machines.values())
        assert any(row["name"] == "memory-backend" for row in qmp.command("qom-list-properties", typename="none-machine"))
        for name in MAY_BE_UNKNOWN:
            answer = qmp.ask(name)
            assert name in commands or answer["error"]["class"] == "CommandNotFound", answer
        options = {row["option"]: row["parameters"] for row in qmp.command("query-command-line-options")}
        assert all({"name", "type"} <= parameter.keys() for row in options.values() for parameter in row)
        # An error here would make it give up.
        assert qmp.command("query-migrate-capabilities") == []


def types_that_libvirt_knows_of_have_the_properties_that_it_looks_for():
    with Machine("-M", "none", "-accel", "qtest") as machine:
        rows = {row["name"]: row["type"]
                for row in machine.qmp.command("qom-list-properties", typename="memory-backend-file")}
        for name, kind in (("size", "size"), ("share", "bool"), ("mem-path", "str"), ("discard-data", "bool"), ("align", "size"),
                           ("prealloc", "bool"), ("prealloc-threads", "uint32"), ("merge", "bool"), ("dump", "bool"),
                           ("reserve", "bool")):
            assert rows.get(name) == kind, (name, rows.get(name))
        rows = {row["name"] for row in machine.qmp.command("qom-list-properties", typename="memory-backend-memfd")}
        assert {"hugetlb", "hugetlbsize", "seal"} <= rows


tap([every_question_of_libvirt_has_an_answer_that_it_can_go_on_with,
     types_that_libvirt_knows_of_have_the_properties_that_it_looks_for])

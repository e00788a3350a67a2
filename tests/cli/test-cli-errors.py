#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Bad words: what qomet says about them, in one line that begins with the option as it was given, and status 1."""
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
from cli import QOMET, Skip, folder, need_kvm, qomet, tap  # noqa: E402

# No CPU, so that these are the same without KVM.
BARE = ("-accel", "qtest", "-M", "bare")


def fails(*args, err, **more):
    """Exactly @err after "qomet: ", or a pattern of it; one line, nothing on standard output."""
    run = qomet(*args, **more)
    pattern = err.pattern if isinstance(err, re.Pattern) else re.escape(err)
    run.expect(status=1, out="", err=re.compile(r"\Aqomet: (?:%s)\n\Z" % pattern))


def an_unknown_device():
    fails("-device", "nope", err="-device nope: 'nope' is not a valid device model name")
    fails("--device", "nope", err="--device nope: 'nope' is not a valid device model name")
    fails("-device", "isa-debugcom,iobase=1", err="-device isa-debugcom,iobase=1: 'isa-debugcom' is not a valid "
          "device model name (did you mean 'isa-debugcon'?)")
    fails("-device", '{"driver": "nope"}', err="-device {\"driver\": \"nope\"}: 'nope' is not a valid device model name")
    fails("-device", "bare-machine", err="-device bare-machine: 'bare-machine' is not a valid device model name")
    fails("-device", "device", err=re.compile(r"-device device: Parameter 'driver' expects a non-abstract device type: .*"))
    fails("-device", "iobase=1", err=re.compile(r"-device iobase=1: Parameter 'driver' is missing: .*"))
    fails("-device", "", err=re.compile(r"-device : Parameter 'driver' is missing: .*"))


def an_unknown_machine_names_the_nearest():
    fails("-M", "bear", err=re.compile(r"-M bear: .*\bbear\b.*\bbare\b.*"))
    fails("-machine", "type=nowhere", err=re.compile(r"-machine type=nowhere: .*'nowhere'.*"))


def an_unknown_accelerator_names_the_nearest():
    fails("-accel", "kvn", err=re.compile(r"-accel kvn: .*'kvn'.*'kvm'.*"))
    fails("-M", "none,accel=kvn", err=re.compile(r"-M none,accel=kvn: .*'kvn'.*'kvm'.*"))
    fails("-accel", "", err=re.compile(r"-accel : .+"))


def an_unknown_object_or_chardev_or_cpu():
    fails("-object", "qtesd,id=x", err="-object qtesd,id=x: 'qtesd' is not a type of object that can be made "
          "(did you mean 'qtest'?)")
    fails("-object", "id=x", err=re.compile(r"-object id=x: 'qom-type' is missing: .*"))
    fails("-chardev", "nul,id=x", err=re.compile(r"-chardev nul,id=x: 'nul' is not a valid char driver name.*'null'.*"))
    fails("-chardev", "null", err=re.compile(r"-chardev null: .*'id'.*"))
    fails("-cpu", "hosd", err=re.compile(r"-cpu hosd: 'hosd' is not a CPU model.*'host'.*"))
    fails(*BARE, "-serial", "nowhere", err=re.compile(r"-serial nowhere: .+"))
    fails(*BARE, *["-serial", "null"] * 4, "-serial", "file:/dev/null",
          err=re.compile(r"-serial file:/dev/null: Max. supported number .* 4\."))


def an_unknown_property_names_the_nearest():
    fails(*BARE, "-device", "isa-debugcon,iobas=1", err=re.compile(r"-device isa-debugcon,iobas=1: .*iobas.*'iobase'.*"))
    fails("-M", "bare,load-adress=1", err=re.compile(r"-M bare,load-adress=1: .*load-adress.*'load-address'.*"))
    fails("-m", "size=1,colour=red", err=re.compile(r"-m size=1,colour=red: .*colour.*"))


FW_BOARD = "machine fw\n\nfw: fw_cfg_io at port 0x510, port 0x514\n"


def words_for_the_firmware_that_are_wrong():
    fails(*BARE, "-fw_cfg", "opt/a,string=b", err="-fw_cfg opt/a,string=b: this machine has no fw_cfg device")
    fails(*BARE, "-fw_cfg", "string=b", err=re.compile(r"-fw_cfg string=b: 'name' is missing: .*"))
    fails(*BARE, "-fw_cfg", "opt/a", err=re.compile(r"-fw_cfg opt/a: one of 'file' and 'string' .*"))
    fails(*BARE, "-fw_cfg", "opt/a,string=b,file=c", err=re.compile(r"-fw_cfg opt/a,\S+: one of 'file' and 'string' .*"))
    with folder() as path:
        board = os.path.join(path, "fw.board")
        with open(board, "w", encoding="ascii") as out:
            out.write(FW_BOARD)
        words = ("-accel", "qtest", "-board", board, "-M", "fw", "-fw_cfg")
        fails(*words, "opt/a,file=/nonexistent/f", err=re.compile(r"-fw_cfg opt/a,\S+: .*/nonexistent/f.*No such file.*"))
        fails(*words, "opt/a,string=b", "-fw_cfg", "opt/a,string=c",
              err="-fw_cfg opt/a,string=c: there is a fw_cfg file 'opt/a' already")
        long = "opt/" + "x" * 52
        fails(*words, long + ",string=", err=re.compile(r"-fw_cfg \S+: '%s' is no name .* 56 characters, .* 1 to 55" % long))
        many = [word for n in range(33) for word in ("-fw_cfg", "opt/%d,string=" % n)]
        fails(*words[:-1], *many, err=re.compile(r"-fw_cfg opt/32,string=: there is no room .* 32, .*x-file-slots.*"))


def values_that_are_wrong():
    fails(*BARE, "-device", "isa-debugcon,iobase=0x100000000",
          err=re.compile(r"-device isa-debugcon,iobase=0x100000000: .*iobase.*0x100000000.*"))
    fails(*BARE, "-device", "isa-debugcon,iobase=x", err=re.compile(r"-device isa-debugcon,iobase=x: .*iobase.*'x'.*"))
    fails(*BARE, "-device", "isa-debugcon,iobase=0x10000",
          err=re.compile(r"-device isa-debugcon,iobase=0x10000: .+"))
    fails(*BARE, "-device", '{"driver": "isa-debugcon", "iobase": "x"}', err=re.compile(r"-device \{.*iobase.*"))
    fails("-M", "bare,on-halt=never", err=re.compile(r"-M bare,on-halt=never: .*on-halt.*never.*exit.*wait.*"))
    fails("-M", "bare,long-mode=maybe", err=re.compile(r"-M bare,long-mode=maybe: .*long-mode.*maybe.*"))
    fails("-M", "bare,cs=0x10000", err=re.compile(r"-M bare,cs=0x10000: .*cs.*"))


def sizes_of_memory():
    for size in ("0", "1E", "-1", "x", "1.5.2G", "99999999999999999999", "size=", "1K"):
        fails("-m", size, err=re.compile(r"-m %s: .+" % re.escape(size)))
    fails("-m", "", err=re.compile(r"-m : .+"))
    fails("-m", "0", err="-m 0: '0' is no size for the guest's memory, accepted are 4K to 256G")


def numbers_of_cpus():
    for number in ("0", "-1", "x", "100000", "4294967297", "cpus=", "2,sockets=4", "cores=0", "2,threads=x",
                   "2,dies=2", "2,maxcpus=4", "4,maxcpus=2", "sockets=1000"):
        fails("-smp", number, err=re.compile(r"-smp %s: .+" % re.escape(number)))
    fails("-smp", "4,cores=3", err="-smp 4,cores=3: sockets (1) * cores (3) * threads (1) must be the number of vCPUs, maxcpus (4)")
    fails("-smp", "2,maxcpus=4", err="-smp 2,maxcpus=4: maxcpus (4) is more than the number of vCPUs, 2: none can be added to a "
          "machine that runs")
    fails("-smp", "2,core=1", err="-smp 2,core=1: unexpected parameter 'core' (did you mean 'cores'?)")


def features_of_cpus():
    need_kvm()
    fails("-accel", "kvm", "-cpu", "qemu64,+avx22", err="-cpu qemu64,+avx22: 'avx22' is no feature of a CPU (did you mean 'avx2'?)")
    fails("-accel", "kvm", "-cpu", "host,sse9.9.9=on", err="-cpu host,sse9.9.9=on: Property 'host-x86_64-cpu.sse9.9.9' not found")
    fails("-accel", "kvm", "-cpu", "max,avx2=maybe", err="-cpu max,avx2=maybe: avx2: 'maybe' is not a bool, accepted are on, off")
    fails("-accel", "kvm", "-S", "-cpu", "qemu64,enforce,+ia64", err="host doesn't support requested feature: CPUID.01H:EDX.ia64 [bit 30]")


def the_same_name_twice():
    fails(*BARE, "-device", "isa-debugcon,id=a", "-device", "port-logger,id=a",
          err=re.compile(r"-device port-logger,id=a: .*'a'.*"))
    fails("-chardev", "null,id=a", "-chardev", "null,id=a", *BARE, err=re.compile(r"-chardev null,id=a: .*'a'.*"))
    fails(*BARE, "-device", "isa-debugcon,id=1a", err=re.compile(r"-device isa-debugcon,id=1a: .+"))
    fails(*BARE, "-device", "isa-debugcon,id=a/b", err=re.compile(r"-device isa-debugcon,id=a/b: .+"))


def two_devices_on_one_port_are_both_named():
    fails(*BARE, "-device", "isa-debugcon,iobase=0x3fa,id=talk",
          err=re.compile(r"-device isa-debugcon,iobase=0x3fa,id=talk: .*(isa-serial|serial).*"))
    fails(*BARE, "-nodefaults", "-device", "isa-debugcon,id=one", "-device", "port-logger,iobase=0xe8,iosize=4,id=two",
          err=re.compile(r"-device port-logger,iobase=0xe8,iosize=4,id=two: (?=.*one).*two.*"))


def kernels_that_cannot_be_loaded():
    with folder() as path:
        empty, whole, big = (os.path.join(path, name) for name in ("empty", "whole", "big"))
        open(empty, "w").close()
        with open(whole, "wb") as file:
            file.write(b"\xf4")
        with open(big, "wb") as file:
            file.truncate(64 << 20)
        missing = os.path.join(path, "missing")
        for name in (missing, empty, path, big, "/dev/zero"):
            fails(*BARE, "-kernel", name, err=re.compile(r"-kernel %s: .+" % re.escape(name)))
        fails("-accel", "qtest", "-M", "bare,load-address=0x1000000", "-kernel", whole,
              err=re.compile(r"-kernel .*: .*0x1000000.*"))
        fails("-accel", "qtest", "-M", "bare,load-address=0xffffffffffffffff", "-kernel", whole,
              err=re.compile(r"-kernel .*: .+"))
        if os.geteuid() != 0:
            os.chmod(whole, 0)
            fails(*BARE, "-kernel", whole, err=re.compile(r"-kernel .*: .*ermission.*"))


def places_that_the_tables_of_a_mode_need():
    with folder() as path:
        whole = os.path.join(path, "whole")
        with open(whole, "wb") as file:
            file.write(b"\xf4")

        def refused(mode, load, memory, why, *more):
            fails("-accel", "qtest", "-M", "bare,%s=on,load-address=%s" % (mode, load), "-m", memory, "-kernel", whole,
                  *more, err=re.compile(r"-kernel .*: .*%s.*" % why))

        for load in ("0xff9000", "0xffafff", "0xfff000", "0xffffff"):
            refused("long-mode", load, "16M", "%s is in the tables of this mode, 0xff9000 to 0xffffff" % load)
        refused("protected-mode", "0xfff000", "16M", "in the tables of this mode, 0xfff000 to 0xffffff")
        # A byte below them is the last that is free; in real mode there are none.
        for machine in ("bare,long-mode=on,load-address=0xff8fff", "bare,load-address=0xfff000,cs=0xff00,entry=0"):
            qomet("-accel", "qtest", "-M", machine, "-m", "16M", "-kernel", whole, "-qtest", "stdio").expect(status=0)
        refused("long-mode", "0x1000", "28K", "the stacks of 1 vCPUs take 4 KiB, and below the tables .* 0 KiB.*-m")
        refused("protected-mode", "0x1000", "64K", "the stacks of 16 vCPUs take 64 KiB.*60 KiB.*", "-smp", "16")


def options_that_the_machine_has_no_use_for():
    fails(*BARE, "-initrd", "x", err=re.compile(r"-initrd.*"))
    fails(*BARE, "-bios", "x", err=re.compile(r"-bios.*"))


def modules_that_are_none():
    with folder() as path:
        text = os.path.join(path, "text.so")
        with open(text, "w", encoding="ascii") as file:
            file.write("this is no module\n")
        missing = os.path.join(path, "missing.so")
        for name in (text, missing, path):
            fails("-module", name, err=re.compile(r"-module %s: .+" % re.escape(name)))


def options_that_are_none():
    fails("-devise", "x", err="-devise: invalid option (did you mean '-device'?)")
    fails("hi.bin", err="hi.bin: not an option ('-kernel FILE' names what the machine starts)")
    fails("-kernel", err="-kernel: requires an argument: FILE")
    fails("-display", "gtk", err="-display gtk: 'gtk' is not a display, accepted is none")
    fails("-d", "everything", err=re.compile(r"-d everything: 'everything' .*exits.*"))
    fails("-D", "/nonexistent/log", err=re.compile(r"-D /nonexistent/log: .*No such file.*"))
    fails("-qtest", "unix:/nonexistent/socket", err=re.compile(r"-qtest unix:/nonexistent/socket: .*No such file.*"))
    fails("-qtest", "tcp:1", err=re.compile(r"-qtest tcp:1: .*unix:PATH.*"))
    fails("-qtest-log", "x", "-accel", "qtest", err=re.compile(r"-qtest-log x: .*"))
    fails("-pidfile", "/nonexistent/pid", err=re.compile(r"-pidfile /nonexistent/pid: .*No such file.*"))


def json_that_does_not_parse():
    for words in ('{"driver": ', '{"driver": "x", "driver": "y"}', '{"driver": 1}', "{}"):
        fails("-device", words, err=re.compile(r"-device %s: .+" % re.escape(words)))


def a_global_that_is_never_used_is_warned_of():
    def warns(text, reason, *more):
        run = qomet("-accel", "qtest", "-M", "none", "-nodefaults", "-global", text, *more,
                    "-qtest", "stdio")
        run.expect(status=0, err="qomet: warning: global '%s' has no effect: %s\n" % (text, reason))

    warns("nope.iobase=1", "there is no type 'nope'")
    warns("isa-debugcom.iobase=1", "there is no type 'isa-debugcom' (did you mean 'isa-debugcon'?)")
    warns("isa-debugcon.nope=1", "'isa-debugcon' has no property 'nope'")
    warns("isa-debugcon.iobase=1", "no object of the type 'isa-debugcon' was made")
    qomet(*BARE, "-global", "isa-debugcon.iobase=0x77", "-device", "isa-debugcon",
          "-qtest", "stdio").expect(status=0, err="")


def a_global_with_a_bad_value_is_an_error():
    fails(*BARE, "-global", "isa-debugcon.iobase=x", "-device", "isa-debugcon",
          err=re.compile(r"-device isa-debugcon: .*iobase.*'x'.*"))


def without_kvm_it_is_said_what_to_do():
    if os.path.exists("/dev/kvm"):
        # Hidden for a process of our own: an empty /dev.
        probe = os.system("unshare -m true 2>/dev/null")
        if probe != 0:
            raise Skip("/dev/kvm cannot be hidden here")
        words = "mount -t tmpfs none /dev && exec %s -M bare" % QOMET
        done = subprocess.run(["unshare", "-m", "sh", "-c", words], stdin=subprocess.DEVNULL, capture_output=True,
                              check=False, timeout=60)
        status, err = done.returncode, done.stderr.decode()
    else:
        run = qomet("-M", "bare")
        status, err = run.status, run.err
    assert status == 1 and "/dev/kvm" in err and err.startswith("qomet: ") and err.count("\n") == 1, (status, err)


def a_device_that_is_not_kvm_is_named_with_what_to_do():
    fails("-accel", "kvm,device=/nonexistent/kvm", "-M", "bare",
          err=re.compile(r"-accel \S+: .*cannot open /nonexistent/kvm: No such file or directory; load KVM .*-accel qtest.*"))
    fails("-accel", "kvm,device=/dev/null", "-M", "bare",
          err=re.compile(r"-accel \S+: .*/dev/null is not KVM: it has no API version .*"))


def a_device_without_permission_is_named_with_what_to_do():
    with folder() as path:
        device, program = os.path.join(path, "kvm"), os.path.join(path, "qomet")
        with open(device, "wb"):
            os.chmod(device, 0)
        words = [QOMET]
        if os.geteuid() == 0:
            if not shutil.which("setpriv"):
                raise Skip("there is no setpriv to do without the rights of root")
            # As somebody else, who reaches the program only where it is copied to.
            shutil.copy(QOMET, program)
            os.chmod(path, 0o777)
            words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", program]
        # A build that measures coverage writes beside its objects, where that other user may not.
        run = subprocess.run(words + ["-accel", "kvm,device=" + device, "-M", "bare"], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=60, check=False,
                             env=dict(os.environ, GCOV_PREFIX=path))
        assert run.returncode == 1 and run.stdout == "" and re.fullmatch(
            r"qomet: -accel \S+: .*cannot open %s: Permission denied; join the group that owns it .*\n" % device,
            run.stderr), run


def what_a_machine_makes_nothing_of():
    for machine, word, runs in (("bare", "-initrd", "runs one flat binary"), ("microvm", "-bios", "starts a kernel without firmware"),
                                ("pc", "-initrd", "starts its firmware (without -kernel)"),
                                ("q35", "-append", "starts its firmware (without -kernel)")):
        fails("-accel", "qtest", "-M", machine, word, "x", err="%s means nothing to the machine '%s', which %s" % (word, machine, runs))


tap([test for name, test in list(globals().items())
     if callable(test) and getattr(test, "__module__", "") == "__main__" and name not in ("fails",)])

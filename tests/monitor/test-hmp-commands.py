#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every command of the human monitor, good and bad."""
import os
import re
import sys

sys.dont_write_bytecode = True
from qmp import Machine, QmpError  # noqa: E402
from cli import Skip, folder, need_kvm, tap  # noqa: E402

asked = set()  # lines that were said, for the last test


class People:
    """What people say to a machine, a line each."""

    def __init__(self, machine):
        self.machine = machine

    def say(self, line):
        asked.add(line)
        return self.machine.qmp.command("human-monitor-command", {"command-line": line}).replace("\r\n", "\n")

    def expect(self, line, expected):
        """The line prints that text, or what the pattern finds."""
        text = self.say(line)
        good = expected.search(text) if isinstance(expected, re.Pattern) else text == expected
        assert good, "%s: expected %r, got %r" % (line, expected, text)
        return text

    def nothing(self, line):
        self.expect(line, "")

    def fails(self, line, message):
        self.expect(line, "Error: " + message + "\n" if isinstance(message, str) else message)

    def wrong(self, line, message, command=None):
        """The line cannot be read."""
        command = command or line.split()[0]
        self.expect(line, '%s: %s\nTry "help %s" for more information\n' % (command, message, command))


def board(*words):
    """A machine without vCPUs."""
    return Machine("-accel", "qtest", "-M", "bare", "-serial", "null", *words)


def guest(path, code, *words, machine=""):
    """A machine that runs @code."""
    need_kvm()
    with open(path + "/guest", "wb") as file:
        file.write(code)
    return Machine("-M", "bare" + machine, "-kernel", path + "/guest", "-serial", "null", *words)


SPIN = b"\xeb\xfe"  # jmp to itself


# ---- The machine as a whole ----

def help_tells_of_every_command():
    with board() as machine:
        people = People(machine)
        text = people.expect("help", re.compile(r"^quit\|q -- end the machine and the program$", re.M))
        names = [line.split(" ")[0].split("|")[0] for line in text.splitlines()]
        assert names == sorted(names), names
        topics = people.expect("info", re.compile(r"^info status -- ", re.M))
        assert topics == people.say("help info")
        people.expect("help q", "quit|q -- end the machine and the program\n")
        people.expect("? info mtree", re.compile(r"^info mtree .*-- show memory"))
        people.fails("help nothing", "unknown command: 'nothing'")
        people.expect("nothing at all", "unknown command: 'nothing'\n")
        people.expect("info nothing", "unknown command: 'info nothing'\n")
        people.expect("qiut", "unknown command: 'qiut' (did you mean 'quit'?)\n")


def the_machine_stops_and_goes_on():
    with board("-S") as machine:
        people = People(machine)
        people.expect("info status", "VM status: paused (prelaunch)\n")
        people.nothing("stop")
        people.expect("info status", "VM status: paused (prelaunch)\n")
        people.nothing("cont")
        people.expect("info status", "VM status: running\n")
        people.nothing("s")
        people.expect("info status", "VM status: paused\n")
        people.nothing("c")
        people.nothing("system_reset")
        machine.qmp.event("RESET")
        people.nothing("system_powerdown")
        machine.qmp.event("POWERDOWN")
        people.wrong("stop now", "extraneous characters at the end of line")
        people.wrong("cont x", "extraneous characters at the end of line")
        people.wrong("system_reset x", "extraneous characters at the end of line")
        people.wrong("system_powerdown x", "extraneous characters at the end of line")
        people.wrong("quit x", "extraneous characters at the end of line")
        people.expect("info status", "VM status: running\n")


def quit_ends_it():
    for line in ("quit", "q"):
        with board() as machine:
            People(machine).nothing(line)
            machine.qmp.event("SHUTDOWN", reason="host-qmp-quit")
            assert machine.process.wait(timeout=60) == 0


def the_program_tells_of_itself():
    with board() as machine:
        people = People(machine)
        people.expect("info version", re.compile(r"^Qomet \d+\.\d+\.\d+\n$"))
        people.expect("info modules", "No modules are loaded\n")
        people.wrong("info modules x", "extraneous characters at the end of line", "info modules")
        people.expect("info chardev", re.compile(r"^serial0: filename=null$", re.M))
        people.expect("info network", "No network devices\n")
        people.expect("info block", "No block devices\n")


def modules_are_listed_when_they_are_loaded():
    with folder() as path, guest(path, SPIN) as machine:
        people = People(machine)
        if "module" in people.say("x /1i $pc"):
            raise Skip("this build has no disassembler")
        people.expect("info modules", re.compile(r"^/.*/disas\.so\n$"))


# ---- Objects ----

def objects_are_shown_as_a_tree():
    with board("-device", "isa-debugcon,id=con") as machine:
        people = People(machine)
        text = people.expect("info qom-tree", re.compile(r"^/machine \(bare-machine\)\n"))
        assert "\n  /peripheral (container)\n    /con (isa-debugcon)\n" in text, text
        people.expect("info qom-tree /machine/peripheral", re.compile(r"^/peripheral \(container\)\n  /con \(isa-debugcon\)\n"))
        people.expect("info qom-tree con", re.compile(r"^/con \(isa-debugcon\)\n"))
        people.expect("info qom-tree -dot", re.compile(r"^digraph "))
        people.fails("info qom-tree /machine/peripherla",
                     "Device '/machine/peripherla' not found (did you mean '/machine/peripheral'?)")


def devices_are_shown_on_their_buses():
    with board("-device", "isa-debugcon,id=con,iobase=0x100") as machine:
        text = People(machine).expect("info qtree", re.compile(
            r'^bus: isa\.0\n  type ISA\n(.*\n)*  dev: isa-debugcon, id "con"\n    iobase = 256 \(0x100\)\n', re.M))
        assert '\n  dev: isa-serial, id ""\n    gpio-out "irq" 1\n' in text, text
        assert '    chardev = "serial0"\n' in text, text
        assert re.search(r"^    size = 16777216 \(16M\)$", text, re.M), text


def properties_are_listed_read_and_set():
    with board("-device", "isa-debugcon,id=con") as machine:
        people = People(machine)
        people.expect("qom-list", re.compile(r"^machine \(child<bare-machine>\)$", re.M))
        people.expect("qom-list /machine/peripheral/con", re.compile(r"^iobase \(uint32\)$", re.M))
        people.fails("qom-list /nowhere", "Device '/nowhere' not found")
        people.expect("qom-get /machine/peripheral/con iobase", "233\n")
        people.expect("qom-get con realized", "true\n")
        people.fails("qom-get con iobsae", "Property 'isa-debugcon.iobsae' not found (did you mean 'iobase'?)")
        people.wrong("qom-get con", "property expected: one of its properties")
        people.wrong("qom-get", "path expected: an object")
        people.nothing('qom-set /machine guest-name "two words"')
        people.expect("qom-get /machine guest-name", '"two words"\n')
        people.nothing('qom-set -j /machine guest-name "\\"json\\""')
        people.expect("qom-get /machine guest-name", '"json"\n')
        people.fails("qom-set -j /machine guest-name x", re.compile("^Error: .*character 1"))
        people.fails("qom-set con iobase 5", "property 'iobase' of 'isa-debugcon' cannot change after realize")
        people.fails("qom-set con type x", re.compile("^Error: .*read-only"))
        people.wrong("qom-set con iobase", "value expected: its new value")


def devices_come_and_go_in_the_words_of_the_command_line():
    with board() as machine:
        people = People(machine)
        people.nothing("device_add isa-debugcon,id=con,iobase=0x100")
        people.expect("qom-get con iobase", "256\n")
        people.fails("device_add isa-debugcon,id=con", "id 'con' is already taken by /machine/peripheral/con (isa-debugcon)")
        people.nothing('device_add {"driver": "isa-debugcon", "id": "json", "iobase": 512}')
        people.fails("device_add nope", "'nope' is not a valid device model name")
        people.fails("device_add isa-debugcno", "'isa-debugcno' is not a valid device model name (did you mean 'isa-debugcon'?)")
        people.fails("device_add isa-debugcon,iobase=0x100", re.compile("^Error: ports 0x100 to 0x100 of .* overlap 0x100-0x100 of /machine/peripheral/con"))
        people.fails("device_add isa-debugcon,iobase", re.compile("^Error: property 'iobase'"))
        people.wrong("device_add", "words expected: what -device takes")
        people.expect("device_add help", re.compile(r'^name "isa-debugcon", bus ISA', re.M))
        people.expect("device_add isa-debugcon,help", re.compile(r"^isa-debugcon options:\n"))
        people.nothing("device_del con")
        machine.qmp.event("DEVICE_DELETED", device="con")
        people.nothing("device_del /machine/peripheral/json")
        people.fails("device_del con", "Device 'con' not found")
        people.wrong("device_del", "id expected: the id or path of a device")


def objects_come_and_go_in_the_words_of_the_command_line():
    with folder() as path, board("-chardev", "socket,id=m,path=%s/m,server=on,wait=off" % path) as machine:
        people = People(machine)
        people.nothing("object_add monitor-hmp,id=mon,chardev=m")
        people.expect("info qom-tree /objects", "/objects (container)\n  /mon (monitor-hmp)\n")
        people.fails("object_add monitor-hmp,id=mon", re.compile("^Error: .*'mon'"))
        people.fails("object_add nope,id=x", "'nope' is not a valid object type name")
        people.fails("object_add monitor-hmp", re.compile("^Error: .*'id'"))
        people.expect("object_add help", re.compile(r"^  monitor-hmp$", re.M))
        people.wrong("object_add", "words expected: what -object takes")
        people.nothing("object_del mon")
        people.fails("object_del mon", "object 'mon' not found")
        people.wrong("object_del", "id expected: its id")


# ---- Memory and ports ----

def memory_is_shown_as_a_map():
    with board() as machine:
        people = People(machine)
        text = people.expect("info mtree", re.compile(r"^address-space: memory\n  0{16}-f{16} \(prio 0, i/o\): system\n"))
        assert "    0000000000000000-0000000000ffffff (prio 0, ram): alias low @ram 0000000000000000-0000000000ffffff\n" in text, text
        assert "address-space: I/O\n" in text and "    00000000000003f8-00000000000003ff (prio 0, i/o): serial\n" in text, text
        assert "high" not in text
        people.expect("info mtree -D", re.compile(r"\(prio 0, ram\): alias high @ram .* \[empty\]$", re.M))
        people.expect("info mtree -o", re.compile(r"\(prio 0, i/o\): serial owner:\{dev path=/machine/serial0\}$", re.M))
        people.expect("info mtree -f", re.compile(
            r'^FlatView #1\n AS "I/O", root: io\n Root memory region: io\n  00000000000003f8-00000000000003ff \(prio 0, i/o\): serial\n', re.M))
        people.expect("info mtree -fo", re.compile(r"\(prio 0, ram\): ram owner:\{dev path=/machine/ram\}$", re.M))
        people.expect("info mtree -dot", re.compile(r"^digraph "))
        people.wrong("info mtree -q", "unsupported option -q", "info mtree")
        people.expect("info wires", "/machine/serial0 irq[0] -> nowhere\n")


def physical_memory_is_shown():
    with board() as machine:
        people = People(machine)
        people.expect("xp /4xb 0", "0000000000000000: 0x00 0x00 0x00 0x00\n")
        people.expect("xp/2xg 0x1000", "0000000000001000: 0x0000000000000000 0x0000000000000000\n")
        people.expect("xp /10db 8", "0000000000000008:   0   0   0   0   0   0   0   0\n"
                                    "0000000000000010:   0   0\n")
        people.expect("xp /0x 0", "")
        people.expect("xp /2xw 0xfffffe", "0000000000fffffe: Cannot access memory: there is no memory at 0xfffffe\n")
        people.wrong("xp /99999999x 0", "count is too large, accepted are 0 to 65536")
        people.wrong("xp /q 0", "invalid char in format: 'q', there are x d u o c i b h w g")
        people.wrong("xp", "addr expected: a guest-physical address")
        people.fails("x 0", "No CPU available")
        people.expect("sum 0 4096", "00000\n")
        people.fails("sum 0xffffff 2", re.compile("^Error: there is no memory at 0x"))
        people.wrong("sum 0", "size expected: a number of bytes")
        people.expect("gpa2hva 0x1234", re.compile(
            r"^Host virtual address for 0x1234 \(ram\) is 0x[0-9a-f]+234\noffset 0x1234 of /machine/ram/ram\n$"))
        people.fails("gpa2hva 0x80000000", "No memory is mapped at address 0x80000000")
        people.wrong("gpa2hva x", "invalid char 'x' in expression")
        people.fails("gva2gpa 0", "No CPU available")


def ports_are_read_and_written():
    with folder() as path, board("-chardev", "file,id=out,path=%s/out" % path,
                                 "-device", "isa-debugcon,iobase=0x100,chardev=out") as machine:
        people = People(machine)
        people.expect("i 0x100", "portb[0x0100] = 0xe9\n")
        people.expect("i /h 0x3fd", re.compile(r"^portw\[0x03fd\] = 0x..60\n$"))
        people.expect("i /w 0x2000", "portl[0x2000] = 0xffffffff\n")
        people.fails("i /g 0x100", "a port has 1, 2 or 4 bytes, not 8")
        people.fails("i 0x10000", "0x10000 is no port, accepted are 0 to 0xffff")
        people.wrong("i", "addr expected: a port")
        people.nothing("o 0x100 'H'")
        people.nothing("o /b 0x100 0x69")
        people.nothing("o 0x2000 1")
        people.fails("o -1 0", "0xffffffffffffffff is no port, accepted are 0 to 0xffff")
        people.wrong("o 0x100", "val expected: what is written")
        with open(path + "/out", "rb") as out:
            assert out.read() == b"Hi"


# ---- vCPUs ----

def virtual_memory_is_shown_and_walked():
    with folder() as path, guest(path, SPIN + b"Hello\0", machine=",long-mode=on") as machine:
        people = People(machine)
        people.expect("x /2xb $pc", "0000000000001000: 0xeb 0xfe\n")
        people.expect("x /6c $pc+2", "0000000000001002: 'H' 'e' 'l' 'l' 'o' '\\x00'\n")
        people.expect("x /2xb 0xffffffff80000000",
                      "ffffffff80000000: Cannot access memory: the page at 0xffffffff80000000 is not present\n")
        people.expect("gva2gpa 0x1000", re.compile(
            r"^PML4E \[  0\] at 0x[0-9a-f]{16}: 0x[0-9a-f]{16}\nPDPTE \[  0\] at .*\nPDE   \[  0\] at .*\n"
            r"page of 2M, writable, supervisor\ngpa: 0x1000\n$"))
        people.expect("gva2gpa 0xffffffff80000000", re.compile(r"^PML4E \[511\] at .*\nUnmapped: not present\n$"))
        people.expect("gva2gpa 0x8000000000000000", "Unmapped: not canonical\n")
        people.wrong("gva2gpa", "addr expected: a guest-virtual address")
        people.wrong("x", "addr expected: a guest-virtual address")
        people.expect("gpa2hva $pc", re.compile("^Host virtual address for 0x1000 "))


def instructions_are_shown_where_there_is_a_disassembler():
    with folder() as path, guest(path, b"\xb0\x48\xe6\xe9\xeb\xfa", machine=",unassigned=ignore") as machine:
        people = People(machine)
        text = people.say("x /3i 0x1000")
        if "disassembler" in text:
            raise Skip("this build has no disassembler")
        assert re.match(r"0x00001000:  b0 48 +movb .*\n0x00001002:  e6 e9 +outb .*\n0x00001004:  eb fa +jmp .*0x1000\n$", text), text


def without_a_disassembler_that_is_said():
    with folder() as path:
        need_kvm()
        os.environ["QOMET_MODULE_DIR"] = path
        try:
            with guest(path, SPIN) as machine:
                People(machine).fails("x /1i $pc", re.compile("^Error: there is no disassembler"))
        finally:
            del os.environ["QOMET_MODULE_DIR"]


def registers_are_values():
    with folder() as path, guest(path, b"\xb8\x34\x12\xeb\xfe") as machine:
        people = People(machine)
        while people.say("p $rax") != "0x1234\n":
            pass
        people.nothing("stop")
        people.expect("print /d $eax - 1", "4659\n")
        people.expect("p $pc", "0x1003\n")
        people.wrong("p $rxa", "unknown register 'rxa' (did you mean 'rax'?)", "print")
        people.wrong("p 1/0", "division by zero", "print")
        people.wrong("p (1", "')' expected", "print")
        people.expect("info registers", re.compile(r"^\nCPU#0\nEAX=00001234 "))


def vcpus_are_listed_and_chosen():
    with folder() as path, guest(path, SPIN, "-smp", "2") as machine:
        people = People(machine)
        people.expect("info cpus", re.compile(r"^\* CPU #0: thread_id=\d+\n  CPU #1: thread_id=\d+( \(halted\))?\n$"))
        text = people.expect("info registers -a", re.compile(r"^\nCPU#0\n"))
        assert "\nCPU#1\n" in text, text
        people.expect("info registers 1", re.compile(r"^\nCPU#1\n"))
        people.fails("info registers 2", "CPU#2 not available, accepted are 0 to 1")
        people.nothing("cpu 1")
        people.fails("cpu 2", "CPU#2 not available, accepted are 0 to 1")
        people.wrong("cpu", "index expected: the number of a vCPU")
    with board() as machine:
        people = People(machine)
        people.nothing("info cpus")
        people.fails("info registers", "No CPU available")
        people.fails("cpu 0", "No CPU available")
        people.fails("p $rax", re.compile("^No CPU available\n$"))


def interrupt_controllers_tell_what_they_have_seen():
    with folder() as path, guest(path, SPIN, machine=",kernel-irqchip=on") as machine:
        people = People(machine)
        people.expect("info irq", "IRQ statistics for accel-irqchip:\n")
        # The serial port asks when it has nothing to send.
        people.nothing("o 0x3fc 8")
        people.nothing("o 0x3f9 2")
        people.expect("info irq", "IRQ statistics for accel-irqchip:\n 4: 1\n")
        text = people.expect("info pic", re.compile(r"^/machine/pic \(accel-irqchip\):\npic0: irr=10 imr=.. isr=.. "))
        assert "\npic1: irr=00 " in text and "\nioapic: id=0x" in text and "\n  pin 23 0x" in text, text
    with board() as machine:
        People(machine).nothing("info irq")
        People(machine).nothing("info pic")


def pci_devices_are_listed_behind_their_bridges():
    with board("-M", "pc", "-device", "pci-bridge,id=br", "-device", "edu,id=e,bus=br,addr=3",
               "-device", "pci-testdev") as machine:
        text = People(machine).say("info pci")
        numbers = re.findall(r"^    (.+): PCI device (\S+)$", text, re.M)
        assert numbers == [("Host bridge", "8086:1237"), ("ISA bridge", "8086:7000"), ("Bridge", "8086:7113"), ("PCI bridge", "1b36:0001"),
                           ("Class 0255", "1234:11e8"), ("Class 0255", "1b36:0005")], text
        assert re.search(r"^      secondary bus 0\.$", text, re.M), text
        assert re.search(r"device   3, function 0:\n.*\n.*\n      IRQ 0, pin A\n      BAR0: 32 bit memory at .*\n"
                         r"      id \"e\"$", text, re.M), text
    with board() as machine:
        People(machine).expect("info pci", "PCI devices not supported\n")


def exits_are_counted_and_told():
    # mov $0x48, %al; out %al, $0xe9; jmp to itself
    with folder() as path, guest(path, b"\xb0\x48\xe6\xe9\xeb\xfe", "-chardev", "null,id=n", "-device",
                                 "isa-debugcon,id=con,chardev=n", "-S") as machine:
        people = People(machine)
        explains = "configured with --disable-explain" not in people.say("explain on")
        people.nothing("cont")
        while "/peripheral/con" not in people.say("info exits"):
            pass
        people.wrong("explain all", "'all' is neither on, off, nor a number of exits")
        if explains:
            people.expect("explain", re.compile("/machine/peripheral/con"))
            people.nothing("explain off")


# ---- The log ----

def the_log_is_switched():
    with folder() as path, board("-D", path + "/log") as machine:
        people = People(machine)
        people.expect("log help", re.compile(r"^exits +one line", re.M))
        people.nothing("log exits,irq")
        people.expect("info trace-events", re.compile(r"^exits : state 1\nguest_errors : state 0$", re.M))
        people.fails("log exist", re.compile("^Error: .*'exist'.*exits"))
        people.wrong("log", "items expected: what -d takes")
        people.nothing("trace-event exits off")
        people.nothing("trace-event guest* on")
        people.expect("info trace-events", re.compile(r"^exits : state 0\nguest_errors : state 1$", re.M))
        people.fails("trace-event guest_error on", re.compile('^Error: unknown event "guest_error" \\(did you mean .guest_errors.'))
        people.wrong("trace-event exits maybe", "'maybe' is neither 'on' nor 'off'")
        people.wrong("trace-event exits", "option expected: on or off")
        people.nothing("log none")
        assert "state 1" not in people.say("info trace-events")


# ---- All of them ----

def bad_lines_do_no_harm():
    with board() as machine:
        people = People(machine)
        for line in ("", "   ", "\t", "\x01\x02\x1b[A", "x" * 100000, "p " + "(" * 100000, "p " + "1+" * 50000,
                     '"' * 1000, "qom-get " + "/" * 10000 + " x", "device_add " + "," * 10000, "/", "//", "info", "info /",
                     "p /%s 1" % ("9" * 1000), "help " + "info " * 1000, "é" * 1000, "xp /65536xb 0", "print '", "p \"", "x/"):
            people.say(line)
        try:
            machine.qmp.command("human-monitor-command", {"command-line": "x" * 10 + "\ud800"})
            raise AssertionError("half a character was taken")
        except QmpError:
            pass
        people.expect("info status", "VM status: running\n")


def every_command_was_tested():
    with board() as machine:
        text = People(machine).say("help") + People(machine).say("info")
    for line in text.splitlines():
        name = re.match(r"info \S+|[^ |]+", line)[0]
        if name not in ("info [subcommand]",):
            assert any(said == name or said.startswith((name + " ", name + "/")) for said in asked), name + " was not tested"


tap([help_tells_of_every_command, the_machine_stops_and_goes_on, quit_ends_it, the_program_tells_of_itself,
     modules_are_listed_when_they_are_loaded, objects_are_shown_as_a_tree, devices_are_shown_on_their_buses,
     properties_are_listed_read_and_set, devices_come_and_go_in_the_words_of_the_command_line,
     objects_come_and_go_in_the_words_of_the_command_line, memory_is_shown_as_a_map, physical_memory_is_shown,
     ports_are_read_and_written, virtual_memory_is_shown_and_walked, instructions_are_shown_where_there_is_a_disassembler,
     without_a_disassembler_that_is_said, registers_are_values, vcpus_are_listed_and_chosen,
     interrupt_controllers_tell_what_they_have_seen, pci_devices_are_listed_behind_their_bridges, exits_are_counted_and_told, the_log_is_switched, bad_lines_do_no_harm,
     every_command_was_tested])

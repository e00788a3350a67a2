# SPDX-License-Identifier: MIT
"""What the machine "bare" must be like after any sequence of commands: a model of it, and the tree held against it."""
import re

ISA_BUS = "/machine/isa.0"
DRIVERS = {"isa-debugcon": 1, "port-logger": None, "isa-serial": 8}  # ports; None: as its iosize says
LAST_PORT = 0xffff


class Device:
    def __init__(self, driver, id_, iobase, iosize, chardev):
        self.driver, self.id, self.iobase, self.iosize, self.chardev = driver, id_, iobase, iosize, chardev
        self.realized = False

    def ports(self):
        return range(self.iobase, self.iobase + (DRIVERS[self.driver] or self.iosize))


class Model:
    """What was added by commands, and what they have set."""

    def __init__(self):
        self.devices = {}  # path -> Device
        self.chardevs = {"compat_monitor0"}
        self.monitors = {}  # id -> chardev
        self.running, self.started = False, False
        self.anonymous = 0  # how many there ever were
        self.set = {"guest-name": "", "rax": 0, "cs": 0}

    def user_of(self, chardev):
        """Who has the chardev, or None."""
        users = [d for d in self.devices.values() if d.chardev == chardev] + [m for m, c in self.monitors.items() if c == chardev]
        return "the monitor" if chardev == "compat_monitor0" else users[0] if users else None

    def room_for(self, device):
        """Whether its ports are free and there."""
        ports = device.ports()
        taken = [d.ports() for d in self.devices.values() if d.realized and d is not device]
        return (len(ports) > 0 and ports[-1] <= LAST_PORT
                and not any(p.start < ports.stop and ports.start < p.stop for p in taken))

    def at_port(self, port):
        """The realized device there, or None."""
        found = [d for d in self.devices.values() if d.realized and port in d.ports()]
        assert len(found) <= 1
        return found[0] if found else None


def below(tree, *names):
    """The object at that place of a qom-tree, or None."""
    for name in names:
        found = [child for child in tree["children"] if child["name"] == name]
        assert len(found) <= 1, (name, found)
        if not found:
            return None
        tree = found[0]
    return tree


def every_path(tree, path=""):
    """Path -> object, for all of the tree."""
    here = path + ("" if tree["name"] == "/" else "/" + tree["name"])
    found = {here or "/": tree}
    for child in tree["children"]:
        found.update(every_path(child, here))
    return found


def check_links(objects):
    """What is shown as a path leads somewhere, and there is nothing twice."""
    for path, tree in objects.items():
        names = [child["name"] for child in tree["children"]]
        assert len(set(names)) == len(names), (path, names)
        for name, value in tree["properties"].items():
            if isinstance(value, str) and re.match("/(machine|objects|chardevs|monitors)", value):
                assert value in objects, "%s.%s leads to %s, which is not there" % (path, name, value)


def check_device(model, objects, path, device):
    properties = objects[path]["properties"]
    expected = {"type": device.driver, "realized": device.realized, "hotplugged": True, "iobase": device.iobase,
                "chardev": device.chardev or "", "parent_bus": ISA_BUS if device.realized else ""}
    if device.driver == "port-logger":
        expected["iosize"] = device.iosize
    have = {name: properties[name] for name in expected}
    assert have == expected, (path, have, expected)
    if not device.realized:
        return
    # One region of it is mapped, where its ports are.
    regions = [o["properties"] for p, o in objects.items() if p.startswith(path + "/") and o["properties"].get("container") == "/machine/io"]
    ports = device.ports()
    assert [(r["addr"], r["size"]) for r in regions] == [(ports.start, len(ports))], (path, regions)


def check_tree(model, tree):
    """Whether the tree is what the model says."""
    objects = every_path(tree)
    check_links(objects)
    devices = {p for p in objects if re.fullmatch("/machine/(peripheral|peripheral-anon)/[^/]+", p)}
    assert devices == set(model.devices), (devices, set(model.devices))
    for path, device in model.devices.items():
        check_device(model, objects, path, device)
    chardevs = {p.split("/")[2] for p in objects if re.fullmatch("/chardevs/[^/#]+", p)}
    assert chardevs == model.chardevs, (chardevs, model.chardevs)
    monitors = {p.split("/")[2]: objects[p]["properties"]["chardev"] for p in objects if re.fullmatch("/objects/[^/]+", p)
                if objects[p]["properties"]["type"] == "monitor-qmp"}
    assert monitors == model.monitors, (monitors, model.monitors)
    machine = objects["/machine"]["properties"]
    assert {name: machine[name] for name in model.set} == model.set


def rest_of(tree):
    """Path -> properties of what commands do not add, without what they set and what counts: that never changes."""
    changing = {"reads", "writes", "read-bytes", "write-bytes", "entries", "access-ns", "contended", "refused", "dropped", "opened",
                "guest-name", "rax", "cs", "entry"}  # the entry counts from cs on
    return {path: {name: value for name, value in node["properties"].items() if name not in changing}
            for path, node in every_path(tree).items() if not re.match("/(machine/peripheral|chardevs|objects)", path)}


def check_rest(before, tree):
    now = rest_of(tree)
    differ = {path: (before.get(path), now.get(path)) for path in set(before) | set(now) if before.get(path) != now.get(path)}
    assert not differ, differ

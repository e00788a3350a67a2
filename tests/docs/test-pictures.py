#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What `make docs` draws, and that the picture in the README is of today's machine."""
import html
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

sys.dont_write_bytecode = True
SRCDIR = os.environ.get("abs_top_srcdir", ".")
sys.path.insert(0, os.path.join(SRCDIR, "tests", "cli"))
from cli import QOMET, TIMEOUT_S, Skip, folder, need_kvm, qomet, tap  # noqa: E402, pylint: disable=wrong-import-position

PICTURES = ("qom-tree", "mtree", "wires")
TITLES = {"qom-tree": "The object tree", "mtree": "The memory map", "wires": "The wires"}

# Pictures that are kept: the page that shows one, its file, which picture it is, and of which machine.
KEPT = (
    ("README.md", "docs/board.svg", "qom-tree", ("-M", "bare", "-device", "isa-debugcon,iobase=0xf1,id=con")),
    ("docs/studying.md", "docs/map.svg", "mtree", ("-M", "bare", "-device", "isa-debugcon,iobase=0xe9,id=con1")),
    ("docs/how-a-pc-is-wired.md", "docs/pc.svg", "qom-tree", ("-M", "pc", "-device", "edu,id=edu")),
    ("docs/how-a-pc-is-wired.md", "docs/pc-wires.svg", "wires", ("-M", "pc", "-device", "edu,id=edu")),
)


def pictures(*args, dot=None, status=0):
    """Runs docs/pictures.py; returns what it prints."""
    env = dict(os.environ, **({} if dot is None else {"DOT": dot}))
    done = subprocess.run([os.path.join(SRCDIR, "docs/pictures.py"), QOMET, *args], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=10 * TIMEOUT_S, check=False)
    assert (done.returncode == 0) == (status == 0), (done.returncode, done.stderr)
    return done.stdout if status == 0 else done.stderr


def need_dot():
    if not shutil.which("dot"):
        raise Skip("Graphviz is not installed")


def machines():
    rows = [line.split(None, 1) for line in qomet("-M", "help").out.splitlines()[1:]]
    return [r[0] for r in rows if not (r[1:] and r[1].startswith("the same as "))]


def words_of_svg(svg):
    return sorted("".join(t.itertext()).replace("\xa0", " ").strip() for t in xml.etree.ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"))


def words_of_dot(text):
    """Each run of text in a label, as it is drawn."""
    labels = re.findall(r"label=<(.*)>(?:\]|$)", text, re.M)
    runs = [run for label in labels for run in re.split(r"<[^<>]*>", label)]
    runs += re.findall(r'label="([^"]*)"', text)
    return sorted(html.unescape(run).replace("\xa0", " ").strip() for run in runs if html.unescape(run).strip("\xa0 "))


def each_machine_type_has_its_three_pictures_as_text():
    with folder() as where:
        said = pictures(where, dot="")
        assert "install Graphviz" in said, said
        for machine in machines():
            for picture in PICTURES:
                with open(os.path.join(where, f"{machine}-{picture}.dot"), encoding="utf-8") as file:
                    text = file.read()
                assert text.startswith("digraph Qomet {") and text.endswith("}\n"), text
                assert f"{TITLES[picture]} of the machine {machine}<" in text, text
        assert not [f for f in os.listdir(where) if not f.endswith(".dot")]


def with_graphviz_they_are_drawn_and_a_page_shows_them():
    need_dot()
    with folder() as where:
        said = pictures(where)
        with open(os.path.join(where, "index.html"), encoding="utf-8") as file:
            page = file.read()
        for machine in machines():
            for picture in PICTURES:
                name = f"{machine}-{picture}"
                with open(os.path.join(where, name + ".svg"), encoding="utf-8") as file:
                    svg = file.read()
                with open(os.path.join(where, name + ".dot"), encoding="utf-8") as file:
                    text = file.read()
                assert words_of_svg(svg) == words_of_dot(text), (words_of_svg(svg), words_of_dot(text))
                assert f'src="{name}.svg"' in page, page
        assert "index.html" in said, said


def without_graphviz_one_picture_says_what_is_missing():
    said = pictures("wires", "-M", "none", dot="", status=1)
    assert "Graphviz (Debian: graphviz) is not installed" in said, said


def a_machine_that_cannot_be_made_is_named_by_its_own_words():
    need_dot()
    said = pictures("wires", "-M", "nowhere", status=1)
    assert "'nowhere' is not a machine" in said, said


def pictures_that_are_kept_are_of_the_machine_as_it_is():
    need_kvm()
    with folder() as where:
        stub = os.path.join(where, "dot")
        with open(stub, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\ncat\n")
        os.chmod(stub, 0o755)
        for page, path, picture, words in KEPT:
            with open(os.path.join(SRCDIR, page), encoding="utf-8") as file:
                text = file.read()
            assert f"]({os.path.relpath(path, os.path.dirname(page) or '.')})" in text, (page, path)
            assert words[-1] in text, (page, words)
            with open(os.path.join(SRCDIR, path), encoding="utf-8") as file:
                kept = words_of_svg(file.read())
            now = words_of_dot(pictures(picture, *words, dot=stub))
            assert kept == now, (f"make it anew: docs/pictures.py ./qomet {picture} {' '.join(words)} > {path}", kept, now)


tap([
    each_machine_type_has_its_three_pictures_as_text,
    with_graphviz_they_are_drawn_and_a_page_shows_them,
    without_graphviz_one_picture_says_what_is_missing,
    a_machine_that_cannot_be_made_is_named_by_its_own_words,
    pictures_that_are_kept_are_of_the_machine_as_it_is,
])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Draws what Qomet's machines are made of.

    pictures.py QOMET FOLDER               the object tree, the memory map and the wires of every machine type, and a page that shows them
    pictures.py QOMET PICTURE [WORD]... >  one of them - qom-tree, mtree or wires - of the machine that these words of the command line make

No guest runs: the machine is made, asked through a monitor, and ended. The pictures come from it as text for Graphviz, whose program "dot"
(named by DOT in the environment, else searched) draws them; without it, the text is all there is.
"""
import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

PICTURES = ("qom-tree", "mtree", "wires")

# What of a machine shows only when it is asked for.
ALSO = {"bare": ["bare,kernel-irqchip=on"]}

# A machine without vCPUs is still one: where there is no KVM, it is made for a tester. Serial ports lead nowhere.
ALWAYS = ["-S", "-accel", "kvm:qtest", "-serial", "null", "-display", "none", "-qmp", "stdio"]


def ask(qomet, words, pictures):
    """The text of each picture, of the machine that the words make."""
    commands = [{"execute": "qmp_capabilities"}]
    commands += [{"execute": "human-monitor-command", "id": p, "arguments": {"command-line": f"info {p} -dot"}} for p in pictures]
    commands += [{"execute": "quit"}]
    done = subprocess.run([qomet, *words, *ALWAYS], input="".join(json.dumps(c) + "\n" for c in commands), stdout=subprocess.PIPE, text=True,
                          timeout=60, check=False)
    if done.returncode != 0:
        raise SystemExit(f"pictures.py: {' '.join(words)}: {qomet} has ended with status {done.returncode}")
    answers = {a.get("id"): a.get("return") for a in map(json.loads, done.stdout.splitlines())}
    for picture in pictures:
        if not answers.get(picture, "").startswith("digraph"):
            raise SystemExit(f"pictures.py: {' '.join(words)}: info {picture} -dot: {answers.get(picture)}")
    return {p: answers[p].replace("\r\n", "\n") for p in pictures}


def dot_program():
    return os.environ["DOT"] if "DOT" in os.environ else shutil.which("dot")


def draw(text):
    """The text as SVG, without what changes from one version of Graphviz to the next and says nothing."""
    svg = subprocess.run([dot_program(), "-Tsvg"], input=text, stdout=subprocess.PIPE, text=True, check=True).stdout
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.S)
    return svg.replace("<!DOCTYPE", "<!-- SPDX-License-Identifier: MIT -->\n<!-- Drawn by docs/pictures.py. -->\n<!DOCTYPE", 1)


def machines(qomet):
    """What -M help lists, but for second names."""
    lines = subprocess.run([qomet, "-M", "help"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[1:]
    names = [line.split(None, 1) for line in lines]
    return [n[0] for n in names if not (n[1:] and n[1].startswith("the same as "))]


def page(shown):
    """@shown: (machine, file) for each picture that was drawn."""
    body = ["<!DOCTYPE html>", '<html lang="en"><meta charset="utf-8"><title>Qomet: the machines</title>',
            "<style>body { font-family: sans-serif; margin: 2em } img { max-width: 100% }</style>", "<h1>What the machines are made of</h1>"]
    for machine in dict.fromkeys(m for m, _ in shown):
        body.append(f"<h2><code>qomet -M {html.escape(machine)}</code></h2>")
        body += [f'<p><img src="{html.escape(f)}" alt="{html.escape(f)}"></p>' for m, f in shown if m == machine]
    return "\n".join(body + ["</html>", ""])


def draw_all(qomet, folder):
    shown = []
    folder.mkdir(parents=True, exist_ok=True)
    for name in machines(qomet):
        for machine in [name, *ALSO.get(name, [])]:
            for picture, text in ask(qomet, ["-M", machine], PICTURES).items():
                file = f"{machine.replace(',', '-').replace('=', '-')}-{picture}"
                (folder / f"{file}.dot").write_text(text)
                if dot_program():
                    (folder / f"{file}.svg").write_text(draw(text))
                    shown.append((machine, f"{file}.svg"))
    if shown:
        (folder / "index.html").write_text(page(shown))
        print(f"{len(shown)} pictures: {folder / 'index.html'}")
    else:
        print(f"{folder}/*.dot are the pictures as text; to draw them, install Graphviz (Debian: graphviz), whose program 'dot' was not found")


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    qomet, what, *words = sys.argv[1:]
    if what in PICTURES:
        if not dot_program():
            raise SystemExit("pictures.py: Graphviz (Debian: graphviz) is not installed: there is no program 'dot'")
        sys.stdout.write(draw(ask(qomet, words, [what])[what]))
    else:
        draw_all(qomet, pathlib.Path(what))


if __name__ == "__main__":
    main()

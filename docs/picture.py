#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Draws the terminal session that a page shows: picture.py PAGE [WORD] > PICTURE.svg

It takes the page's ```console blocks that have WORD (kvm) in their fence, whose commands and output tests/docs/test-docs.py runs and
compares, so the picture shows what really happens. The same test draws it again and compares it with the file that is kept.
"""
import html
import pathlib
import re
import sys

COLUMNS, LINE, LEFT, TOP, CHAR = 104, 19, 18, 52, 7.83


def session(page, word="kvm"):
    """The lines of all blocks of the page that have the word."""
    text = pathlib.Path(page).read_text()
    found = re.findall(r"^```console (.*)\n((?:.*\n)*?)```$", text, re.M)
    return "".join(lines for words, lines in found if word in words.split()).splitlines()


def wrapped(lines):
    for line in lines:
        while len(line) > COLUMNS:
            yield line[:COLUMNS]
            line = line[COLUMNS:]
        yield line


def svg(lines):
    height = TOP + LINE * len(lines) + 8
    width = LEFT * 2 + COLUMNS * CHAR
    rows = []
    command = False
    for i, line in enumerate(lines):
        colour = "#e6edf3"
        if line.startswith("$ #"):
            line, colour = line[2:], "#8b949e"
        elif line.startswith("$ ") or command:
            colour = "#7ee787"
            command = line.endswith("\\")
        elif line.startswith("vcpu "):
            colour = "#a5c8ff"
        rows.append(f'<text x="{LEFT}" y="{TOP + i * LINE}" fill="{colour}" xml:space="preserve">{html.escape(line)}</text>')
    return "\n".join([
        "<!-- SPDX-License-Identifier: MIT -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}"'
        ' font-family="ui-monospace, SFMono-Regular, DejaVu Sans Mono, Menlo, monospace" font-size="13">',
        f'<rect width="{width:.0f}" height="{height}" rx="9" fill="#0d1117"/>',
        '<circle cx="22" cy="20" r="6" fill="#ff5f57"/><circle cx="42" cy="20" r="6" fill="#febc2e"/>'
        '<circle cx="62" cy="20" r="6" fill="#28c840"/>',
        *rows, "</svg>", ""])


if __name__ == "__main__":
    sys.stdout.write(svg(list(wrapped(session(*sys.argv[1:])))))

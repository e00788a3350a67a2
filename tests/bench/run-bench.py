#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the benchmarks that it is given and prints one table.

A benchmark prints rows "NAME VALUE UNIT REFERENCE": the reference is QEMU 7.2's figure in the same unit (measured on the kind of
machine that Qomet is built on; "-" for none), or "ratio" rows that were taken against a hand-written loop in the same run.
"--once NAME N" makes it run one case N times, which is how its instructions are counted under callgrind: those are the same run
after run, whatever else the machine does. tests/bench/marks says what shall be reached. The times of a noisy machine fail nothing;
with BENCH_STRICT=1 a mark in instructions or in a ratio that is missed does.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(os.environ.get("abs_top_srcdir", "."))
BUILD = pathlib.Path(os.environ.get("abs_top_builddir", "."))


def marks():
    table = {}
    for line in (TOP / "tests/bench/marks").read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            table[words[0]] = words[1:]
    return table


def count(program, name, n):
    """Instructions of the whole process with the case run n times."""
    with tempfile.TemporaryDirectory(prefix="qomet-bench-") as folder:
        result = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", str(program), "--once", name, str(n)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        match = re.search(r"Collected : (\d+)", result.stderr)
        return int(match.group(1)) if result.returncode == 0 and match else None


def instructions(program, name, n):
    first, second = count(program, name, n), count(program, name, 3 * n)
    return (second - first) / (2 * n) if first is not None and second is not None else None


def number(text):
    return None if text == "-" else float(text)


def show(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def main():
    table = marks()
    counting = shutil.which("valgrind") is not None and not os.environ.get("SANITIZERS")
    missed = []

    print(f"{'case':<34}{'value':>9} {'unit':<6}{'mark':>8}{'of mark':>9}{'QEMU 7.2':>10}{'of QEMU':>9}{'instr.':>9}{'mark':>7}",
          flush=True)
    for program in sys.argv[1:]:
        program = program if program.startswith("/") else BUILD / program
        result = subprocess.run([str(program)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if result.returncode != 0:
            print(f"{program}: failed with status {result.returncode}")
            missed.append(str(program))
        for line in result.stdout.splitlines():
            words = line.split()
            if len(words) != 4 or line.startswith("#"):
                print(line, flush=True)
                continue
            name, value, unit, reference = words[0], float(words[1]), words[2], number(words[3])
            mark, most, n = (table.get(name, []) + ["-", "-", "-"])[:3]
            least = mark.startswith("min:")
            mark = number(mark[4:] if least else mark)
            counted = instructions(program, name, int(n)) if n != "-" and counting else None
            print(f"{name:<34}{show(value):>9} {unit:<6}{('>=' if least else '') + show(mark):>8}"
                  f"{show(value / mark) if mark else '-':>9}{show(reference):>10}"
                  f"{show(value / reference) if reference else '-':>9}{show(counted):>9}{most:>7}", flush=True)
            if counted is not None and most != "-" and counted > float(most) + 0.5:
                missed.append(f"{name}: {counted:.0f} instructions, the mark is {most}")
            if mark and (value < mark if least else value > mark):
                missed.append(f"{name}: {value:g} {unit}, the mark is {mark:g}")
    if missed:
        print("\nmarks that were missed in this run:")
        for text in missed:
            print("  " + text)
    return 1 if missed and os.environ.get("BENCH_STRICT") else 0


if __name__ == "__main__":
    sys.exit(main())

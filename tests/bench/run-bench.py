#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the benchmarks that it is given and prints one table.

A benchmark prints rows "NAME VALUE UNIT REFERENCE". The reference is another's figure in the same unit: a number is QEMU 7.2's,
measured on the kind of machine that Qomet is built on; "bare=NUMBER" that of a hand-written loop in the same run; "-" none, and any
other word is said. Lines that begin with "#" are remarks. tests/bench/marks says what shall be reached.

Instructions are those of the whole process under callgrind with a case run 3N times, less those with N, for one time: the same run
after run, whatever else the machine does. A program is run with "--once NAME N" for that; a script prints the command to run when
it is given "--command NAME N".

Times depend on the machine and fail nothing. With BENCH_STRICT=1 a mark in instructions, in a ratio of one run, in memory or in a
number of times that is missed does.
"""
import json
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


def command_of(program, name, n, folder):
    """What runs the case n times."""
    if not program.endswith(".py"):
        return [program, "--once", name, str(n)]
    result = subprocess.run([program, "--command", name, str(n)], env=os.environ | {"BENCH_FOLDER": folder},
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    return json.loads(result.stdout) if result.returncode == 0 else None


def count(program, name, n):
    """Instructions of the whole process with the case run n times."""
    with tempfile.TemporaryDirectory(prefix="qomet-bench-") as folder:
        command = command_of(program, name, n, folder)
        if not command:
            return None
        result = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out"] + command,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        match = re.search(r"Collected : (\d+)", result.stderr)
        return int(match.group(1)) if result.returncode == 0 and match else None


def instructions(program, name, n):
    first, second = count(program, name, n), count(program, name, 3 * n)
    return (second - first) / (2 * n) if first is not None and second is not None else None


def show(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


class Mark:
    """What a row shall reach. In the table of marks: "60" or "min:60", a number; "1.5x" or "min:0.9x", of the row's reference;
    "NAME*20", of the row NAME of the same run, and "=NAME", as much as that. The same of a mark in instructions, from instructions."""

    def __init__(self, text, reference, rows):
        self.least = text.startswith("min:")
        self.exact = text.startswith("=")
        text = text.removeprefix("min:")
        if self.exact:
            text = text.removeprefix("=") + "*1"
        self.value = None
        if re.search(r"\*[0-9.]+$", text):
            name, factor = text.rsplit("*", 1)
            self.value = rows[name] * float(factor) if rows.get(name) else None
        elif text.endswith("x"):
            self.value = reference * float(text[:-1]) if reference else None
        elif text != "-":
            self.value = float(text)

    def missed(self, value):
        if self.value is None:
            return False
        if self.exact:
            return abs(value - self.value) >= 0.5
        return value < self.value if self.least else value > self.value

    def __str__(self):
        return "-" if self.value is None else (">=" if self.least else "=" if self.exact else "") + show(self.value)


def ratio(value, other):
    if other is None:
        return "-"
    return f"{value / other:.3f}" if other else ("1" if value == other else "inf")


def measure(program, table, counting, rows, counts):
    """Prints the rows of a program; returns the marks that it misses as (text, whether it is more than a time)."""
    result = subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    missed = []
    if result.returncode != 0:
        missed.append((f"{program}: status {result.returncode}", True))
    for line in result.stdout.splitlines():
        words = line.split()
        if len(words) != 4 or line.startswith("#"):
            print(line, flush=True)
            continue
        name, value, unit = words[0], float(words[1]), words[2]
        whose, _, figure = words[3].rpartition("=")
        told = figure not in ("-", "abort")
        reference = float(figure) if told else None
        text, most, n = (table.get(name, []) + ["-", "-", "-"])[:3]
        most = Mark(most, None, counts)
        mark = Mark(text, reference, rows)
        rows[name] = value
        counted = instructions(program, name, int(n)) if n != "-" and counting else None
        if counted is not None and most.missed(round(counted)):
            # Threads that wait for each other may have spun.
            counted = min(counted, instructions(program, name, int(n)))
        counts[name] = counted
        said = f"{show(reference)} {whose or 'QEMU'}" if told else "QEMU aborts" if figure == "abort" else "-"
        print(f"{name:<34}{show(value):>9} {unit:<6}{str(mark):>8}{ratio(value, mark.value):>9}{said:>16}{ratio(value, reference):>8}"
              f"{show(counted):>8}{str(most):>6}", flush=True)
        if counted is not None and most.missed(round(counted)):
            missed.append((f"{name}: {counted:.0f} instructions, the mark is {most}", True))
        if mark.missed(value):
            missed.append((f"{name}: {show(value)} {unit}, the mark is {mark}", unit not in ("ns", "us", "ms")))
    return missed


def main():
    os.environ.pop("G_SLICE", None)  # of the tests
    table = marks()
    counting = shutil.which("valgrind") is not None and not os.environ.get("SANITIZERS")
    missed, rows, counts = [], {}, {}

    print(f"{'case':<34}{'value':>9} {'unit':<6}{'mark':>8}{'of mark':>9}{'reference':>16}{'of it':>8}{'instr.':>8}{'mark':>6}",
          flush=True)
    for program in sys.argv[1:]:
        folder = TOP if program.endswith(".py") else BUILD
        missed += measure(str(folder / program), table, counting, rows, counts)
    if not counting:
        print("# instructions are counted where valgrind is, without sanitizers")
    if missed:
        print("\nmarks that were missed in this run:")
        for text, is_hard in missed:
            print(f"  {text}{'' if is_hard else ' (a time: look at it on a quiet machine)'}")
    return 1 if any(is_hard for _, is_hard in missed) and os.environ.get("BENCH_STRICT") else 0


if __name__ == "__main__":
    sys.exit(main())

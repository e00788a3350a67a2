#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs every command that README.md and docs/*.md show, and compares what it prints; then looks at their pictures, C and links.

A fenced block with the word "console" holds commands ("$ ...", continued with a backslash; "$ # ..." is a remark) and, below each, its
output. A line "..." stands for any lines, "..." inside a line for any text. All blocks of a page run in one shell, in an empty folder
that holds ./qomet, ./examples and the device ./hw/misc/edu.c. A command must end with status 0 unless the next one is "echo $?". Further words of the fence:
  kvm         needs /dev/kvm; skipped without
  explain     needs a program that was not configured with --disable-explain
  gdb         needs gdb; skipped without
  quickstart  is what .ci/run calls; only checked to exist
  others      the block stands in the picture that PICTURES gives this word
"""
import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

# What docs/picture.py draws: the picture, and what it is given.
PICTURES = (("docs/first-run.svg", "README.md"), ("docs/attach.svg", "docs/studying.md attach"),
            ("docs/hot-add.svg", "docs/hot-add.md picture"))
MARK = "@@qomet-docs-status@@"
TIMEOUT_S = 300


def blocks(text):
    """Yields (line number, words of the fence, lines) of each console block."""
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        if fence is None:
            match = re.match(r"^```(\S.*)$", line)
            if match:
                fence = (number, match.group(1).split(), [])
        elif line.startswith("```"):
            if fence[1][0] == "console":
                yield fence
            fence = None
        else:
            fence[2].append(line)


def commands(lines):
    """Splits a block into (command, expected lines)."""
    result = []
    more = False
    for line in lines:
        if line.startswith("$ #"):
            continue
        if more:
            result[-1][0] += "\n" + line
        elif line.startswith("$ "):
            result.append([line[2:], []])
        elif result:
            result[-1][1].append(line)
        else:
            raise ValueError("output before the first command: " + line)
        more = result[-1][0].endswith("\\") and not result[-1][1]
    return result


def pattern(expected):
    """A regular expression for the lines of output that a page shows."""
    parts = []
    for line in expected:
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*?".join(re.escape(p) for p in line.rstrip().split("...")) + r"[ \t]*\n")
    return re.compile("".join(parts) + r"\Z")


def squeezed(code):
    """C without what does not matter for comparing it."""
    return re.sub(r"G_GNUC_UNUSED|\s", "", code)


def kvm_reason():
    try:
        with open("/dev/kvm", "rb+", buffering=0) as kvm:
            if fcntl.ioctl(kvm, 0xae00) != 12:  # KVM_GET_API_VERSION
                return "no usable KVM: /dev/kvm has another API version"
        return None
    except OSError as error:
        return "no usable KVM: /dev/kvm: " + error.strerror


class Shell:
    """A bash that runs one command after the other and tells output and status of each."""

    def __init__(self, cwd, env):
        self.process = subprocess.Popen(
            ["timeout", str(TIMEOUT_S), "bash", "--noprofile", "--norc"], cwd=cwd, env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, command):
        # The shell's own input is the script; a command must not eat it.
        self.process.stdin.write(f"{{ {command}\n}} </dev/null\nqomet_docs_s=$?; printf '\\n{MARK} %d\\n' $qomet_docs_s; (exit $qomet_docs_s)\n")
        self.process.stdin.flush()
        output = []
        for line in self.process.stdout:
            if line.startswith(MARK):
                text = "".join(output)
                # The mark's own newline: take it away again where the command ended its last line.
                return (text[:-1] if text.endswith("\n\n") or text == "\n" else text), int(line.split()[1])
            output.append(line)
        return "".join(output) + "\n(the shell ended or ran out of time)", -1

    def close(self):
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.wait()


def main():
    srcdir = pathlib.Path(os.environ.get("abs_top_srcdir", ".")).resolve()
    builddir = pathlib.Path(os.environ.get("abs_top_builddir", ".")).resolve()
    pages = [srcdir / "README.md"] + sorted((srcdir / "docs").glob("*.md"))
    pages = [p for p in pages if any(True for _ in blocks(p.read_text()))]
    no_kvm = kvm_reason()
    explains = "#define QOMET_EXPLAIN 1" in (builddir / "config.h").read_text()
    number = 0
    failed = False

    print("TAP version 13", flush=True)
    for page in pages:
        page_name = str(page.relative_to(srcdir))
        with tempfile.TemporaryDirectory(prefix="qomet-docs-") as folder:
            work = pathlib.Path(folder) / "qomet"
            work.mkdir()
            for entry in ("qomet",):
                os.symlink(builddir / entry, work / entry)
            shutil.copytree(srcdir / "examples", work / "examples",
                            ignore=shutil.ignore_patterns("*.o", "*.so", ".deps", ".dirstamp"))
            (work / "hw/misc").mkdir(parents=True)
            shutil.copy(srcdir / "hw/misc/edu.c", work / "hw/misc")
            home = pathlib.Path(folder) / "home"
            home.mkdir()
            runtime = pathlib.Path(folder) / "run"
            runtime.mkdir(mode=0o700)
            env = dict(os.environ, HOME=str(home), LC_ALL="C.UTF-8", QOMET_BUILD=str(builddir), TMPDIR=folder,
                       XDG_RUNTIME_DIR=str(runtime))
            for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "CMOCKA_MESSAGE_OUTPUT"):
                env.pop(name, None)
            if env.get("SANITIZERS"):
                # What is built with a sanitizer links only with what is built so too.
                (home / "bin").mkdir()
                cc = home / "bin" / "cc"
                flags = " ".join("--coverage" if name == "coverage" else "-fsanitize=" + name
                                 for name in env["SANITIZERS"].split())
                cc.write_text(f"#!/bin/sh\nexec gcc {flags} \"$@\"\n")
                cc.chmod(0o755)
                env["PATH"] = f"{home / 'bin'}:{env['PATH']}"
            shell = Shell(work, env)
            for line, words, lines in blocks(page.read_text()):
                listed = commands(lines)
                for i, (command, expected) in enumerate(listed):
                    number += 1
                    title = f"{page_name}:{line}: {command.splitlines()[0][:70]}"
                    title = title.replace("#", "_")
                    if "quickstart" in words:
                        ok = (srcdir / command.split()[0]).exists()
                        print(f"{'ok' if ok else 'not ok'} {number} - {title}", flush=True)
                        failed |= not ok
                        continue
                    if "explain" in words and not explains:
                        print(f"ok {number} - {title} # SKIP configured with --disable-explain", flush=True)
                        continue
                    if "kvm" in words and no_kvm:
                        print(f"ok {number} - {title} # SKIP {no_kvm}", flush=True)
                        continue
                    if "gdb" in words and not shutil.which("gdb"):
                        print(f"ok {number} - {title} # SKIP gdb is not installed", flush=True)
                        continue
                    output, status = shell.run(command)
                    checked = i + 1 < len(listed) and listed[i + 1][0].strip() == "echo $?"
                    ok = bool(pattern(expected).match(output)) and (status == 0 or checked)
                    print(f"{'ok' if ok else 'not ok'} {number} - {title}", flush=True)
                    if not ok:
                        failed = True
                        print(f"# status {status}; the page shows:")
                        print("".join(f"#   {l}\n" for l in expected) + "# the command printed:")
                        print("".join(f"#   {l}\n" for l in output.splitlines()), end="", flush=True)
            shell.close()
            # A page ends what it has started, unless something has failed.
            for machine in subprocess.run([builddir / "qomet", "list"], env=env, stdout=subprocess.PIPE, text=True).stdout.splitlines():
                process = machine.split()[1]
                with contextlib.suppress(ProcessLookupError):  # it may be ending by itself, and then may not say who it is
                    if process.isdigit():
                        os.kill(int(process), signal.SIGTERM)
    for picture, words in PICTURES:
        number += 1
        drawn = subprocess.run(["docs/picture.py", *words.split()], cwd=srcdir, stdout=subprocess.PIPE, text=True).stdout
        ok = drawn == (srcdir / picture).read_text()
        print(f"{'ok' if ok else 'not ok'} {number} - {picture} shows what the page says"
              f" (else: docs/picture.py {words} > {picture})")
        failed |= not ok
    examples = [squeezed(e.read_text()) for e in [*(srcdir / "examples").glob("*/*.c"), srcdir / "hw/misc/edu.c"]]
    for page in [srcdir / "README.md"] + sorted((srcdir / "docs").glob("*.md")):
        number += 1
        lost = [code for code in re.findall(r"^```c\n((?:.*\n)*?)```$", page.read_text(), re.M)
                if not any(squeezed(code) in example for example in examples)]
        print(f"{'not ok' if lost else 'ok'} {number} - what {page.relative_to(srcdir)} shows of C stands in an example or in edu", flush=True)
        for code in lost:
            print("".join(f"# {line}\n" for line in code.splitlines()), end="", flush=True)
        failed |= bool(lost)
    for page in [srcdir / "README.md"] + sorted((srcdir / "docs").glob("*.md")):
        number += 1
        links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
        lost = [link for link in links if not (page.parent / link).exists()]
        print(f"{'not ok' if lost else 'ok'} {number} - the links of {page.relative_to(srcdir)} lead somewhere", flush=True)
        for link in lost:
            print(f"# there is no {link}")
        failed |= bool(lost)
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

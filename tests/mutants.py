#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Takes away one registration, lock or guard after the other, and wants a named test to fail each time.

Sites are found in the sources; tests/mutants.list names the test of each, a line a rule:

    KIND  FILE-PATTERN  NAME-PATTERN  BUILD  TEST...

KIND      type   a line "type_init(...)" or "DEFINE_TYPES(...)" is removed
          lock   all lock and unlock calls on one mutex of one file are removed
          guard  one entry_enter() of a file passes without entering, and its entry_leave() is removed
BUILD     plain, asan or tsan: which build shows it
TEST      programs, run in order until one fails

A site without a rule is an error: whoever adds a lock says which test needs it. Usage: mutants.py [WORD...] - only sites
whose line of report holds every WORD. Trees are kept in build-mutants/, so a second run is quick.
"""
import fnmatch
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(os.environ.get("abs_top_srcdir", ".")).resolve()
BUILD_TOP = pathlib.Path(os.environ.get("abs_top_builddir", ".")).resolve()
WORK = BUILD_TOP / "build-mutants"
ROOMS = ("qom", "memory", "backends", "hw", "accel", "machine", "options", "monitor", "cli")
OPTIONS = {"plain": [], "asan": ["--enable-asan"], "tsan": ["--enable-tsan"]}
JOBS = str(os.cpu_count() or 1)
TEST_TIMEOUT_S = 120

REGISTRATION = re.compile(r"^(?:type_init|DEFINE_TYPES)\((\w+)\);?[ \t]*$", re.M)
LOCK = re.compile(r"\bpthread_(?:mutex_lock|mutex_trylock|rwlock_rdlock|rwlock_wrlock)\(([^()]*(?:\([^()]*\))?[^()]*)\)")
ENTER = re.compile(r"\bentry_enter\(([^()]*(?:\([^()]*\))?[^()]*)\)")


class Site:
    def __init__(self, kind, file, name, text):
        self.kind, self.file, self.name, self.text = kind, file, name, text

    def __str__(self):
        return f"{self.kind} {self.file} {self.name}"


def remove_calls(text, functions, argument):
    """The text with calls of the functions on that argument replaced by what they give when all is well."""
    for function, result in functions:
        text = re.sub(r"\b" + function + r"\(\s*" + re.escape(argument) + r"\s*\)", result, text)
    return text


def sites():
    for path in sorted(p for room in ROOMS for p in (TOP / room).rglob("*.c")):
        file = str(path.relative_to(TOP))
        text = path.read_text()
        for match in REGISTRATION.finditer(text):
            gone = text[:match.start()] + text[match.end():]
            yield Site("type", file, match.group(1), gone)
        for argument in sorted(set(LOCK.findall(text))):
            gone = remove_calls(text, [("pthread_mutex_lock", "(void)0"), ("pthread_mutex_unlock", "(void)0"),
                                       ("pthread_mutex_trylock", "0"), ("pthread_rwlock_rdlock", "(void)0"),
                                       ("pthread_rwlock_wrlock", "(void)0"), ("pthread_rwlock_unlock", "(void)0")],
                                argument)
            yield Site("lock", file, argument.replace(" ", ""), gone)
        for argument in sorted(set(ENTER.findall(text))):
            gone = remove_calls(text, [("entry_enter", "true"), ("entry_leave", "(void)0")], argument)
            if gone != text and not file.startswith("memory/entry"):
                yield Site("guard", file, argument.replace(" ", ""), gone)


def rules():
    for number, line in enumerate((TOP / "tests/mutants.list").read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) < 5 or words[3] not in OPTIONS:
            sys.exit(f"tests/mutants.list:{number}: expected KIND FILE NAME plain|asan|tsan TEST...")
        yield words


def rule_for(site, table):
    for words in table:
        if words[0] == site.kind and fnmatch.fnmatch(site.file, words[1]) and fnmatch.fnmatch(site.name, words[2]):
            return words
    return None


def make(build, *targets):
    return subprocess.run(["make", "-s", "-j", JOBS, *targets], cwd=WORK / build, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def prepare(builds):
    WORK.mkdir(exist_ok=True)
    subprocess.run(["make", "-s", "distdir", f"distdir={WORK / 'src'}"], cwd=BUILD_TOP, check=True)
    for build in builds:
        folder = WORK / build
        folder.mkdir(exist_ok=True)
        if not (folder / "config.status").exists():
            subprocess.run(["../src/configure", "-q", *OPTIONS[build]], cwd=folder, check=True)


def run_test(build, test):
    env = dict(os.environ, abs_top_srcdir=str(WORK / "src"), abs_top_builddir=str(WORK / build),
               QOMET=str(WORK / build / "qomet"), SANITIZERS="" if build == "plain" else build, G_SLICE="always-malloc")
    program = WORK / build / test
    if test.endswith((".py", ".sh")):
        program = WORK / "src" / test
    try:
        result = subprocess.run([str(program)], cwd=WORK / build, env=env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TEST_TIMEOUT_S)
        # A script in TAP may end with status 0 and still say "not ok".
        return result.returncode == 0 and not re.search(rb"^not ok (?!.*# (?:SKIP|TODO))", result.stdout, re.M)
    except subprocess.TimeoutExpired:
        return False


def programs(tests):
    return [t for t in tests if not t.endswith((".py", ".sh"))]


def main():
    table = list(rules())
    wanted = [s for s in sites() if all(w in str(s) for w in sys.argv[1:])]
    lost = [s for s in wanted if not rule_for(s, table)]
    for site in lost:
        print(f"{site}: no line of tests/mutants.list says which test needs it")
    if lost:
        return 1
    prepare(sorted({rule_for(s, table)[3] for s in wanted}))
    healthy = {}
    survived = 0
    for site in wanted:
        _, _, _, build, *tests = rule_for(site, table)
        source = WORK / "src" / site.file
        for test in tests:
            if (build, test) not in healthy:
                built = make(build, "qomet", *programs([test]))
                healthy[build, test] = built.returncode == 0 and run_test(build, test)
                if not healthy[build, test]:
                    print(f"{site}: {test} ({build}) fails without any change\n{built.stdout[-2000:]}")
                    return 1
        original = source.read_text()
        killer = None
        try:
            source.write_text(site.text)
            built = make(build, "qomet", *programs(tests))
            if built.returncode != 0:
                print(f"{site}: does not build, so it shows nothing\n{built.stdout[-2000:]}")
            for test in tests if built.returncode == 0 else ():
                if not run_test(build, test):
                    killer = test
                    break
        finally:
            source.write_text(original)
        print(f"{site}: {'shown by ' + killer if killer else 'NO TEST FAILED'} ({build})", flush=True)
        survived += not killer
    for build in {rule_for(s, table)[3] for s in wanted}:
        make(build)
    print(f"{len(wanted)} mutants, {len(wanted) - survived} shown by a test, {survived} survived")
    return 1 if survived or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())

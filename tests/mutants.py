#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Takes away one registration, lock or guard after the other, and wants a named test to fail each time.

Sites are found in the sources; tests/mutants.list names the test of each, a line a rule:

    KIND  FILE-PATTERN  NAME-PATTERN  BUILD  TEST...

KIND      type   a line "type_init(...)" or "DEFINE_TYPES(...)" is removed; its name is that of the table or function
          lock   all lock and unlock calls on one mutex of one file are removed; its name is the argument. Or the word
                 that says who is in a guard is written whoever is; its name is FUNCTION:holder
          flock  the lock on a file passes without being taken; its name is FUNCTION:ARGUMENT
          guard  an entry_enter(), guard_lock(), guard_try_lock() or users_enter() passes without entering, and what leaves it again is
                 removed; its name is FUNCTION:ARGUMENT
          again  one look at whether this thread is inside already finds that it is not; its name is the function
BUILD     plain, asan or tsan: which build shows it
TEST      programs, run in order until one fails

A site without a rule is an error: whoever adds a lock says which test needs it; so is a rule without a site. Usage:
mutants.py [WORD...] - only sites whose line of report holds every WORD. Trees are kept in build-mutants/, so a second run
is quick. The last line sums up: "N mutants, N shown by a test, N survived".
"""
import fnmatch
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

TOP = pathlib.Path(os.environ.get("abs_top_srcdir", ".")).resolve()
BUILD_TOP = pathlib.Path(os.environ.get("abs_top_builddir", ".")).resolve()
WORK = BUILD_TOP / "build-mutants"
ROOMS = ("qom", "memory", "backends", "hw", "accel", "machine", "options", "monitor", "cli")
# A memcpy() that gcc makes itself is not seen by ThreadSanitizer.
OPTIONS = {"plain": ["CFLAGS=-O1 -g"],
           "asan": ["CFLAGS=-O1 -g", "--enable-asan"],
           "tsan": ["CFLAGS=-O1 -g -fno-builtin-memcpy", "--enable-tsan"]}
TRIES = 5
JOBS = str(os.cpu_count() or 1)

ARGUMENT = r"\(([^()]*(?:\([^()]*\))?[^()]*)\)"
REGISTRATION = re.compile(r"^(?:type_init|DEFINE_TYPES)\((\w+)\);?[ \t]*$", re.M)
LOCK = re.compile(r"\bpthread_(?:mutex_lock|mutex_trylock|rwlock_rdlock|rwlock_wrlock)" + ARGUMENT)
FILE_LOCK = re.compile(r"\bfcntl\((\w+), F_(?:OFD_)?SETLKW?, [^()]*\)|\bflock\((\w+), [^()]*\)")
# What enters, what leaves it again, and what the first gives when all is well.
GUARDS = (("entry_enter", "entry_leave", "true"), ("guard_lock", "guard_unlock", "true"),
          ("guard_try_lock", "guard_unlock", "true"), ("users_enter", "users_leave", "(void)0"))
INSIDE = re.compile(r"\((?:holder|__atomic_load_n\(&guard->holder, \w+\)) & ~GUARD_WAITED\) == \(uintptr_t\)t\b|"
                    r"(?<!bool )\bentry_inside" + ARGUMENT)
# The lock that a guard itself is: one instruction that only succeeds when nobody is inside.
HOLDER = re.compile(r"__atomic_compare_exchange_n\(&guard->holder, &nobody, [^;{]*?RELAXED\)")
# A function of the project's style: its body begins and ends in the first column.
FUNCTION = re.compile(r"^[\w][^;{}=]*?\b(\w+)\([^;{}]*\)\n\{\n.*?^\}$", re.M | re.S)


class Site:
    def __init__(self, kind, file, name, text):
        self.kind, self.file, self.name, self.text = kind, file, name.replace(" ", ""), text

    def __str__(self):
        return f"{self.kind} {self.file} {self.name}"


def without_calls(text, functions, argument):
    """The text with calls of the functions on that argument replaced by what they give when all is well."""
    for function, result in functions:
        text = re.sub(r"\b" + function + r"\(\s*" + re.escape(argument) + r"\s*\)", result, text)
    return text


def guards_of(file, text):
    for function in FUNCTION.finditer(text):
        body = function.group(0)
        before, after = text[:function.start()], text[function.end():]
        for enter, leave, result in GUARDS:
            if function.group(1) == enter:
                continue
            for argument in sorted(set(re.findall(r"\b" + enter + ARGUMENT, body))):
                entered = without_calls(body, [(enter, result)], argument)
                gone = without_calls(entered, [(leave, "(void)0")], argument)
                if gone != entered:
                    gone = before + gone + after
                else:
                    # It is left by another function of the file.
                    gone = without_calls(before + entered + after, [(leave, "(void)0")], argument)
                yield Site("guard", file, f"{function.group(1)}:{argument}", gone)
        for take in HOLDER.finditer(body):
            taken = "(__atomic_store_n(&guard->holder, nobody + (uintptr_t)t, __ATOMIC_RELAXED), true)"
            gone = body[:take.start()] + taken + body[take.end():]
            yield Site("lock", file, f"{function.group(1)}:holder", before + gone + after)
        for look in INSIDE.finditer(body):
            gone = body[:look.start()] + "false" + body[look.end():]
            yield Site("again", file, function.group(1), before + gone + after)
        for lock in FILE_LOCK.finditer(body):
            gone = body[:lock.start()] + "0" + body[lock.end():]
            yield Site("flock", file, f"{function.group(1)}:{lock.group(1) or lock.group(2)}", before + gone + after)


def sites():
    for path in sorted(p for room in ROOMS for p in (TOP / room).rglob("*.[ch]")):
        file = str(path.relative_to(TOP))
        text = path.read_text()
        for match in REGISTRATION.finditer(text):
            yield Site("type", file, match.group(1), text[:match.start()] + text[match.end():])
        for argument in sorted(set(LOCK.findall(text))):
            gone = without_calls(text, [("pthread_mutex_lock", "(void)0"), ("pthread_mutex_unlock", "(void)0"),
                                        ("pthread_mutex_trylock", "0"), ("pthread_rwlock_rdlock", "(void)0"),
                                        ("pthread_rwlock_wrlock", "(void)0"), ("pthread_rwlock_unlock", "(void)0")],
                                 argument)
            yield Site("lock", file, argument, gone)
        yield from guards_of(file, text)


def rules():
    for number, line in enumerate((TOP / "tests/mutants.list").read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) < 5 or words[3] not in OPTIONS:
            sys.exit(f"tests/mutants.list:{number}: expected KIND FILE NAME plain|asan|tsan TEST...")
        yield words


def matches(site, words):
    return (words[0] == site.kind and fnmatch.fnmatchcase(site.file, words[1]) and
            fnmatch.fnmatchcase(site.name, words[2]))


def rule_for(site, table):
    return next((words for words in table if matches(site, words)), None)


def make(build, *targets):
    return subprocess.run(["make", "-s", "-j", JOBS, *targets], cwd=WORK / build, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def make_for(build, tests):
    programs = [t for t in tests if not t.endswith((".py", ".sh"))]
    # A unit test is linked with all that it tests; the others drive the program.
    if not all(t.startswith("tests/unit/") for t in programs) or len(programs) < len(tests):
        programs.append("qomet")
    return make(build, *programs)


def prepare(builds):
    WORK.mkdir(exist_ok=True)
    new = WORK / "new"
    subprocess.run(["make", "-s", "distdir", f"distdir={new}"], cwd=BUILD_TOP, check=True)
    # Only what differs is copied, and is new then: also what a run that was stopped has left changed.
    for file in (f for f in new.rglob("*") if f.is_file()):
        kept = WORK / "src" / file.relative_to(new)
        if not kept.exists() or kept.read_bytes() != file.read_bytes():
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.unlink(missing_ok=True)
            shutil.copy(file, kept)
    shutil.rmtree(new)
    for build in builds:
        folder = WORK / build
        folder.mkdir(exist_ok=True)
        if not (folder / "config.status").exists():
            subprocess.run(["../src/configure", "-q", *OPTIONS[build]], cwd=folder, check=True)


def forget_objects(build, file):
    """What was made of a source file is not to be used again."""
    for depends in (WORK / build).rglob(".deps/*.Po"):
        if f"/{file}" in depends.read_text():
            (depends.parent.parent / depends.name).with_suffix(".o").unlink(missing_ok=True)


def run_test(build, test, limit_s):
    """Whether it passes, and how many seconds that took."""
    env = dict(os.environ, abs_top_srcdir=str(WORK / "src"), abs_top_builddir=str(WORK / build),
               QOMET=str(WORK / build / "qomet"), SANITIZERS={"plain": "", "asan": "address", "tsan": "thread"}[build],
               G_SLICE="always-malloc", TSAN_OPTIONS="halt_on_error=1", ASAN_OPTIONS="handle_segv=2")
    program = WORK / build / test
    if test.endswith((".py", ".sh")):
        program = WORK / "src" / test
    began = time.monotonic()
    process = subprocess.Popen([str(program)], cwd=WORK / build, env=env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output = process.communicate(timeout=limit_s)[0]
        # A script in TAP may end with status 0 and still say "not ok".
        good = process.returncode == 0 and not re.search(rb"^not ok (?!.*# (?:SKIP|TODO))", output, re.M)
    except subprocess.TimeoutExpired:
        good = False
        # With what it has started.
        os.killpg(process.pid, signal.SIGKILL)
        output = process.communicate()[0]
    return good, time.monotonic() - began, output


def first_healthy(build, tests, healthy):
    """The name of a test that fails without any change, or None; notes how long each takes."""
    for test in tests:
        if (build, test) not in healthy:
            built = make_for(build, [test])
            if built.returncode != 0:
                print(built.stdout[-2000:])
                return test
            good, seconds, output = run_test(build, test, 120)
            if not good:
                print(output.decode(errors="replace")[-2000:])
                return test
            healthy[build, test] = seconds
    return None


def try_mutant(site, build, tests, healthy):
    """The test that shows it, or None."""
    source = WORK / "src" / site.file
    original = source.read_text()
    try:
        source.write_text(site.text)
        built = make_for(build, tests)
        if built.returncode != 0:
            print(f"{site}: does not build, so it shows nothing\n{built.stdout[-2000:]}")
            return None
        # A race shows when the threads meet, which they do not each time.
        for test in tests * (TRIES if build == "tsan" else 1):
            if not run_test(build, test, 15 + 4 * healthy[build, test])[0]:
                return test
        return None
    finally:
        source.write_text(original)
        forget_objects(build, site.file)


def main():
    table = list(rules())
    everything = list(sites())
    wanted = [s for s in everything if all(w in str(s) for w in sys.argv[1:])]
    lost = [f"{s}: no line of tests/mutants.list says which test needs it" for s in wanted if not rule_for(s, table)]
    lost += [f"tests/mutants.list: nothing in the sources is a '{' '.join(words[:3])}'"
             for words in table if not any(matches(s, words) for s in everything)]
    if lost:
        print("\n".join(lost))
        return 1
    prepare(sorted({rule_for(s, table)[3] for s in wanted}))
    healthy = {}
    survived = 0
    for site in wanted:
        _, _, _, build, *tests = rule_for(site, table)
        ill = first_healthy(build, tests, healthy)
        if ill:
            print(f"{site}: {ill} ({build}) fails without any change")
            return 1
        began = time.monotonic()
        killer = try_mutant(site, build, tests, healthy)
        print(f"{site}: {'shown by ' + killer if killer else 'NO TEST FAILED'} ({build}, "
              f"{time.monotonic() - began:.0f} s)", flush=True)
        survived += not killer
    print(f"{len(wanted)} mutants, {len(wanted) - survived} shown by a test, {survived} survived")
    return 1 if survived or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())

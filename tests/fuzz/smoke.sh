#!/bin/bash
# SPDX-License-Identifier: MIT
#
# smoke.sh TARGET...: lets each fuzz target run for FUZZ_SECONDS (60). It must find nothing, and must reach more of the
# program than its seeds do. Then the same targets, built with a bug planted in what each of them drives
# (configure --enable-planted-bug), must find it: a fuzzer that cannot find a bug proves nothing.
#
# Run by `make fuzz-smoke` in the folder of a build made with --enable-fuzzing.

set -u
seconds=${FUZZ_SECONDS:-60}
work=$PWD/fuzz-work
failed=0

coverage() { # LOG LINE-KIND: the edges reached, as libFuzzer counts them
    sed -n "s/^#[0-9]*[[:space:]]*$2[[:space:]]*cov: \([0-9]*\) .*/\1/p" "$1" | tail -n 1
}

say() { printf '%s\n' "$*"; }

fail() { # NAME LOG REASON
    say "$1: FAILED: $3"
    tail -n 40 "$2" | sed 's/^/    | /'
    failed=1
}

run() { # TARGET
    local name=${1##*/} dir=$work/${1##*/} seeds=$abs_top_srcdir/tests/fuzz/corpus/${1##*/} before after
    mkdir -p "$dir/corpus" "$dir/found"
    [ -d "$seeds" ] || { say "$name: FAILED: it has no seeds in tests/fuzz/corpus/$name"; failed=1; return; }
    if ! "./$1" -runs=0 "$seeds" >"$dir/seeds.log" 2>&1; then
        fail "$name" "$dir/seeds.log" "a seed breaks it"
        return
    fi
    before=$(coverage "$dir/seeds.log" INITED)
    if ! "./$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$dir/found/" \
        "$dir/corpus" "$seeds" >"$dir/run.log" 2>&1; then
        fail "$name" "$dir/run.log" "it found something (kept in $dir/found)"
        return
    fi
    after=$(coverage "$dir/run.log" DONE)
    if [ -z "$before" ] || [ -z "$after" ] || [ "$after" -le "$before" ]; then
        fail "$name" "$dir/run.log" "${seconds} s of it reach no more than its seeds (${before:-?} edges, then ${after:-?})"
        return
    fi
    say "$name: good: $before edges with its seeds, $after after $seconds s," \
        "$(sed -n 's/^#\([0-9]*\)[[:space:]]*DONE.*/\1/p' "$dir/run.log") runs"
}

planted() { # TARGET
    local name=${1##*/} dir=$work/${1##*/} began=$SECONDS
    # What is new goes to the first folder, which must not be the seeds' own.
    mkdir -p "$dir/planted/corpus"
    if "planted/$1" -max_total_time="$((seconds * 2))" -artifact_prefix="$dir/planted/" \
        "$dir/planted/corpus" "$abs_top_srcdir/tests/fuzz/corpus/$name" >"$dir/planted.log" 2>&1; then
        fail "$name" "$dir/planted.log" "it does not find the bug that was planted for it"
    else
        say "$name: good: finds the planted bug after $((SECONDS - began)) s"
    fi
}

rm -rf "$work"
for target in "$@"; do
    run "$target"
done

say "the same with a planted bug:"
mkdir -p planted
if ! (cd planted && { [ -f config.status ] ||
    "$abs_top_srcdir/configure" -q --enable-fuzzing --enable-asan --enable-planted-bug; } &&
    make -s -j "$(nproc)" "$@") >"$work/planted-build.log" 2>&1; then
    fail planted "$work/planted-build.log" "it does not build"
else
    for target in "$@"; do
        planted "$target"
    done
fi
exit "$failed"

#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every fuzz target takes every input that is kept for it in tests/fuzz/corpus/NAME/, and the empty one.

set -- $FUZZ_TARGETS
if [ $# = 0 ]; then
    echo '1..0 # SKIP there are no fuzz targets yet'
    exit 0
fi

empty=$(mktemp) || exit 1
trap 'rm -f "$empty"' EXIT

echo "1..$#"
number=0
for target in "$@"; do
    number=$((number + 1))
    name=${target##*/}
    inputs=("$empty")
    for input in "$abs_top_srcdir/tests/fuzz/corpus/$name"/*; do
        [ -f "$input" ] && inputs+=("$input")
    done
    if output=$("$abs_top_builddir/$target" "${inputs[@]}" 2>&1); then
        echo "ok $number - $name, ${#inputs[@]} inputs"
    else
        sed 's/^/# /' <<<"$output"
        echo "not ok $number - $name, ${#inputs[@]} inputs"
    fi
done

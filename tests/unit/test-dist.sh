#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What git knows is in the release too. The list of the release, tests/files.lst, is made by the Makefile.

list=$abs_top_builddir/tests/files.lst
cd "$abs_top_srcdir" || exit 1
echo 1..1

if [ ! -e .git ] || ! tracked=$(git ls-files 2>/dev/null); then
    # A release, or part of one: then what it lists is there.
    lost=$(while read -r path; do [ -e "$path" ] || echo "$path"; done <"$list")
    [ -z "$lost" ] || sed 's/^/# not there: /' <<<"$lost"
    echo "$([ -z "$lost" ] || echo 'not ')ok 1 - every file of the release is there"
    exit 0
fi

lost=$(awk '
    NR == FNR { released[$0] = 1; next }
    /(^|\/)\.gitattributes$/ { next }
    {
        for (path = $0; path != ""; path = path ~ /\// ? parent(path) : "") {
            if (path in released) {
                next
            }
        }
        print
    }
    function parent(path) { sub(/\/[^\/]*$/, "", path); return path }
    ' "$list" - <<<"$tracked")

if [ -z "$lost" ]; then
    echo 'ok 1 - every file that git knows is released'
else
    sed 's/^/# not released: /' <<<"$lost"
    echo 'not ok 1 - every file that git knows is released'
fi

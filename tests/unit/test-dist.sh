#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What git knows is in the release too. tests/files.lst, made by the Makefile, is the list of the release.

cd "$abs_top_srcdir" || exit 1
if [ ! -e .git ] || ! tracked=$(git ls-files 2>/dev/null); then
    echo '1..0 # SKIP not a git checkout'
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
    ' "$abs_top_builddir/tests/files.lst" - <<<"$tracked")

echo 1..1
if [ -z "$lost" ]; then
    echo 'ok 1 - every file that git knows is released'
else
    sed 's/^/# not released: /' <<<"$lost"
    echo 'not ok 1 - every file that git knows is released'
fi

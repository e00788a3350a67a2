#!/bin/bash
# SPDX-License-Identifier: MIT
#
# source-files.sh [PATTERN]... - print the C files of the tree (*.c and *.h unless told) that git knows, one a line;
# in an unpacked release, all there are.

cd "$(dirname "$0")/.." || exit 1
[ $# -gt 0 ] || set -- '*.c' '*.h'

if [ -e .git ] && git ls-files -- "$@" 2>/dev/null; then
    exit 0
fi

names=()
for pattern in "$@"; do
    names+=(${names:+-o} -name "$pattern")
done
find . -name 'build*' -prune -o -name 'qomet-[0-9]*' -prune -o -name config.h -o \
    -type f \( "${names[@]}" \) -printf '%P\n' | sort

#!/bin/bash
# SPDX-License-Identifier: MIT
#
# make format-check: is every C file as clang-format would write it? Repair one with `clang-format -i FILE`.

cd "$(dirname "$0")/.." || exit 1

if [ -z "$CLANG_FORMAT" ]; then
    echo 'format-check: clang-format was not found by configure (Debian: clang-format)' >&2
    exit 1
fi

mapfile -t files < <(build-aux/source-files.sh)
if [ "${#files[@]}" = 0 ]; then
    echo 'format-check: there are no C files' >&2
    exit 1
fi

"$CLANG_FORMAT" --dry-run -Werror "${files[@]}" || exit 1
echo "format-check: ${#files[@]} files are well formed"

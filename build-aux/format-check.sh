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

status=0
for file in "${files[@]}"; do
    if ! "$CLANG_FORMAT" --dry-run -Werror "$file" 2>/dev/null; then
        echo "format-check: not as clang-format would write it: $file" >&2
        status=1
    fi
done

[ "$status" = 0 ] && echo "format-check: ${#files[@]} files are well formed"
exit "$status"

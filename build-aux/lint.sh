#!/bin/bash
# SPDX-License-Identifier: MIT
#
# make lint: cppcheck and clang-tidy over the C files, called with the compiler's flags by the build directory.
# What they are told to leave out stands, with its reason, in build-aux/cppcheck.suppress and .clang-tidy.

top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
jobs=$(nproc)
status=0

mapfile -t sources < <("$top/build-aux/source-files.sh" '*.c')
sources=("${sources[@]/#/$top/}")

if [ -n "$CPPCHECK" ]; then
    # It does not read GLib's headers, only its own description of them, which lacks these.
    includes=('-DG_GNUC_PRINTF(format, first)=' '-DG_GNUC_NORETURN=__attribute__((noreturn))'
        -DG_GNUC_WARN_UNUSED_RESULT=)
    for flag in "$@"; do
        case $flag in
        -I/usr/*) ;;
        -I* | -D*) includes+=("$flag") ;;
        esac
    done
    "$CPPCHECK" --quiet -j "$jobs" --std=c11 --library=gtk,posix --enable=warning,portability,performance --inline-suppr \
        --suppressions-list="$top/build-aux/cppcheck.suppress" --error-exitcode=1 \
        "${includes[@]}" "${sources[@]}" || status=1
else
    echo 'lint: cppcheck was not found by configure (Debian: cppcheck)' >&2
    status=1
fi

if [ -n "$CLANG_TIDY" ]; then
    tidy() { # CHECKS-BESIDES, FLAG...; the files come on standard input
        local checks=$1
        shift
        xargs -0 -P "$jobs" -I '{}' "$CLANG_TIDY" --quiet --config-file="$top/.clang-tidy" --checks="$checks" '{}' -- "$@" \
            2> >(grep -vE '^[0-9]+ warnings? generated|^Suppressed|^Use -' >&2)
    }
    own=() tests=()
    for source in "${sources[@]}"; do
        case $source in
        "$top"/tests/*) tests+=("$source") ;;
        *) own+=("$source") ;;
        esac
    done
    printf '%s\0' "${own[@]}" | tidy '' "$@" || status=1
    # The analyzer does not know that a cmocka assertion that fails does not return.
    printf '%s\0' "${tests[@]}" | tidy '-clang-analyzer-core.NullDereference,-clang-analyzer-core.NonNullParamChecker' "$@" || status=1
else
    echo 'lint: clang-tidy was not found by configure (Debian: clang-tidy)' >&2
    status=1
fi

[ "$status" = 0 ] && echo "lint: nothing to say about ${#sources[@]} files"
exit "$status"

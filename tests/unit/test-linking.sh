#!/bin/bash
# SPDX-License-Identifier: MIT
#
# qomet is a program of its own, not a wrapper, and starts with no more libraries than it needs.

echo 1..3

magic=$(head -c 4 "$QOMET" | od -An -tx1 | tr -d ' \n')
if [ "$magic" = 7f454c46 ]; then
    echo 'ok 1 - qomet is an ELF file'
else
    echo "# it begins with $magic"
    echo 'not ok 1 - qomet is an ELF file'
fi

# A sanitizer brings its own runtime and what that stands on.
allowed='linux-vdso|ld-linux-x86-64|libc|libglib-2\.0|libgmodule-2\.0|libjson-c|libpcre|libpcre2-8'
if [ -n "$SANITIZERS" ]; then
    allowed="$allowed|libasan|libubsan|libtsan|libm|libdl|librt|libpthread|libresolv|libgcc_s|libstdc\+\+"
fi

names=$(ldd "$QOMET" | awk '{ sub(/.*\//, "", $1); print $1 }')
extra=$(grep -vE "^($allowed)\.so(\.[0-9]+)*\$" <<<"$names")
if [ -n "$names" ] && [ -z "$extra" ]; then
    echo 'ok 2 - qomet links GLib, gmodule, json-c and libc, and nothing more'
else
    echo "# not expected:" $extra
    echo 'not ok 2 - qomet links GLib, gmodule, json-c and libc, and nothing more'
fi

version=$("$QOMET" -version)
if [ $? = 0 ] && [[ $version == Qomet\ version\ [0-9]* ]]; then
    echo 'ok 3 - qomet -version'
else
    echo "# it said: $version"
    echo 'not ok 3 - qomet -version'
fi

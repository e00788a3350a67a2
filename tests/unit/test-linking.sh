#!/bin/bash
# SPDX-License-Identifier: MIT
#
# qomet is a program of its own, not a wrapper, and starts with no more libraries than it needs.

# The loader is asked for the addresses of thread-local data; a sanitizer brings its own runtime and what that
# stands on.
direct='libc|ld-linux-x86-64|libglib-2\.0|libgmodule-2\.0|libjson-c'
if [ -n "$SANITIZERS" ]; then
    direct="$direct|libasan|libubsan|libtsan|libm|libdl|librt|libpthread|libresolv|libgcc_s|libstdc\+\+"
fi
# GLib itself stands on these.
loaded="$direct|libpcre|libpcre2-8|libm|linux-vdso"

number=0
report() { # TITLE, VALUE that is empty when all is well, WHAT-IT-IS
    number=$((number + 1))
    if [ -z "$2" ]; then
        echo "ok $number - $1"
    else
        echo "# $3:" $2
        echo "not ok $number - $1"
    fi
}

others() { # PATTERN NAMES: those of the libraries that are not of the pattern
    if [ -n "$2" ]; then
        sed 's,.*/,,' <<<"$2" | grep -vE "^($1)\.so(\.[0-9]+)*\$"
    else
        echo 'none at all'
    fi
}

echo 1..5

magic=$(head -c 4 "$QOMET" | od -An -tx1 | tr -d ' \n')
[ "$magic" = 7f454c46 ] && magic=
report 'qomet is an ELF file' "$magic" 'it begins with'

names=$(readelf -d "$QOMET" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p')
report 'it asks for GLib, gmodule, json-c and libc, and nothing more' \
    "$(others "$direct" "$names")" 'not expected'

names=$(ldd "$QOMET" | awk '{ print $1 }')
report 'nothing more is loaded than these need' \
    "$(others "$loaded" "$names")" 'not expected'

# What is exported here is what modules, and libraries that they need, find first.
exported() { nm -D --defined-only "$1" | awk '{ print $3 }' | sort; }
missing=
if [[ $names != *libglib* ]]; then
    missing=$(comm -13 <(exported "$QOMET") <(exported "$(pkg-config --variable=libdir glib-2.0)/libglib-2.0.so"))
fi
report 'whatever the shared GLib has, the program has, from there or itself' "$missing" 'missing'

version=$("$QOMET" -version) || version="$version (status $?)"
[[ $version == *\ version\ [0-9]*.* && $version != *status* ]] && version= || version="'$version'"
report 'qomet -version' "$version" 'it said'

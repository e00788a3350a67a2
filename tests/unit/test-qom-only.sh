#!/bin/bash
# SPDX-License-Identifier: MIT
#
# examples/qom-only is built as a stranger would: from what `make install` puts somewhere, found by pkg-config.

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL
n=0
echo 1..5

# The next test passes when the command does.
check()
{
    local name=$1
    shift
    if "$@"; then
        echo "ok $((++n)) - $name"
    else
        echo "not ok $((++n)) - $name"
    fi
}

setting()
{
    sed -n "s/^$1 = //p" "$abs_top_builddir/Makefile"
}

install_qom()
{
    make -C "$abs_top_builddir" DESTDIR="$tmp/root" install-libLIBRARIES \
        install-nobase_qometincludeHEADERS \
        install-nodist_qometincludeHEADERS install-pkgconfigDATA >"$tmp/log" 2>&1 || {
        sed 's/^/# /' "$tmp/log"
        return 1
    }
    # With libdir elsewhere qom.pc has absolute names; what a distribution does with DESTDIR it undoes later.
    pc=$(find "$tmp/root" -name qom.pc)
    sed -E -i "s|^([a-z_]+)=/|\\1=$tmp/root/|" "$pc"
}

build()
{
    cp "$abs_top_srcdir"/examples/qom-only/{Makefile,shapes.c} "$tmp" || return 1
    PKG_CONFIG_PATH=${pc%/*}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH} make -C "$tmp" CC="$(setting CC)" \
        CFLAGS="$(setting CFLAGS) -Wall -Wextra -Werror $(setting SANITIZER_CFLAGS)" >"$tmp/log" 2>&1 || {
        sed 's/^/# /' "$tmp/log"
        return 1
    }
}

# What `shapes` prints when given the words after the first, and its status, are the first.
prints()
{
    local expected=$1 printed
    shift
    printed=$("$tmp/shapes" "$@" 2>&1; echo "status $?")
    [ "$printed" = "$expected" ] || sed 's/^/# /' <<<"$printed"
    [ "$printed" = "$expected" ]
}

check 'the library, its headers and qom.pc are installed' install_qom
check 'the example builds with pkg-config alone' build
check 'objects are made from words, and an interface is found' \
    prints $'circle: 12.57\nrectangle: 12.00, grown: 48.00\nstatus 0' \
    circle,radius=2 '{"type": "rectangle", "width": 3, "height": 4}'
check 'a misspelt type is named with the nearest' \
    prints $'shapes: circel: \'circel\' is not the name of a type (did you mean \'circle\'?)\nstatus 1' circel
check 'an abstract type makes no object' \
    prints $'shapes: shape: type \'shape\' is abstract: only types below it have objects\nstatus 1' shape

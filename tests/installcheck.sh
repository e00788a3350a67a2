#!/bin/bash
# SPDX-License-Identifier: MIT
#
# installcheck.sh BINDIR PKGCONFIGDIR INCLUDEDIR [HEADER]... - is what `make install` put there of use?
# Each header stands alone, a program links with libqom.a alone, and the .pc files say what a module needs.
# CC, CFLAGS and MANDIR are taken from the environment.

bindir=$1 includedir=$3
export PKG_CONFIG_PATH=$2
shift 3

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0
fail() {
    echo "installcheck: $*" >&2
    failed=1
}

[ -n "$("$bindir/qomet" -version)" ] || fail "qomet -version says nothing"

for pc in qom qomet qomet-qtest; do
    pkg-config --exists --print-errors "$pc" || fail "$pc.pc is of no use"
done
libs=$(pkg-config --libs qomet)
[ -z "${libs// /}" ] || fail "qomet.pc names libraries to a module: $libs"
moduledir=$(pkg-config --variable=moduledir qomet)
[ -n "$moduledir" ] || fail "qomet.pc has no moduledir"
for module in $(sed -n '/^#/d; s/^[^ ]* //p' "$moduledir/modules.index" || echo modules.index); do
    [ -r "$moduledir/$module" ] || fail "the module $module is not installed"
done

for page in man1/qomet.1 man5/qomet-board.5; do
    grep -q '^\.SH NAME' "$MANDIR/$page" || fail "the manual page $page is not installed"
done

flags="-std=gnu11 -Wall -Wextra -Werror $(pkg-config --cflags qomet)"
for header in "$@"; do
    [ -r "$includedir/qomet/$header" ] || fail "<qomet/$header> is not installed"
    printf '#include <qomet/%s>\n' "$header" >"$tmp/header.c"
    $CC $flags -fsyntax-only "$tmp/header.c" || fail "<qomet/$header> cannot be included alone"
done

# What the headers for devices, memory and machines declare, a module can call; gcc lists it.
printf '#include <qomet/%s>\n' "$@" >"$tmp/all.c"
if $CC $flags -fsyntax-only -aux-info "$tmp/prototypes" "$tmp/all.c" 2>/dev/null; then
    nm -D --defined-only "$bindir/qomet" | awk '{ print $3 }' | sort -u >"$tmp/exported"
    sed -nE 's,^/\* .*/qomet/(hw|memory|machine)/[^ ]* \*/ extern [^(]*[ *]([a-z0-9_]+) \(.*,\2,p' "$tmp/prototypes" |
        sort -u >"$tmp/declared"
    [ -s "$tmp/declared" ] || fail "the headers declare nothing"
    hidden=$(comm -23 "$tmp/declared" "$tmp/exported" | xargs)
    [ -z "$hidden" ] || fail "installed headers declare what no module can call: $hidden"
fi

cat >"$tmp/alone.c" <<'EOF'
#include <qomet/qom/module.h>
#include <qomet/qom/object.h>
int main(void)
{
    return module_call_init(MODULE_INIT_QOM, NULL) && module_init_queued() == 0 ? 0 : 1;
}
EOF
$CC $CFLAGS -std=gnu11 -Wall -Wextra -Werror -o "$tmp/alone" "$tmp/alone.c" $(pkg-config --cflags --libs qom) &&
    "$tmp/alone" || fail "libqom.a cannot be used alone"

cat >"$tmp/tester.c" <<'EOF'
#include <qomet/qtest.h>
int main(void)
{
    return qtest_quit(0);
}
EOF
$CC $CFLAGS -std=c99 -Wall -Wextra -Werror -o "$tmp/tester" "$tmp/tester.c" $(pkg-config --static --cflags --libs qomet-qtest) &&
    "$tmp/tester" || fail "a program cannot use libqomet-qtest.a"

[ "$failed" = 0 ] && echo "installcheck: $# headers, libqom.a and qomet are of use where they are installed"
exit "$failed"

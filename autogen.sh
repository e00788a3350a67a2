#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Make ./configure from configure.ac. Needed once in a fresh clone; make keeps it current from then on.

set -eu
cd "$(dirname "$0")"

for tool in autoconf automake aclocal pkg-config; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "autogen.sh: $tool was not found (Debian: apt-get install autoconf automake pkg-config)" >&2
        exit 1
    fi
done

autoreconf --force --install
echo "autogen.sh: done; now run ./configure && make"

#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Memtest86+ of Debian on the machines that start a kernel, on the true kvm_amd of the lab: it starts as Linux does, draws
# its screen on the serial line, and tests memory.

source=${abs_top_srcdir:?}
skip() { echo "1..0 # SKIP $*"; exit 0; }
case ${SANITIZERS:-} in
?*) skip "the lab runs the plain build (this one has $SANITIZERS)" ;;
esac
said=$("$source/tests/lab/run" true 2>&1)
[ $? != 77 ] || skip "$said"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# Kept beside what the lab itself has from Debian.
cache=${QOMET_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/qomet-lab}
image=$cache/memtest86+x64.bin
if [ ! -f "$image" ]; then
    (cd "$work" && apt-get -qq download memtest86+ && dpkg -x memtest86+_*.deb .) >"$work/said" 2>&1 &&
        cp "$work/boot/memtest86+x64.bin" "$cache/memtest.$$" && mv "$cache/memtest.$$" "$image"
    [ -f "$image" ] || skip "Debian's package memtest86+ cannot be fetched: $(tail -n 1 "$work/said")"
fi

# In the lab, until it tests.
cat >"$work/drive" <<'END'
image=$1 screen=/tmp/screen
shift
"$QOMET" -nodefaults -display none -serial stdio -no-reboot -m 64 -kernel "$image" -append console=ttyS0 "$@" \
    >"$screen" 2>&1 &
waited=0
until grep -q 'Address test, walking ones' "$screen" || [ $((waited += 1)) = 60 ]; do sleep 1; done
sleep 2
kill $!
wait $!
status=$?
cat "$screen"
exit $status
END

# What is on the screen once all is drawn: text at the places that the sequences name. The rest of them is colour.
screen='
import re, sys
lines, row, column = [[" "] * 80 for _ in range(25)], 0, 0
for place, letter in re.findall(r"\x1b\[([0-9;?]*[A-Za-z])|([^\x1b])", sys.stdin.buffer.read().decode("latin-1")):
    if place.endswith("H"):
        row, column = (int(n) - 1 for n in place[:-1].split(";"))
    elif letter >= " " and row < 25 and column < 80:
        lines[row][column] = letter
        column += 1
print("\n".join("".join(line) for line in lines))
'

echo "1..3"
number=0
draws() { # MACHINE
    local status shown line missing=
    number=$((number + 1))
    "$source/tests/lab/run" -t 90 -f "$QOMET" -f "$image" sh "$work/drive" "$image" -accel kvm -M "$1" >"$work/out" 2>&1
    status=$?
    shown=$(python3 -c "$screen" <"$work/out")
    for line in 'Memtest86+ v' 'Memory  :   64MB' 'CPU: 1 Cores 1 Threads' 'Status: Testing' 'Errors: 0 ' \
        'Test #'; do
        [[ $shown == *"$line"* ]] || missing+=" '$line'"
    done
    if [ "$status" = 0 ] && [ -z "$missing" ]; then
        echo "ok $number - memtest_draws_its_screen_on_$1"
    else
        sed 's/^/# /' <<<"$shown"
        echo "not ok $number - memtest_draws_its_screen_on_$1 (status $status${missing:+, without$missing})"
    fi
}

for machine in microvm pc q35; do
    draws "$machine"
done

#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The static probes are in the program, with the arguments that qom/probe.h tells; or none are, where there is no
# <sys/sdt.h> to build with.

notes=$(readelf -n "$QOMET" | awk '
    $1 == "Provider:" { provider = $2 }
    $1 == "Name:" { name = $2 }
    $1 == "Semaphore:" || /Semaphore:/ { semaphore = $NF }
    $1 == "Arguments:" && provider == "qomet" { print name, NF - 1, semaphore }' | sort)

if ! grep -q '^#define QOMET_PROBES 1' "$abs_top_builddir/config.h"; then
    echo 1..1
    [ -z "$notes" ] && echo 'ok 1 - there are no probes, since there was no sys/sdt.h' && exit
    echo "# there are: $notes"
    echo 'not ok 1 - there are no probes, since there was no sys/sdt.h'
    exit 1
fi

number=0
status=0
echo 1..5
check() { # TITLE NOTE LEAST-TIMES (a compiler may make copies)
    local count
    number=$((number + 1))
    count=$(grep -c "^$2 0x0*\$" <<<"$notes")
    if [ "$count" -ge "$3" ]; then
        echo "ok $number - $1"
    else
        echo "# '$2' is there $count times, not $3 or more, among:"
        sed 's/^/#   /' <<<"$notes"
        echo "not ok $number - $1"
        status=1
    fi
}

check 'an exit tells vCPU and reason' 'exit 2' 1
check 'a dispatch tells address space, address, size and direction, for reads and writes' 'dispatch 4' 2
check 'a realize tells device, type and id' 'realize 3' 1
check 'a line tells itself, its number and its level' 'irq 3' 1

# What is documented is there, and the other way round.
number=$((number + 1))
documented=$(sed -n 's/^ \*   \([a-z]*\)(.*/\1/p' "$abs_top_srcdir/qom/probe.h" | sort)
there=$(cut -d ' ' -f 1 <<<"$notes" | sort -u)
if [ "$documented" = "$there" ]; then
    echo "ok $number - qom/probe.h tells of each"
else
    echo "# documented: $documented; there: $there"
    echo "not ok $number - qom/probe.h tells of each"
    status=1
fi
exit $status

#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A room uses only the rooms above it: no file includes a header of a room further down.

cd "$abs_top_srcdir" || exit 1
rooms='qom memory backends hw/core accel hw machine options monitor cli'

find $rooms -name '*.[ch]' -print0 | sort -zu | xargs -0 -r awk -v rooms="$rooms" '
    BEGIN {
        count = split(rooms, room)
    }
    # The number of the room that a path is in; hw/core is a room of its own, above hw.
    function number(path,    i, best) {
        for (i = 1; i <= count; i++) {
            if (index(path, room[i] "/") == 1 && (!best || length(room[i]) > length(room[best]))) {
                best = i
            }
        }
        return best + 0
    }
    FNR == 1 {
        here = number(FILENAME)
    }
    /^[ \t]*#[ \t]*include[ \t]*[<"]/ {
        header = $0
        gsub(/^[^<"]*[<"](qomet\/)?|[>"].*/, "", header)
        if (number(header) > here) {
            found[here] = found[here] "# " FILENAME ":" FNR ": includes " header "\n"
        }
    }
    END {
        print "1.." count
        for (i = 1; i <= count; i++) {
            printf "%s%s %d - %s\n", found[i], found[i] == "" ? "ok" : "not ok", i, room[i]
        }
    }'

#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The tests of guests, on the true kvm_amd of the lab: all of them in one start of it. How long each takes is told; one
# that does not end in time is ended, and the others go on.

source=${abs_top_srcdir:?} build=${abs_top_builddir:?}
# For one program, and for all of them.
one_s=300 all_s=1200
# QEMU's processor has no room to spare for what a sanitizer adds.
case ${SANITIZERS:-} in
?*) echo "1..0 # SKIP the lab runs the plain build (this one has $SANITIZERS)"; exit 0 ;;
esac

programs=()
for program in $GUEST_TESTS; do
    [ -e "$build/$program" ] && programs+=("$build/$program") || programs+=("$source/$program")
done

script=$(mktemp) || exit 1
trap 'rm -f "$script"' EXIT
cat >"$script" <<'END'
export CMOCKA_MESSAGE_OUTPUT=TAP
limit=$1
shift
for program; do
    began=$(date +%s)
    echo "@begin ${program##*/}"
    timeout -k 5 "$limit" "$program" 2>&1
    echo "@end $? $(($(date +%s) - began))"
done
END

said=$("$source/tests/lab/run" true 2>&1)
if [ $? = 77 ]; then
    echo "1..0 # SKIP $said"
    exit 0
fi
echo "# on kvm_amd, in the lab"
"$source/tests/lab/run" -p -t "$all_s" -f "$QOMET" -f "$source/tests/cli/cli.py" -f "$source/tests/guest/guests.py" \
    -f "$source/tests/monitor/qmp.py" -f "$build/tests/guest/kernels" -f /usr/share/seabios \
    sh "$script" "$one_s" "${programs[@]}" </dev/null |
    awk '
    # Every result is told under one count; a result is named by its program.
    function result(word, name) { print word " " ++count " - " program ": " name; fflush() }
    /^@begin / { program = $2; results = 0; next }
    /^@end / {
        if ($2 != 0 && !failed) result("not ok", "its status is " $2)
        if (!results) result("not ok", "it told no result")
        print "# " program " took " $3 " s"
        all += $3
        failed = 0
        next
    }
    /^(not )?ok / {
        word = $1 == "ok" ? "ok" : "not ok"
        name = $0
        sub(/^(not )?ok [0-9]+ (- )?/, "", name)
        if (name ~ /# SKIP no usable KVM/) word = "not ok"
        if (word != "ok") failed = 1
        results++
        result(word, name)
        next
    }
    /^1\.\./ { next }
    { print "# " $0; fflush() }
    END {
        print "# all of them took " all + 0 " s"
        print "1.." count
    }'
[ "${PIPESTATUS[0]}" = 0 ]

#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The modules of the tree: the index names each that was built, and the program finds them where it was built.

index=$abs_top_builddir/modules.index
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

number=0
report() { # TITLE, EXPECTED, WHAT-IT-IS
    number=$((number + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $number - $1"
    else
        sed 's/^/# expected: /' <<<"$2"
        sed 's/^/# it is:    /' <<<"$3"
        echo "not ok $number - $1"
    fi
}

echo 1..9

built=$(printf '%s\n' $MODULES | sort -u)
report 'the index names the modules that were built, and no others' \
    "$built" "$(sed -n '/^#/d; s/^[^ ]* //p' "$index" | sort -u)"

missing=$(for file in $built; do [ -f "$abs_top_builddir/$file" ] || echo "$file"; done)
report 'they lie beside the index' '' "$missing"

types=$(sed -n '/^#/d; s/ .*//p' "$index")
report 'a type is in one module' "$types" "$(sort -u <<<"$types")"

# A line that cannot be read tells where the program looks, once it looks.
mkdir "$tmp/elsewhere" && cp "$QOMET" "$tmp/qomet" && echo broken | tee "$tmp/modules.index" >"$tmp/elsewhere/modules.index"
report 'the program reads the index that lies beside it' \
    "qomet: -device nope: $tmp/modules.index:1: expected 'TYPE FILE', FILE being in the same folder, not 'broken'" \
    "$(QOMET_MODULE_DIR='' "$tmp/qomet" -M none -device nope 2>&1)"
report 'and that of QOMET_MODULE_DIR before it' \
    "qomet: -device nope: $tmp/elsewhere/modules.index:1: expected 'TYPE FILE', FILE being in the same folder, not 'broken'" \
    "$(QOMET_MODULE_DIR=$tmp/elsewhere "$tmp/qomet" -M none -device nope 2>&1)"
report 'listings say that it cannot be read' \
    "qomet: warning: $tmp/modules.index:1: expected 'TYPE FILE', FILE being in the same folder, not 'broken'" \
    "$(QOMET_MODULE_DIR='' "$tmp/qomet" -M help 2>&1 >"$tmp/out")"
report 'a machine that has all its types does not look' \
    '' "$(QOMET_MODULE_DIR='' "$tmp/qomet" -M bare -accel qtest -S -serial null -monitor stdio <<<quit 2>&1 >"$tmp/out")"

# What a monitor says of modules before and after it shows an instruction, and what that was.
shown() { # FOLDER-OF-MODULES
    printf 'info modules\nxp /1i 0\ninfo modules\nquit\n' |
        QOMET_MODULE_DIR=$1 "$QOMET" -M bare -accel qtest -S -serial null -monitor stdio 2>&1 |
        tr -d '\r' | sed -n -e '/^(qomet)/d; /^Qomet/d' -e 's,.*/,,; p'
}
case " $MODULES " in
*' disas.so '*) expected=$'No modules are loaded\n0x00000000:  00 00                    addb %al, (%rax)\ndisas.so' ;;
*) expected=$(shown "$tmp/nowhere") ;;
esac
report 'a module is loaded by who uses it first' "$expected" "$(shown "$abs_top_builddir")"
report 'without modules a sentence says what is missing' \
    "No modules are loaded
Error: there is no disassembler: no module in the folder of modules has the type 'x86-disassembler' \
(disas.so is built where the library capstone is installed)
No modules are loaded" "$(shown "$tmp/nowhere")"

#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What tests/lab/run promises: the command's output to the byte, its status, and an end in every case.

run=$(cd "$(dirname "$0")" && pwd)/run
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

said=$("$run" true 2>&1)
if [ $? = 77 ]; then
    echo "1..0 # SKIP $said"
    exit 0
fi

echo 1..9
n=0
is() { # SENTENCE, what there is, what there should be
    n=$((n + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        printf '%s' "$2" | sed 's/^/#    there is: /'
        echo
        printf '%s' "$3" | sed 's/^/#   should be: /'
        echo
    fi
}

kvm=$("$run" sh -c 'test -c /dev/kvm && grep -o "^kvm_amd" /proc/modules')
is "it has a kvm of its own" "$kvm" kvm_amd
echo "# on $kvm"
"$run" sh -c 'exit 7'
is "the_status_of_the_command_is_given_back" $? 7
"$run" sh -c 'printf "a\r\n\nb"' >output
is "its_output_is_given_back_to_the_byte" "$(od -An -c output)" "$(printf 'a\r\n\nb' | od -An -c)"
echo "some text" >"a file"
is "files_named_in_its_words_come_along" "$("$run" cat "a file")" "some text"
is "libraries_of_a_program_come_along" "$("$run" /usr/bin/python3 -S -E -c 1 2>&1 | grep -c 'shared libraries')" 0
"$run" "$folder/nothing" 2>said
is "a_command_that_is_not_there_is_named" "$?: $(cat said)" "127: lab: '$folder/nothing' is not a command here"
"$run" -t 6 sleep 1000 2>said
is "a_command_that_does_not_end_is_ended" "$?: $(cat said)" "124: lab: not done after 6 s"
is "a_reader_that_goes_ends_it" "$("$run" yes | head -n 1)" y

# It would have to be 4096 bytes for some.
"$run" sh -c 'echo early; sleep 1000' >output 2>&1 &
early=$!
for _ in $(seq 200); do
    [ ! -s output ] || break
    sleep 1
done
is "its_output_is_given_back_while_it_runs" "$(cat output) $(kill "$early" 2>/dev/null && echo "and runs")" "early and runs"
wait

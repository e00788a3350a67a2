#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Debian's stock kernel on the machines that start one, on the true kvm_amd of the lab: from the command line to the
# first program, and out by a reset and by switching off.

source=${abs_top_srcdir:?}
case ${SANITIZERS:-} in
?*) echo "1..0 # SKIP the lab runs the plain build (this one has $SANITIZERS)"; exit 0 ;;
esac
said=$("$source/tests/lab/run" true 2>&1)
if [ $? = 77 ]; then
    echo "1..0 # SKIP $said"
    exit 0
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# In the lab: a RAM disk whose first program says what it sees and then does what the kernel's command line says.
cat >"$work/init" <<'END'
#!/bin/busybox sh
/bin/busybox mount -t proc none /proc
/bin/busybox echo "@guest: $(/bin/busybox grep -c ^processor /proc/cpuinfo) vCPUs, $(/bin/busybox grep -c IO-APIC /proc/interrupts) lines of the IOAPIC@"
case $(/bin/busybox cat /proc/cmdline) in
*end=reset*) /bin/busybox reboot -f ;;
*) /bin/busybox poweroff -f ;;
esac
END
cat >"$work/boot" <<'END'
here=$1 end=$2
shift 2
root=$here/root
mkdir -p "$root/bin" "$root/proc" "$root/dev"
cp /boot/busybox "$root/bin/"
cp "$here/init" "$root/init"
chmod 755 "$root/init"
(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) >"$here/disk"
"$QOMET" -nodefaults -display none -serial stdio -no-reboot -m 256 -kernel /boot/vmlinuz -initrd "$here/disk" \
    -append "console=ttyS0 quiet panic=-1 end=$end" "$@"
END

echo "1..4"
number=0
boots() { # NAME EXPECTED END WORD...
    local name=$1 expected=$2 end=$3 out status
    number=$((number + 1))
    shift 3
    out=$("$source/tests/lab/run" -k -t 120 -f "$QOMET" -f "$work/init" sh "$work/boot" "$work" "$end" "$@" 2>&1)
    status=$?
    if [ $status = 0 ] && [[ $out == *"@guest: $expected@"* ]]; then
        echo "ok $number - $name"
    else
        sed 's/^/# /' <<<"$out"
        echo "not ok $number - $name (status $status)"
    fi
}

boots linux_boots_on_microvm_and_switches_it_off "1 vCPUs, 2 lines of the IOAPIC" off -M microvm
boots a_reset_by_the_guest_ends_it_where_none_is_wanted "2 vCPUs, 2 lines of the IOAPIC" reset -M microvm -smp 2
boots linux_boots_on_pc_and_switches_it_off "1 vCPUs, 6 lines of the IOAPIC" off -M pc
boots linux_boots_on_q35_and_resets_it "2 vCPUs, 6 lines of the IOAPIC" reset -M q35 -smp 2

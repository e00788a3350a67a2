#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Debian's stock kernel on the machines that start one, on the true kvm_amd of the lab: from the command line to the
# first program, and out by a reset and by switching off. Where there is PCI, programs of the guest drive a device on it,
# and ports.

source=${abs_top_srcdir:?} build=${abs_top_builddir:?}
programs=$build/tests/guest/kernels
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
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
say() { echo "@$*@"; }
tell() { # COMMAND...: what it prints, a line each, and its status where that is not 0
    "$@" >/said 2>&1 || echo "status $?" >>/said
    while read -r line; do say "$line"; done </said
}
say "$(grep -c ^processor /proc/cpuinfo) vCPUs, $(grep -c IO-APIC /proc/interrupts) lines of the IOAPIC"
edu=
for device in /sys/bus/pci/devices/*; do
    [ -e "$device" ] || continue
    read -r vendor <"$device/vendor"
    read -r number <"$device/device"
    say "PCI ${device##*/} ${vendor#0x}:${number#0x}"
    [ "$vendor:$number" != 0x1234:0x11e8 ] || edu=$device
done
if [ -n "$edu" ]; then
    insmod /lib/uio.ko && insmod /lib/uio_pci_generic.ko
    echo 1234 11e8 >/sys/bus/pci/drivers/uio_pci_generic/new_id
    tell drives-edu "$edu" /dev/uio0
    tell uses-ports
fi
case $(cat /proc/cmdline) in
*end=reset*) reboot -f ;;
*) poweroff -f ;;
esac
END
cat >"$work/boot" <<'END'
here=$1 programs=$2 end=$3
shift 3
root=$here/root
mkdir -p "$root/bin" "$root/dev" "$root/lib" "$root/proc" "$root/sys"
cp /boot/busybox "$programs/drives-edu" "$programs/uses-ports" "$root/bin/"
cp /boot/uio.ko /boot/uio_pci_generic.ko "$root/lib/"
cp "$here/init" "$root/init"
chmod 755 "$root/init"
(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) >"$here/disk"
"$QOMET" -nodefaults -display none -serial stdio -no-reboot -m 256 -kernel /boot/vmlinuz -initrd "$here/disk" \
    -append "console=ttyS0 quiet panic=-1 end=$end" "$@"
END

echo "1..4"
number=0
boots() { # NAME EXPECTED END WORD...: EXPECTED is a pattern of all that the guest says
    local name=$1 expected=$2 end=$3 out status told
    number=$((number + 1))
    shift 3
    out=$("$source/tests/lab/run" -k -t 120 -f "$QOMET" -f "$work/init" -f "$programs/drives-edu" -f "$programs/uses-ports" \
        sh "$work/boot" "$work" "$programs" "$end" "$@" 2>&1)
    status=$?
    told=$(sed -n 's/^.*@\(.*\)@.*$/\1/p' <<<"$out")
    if [ $status = 0 ] && [[ $told == $expected ]]; then
        echo "ok $number - $name"
    else
        sed 's/^/# /' <<<"$out"
        echo "not ok $number - $name (status $status)"
    fi
}

driven="identification 0x010000ed
10! is 3628800
12! is 479001600, by an interrupt
seconds 0x[0-5][0-9], valid 0x80, panics 0x3"

boots linux_boots_on_microvm_and_switches_it_off "1 vCPUs, 2 lines of the IOAPIC" off -M microvm
boots a_reset_by_the_guest_ends_it_where_none_is_wanted "2 vCPUs, 2 lines of the IOAPIC" reset -M microvm -smp 2
boots linux_boots_on_pc_drives_edu_and_switches_it_off "1 vCPUs, 6 lines of the IOAPIC
PCI 0000:00:00.0 8086:1237
PCI 0000:00:01.0 8086:7000
PCI 0000:00:01.3 8086:7113
PCI 0000:00:02.0 1234:11e8
$driven" off -M pc -device edu -device pvpanic
boots linux_boots_on_q35_drives_edu_behind_a_bridge_and_resets_it "2 vCPUs, 6 lines of the IOAPIC
PCI 0000:00:00.0 8086:29c0
PCI 0000:00:01.0 1b36:000c
PCI 0000:00:1f.0 8086:2918
PCI 0000:01:00.0 1234:11e8
$driven" reset -M q35 -smp 2 -device pcie-root-port,id=rp -device edu,bus=rp -device pvpanic

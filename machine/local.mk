# SPDX-License-Identifier: MIT
#
# machine: the machine class and the machine types.

libqometall_a_SOURCES += \
	machine/bare.c \
	machine/boot/boot.c \
	machine/boot/boot.h \
	machine/boot/e820.c \
	machine/boot/e820.h \
	machine/boot/elf.c \
	machine/boot/elf.h \
	machine/boot/flat-mode.c \
	machine/boot/flat-mode.h \
	machine/boot/firmware.c \
	machine/boot/firmware.h \
	machine/boot/flat.c \
	machine/boot/flat.h \
	machine/boot/linux.c \
	machine/boot/multiboot.c \
	machine/boot/pvh.c \
	machine/flat-halt.c \
	machine/flat-int.h \
	machine/flat-start.c \
	machine/flat.c \
	machine/machine.c \
	machine/smp.c \
	machine/microvm.c \
	machine/none.c \
	machine/pc-acpi.c \
	machine/pc-acpi.h \
	machine/pc-board.c \
	machine/pc-board.h \
	machine/pc.c \
	machine/q35.c \
	machine/rooms.c \
	machine/rooms.h \
	machine/x86-acpi.c \
	machine/x86-acpi.h \
	machine/x86-board.c \
	machine/x86-board.h \
	machine/x86-irqchip.c

nobase_qometinclude_HEADERS += \
	machine/machine.h

unit_tests += \
	tests/guest/test-bare \
	tests/unit/test-boot-elf \
	tests/unit/test-boot-linux \
	tests/unit/test-machine \
	tests/unit/test-smp

libtest_a_SOURCES += \
	tests/unit/boot-fixture.h

script_tests += tests/guest/test-boot-kernels.py tests/guest/test-device-kernel.py tests/guest/test-interrupts.py \
	tests/guest/test-resets.py
long_tests += tests/guest/test-resets.py

# Kernels of 32 bits that the tests of boot protocols start.
test_kernels = tests/guest/kernels/hello.elf tests/guest/kernels/hello-pvh.elf \
	tests/guest/kernels/devices.elf tests/guest/kernels/interrupts.elf \
	tests/guest/kernels/resets.rom tests/guest/kernels/triple.rom
check_DATA += $(test_kernels)
CLEANFILES += $(test_kernels)
EXTRA_DIST += tests/guest/kernels/devices.c tests/guest/kernels/hello.S tests/guest/kernels/interrupts.S \
	tests/guest/kernels/kernel.ld tests/guest/kernels/resets.S
make_kernel = $(AM_V_CCLD)$(MKDIR_P) $(@D) && $(CC) -m32 -nostdlib -static -Wl,--build-id=none -Wl,-z,noexecstack \
	-Wl,--no-warn-rwx-segments -T $(top_srcdir)/tests/guest/kernels/kernel.ld -o $@

tests/guest/kernels/hello.elf: tests/guest/kernels/hello.S tests/guest/kernels/kernel.ld
	$(make_kernel) $(top_srcdir)/tests/guest/kernels/hello.S

tests/guest/kernels/hello-pvh.elf: tests/guest/kernels/hello.S tests/guest/kernels/kernel.ld
	$(make_kernel) -DNO_MULTIBOOT $(top_srcdir)/tests/guest/kernels/hello.S

tests/guest/kernels/interrupts.elf: tests/guest/kernels/interrupts.S tests/guest/kernels/kernel.ld
	$(make_kernel) $(top_srcdir)/tests/guest/kernels/interrupts.S

# Nothing of the processor but what is there from its start on.
tests/guest/kernels/devices.elf: tests/guest/kernels/devices.c tests/guest/kernels/kernel.ld
	$(make_kernel) -std=gnu11 $(WARN_CFLAGS) -O1 -ffreestanding -fno-pic -fno-stack-protector \
		-fcf-protection=none -mgeneral-regs-only -fno-asynchronous-unwind-tables \
		$(top_srcdir)/tests/guest/kernels/devices.c

# And ROMs.
make_rom = $(AM_V_CCLD)$(MKDIR_P) $(@D) && $(CC) -m32 -nostdlib -static -Wl,--build-id=none -Wl,--oformat=binary \
	-Wl,-Ttext=0 -Wl,-e,0 -o $@

tests/guest/kernels/resets.rom: tests/guest/kernels/resets.S
	$(make_rom) -DFIRST=0 $(top_srcdir)/tests/guest/kernels/resets.S

tests/guest/kernels/triple.rom: tests/guest/kernels/resets.S
	$(make_rom) -DFIRST=4 $(top_srcdir)/tests/guest/kernels/resets.S

# And programs for a guest with Linux, which has no libraries.
guest_programs = tests/guest/kernels/drives-edu tests/guest/kernels/uses-ports
check_DATA += $(guest_programs)
CLEANFILES += $(guest_programs)
EXTRA_DIST += tests/guest/kernels/drives-edu.c tests/guest/kernels/uses-ports.c

$(guest_programs): %: %.c
	$(AM_V_CCLD)$(MKDIR_P) $(@D) && $(CC) -std=gnu11 $(WARN_CFLAGS) -O2 -static -o $@ $<

fuzz_targets += tests/fuzz/fuzz-boot tests/fuzz/fuzz-intc tests/fuzz/fuzz-pc
EXTRA_DIST += tests/fuzz/corpus/fuzz-boot tests/fuzz/corpus/fuzz-intc tests/fuzz/corpus/fuzz-pc

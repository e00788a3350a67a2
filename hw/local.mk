# SPDX-License-Identifier: MIT
#
# hw: the devices, one folder a family; hw/core has its own fragment.

libqometall_a_SOURCES += \
	hw/char/debugcon.c \
	hw/char/isa-serial.c \
	hw/char/serial.c \
	hw/input/i8042.c \
	hw/input/ps2.c \
	hw/intc/accel-irqchip.c \
	hw/intc/apic.c \
	hw/intc/apic-int.h \
	hw/intc/apic-timer.c \
	hw/intc/apics.c \
	hw/intc/i8259.c \
	hw/intc/ioapic.c \
	hw/intc/x86-gsi.c \
	hw/isa/isa-bus.c \
	hw/mem/ram.c \
	hw/misc/debugexit.c \
	hw/misc/fw-cfg.c \
	hw/misc/ioport80.c \
	hw/misc/port-logger.c \
	hw/misc/pvpanic.c \
	hw/timer/i8254.c \
	hw/timer/mc146818rtc.c

nobase_qometinclude_HEADERS += \
	hw/char/serial.h \
	hw/input/ps2.h \
	hw/intc/accel-irqchip.h \
	hw/intc/apic.h \
	hw/intc/i8259.h \
	hw/intc/intc.h \
	hw/intc/ioapic.h \
	hw/intc/x86-gsi.h \
	hw/isa/isa-bus.h \
	hw/misc/fw-cfg.h \
	hw/misc/pvpanic.h \
	hw/timer/mc146818rtc.h

unit_tests += \
	tests/unit/test-apic \
	tests/unit/test-debug-exit \
	tests/unit/test-debugcon \
	tests/unit/test-i8254 \
	tests/unit/test-i8259 \
	tests/unit/test-ioapic \
	tests/unit/test-isa-bus \
	tests/unit/test-mc146818rtc \
	tests/unit/test-port-logger \
	tests/unit/test-serial \
	tests/unit/test-serial-data

libtest_a_SOURCES += \
	tests/unit/host-chardev.h \
	tests/unit/isa-fixture.h \
	tests/unit/serial-fixture.h

fuzz_targets += tests/fuzz/fuzz-serial
EXTRA_DIST += tests/fuzz/corpus/fuzz-serial

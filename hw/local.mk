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
	hw/intc/i8259.c \
	hw/isa/isa-bus.c \
	hw/isa/piix3.c \
	hw/isa/reset-control.c \
	hw/mem/ram.c \
	hw/misc/debugexit.c \
	hw/misc/fw-cfg.c \
	hw/misc/ioport80.c \
	hw/misc/port-logger.c \
	hw/misc/port92.c \
	hw/misc/pvpanic.c \
	hw/pci-host/i440fx.c \
	hw/pci-host/pam.c \
	hw/pci-host/pam.h \
	hw/pci/pci-bar.c \
	hw/pci/pci-bus.c \
	hw/pci/pci-config.c \
	hw/pci/pci-dma.c \
	hw/pci/pci-host.c \
	hw/pci/pci-int.h \
	hw/pci/pci-irq.c \
	hw/pci/pci.c \
	hw/timer/i8254.c \
	hw/timer/kvm-pit.c \
	hw/timer/mc146818rtc.c

nobase_qometinclude_HEADERS += \
	hw/char/serial.h \
	hw/input/ps2.h \
	hw/intc/accel-irqchip.h \
	hw/intc/i8259.h \
	hw/intc/intc.h \
	hw/isa/isa-bus.h \
	hw/isa/piix3.h \
	hw/isa/reset-control.h \
	hw/misc/fw-cfg.h \
	hw/misc/pvpanic.h \
	hw/pci-host/i440fx.h \
	hw/pci/pci-bus.h \
	hw/pci/pci-host.h \
	hw/pci/pci-ids.h \
	hw/pci/pci.h \
	hw/timer/mc146818rtc.h

unit_tests += \
	tests/unit/test-debug-exit \
	tests/unit/test-debugcon \
	tests/unit/test-i8254 \
	tests/unit/test-i8259 \
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

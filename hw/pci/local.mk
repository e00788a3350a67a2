# SPDX-License-Identifier: MIT
#
# hw/pci: the core of PCI, host bridges, and what is on their buses.

libqometall_a_SOURCES += \
	hw/intc/msi-target.c \
	hw/isa/ich9-lpc.c \
	hw/isa/piix3.c \
	hw/isa/pirq.c \
	hw/isa/pirq.h \
	hw/isa/reset-control.c \
	hw/isa/south-bridge.c \
	hw/isa/south-bridge.h \
	hw/misc/edu.c \
	hw/misc/pc-testdev.c \
	hw/misc/pci-testdev.c \
	hw/misc/port92.c \
	hw/pci-bridge/pci-bridge-dev.c \
	hw/pci-bridge/pcie-root-port.c \
	hw/pci-host/i440fx.c \
	hw/pci-host/pam.c \
	hw/pci-host/pam.h \
	hw/pci-host/pc-host-function.c \
	hw/pci-host/pc-host.c \
	hw/pci-host/pc-host.h \
	hw/pci-host/q35.c \
	hw/pci/msi.c \
	hw/pci/msix.c \
	hw/pci/pci-bar.c \
	hw/pci/pci-bridge.c \
	hw/pci/pci-bus.c \
	hw/pci/pci-config.c \
	hw/pci/pci-dma.c \
	hw/pci/pci-host.c \
	hw/pci/pci-int.h \
	hw/pci/pci-irq.c \
	hw/pci/pci.c \
	hw/timer/kvm-pit.c

nobase_qometinclude_HEADERS += \
	hw/intc/msi-target.h \
	hw/isa/ich9-lpc.h \
	hw/isa/piix3.h \
	hw/isa/reset-control.h \
	hw/pci-host/i440fx.h \
	hw/pci-host/q35.h \
	hw/pci/msi.h \
	hw/pci/msix.h \
	hw/pci/pci-bridge.h \
	hw/pci/pci-bus.h \
	hw/pci/pci-host.h \
	hw/pci/pci-ids.h \
	hw/pci/pci.h

unit_tests += \
	tests/guest/test-kvm-messages \
	tests/unit/test-pci-bar \
	tests/unit/test-pci-bridge \
	tests/unit/test-pci-config \
	tests/unit/test-pci-irq \
	tests/unit/test-pci-msi \
	tests/unit/test-pci-devices

libtest_a_SOURCES += \
	tests/unit/pci-fixture.h

qtest_tests += \
	tests/qtest/test-edu \
	tests/qtest/test-pc-hostile \
	tests/qtest/test-pc \
	tests/qtest/test-q35

libtest_a_SOURCES += \
	tests/qtest/pci-qtest.h

script_tests += \
	tests/guest/test-seabios.py

# SPDX-License-Identifier: MIT
#
# hw/core: device, bus, hotplug handler, reset, IRQ line, clock, timer.

libqometall_a_SOURCES += \
	hw/core/bus.c \
	hw/core/clock.c \
	hw/core/gpio.c \
	hw/core/hotplug.c \
	hw/core/irq-combiners.c \
	hw/core/irq.c \
	hw/core/qdev-batch.c \
	hw/core/qdev-int.h \
	hw/core/qdev-undo.c \
	hw/core/qdev.c \
	hw/core/reset.c \
	hw/core/sysbus.c \
	hw/core/timer.c

nobase_qometinclude_HEADERS += \
	hw/core/bus.h \
	hw/core/irq.h \
	hw/core/qdev.h \
	hw/core/resettable.h \
	hw/core/sysbus.h \
	hw/core/timer.h

unit_tests += \
	tests/unit/test-author-mistakes \
	tests/unit/test-bus \
	tests/unit/test-device-faults \
	tests/unit/test-gpio \
	tests/unit/test-hotplug \
	tests/unit/test-irq \
	tests/unit/test-irq-threads \
	tests/unit/test-qdev \
	tests/unit/test-qdev-batch \
	tests/unit/test-qdev-map \
	tests/unit/test-qdev-realize \
	tests/unit/test-reset \
	tests/unit/test-sysbus \
	tests/unit/test-timer

libtest_a_SOURCES += \
	tests/unit/irq-fixture.h \
	tests/unit/qdev-fixture.h

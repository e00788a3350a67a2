# SPDX-License-Identifier: MIT
#
# hw/core: device, bus, hotplug handler, reset, IRQ line, clock, timer.

libqometall_a_SOURCES +=

nobase_qometinclude_HEADERS += \
	hw/core/irq.h \
	hw/core/qdev.h \
	hw/core/resettable.h \
	hw/core/sysbus.h \
	hw/core/timer.h

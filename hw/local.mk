# SPDX-License-Identifier: MIT
#
# hw: the devices, one folder a family; hw/core has its own fragment.

libqometall_a_SOURCES += \
	hw/isa/isa-bus.c

nobase_qometinclude_HEADERS += \
	hw/isa/isa-bus.h

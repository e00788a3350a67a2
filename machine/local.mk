# SPDX-License-Identifier: MIT
#
# machine: the machine class and the machine types.

libqometall_a_SOURCES +=

nobase_qometinclude_HEADERS += \
	machine/machine.h

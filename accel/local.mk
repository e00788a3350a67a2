# SPDX-License-Identifier: MIT
#
# accel: the accelerators and the vCPU object.

libqometall_a_SOURCES +=

nobase_qometinclude_HEADERS += \
	accel/accel.h \
	accel/cpu.h \
	accel/runstate.h

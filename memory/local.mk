# SPDX-License-Identifier: MIT
#
# memory: regions, address spaces, flat views, guest-memory access.

libqometall_a_SOURCES +=

nobase_qometinclude_HEADERS += \
	memory/entry.h \
	memory/main-work.h \
	memory/memory.h

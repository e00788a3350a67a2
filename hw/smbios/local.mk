# SPDX-License-Identifier: MIT
#
# hw/smbios: what a machine tells of itself in tables besides ACPI's.

libqometall_a_SOURCES += \
	hw/smbios/smbios.c

nobase_qometinclude_HEADERS += \
	hw/smbios/smbios.h

unit_tests += \
	tests/unit/test-smbios

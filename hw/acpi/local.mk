# SPDX-License-Identifier: MIT
#
# hw/acpi: power management, and the tables that tell a guest of its machine.

libqometall_a_SOURCES += \
	hw/acpi/aml-int.h \
	hw/acpi/aml-resource.c \
	hw/acpi/aml.c \
	hw/acpi/dsdt-int.h \
	hw/acpi/dsdt-pci.c \
	hw/acpi/dsdt.c \
	hw/acpi/ged.c \
	hw/acpi/ich9.c \
	hw/acpi/linker.c \
	hw/acpi/piix4.c \
	hw/acpi/pm.c \
	hw/acpi/tables-int.h \
	hw/acpi/tables.c

nobase_qometinclude_HEADERS += \
	hw/acpi/aml.h \
	hw/acpi/ged.h \
	hw/acpi/ich9.h \
	hw/acpi/piix4.h \
	hw/acpi/pm.h \
	hw/acpi/tables.h

unit_tests += \
	tests/unit/test-acpi-pm \
	tests/unit/test-acpi-tables

# SPDX-License-Identifier: MIT
#
# examples: devices, machines and modules to read and to start from.

EXTRA_DIST += \
	examples/qom-only/Makefile \
	examples/qom-only/shapes.c

# SPDX-License-Identifier: MIT
#
# examples: devices, machines and modules to read and to start from.

EXTRA_DIST += \
	examples/README.md \
	examples/boards/core.board \
	examples/boards/first.board \
	examples/boards/party-line.board \
	examples/boards/teaching.board \
	examples/device/egg-timer.c \
	examples/device/port-counter.c \
	examples/device/test-port-counter.c \
	examples/machine/echo-board.c \
	examples/qom-only/Makefile \
	examples/qom-only/shapes.c

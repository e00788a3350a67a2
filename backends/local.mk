# SPDX-License-Identifier: MIT
#
# backends: the host's side of a device: chardev, block, net, rng, event loops.

libqometall_a_SOURCES += \
	backends/loop.c

nobase_qometinclude_HEADERS += \
	backends/chardev/char.h \
	backends/loop.h

# SPDX-License-Identifier: MIT
#
# backends: the host's side of a device: chardev, block, net, rng, event loops.

libqometall_a_SOURCES += \
	backends/chardev/char-int.h \
	backends/chardev/char.c \
	backends/chardev/create.c \
	backends/chardev/escape.c \
	backends/chardev/fd.c \
	backends/chardev/fd.h \
	backends/chardev/file.c \
	backends/chardev/mux.c \
	backends/chardev/null.c \
	backends/chardev/output.c \
	backends/chardev/pipe.c \
	backends/chardev/pty.c \
	backends/chardev/ringbuf.c \
	backends/chardev/sockaddr.c \
	backends/chardev/sockaddr.h \
	backends/chardev/socket.c \
	backends/chardev/stdio.c \
	backends/chardev/stdout.c \
	backends/chardev/terminal.c \
	backends/chardev/udp.c \
	backends/daemon.c \
	backends/datadir.c \
	backends/host-client.c \
	backends/host-file.c \
	backends/host-file.h \
	backends/hostmem-file.c \
	backends/hostmem-memfd.c \
	backends/hostmem-ram.c \
	backends/hostmem.c \
	backends/loop.c \
	backends/read-file.c \
	backends/read-file.h

unit_tests += \
	tests/unit/test-chardev \
	tests/unit/test-chardev-exhausted \
	tests/unit/test-chardev-mux \
	tests/unit/test-chardev-output \
	tests/unit/test-chardev-pipe \
	tests/unit/test-chardev-pty \
	tests/unit/test-chardev-socket \
	tests/unit/test-chardev-stdio \
	tests/unit/test-chardev-udp \
	tests/unit/test-hostmem \
	tests/unit/test-loop

libtest_a_SOURCES += \
	tests/unit/chardev-fixture.h

nobase_qometinclude_HEADERS += \
	backends/chardev/char.h \
	backends/chardev/ringbuf.h \
	backends/daemon.h \
	backends/datadir.h \
	backends/host-client.h \
	backends/hostmem.h \
	backends/loop.h

# SPDX-License-Identifier: MIT
#
# memory: regions, address spaces, flat views, guest-memory access.

libqometall_a_SOURCES += \
	memory/access.c \
	memory/address-space.c \
	memory/deferred.c \
	memory/dirty.c \
	memory/dispatch.c \
	memory/entry-int.h \
	memory/entry.c \
	memory/flatview-int.h \
	memory/flatview.c \
	memory/listener.c \
	memory/listing.c \
	memory/long-way.c \
	memory/main-work.c \
	memory/memory-int.h \
	memory/rcu-int.h \
	memory/rcu.c \
	memory/region.c \
	memory/render.c \
	memory/shape.c \
	memory/slice.c \
	memory/transaction.c

unit_tests += \
	tests/unit/test-memory-access \
	tests/unit/test-memory-deferred \
	tests/unit/test-memory-dirty \
	tests/unit/test-memory-entry \
	tests/unit/test-memory-eventfd \
	tests/unit/test-memory-flatview \
	tests/unit/test-memory-listener \
	tests/unit/test-memory-listing \
	tests/unit/test-memory-reference \
	tests/unit/test-memory-region \
	tests/unit/test-memory-slice \
	tests/unit/test-memory-threads

# Ten times as many layouts, accesses and changes.
long_tests += \
	tests/unit/test-memory-dirty \
	tests/unit/test-memory-entry \
	tests/unit/test-memory-flatview \
	tests/unit/test-memory-listener \
	tests/unit/test-memory-reference \
	tests/unit/test-memory-slice \
	tests/unit/test-memory-threads

bench_programs += tests/bench/bench-memory

libtest_a_SOURCES += \
	tests/unit/memory-ear.h \
	tests/unit/memory-fixture.h

nobase_qometinclude_HEADERS += \
	memory/entry.h \
	memory/listing.h \
	memory/main-work.h \
	memory/memory.h

# SPDX-License-Identifier: MIT
#
# options: the option table and words turned into objects.

libqometall_a_SOURCES +=

nobase_qometinclude_HEADERS +=

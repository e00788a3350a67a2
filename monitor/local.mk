# SPDX-License-Identifier: MIT
#
# monitor: QMP, HMP, the schema, introspection.

libqometall_a_SOURCES +=

nobase_qometinclude_HEADERS +=

# SPDX-License-Identifier: MIT
#
# monitor: QMP, HMP, the schema, introspection.

libqometall_a_SOURCES += \
	monitor/handlers.h \
	monitor/hmp.c \
	monitor/monitor.c \
	monitor/qmp-cmds-core.c \
	monitor/qmp-cmds-fd.c \
	monitor/qmp-cmds-run.c \
	monitor/qmp-dispatch.c \
	monitor/qmp-events.c \
	monitor/qmp-int.h \
	monitor/qmp-introspect.c \
	monitor/qmp.c \
	monitor/schema-check.c \
	monitor/schema.c

nobase_qometinclude_HEADERS += \
	monitor/monitor.h \
	monitor/qmp.h \
	monitor/schema.h

# SPDX-License-Identifier: MIT
#
# cli: main.c only.

qomet_SOURCES += cli/main.c

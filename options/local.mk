# SPDX-License-Identifier: MIT
#
# options: the option table and words turned into objects.

libqometall_a_SOURCES += \
	options/answer.c \
	options/apply-board.c \
	options/apply-actions.c \
	options/apply-firmware.c \
	options/apply-machine.c \
	options/apply-monitor.c \
	options/apply-objects.c \
	options/apply-process.c \
	options/apply.c \
	options/attach.c \
	options/attachment.c \
	options/attachment.h \
	options/board-dump.c \
	options/board-file.c \
	options/board-int.h \
	options/board-lex.c \
	options/board-make.c \
	options/board-parse.c \
	options/board-print.c \
	options/board-realize.c \
	options/board-type.c \
	options/board-wire.c \
	options/board.c \
	options/device-add.c \
	options/help.c \
	options/options-int.h \
	options/options.h \
	options/parse.c \
	options/read-config.c \
	options/table.c

unit_tests += \
	tests/unit/test-board-dump \
	tests/unit/test-board-make \
	tests/unit/test-board-mistakes \
	tests/unit/test-board-parse \
	tests/unit/test-attach \
	tests/unit/test-device-add \
	tests/unit/test-options
libtest_a_SOURCES += \
	tests/unit/board-fixture.h \
	tests/unit/board-types.h
fuzz_targets += tests/fuzz/fuzz-board tests/fuzz/fuzz-options
EXTRA_DIST += tests/fuzz/corpus/fuzz-board tests/fuzz/corpus/fuzz-options

# The manual page and the shell's completion are made of the same table as the help text.
noinst_PROGRAMS += options/gen-docs
options_gen_docs_SOURCES = options/gen-docs.c
options_gen_docs_LDADD = $(linked_objects) $(linked_libs)
options_gen_docs_DEPENDENCIES = $(linked_objects)

man_MANS += docs/qomet.1
bash_completiondir = $(datadir)/bash-completion/completions
nodist_bash_completion_DATA = options/completion/qomet
CLEANFILES += docs/qomet.1 options/completion/qomet

docs/qomet.1: options/gen-docs$(EXEEXT)
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)./options/gen-docs man > $@.tmp && mv $@.tmp $@

options/completion/qomet: options/gen-docs$(EXEEXT)
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)./options/gen-docs bash > $@.tmp && mv $@.tmp $@

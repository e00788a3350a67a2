# SPDX-License-Identifier: MIT
#
# docs: texts. The manual page of the program is made of the option table, see options/local.mk.

EXTRA_DIST += \
	build-aux/page-to-man.awk \
	docs/attach.svg \
	docs/board-files.md \
	docs/board.svg \
	docs/debugging.md \
	docs/first-device.md \
	docs/first-machine.md \
	docs/first-run.svg \
	docs/from-qemu.md \
	docs/hot-add.md \
	docs/hot-add.svg \
	docs/how-a-pc-is-wired.md \
	docs/life-of-an-exit.md \
	docs/machine-microvm.md \
	docs/machine-pc.md \
	docs/machine-q35.md \
	docs/map.svg \
	docs/pc-wires.svg \
	docs/pc.svg \
	docs/picture.py \
	docs/pictures.py \
	docs/porting.md \
	docs/studying.md

# What can be drawn of every machine type, in docs/pictures of the build.
docs: all
	$(AM_V_at)DOT='$(DOT)' $(top_srcdir)/docs/pictures.py ./qomet docs/pictures

# The pictures are of what is built here, so nothing of them is kept.
clean-local: clean-pictures
clean-pictures:
	rm -rf docs/pictures

.PHONY: clean-pictures docs

# A page that is a manual page as well.
man_MANS += docs/qomet-board.5
CLEANFILES += docs/qomet-board.5

docs/qomet-board.5: docs/board-files.md build-aux/page-to-man.awk Makefile
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(AWK) -v name=qomet-board -v section=5 -v source='$(PACKAGE_STRING)' \
		-v about='machines described in words' \
		-f $(top_srcdir)/build-aux/page-to-man.awk $(top_srcdir)/docs/board-files.md > $@.tmp && \
		mv $@.tmp $@

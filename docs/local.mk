# SPDX-License-Identifier: MIT
#
# docs: texts. The manual page is made of the option table, see options/local.mk.

EXTRA_DIST += \
	docs/debugging.md \
	docs/board.svg \
	docs/first-device.md \
	docs/first-machine.md \
	docs/first-run.svg \
	docs/from-qemu.md \
	docs/life-of-an-exit.md \
	docs/picture.py \
	docs/pictures.py

# What can be drawn of every machine type, in docs/pictures of the build.
docs: all
	$(AM_V_at)DOT='$(DOT)' $(top_srcdir)/docs/pictures.py ./qomet docs/pictures

# The pictures are of what is built here, so nothing of them is kept.
clean-local: clean-pictures
clean-pictures:
	rm -rf docs/pictures

.PHONY: clean-pictures docs

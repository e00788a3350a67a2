# SPDX-License-Identifier: MIT
#
# docs: texts. The manual page is made of the option table, see options/local.mk.

EXTRA_DIST += \
	docs/first-device.md \
	docs/first-machine.md \
	docs/first-run.svg \
	docs/from-qemu.md \
	docs/life-of-an-exit.md \
	docs/picture.py

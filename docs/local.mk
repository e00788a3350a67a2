# SPDX-License-Identifier: MIT
#
# docs: manual pages (docs/NAME.N is made of docs/NAME.N.scd by scdoc) and texts.

man_pages +=

EXTRA_DIST += $(man_pages:=.scd) \
	docs/first-device.md \
	docs/first-machine.md \
	docs/first-run.svg \
	docs/from-qemu.md \
	docs/life-of-an-exit.md \
	docs/picture.py

if HAVE_SCDOC
man_MANS += $(man_pages)
CLEANFILES += $(man_pages)

%.1: %.1.scd
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(SCDOC) < $< > $@.tmp && mv $@.tmp $@

%.7: %.7.scd
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(SCDOC) < $< > $@.tmp && mv $@.tmp $@

docs: $(man_pages)
	@test -n '$(man_pages)' || echo 'docs: there are no manual pages yet'
else
docs:
	@echo 'docs: scdoc was not found by configure, so no manual page is made'
endif

.PHONY: docs

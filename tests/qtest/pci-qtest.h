/* SPDX-License-Identifier: MIT */
/* What tests of PCI devices on the machine "pc" share: configuration accesses, and BARs in place. */
#ifndef QOMET_TESTS_QTEST_PCI_QTEST_H
#define QOMET_TESTS_QTEST_PCI_QTEST_H

#include <glib.h>
#include <linux/pci.h>
#include <stdlib.h>
#include <string.h>
#include "tests/qtest/qtest-test.h"

#define CONF 0xcf8
#define DATA 0xcfc
#define DEVFN(slot, fn) ((slot) << 3 | (fn))

static G_GNUC_UNUSED void config_select(QTestState *s, unsigned bdf, unsigned reg)
{
    qtest_outl(s, CONF, 0x80000000u | bdf << 8 | (reg & 0xfc));
}

static G_GNUC_UNUSED uint32_t config_readl(QTestState *s, unsigned bdf, unsigned reg)
{
    config_select(s, bdf, reg);
    return qtest_inl(s, DATA);
}

static G_GNUC_UNUSED uint8_t config_readb(QTestState *s, unsigned bdf, unsigned reg)
{
    config_select(s, bdf, reg);
    return qtest_inb(s, DATA + (reg & 3));
}

static G_GNUC_UNUSED void config_writel(QTestState *s, unsigned bdf, unsigned reg, uint32_t value)
{
    config_select(s, bdf, reg);
    qtest_outl(s, DATA, value);
}

static G_GNUC_UNUSED void config_writeb(QTestState *s, unsigned bdf, unsigned reg, uint8_t value)
{
    config_select(s, bdf, reg);
    qtest_outb(s, DATA + (reg & 3), value);
}

/* BAR 0 at @addr; memory, ports and DMA enabled. */
static G_GNUC_UNUSED void enable_at(QTestState *s, unsigned bdf, uint32_t addr)
{
    config_writel(s, bdf, PCI_BASE_ADDRESS_0, addr);
    config_writel(s, bdf, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

#endif

/* SPDX-License-Identifier: MIT */
/* How an IOAPIC's registers are told to people. */
#include <inttypes.h>
#include <qomet/accel/irqchip-text.h>

void irqchip_append_ioapic(GString *out, unsigned id, unsigned select, hwaddr base, uint32_t irr)
{
    g_string_append_printf(out, "ioapic: id=0x%02x sel=0x%02x base=0x%08" PRIx64 " irr=%06x\n", id,
                           select, base, irr);
}

void irqchip_append_pin(GString *out, unsigned n, uint64_t entry)
{
    static const char *const modes[] = { "fixed", "lowest", "SMI", "...",
                                         "NMI",   "INIT",   "...", "extINT" };

    g_string_append_printf(out, "  pin %-2u 0x%016" PRIx64 " dest=%u vec=%-3u %s %s %s %s %s%s%s\n",
                           n, entry, (unsigned)(entry >> 56), (unsigned)(entry & 0xff),
                           entry >> 13 & 1 ? "active-lo" : "active-hi",
                           entry >> 15 & 1 ? "level" : "edge ",
                           entry >> 16 & 1 ? "masked" : "      ", modes[entry >> 8 & 7],
                           entry >> 11 & 1 ? "logical" : "physical",
                           entry >> 12 & 1 ? " pending" : "", entry >> 14 & 1 ? " remote-irr" : "");
}

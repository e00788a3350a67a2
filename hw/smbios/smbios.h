/* SPDX-License-Identifier: MIT */
/*
 * What a machine tells of itself in the tables of SMBIOS (DSP0134, version 2.8): whose firmware and
 * product it is, its processors, and its RAM.
 */
#ifndef QOMET_HW_SMBIOS_SMBIOS_H
#define QOMET_HW_SMBIOS_SMBIOS_H

#include <qomet/accel/x86-topology.h>
#include <qomet/qom/export.h>
#include <glib.h>
#include <stdint.h>

typedef struct SmbiosBoard {
    const char *product;
    CPUTopology topology;       /* of its vCPUs; a structure for each socket */
    uint64_t low_ram, high_ram; /* bytes at 0, and at 4 GiB */
} SmbiosBoard;

/** Where an entry point may stand: a multiple of that. */
#define SMBIOS_ALIGN 16
#define SMBIOS_ANCHOR_BYTES 31

/** The structures of @board, up to the one that ends them. The caller frees them. Any thread. */
QOM_EXPORT GByteArray *smbios_tables(const SmbiosBoard *board);
/**
 * The entry point of @tables, which stand at @addr; 0: firmware puts them somewhere and fills that
 * in. The caller frees it.
 */
QOM_EXPORT GByteArray *smbios_anchor(const GByteArray *tables, uint32_t addr);

#endif

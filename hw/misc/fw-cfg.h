/* SPDX-License-Identifier: MIT */
/*
 * The firmware's questions: items by key and files by name that a board has ready for its firmware,
 * at the ports that QEMU's fw_cfg has. Names, keys and layouts are QEMU's (docs/specs/fw_cfg).
 */
#ifndef QOMET_HW_MISC_FW_CFG_H
#define QOMET_HW_MISC_FW_CFG_H

#include <qomet/hw/core/sysbus.h>

/** A sysbus device with two port regions: selector and data, and the address of a DMA request. */
#define TYPE_FW_CFG "fw_cfg_io"
OBJECT_DECLARE_SIMPLE_TYPE(FWCfgState, FW_CFG)

/** Where a PC has the two regions. */
#define FW_CFG_IO_BASE 0x510
#define FW_CFG_DMA_IO_BASE 0x514

/** Keys of items that are no files; integers are little-endian. */
#define FW_CFG_SIGNATURE 0x00 /* "QEMU", made here */
#define FW_CFG_ID 0x01        /* what the device can do, made here */
#define FW_CFG_UUID 0x02
#define FW_CFG_RAM_SIZE 0x03  /* 64 bits */
#define FW_CFG_NOGRAPHIC 0x04 /* 16 bits, as those that follow without a number */
#define FW_CFG_NB_CPUS 0x05
#define FW_CFG_KERNEL_ADDR 0x07 /* 32 bits */
#define FW_CFG_KERNEL_SIZE 0x08 /* 32 bits */
#define FW_CFG_INITRD_ADDR 0x0a /* 32 bits */
#define FW_CFG_INITRD_SIZE 0x0b /* 32 bits */
#define FW_CFG_BOOT_DEVICE 0x0c
#define FW_CFG_NUMA 0x0d
#define FW_CFG_BOOT_MENU 0x0e
#define FW_CFG_MAX_CPUS 0x0f
#define FW_CFG_KERNEL_ENTRY 0x10
#define FW_CFG_KERNEL_DATA 0x11
#define FW_CFG_INITRD_DATA 0x12
#define FW_CFG_CMDLINE_ADDR 0x13 /* 32 bits */
#define FW_CFG_CMDLINE_SIZE 0x14 /* 32 bits */
#define FW_CFG_CMDLINE_DATA 0x15
#define FW_CFG_SETUP_ADDR 0x16 /* 32 bits */
#define FW_CFG_SETUP_SIZE 0x17 /* 32 bits */
#define FW_CFG_SETUP_DATA 0x18
#define FW_CFG_FILE_DIR 0x19 /* made here */
#define FW_CFG_FILE_FIRST 0x20
#define FW_CFG_WRITE_CHANNEL 0x4000
#define FW_CFG_ARCH_LOCAL 0x8000 /* added to a key: an item of the architecture */
#define FW_CFG_INVALID 0xffff

/** The longest name of a file, without its NUL. */
#define FW_CFG_MAX_FILE_NAME 55

/** Bits of a DMA request's control word; the key is in its upper half. */
#define FW_CFG_DMA_CTL_ERROR 0x01
#define FW_CFG_DMA_CTL_READ 0x02
#define FW_CFG_DMA_CTL_SKIP 0x04
#define FW_CFG_DMA_CTL_SELECT 0x08
#define FW_CFG_DMA_CTL_WRITE 0x10

/** The guest has selected the file. Inside the device's guard; may call fw_cfg_modify_file(). */
typedef void FWCfgSelect(void *opaque);
/** The guest has written @len bytes from offset @start on; @data is the file as it is now. Inside
 * the device's guard. */
typedef void FWCfgWrite(void *opaque, const uint8_t *data, size_t start, size_t len);

/**
 * Makes the device, the child "fw_cfg" of the machine, with its regions at the ports @iobase and
 * @dma_iobase. Owned by the tree; NULL with @errp set. Main thread.
 */
QOM_EXPORT FWCfgState *fw_cfg_init_io_dma(uint16_t iobase, uint16_t dma_iobase, GError **errp);
/** The machine's one, or NULL. Main thread. */
QOM_EXPORT FWCfgState *fw_cfg_find(void);

/*
 * Items. The bytes are copied. Main thread, or a FWCfgSelect; a guest that reads meanwhile sees the
 * item as it was or as it is. Keys of files are those of the sorted names, so files are added
 * before the guest runs.
 */

/** The item of @key (below FW_CFG_FILE_FIRST, or the same with FW_CFG_ARCH_LOCAL), in place of the
 * one that was there. */
QOM_EXPORT void fw_cfg_add_bytes(FWCfgState *s, uint16_t key, const void *data, size_t len);
/** The same of a string, its NUL included. */
QOM_EXPORT void fw_cfg_add_string(FWCfgState *s, uint16_t key, const char *value);
QOM_EXPORT void fw_cfg_add_i16(FWCfgState *s, uint16_t key, uint16_t value);
QOM_EXPORT void fw_cfg_add_i32(FWCfgState *s, uint16_t key, uint32_t value);
QOM_EXPORT void fw_cfg_add_i64(FWCfgState *s, uint16_t key, uint64_t value);
/**
 * A file that the guest can read. False with @errp set when the name is empty, too long or taken,
 * there are "x-file-slots" files already, or @len is more than 32 bits hold.
 */
QOM_EXPORT bool fw_cfg_add_file(FWCfgState *s, const char *name, const void *data, size_t len,
                                GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/**
 * The same with calls when the guest selects it and when it has written to it (both may be NULL);
 * only one that is not @read_only is written to, by DMA.
 */
QOM_EXPORT bool fw_cfg_add_file_callback(FWCfgState *s, const char *name, FWCfgSelect *select_cb,
                                         FWCfgWrite *write_cb, void *opaque, const void *data,
                                         size_t len, bool read_only,
                                         GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** Gives a file other contents, or adds it where there is none of that name. */
QOM_EXPORT bool fw_cfg_modify_file(FWCfgState *s, const char *name, const void *data, size_t len,
                                   GError **errp) G_GNUC_WARN_UNUSED_RESULT;

#endif

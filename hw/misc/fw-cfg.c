/* SPDX-License-Identifier: MIT */
/*
 * "fw_cfg_io": items for the firmware. The guest writes a key to the selector and reads the item's
 * bytes from the data port, or has them copied to its memory by a request whose address it writes
 * to a third register. QEMU's docs/specs/fw_cfg is the source.
 */
#include "config.h"

#include <string.h>
#include <qomet/hw/misc/fw-cfg.h>

#define ID_VERSION 0x01 /* bits of FW_CFG_ID */
#define ID_DMA 0x02
#define DMA_SIGNATURE UINT64_C(0x51454d5520434647) /* "QEMU CFG" */
#define ENTRY_MASK ((uint16_t) ~(FW_CFG_WRITE_CHANNEL | FW_CFG_ARCH_LOCAL))

#define FILE_SLOTS_MIN 0x10
#define FILE_SLOTS_DEFAULT 0x20
#define FILE_SLOTS_MAX (ENTRY_MASK - FW_CFG_FILE_FIRST)

#define PIECE 4096 /* bytes that are zeroed at once */

/* One item; without data there is none. */
typedef struct FWCfgEntry {
    uint8_t *data;
    uint32_t len;
    bool writable;
    FWCfgSelect *select_cb;
    FWCfgWrite *write_cb;
    void *opaque;
} FWCfgEntry;

typedef struct FWCfgFile {
    FWCfgEntry entry; /* first: the array of files is one of entries too */
    char *name;
} FWCfgFile;

/* A row of the directory, big-endian. */
typedef struct FWCfgDirRow {
    uint32_t size;
    uint16_t select;
    uint16_t reserved;
    char name[FW_CFG_MAX_FILE_NAME + 1];
} FWCfgDirRow;

/* A request in guest memory, big-endian. */
typedef struct FWCfgDmaAccess {
    uint32_t control;
    uint32_t length;
    uint64_t address;
} FWCfgDmaAccess;

struct FWCfgState {
    SysBusDevice parent_obj;
    MemoryRegion io, dma_io;
    bool dma_enabled;                       /* property */
    uint16_t file_slots;                    /* property: how many files there may be */
    FWCfgEntry items[2][FW_CFG_FILE_FIRST]; /* [1]: those of the architecture */
    GPtrArray *files;                       /* of FWCfgFile *, by name */
    uint16_t cur_entry;                     /* the key that is selected */
    uint32_t cur_offset;                    /* in its item: of the next byte */
    uint64_t dma_addr;                      /* of the request, as far as it was written */
};

/* ---- Items ---- */

/* What @key selects, or NULL. */
static FWCfgEntry *find_entry(FWCfgState *s, uint16_t key)
{
    const uint16_t index = key & ENTRY_MASK;
    const bool arch = key & FW_CFG_ARCH_LOCAL;

    if (key == FW_CFG_INVALID) {
        return NULL;
    }
    if (index < FW_CFG_FILE_FIRST) {
        return &s->items[arch][index];
    }
    if (arch || index >= FW_CFG_FILE_FIRST + s->files->len) {
        return NULL;
    }
    return g_ptr_array_index(s->files, index - FW_CFG_FILE_FIRST);
}

/*
 * For those who change items, from outside the device or from a call that a guest's access makes;
 * whether it was entered now.
 */
static bool hold(FWCfgState *s)
{
    EntryGuard *guard = &DEVICE(s)->guard;

    return !entry_inside(guard) && entry_enter(guard);
}

static void let_go(FWCfgState *s, bool held)
{
    if (held) {
        entry_leave(&DEVICE(s)->guard);
    }
}

static void set_data(FWCfgEntry *entry, const void *data, size_t len)
{
    g_free(entry->data);
    /* An item of no bytes is there, too. */
    entry->data = g_malloc0(MAX(len, 1));
    entry->len = len;
    if (len) {
        memcpy(entry->data, data, len);
    }
}

void fw_cfg_add_bytes(FWCfgState *s, uint16_t key, const void *data, size_t len)
{
    const uint16_t index = key & ~FW_CFG_ARCH_LOCAL;
    bool held;

    g_return_if_fail(index < FW_CFG_FILE_FIRST && len <= UINT32_MAX);
    held = hold(s);
    set_data(&s->items[key != index][index], data, len);
    let_go(s, held);
}

void fw_cfg_add_string(FWCfgState *s, uint16_t key, const char *value)
{
    fw_cfg_add_bytes(s, key, value, strlen(value) + 1);
}

void fw_cfg_add_i16(FWCfgState *s, uint16_t key, uint16_t value)
{
    value = GUINT16_TO_LE(value);
    fw_cfg_add_bytes(s, key, &value, sizeof(value));
}

void fw_cfg_add_i32(FWCfgState *s, uint16_t key, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    fw_cfg_add_bytes(s, key, &value, sizeof(value));
}

void fw_cfg_add_i64(FWCfgState *s, uint16_t key, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    fw_cfg_add_bytes(s, key, &value, sizeof(value));
}

/* ---- Files ---- */

static void free_file(void *data)
{
    FWCfgFile *file = data;

    g_free(file->entry.data);
    g_free(file->name);
    g_free(file);
}

static FWCfgFile *find_file(FWCfgState *s, const char *name)
{
    for (guint i = 0; i < s->files->len; i++) {
        FWCfgFile *file = g_ptr_array_index(s->files, i);

        if (!strcmp(file->name, name)) {
            return file;
        }
    }
    return NULL;
}

/* The item of the directory, from the files that there are. */
static void make_directory(FWCfgState *s)
{
    const size_t bytes = sizeof(uint32_t) + s->files->len * sizeof(FWCfgDirRow);
    g_autofree uint8_t *dir = g_malloc0(bytes);
    uint32_t count = GUINT32_TO_BE(s->files->len);

    memcpy(dir, &count, sizeof(count));
    for (guint i = 0; i < s->files->len; i++) {
        const FWCfgFile *file = g_ptr_array_index(s->files, i);
        FWCfgDirRow row = { .size = GUINT32_TO_BE(file->entry.len),
                            .select = GUINT16_TO_BE(FW_CFG_FILE_FIRST + i) };

        memcpy(row.name, file->name, strlen(file->name));
        memcpy(dir + sizeof(count) + i * sizeof(row), &row, sizeof(row));
    }
    set_data(&s->items[0][FW_CFG_FILE_DIR], dir, bytes);
}

static bool check_len(const char *name, size_t len, GError **errp)
{
    if (len > UINT32_MAX) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "fw_cfg file '%s' has %zu bytes, accepted are up to %u", name, len,
                      UINT32_MAX);
        return false;
    }
    return true;
}

static bool check_file(FWCfgState *s, const char *name, size_t len, GError **errp)
{
    if (!*name || strlen(name) > FW_CFG_MAX_FILE_NAME) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'%s' is no name of a fw_cfg file: it has %zu characters, accepted are 1 to "
                      "%d",
                      name, strlen(name), FW_CFG_MAX_FILE_NAME);
        return false;
    }
    if (find_file(s, name)) {
        qom_error_set(errp, QOM_ERROR_EXISTS, "there is a fw_cfg file '%s' already", name);
        return false;
    }
    if (s->files->len >= s->file_slots) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "there is no room for the fw_cfg file '%s': there are %u, and "
                      "%s.x-file-slots allows no more",
                      name, s->files->len, TYPE_FW_CFG);
        return false;
    }
    return check_len(name, len, errp);
}

bool fw_cfg_add_file_callback(FWCfgState *s, const char *name, FWCfgSelect *select_cb,
                              FWCfgWrite *write_cb, void *opaque, const void *data, size_t len,
                              bool read_only, GError **errp)
{
    FWCfgFile *file;
    guint at = 0;
    bool held;

    if (!check_file(s, name, len, errp)) {
        return false;
    }
    file = g_new0(FWCfgFile, 1);
    file->name = g_strdup(name);
    file->entry.writable = !read_only;
    file->entry.select_cb = select_cb;
    file->entry.write_cb = write_cb;
    file->entry.opaque = opaque;
    set_data(&file->entry, data, len);
    while (at < s->files->len &&
           strcmp(((FWCfgFile *)g_ptr_array_index(s->files, at))->name, name) < 0) {
        at++;
    }
    held = hold(s);
    g_ptr_array_insert(s->files, at, file);
    make_directory(s);
    let_go(s, held);
    return true;
}

bool fw_cfg_add_file(FWCfgState *s, const char *name, const void *data, size_t len, GError **errp)
{
    return fw_cfg_add_file_callback(s, name, NULL, NULL, NULL, data, len, true, errp);
}

bool fw_cfg_modify_file(FWCfgState *s, const char *name, const void *data, size_t len,
                        GError **errp)
{
    FWCfgFile *file = find_file(s, name);
    bool held;

    if (!file) {
        return fw_cfg_add_file(s, name, data, len, errp);
    }
    if (!check_len(name, len, errp)) {
        return false;
    }
    held = hold(s);
    set_data(&file->entry, data, len);
    make_directory(s);
    let_go(s, held);
    return true;
}

/* ---- Selector and data ---- */

static void select_key(FWCfgState *s, uint16_t key)
{
    const FWCfgEntry *entry = find_entry(s, key);

    s->cur_offset = 0;
    s->cur_entry = entry ? key : FW_CFG_INVALID;
    if (entry && entry->select_cb) {
        entry->select_cb(entry->opaque);
    }
}

/* How many of @len bytes from the offset on the item has; none without one. */
static uint32_t left_of(const FWCfgState *s, const FWCfgEntry *entry, uint32_t len)
{
    uint32_t start = s->cur_offset;

#ifdef QOMET_PLANTED_BUG
    start = 0;
#endif
    if (!entry || !entry->data || start >= entry->len) {
        return 0;
    }
    return MIN(len, entry->len - start);
}

static uint64_t fw_cfg_read(void *opaque, hwaddr addr G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
    FWCfgState *s = opaque;
    const FWCfgEntry *entry = find_entry(s, s->cur_entry);

    return left_of(s, entry, 1) ? entry->data[s->cur_offset++] : 0;
}

/* A byte was written to the data port once; that has no meaning any more. */
static void fw_cfg_write(void *opaque, hwaddr addr G_GNUC_UNUSED, uint64_t data, unsigned size)
{
    if (size == 2) {
        select_key(opaque, data);
    }
}

static bool fw_cfg_accepts(void *opaque G_GNUC_UNUSED, hwaddr addr, unsigned size, bool is_write,
                           MemTxAttrs attrs G_GNUC_UNUSED)
{
    return size == 1 || (is_write && size == 2 && addr == 0);
}

static const MemoryRegionOps fw_cfg_ops = {
    .read = fw_cfg_read,
    .write = fw_cfg_write,
    .valid = { .min_access_size = 1, .max_access_size = 2, .accepts = fw_cfg_accepts },
    .impl = { .min_access_size = 1, .max_access_size = 2 },
    .name = "selector and data",
};

/* ---- DMA ---- */

static bool dma_zero(uint64_t addr, uint32_t len)
{
    static const uint8_t zeroes[PIECE];

    while (len) {
        uint32_t piece = MIN(len, PIECE);

        if (dma_memory_write(&address_space_memory, addr, zeroes, piece, MEMTXATTRS_UNSPECIFIED) !=
            MEMTX_OK) {
            return false;
        }
        addr += piece;
        len -= piece;
    }
    return true;
}

/* What the item has, and zeroes for what it has not. */
static bool dma_read(FWCfgState *s, uint64_t addr, uint32_t len)
{
    const FWCfgEntry *entry = find_entry(s, s->cur_entry);
    const uint32_t have = left_of(s, entry, len);

    if (have && dma_memory_write(&address_space_memory, addr, entry->data + s->cur_offset, have,
                                 MEMTXATTRS_UNSPECIFIED) != MEMTX_OK) {
        return false;
    }
    s->cur_offset += have;
    return dma_zero(addr + have, len - have);
}

/* An item is written within its bounds, or not at all. */
static bool dma_write(FWCfgState *s, uint64_t addr, uint32_t len)
{
    const FWCfgEntry *entry = find_entry(s, s->cur_entry);
    const uint32_t start = s->cur_offset;
    g_autofree uint8_t *bytes = NULL;

    if (!len) {
        return true;
    }
    if (left_of(s, entry, len) != len || !entry->writable) {
        return false;
    }
    bytes = g_malloc(len); /* no more than the item has */
    if (dma_memory_read(&address_space_memory, addr, bytes, len, MEMTXATTRS_UNSPECIFIED) !=
        MEMTX_OK) {
        return false;
    }
    memcpy(entry->data + start, bytes, len);
    s->cur_offset += len;
    if (entry->write_cb) {
        entry->write_cb(entry->opaque, entry->data, start, len);
    }
    return true;
}

static bool dma_transfer(FWCfgState *s, const FWCfgDmaAccess *dma)
{
    const uint32_t control = GUINT32_FROM_BE(dma->control), len = GUINT32_FROM_BE(dma->length);
    const uint64_t addr = GUINT64_FROM_BE(dma->address);

    if (control & FW_CFG_DMA_CTL_SELECT) {
        select_key(s, control >> 16);
    }
    if (control & FW_CFG_DMA_CTL_READ) {
        return dma_read(s, addr, len);
    }
    if (control & FW_CFG_DMA_CTL_WRITE) {
        return dma_write(s, addr, len);
    }
    if (control & FW_CFG_DMA_CTL_SKIP) {
        s->cur_offset += left_of(s, find_entry(s, s->cur_entry), len);
    }
    return true;
}

/* The request is copied once; when it is done, its control word is 0, or the error bit alone. */
static void dma_request(FWCfgState *s)
{
    const uint64_t at = s->dma_addr;
    FWCfgDmaAccess dma;
    uint32_t status = 0;

    s->dma_addr = 0;
    if (dma_memory_read(&address_space_memory, at, &dma, sizeof(dma), MEMTXATTRS_UNSPECIFIED) !=
            MEMTX_OK ||
        !dma_transfer(s, &dma)) {
        status = GUINT32_TO_BE(FW_CFG_DMA_CTL_ERROR);
    }
    if (dma_memory_write(&address_space_memory, at + offsetof(FWCfgDmaAccess, control), &status,
                         sizeof(status), MEMTXATTRS_UNSPECIFIED) != MEMTX_OK) {
        return; /* the request was nowhere: there is no place to say so */
    }
}

static uint64_t fw_cfg_dma_read(void *opaque G_GNUC_UNUSED, hwaddr addr, unsigned size)
{
    uint64_t value = DMA_SIGNATURE >> (8 - addr - size) * 8;

    return size == 8 ? value : value & ((UINT64_C(1) << size * 8) - 1);
}

/* The lower half begins the transfer. */
static void fw_cfg_dma_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    FWCfgState *s = opaque;

    if (size == 8) {
        s->dma_addr = data;
    } else if (addr == 0) {
        s->dma_addr = data << 32;
        return;
    } else {
        s->dma_addr |= data;
    }
    dma_request(s);
}

static bool fw_cfg_dma_accepts(void *opaque G_GNUC_UNUSED, hwaddr addr G_GNUC_UNUSED, unsigned size,
                               bool is_write, MemTxAttrs attrs G_GNUC_UNUSED)
{
    return !is_write || size >= 4;
}

static const MemoryRegionOps fw_cfg_dma_ops = {
    .read = fw_cfg_dma_read,
    .write = fw_cfg_dma_write,
    .endianness = DEVICE_BIG_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .accepts = fw_cfg_dma_accepts },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
    .name = "DMA address",
};

/* ---- The device ---- */

static bool fw_cfg_realize(DeviceState *dev, GError **errp G_GNUC_UNUSED)
{
    FWCfgState *s = FW_CFG(dev);

    fw_cfg_add_bytes(s, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add_i32(s, FW_CFG_ID, ID_VERSION | (s->dma_enabled ? ID_DMA : 0));
    sysbus_init_io(SYS_BUS_DEVICE(dev), &s->io);
    if (s->dma_enabled) {
        sysbus_init_io(SYS_BUS_DEVICE(dev), &s->dma_io);
    }
    return true;
}

static void fw_cfg_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    FWCfgState *s = FW_CFG(obj);

    s->cur_entry = FW_CFG_SIGNATURE;
    s->cur_offset = 0;
    s->dma_addr = 0;
}

static void fw_cfg_init(Object *obj)
{
    FWCfgState *s = FW_CFG(obj);

    s->files = g_ptr_array_new_with_free_func(free_file);
    make_directory(s);
    memory_region_init_io(&s->io, obj, &fw_cfg_ops, s, "fwcfg", 2);
    memory_region_init_io(&s->dma_io, obj, &fw_cfg_dma_ops, s, "fwcfg.dma", 8);
}

static void fw_cfg_finalize(Object *obj)
{
    FWCfgState *s = FW_CFG(obj);

    for (unsigned arch = 0; arch < 2; arch++) {
        for (unsigned i = 0; i < FW_CFG_FILE_FIRST; i++) {
            g_free(s->items[arch][i].data);
        }
    }
    g_ptr_array_unref(s->files);
}

FWCfgState *fw_cfg_init_io_dma(uint16_t iobase, uint16_t dma_iobase, GError **errp)
{
    DeviceState *dev = qdev_new(TYPE_FW_CFG, errp);
    SysBusDevice *sbd = SYS_BUS_DEVICE(dev);

    if (!dev) {
        return NULL;
    }
    if (!object_property_add_child(qdev_get_machine(), "fw_cfg", OBJECT(dev), errp)) {
        object_unref(dev);
        return NULL;
    }
    if (!sysbus_realize_and_unref(sbd, errp) || !sysbus_pio_map(sbd, 0, iobase, errp) ||
        (FW_CFG(dev)->dma_enabled && !sysbus_pio_map(sbd, 1, dma_iobase, errp))) {
        return NULL;
    }
    return FW_CFG(dev);
}

FWCfgState *fw_cfg_find(void)
{
    Object *obj = object_resolve_path_type("", TYPE_FW_CFG, NULL);

    return obj ? FW_CFG(obj) : NULL;
}

static const Property fw_cfg_props[] = {
    DEFINE_PROP_BOOL("dma_enabled", FWCfgState, dma_enabled, true,
                     .help = "have the register by which items are copied to guest memory"),
    DEFINE_PROP_UINT16("x-file-slots", FWCfgState, file_slots, FILE_SLOTS_DEFAULT,
                       .help = "how many files there may be",
                       PROP_RANGE_U(FILE_SLOTS_MIN, FILE_SLOTS_MAX)),
};

static const DeviceField fw_cfg_fields[] = {
    DEVICE_FIELD(FWCfgState, cur_entry),
    DEVICE_FIELD(FWCfgState, cur_offset),
    DEVICE_FIELD(FWCfgState, dma_addr),
    { NULL, 0, 0, 0, 0 },
};

static void fw_cfg_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "items and files for the firmware";
    dc->realize = fw_cfg_realize;
    dc->state = fw_cfg_fields;
    device_class_set_reset(dc, fw_cfg_reset);
    device_class_set_props(dc, fw_cfg_props);
}

static const TypeInfo fw_cfg_types[] = {
    {
        .name = TYPE_FW_CFG,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(FWCfgState),
        .instance_init = fw_cfg_init,
        .instance_finalize = fw_cfg_finalize,
        .class_init = fw_cfg_class_init,
    },
};
DEFINE_TYPES(fw_cfg_types)

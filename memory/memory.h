/* SPDX-License-Identifier: MIT */
/*
 * Memory regions and address spaces: what a machine's memory and port maps are made of, and how an
 * access finds its device. Names and meanings are QEMU's. The shape changes on the main thread
 * only; readers use published flat views.
 */
#ifndef QOMET_MEMORY_MEMORY_H
#define QOMET_MEMORY_MEMORY_H

#include <qomet/memory/entry.h>

#define TYPE_MEMORY_REGION "memory-region"

typedef uint64_t hwaddr;

typedef uint32_t MemTxResult;
#define MEMTX_OK 0u
#define MEMTX_ERROR (1u << 0)        /* the device answered with an error */
#define MEMTX_DECODE_ERROR (1u << 1) /* nothing is mapped there */
#define MEMTX_ACCESS_ERROR (1u << 2) /* refused: size, alignment, re-entry, DMA into a device */

/** Who asks. */
typedef struct MemTxAttrs {
    uint16_t requester_id; /* vCPU index, or PCI id of the device that does DMA */
    uint16_t dma : 1;      /* by a device: reaches RAM only, unless the region has allow_dma */
    uint16_t debug : 1;    /* by a monitor: not counted */
    uint32_t reserved;     /* 0 */
} MemTxAttrs;
#define MEMTXATTRS_UNSPECIFIED ((MemTxAttrs){ 0 })

enum device_endian {
    DEVICE_LITTLE_ENDIAN, /* x86's own */
    DEVICE_NATIVE_ENDIAN = DEVICE_LITTLE_ENDIAN,
    DEVICE_BIG_ENDIAN,
};

/**
 * A device's methods for one region, and its contract about access sizes as data. Static const.
 * Methods run on the accessing thread, inside the region's guard. @addr counts from the region's
 * start; @size is within impl. The _with_attrs forms are used when the plain ones are NULL; a
 * region without a read gives all ones.
 */
typedef struct MemoryRegionOps {
    uint64_t (*read)(void *opaque, hwaddr addr, unsigned size);
    void (*write)(void *opaque, hwaddr addr, uint64_t data, unsigned size);
    MemTxResult (*read_with_attrs)(void *opaque, hwaddr addr, uint64_t *data, unsigned size,
                                   MemTxAttrs attrs);
    MemTxResult (*write_with_attrs)(void *opaque, hwaddr addr, uint64_t data, unsigned size,
                                    MemTxAttrs attrs);
    enum device_endian endianness;
    /*
     * What a guest may do: anything else is refused (reads all ones). Zeroes mean 1 to 8 bytes,
     * aligned, as in QEMU.
     */
    struct {
        unsigned min_access_size, max_access_size; /* 1, 2, 4 or 8 */
        bool unaligned;
        bool (*accepts)(void *opaque, hwaddr addr, unsigned size, bool is_write, MemTxAttrs attrs);
    } valid;
    /*
     * What the methods take; zeroes mean 1 to 4. Other valid accesses are cut into calls from the
     * lowest address up. What fills no call of the least size is part of one at the aligned address
     * below: a read takes its bytes out, a write hands zeroes in the places of the other bytes.
     */
    struct {
        unsigned min_access_size, max_access_size;
        bool unaligned;
    } impl;
    const char *name; /* of the register block, for explanations; or NULL */
} MemoryRegionOps;

typedef struct MemoryRegion MemoryRegion;
typedef struct AddressSpace AddressSpace;
typedef struct MemoryListener MemoryListener;
typedef struct FlatView FlatView;
DECLARE_INSTANCE_CHECKER(MemoryRegion, MEMORY_REGION, TYPE_MEMORY_REGION)

/** An eventfd that takes the place of a write. */
typedef struct MemoryRegionIoeventfd {
    hwaddr addr;     /* in the region (in a listener: in the address space) */
    unsigned size;   /* of the write in bytes; 0: any */
    bool match_data; /* only when the value written is @data */
    uint64_t data;
    int fd; /* not owned */
} MemoryRegionIoeventfd;

/**
 * A piece of address space. Embedded in its owner (a device, a machine) as a child object. Fields:
 * memory/ only.
 */
struct MemoryRegion {
    Object parent_obj;
    const MemoryRegionOps *ops; /* io, rom-device */
    void *opaque;               /* handed to ops */
    EntryGuard *guard;          /* entered around ops; NULL: no device behind it */
    Object *owner;              /* not referenced: it embeds or outlives the region */
    MemoryRegion *container;    /* the region that this one is mapped in */
    hwaddr addr;                /* in the container */
    hwaddr last;                /* size - 1, so that 2^64 can be said */
    int32_t priority;           /* among overlapping subregions; higher wins */
    uint8_t kind;               /* MemoryRegionKind */
    bool enabled, readonly, romd_mode, allow_dma, dirty_log;
    bool may_overlap;    /* added with a priority: overlap is meant */
    uint8_t *ram;        /* host address of ram, rom, rom-device contents */
    size_t ram_bytes;    /* mapped, a multiple of the page size */
    uint64_t *dirty;     /* a bit a page, atomic; NULL when not tracked */
    MemoryRegion *alias; /* alias: the region that is shown */
    hwaddr alias_offset;
    GPtrArray *subregions; /* by address; NULL while there are none; holds references */
    GArray *ioeventfds;    /* of MemoryRegionIoeventfd, sorted; NULL while there are none */
    char *label;           /* what "info mtree" shows */
    uint64_t serial;       /* tells this region from one that had its memory before */
    uint64_t order;        /* when it was mapped: of equal priorities the later one wins */
    uint64_t transaction;  /* in which it was mapped: until that ends, no view shows it for that */
    bool untidy; /* subregions without a priority may overlap after all, by a move or by enabling */
    bool ram_foreign; /* ram belongs to the caller */
    bool empty;       /* its size is 0, which last cannot say */
};

/**
 * A root region with the flat view that is made from it. Embedded or static; init and destroy on
 * the main thread.
 */
struct AddressSpace {
    char *name;
    MemoryRegion *root;    /* referenced */
    FlatView *current_map; /* published atomically; never NULL after init */
    GPtrArray *listeners;  /* of MemoryListener *, by priority */
    AddressSpace *next;    /* list of all address spaces */
    /*
     * Tells of an access that nothing answers (at most once a page or port is the hook's own
     * business); may be NULL. Any thread, no guard of its own held. The access itself gives
     * MEMTX_DECODE_ERROR, and all ones when it reads.
     */
    void (*unassigned)(void *opaque, hwaddr addr, unsigned size, bool is_write, uint64_t value,
                       MemTxAttrs attrs);
    void *unassigned_opaque;
};

/* ---- Regions (main thread; all but RAM are freed with their owner) ---- */

/**
 * Makes a region as a child object @name of @owner (owner NULL: the caller unparents it with
 * object_unparent or keeps it static and ends it with object_unref). @size in bytes, UINT64_MAX
 * means 2^64. The guard of an io region is that of the nearest TYPE_ENTRY_OWNER from @owner
 * upwards; without one its methods run on several threads at once and must bear it.
 */
QOM_EXPORT void memory_region_init(MemoryRegion *mr, Object *owner, const char *name,
                                   uint64_t size);
QOM_EXPORT void memory_region_init_io(MemoryRegion *mr, Object *owner, const MemoryRegionOps *ops,
                                      void *opaque, const char *name, uint64_t size);
/** RAM, zero, mapped lazily; @size is rounded up to the page. Fails when the host has no room. */
QOM_EXPORT bool memory_region_init_ram(MemoryRegion *mr, Object *owner, const char *name,
                                       uint64_t size, GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** How memory_region_init_ram_from_fd() holds it. */
#define RAM_SHARED (1u << 1)    /* with other processes that map the file */
#define RAM_NORESERVE (1u << 7) /* the host need not have room for all of it beforehand */
/**
 * The same, of the first bytes of the file @fd (-1: of none), which is not needed afterwards, at a
 * host address that is a multiple of @align: a power of two; 0: of the page. Not shared, it begins
 * with what the file holds, and writes stay in this process. What a shared file is cut short by is
 * gone: whoever reaches it here then ends the process.
 */
QOM_EXPORT bool memory_region_init_ram_from_fd(MemoryRegion *mr, Object *owner, const char *name,
                                               uint64_t size, uint64_t align, uint32_t ram_flags,
                                               int fd, GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** The same, over memory that the caller owns and keeps longer than the region; page-aligned. */
QOM_EXPORT void memory_region_init_ram_ptr(MemoryRegion *mr, Object *owner, const char *name,
                                           uint64_t size, void *ptr);
QOM_EXPORT bool memory_region_init_rom(MemoryRegion *mr, Object *owner, const char *name,
                                       uint64_t size, GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** Reads come from memory (while in romd mode), writes go to @ops. */
QOM_EXPORT bool memory_region_init_rom_device(MemoryRegion *mr, Object *owner,
                                              const MemoryRegionOps *ops, void *opaque,
                                              const char *name, uint64_t size,
                                              GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** Shows @size bytes of @orig from @offset on; @orig outlives it. */
QOM_EXPORT void memory_region_init_alias(MemoryRegion *mr, Object *owner, const char *name,
                                         MemoryRegion *orig, hwaddr offset, uint64_t size);
/** Which guard is entered around the region's methods; between init and mapping. */
QOM_EXPORT void memory_region_set_guard(MemoryRegion *mr, EntryGuard *guard);

/**
 * Maps @sub into @mr at @offset. Without a priority, an overlap with another region mapped so is an
 * error that names both owners, and outside a transaction a listener may refuse it; false then, and
 * nothing has changed. The overlap form cannot fail.
 */
QOM_EXPORT bool memory_region_add_subregion(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub,
                                            GError **errp) G_GNUC_WARN_UNUSED_RESULT;
QOM_EXPORT void memory_region_add_subregion_overlap(MemoryRegion *mr, hwaddr offset,
                                                    MemoryRegion *sub, int priority);
/**
 * Unmaps @sub. On return (outside a transaction) no other thread is in a method of it through this
 * map. Its memory may go then; inside a transaction, not before the outermost commit.
 */
QOM_EXPORT void memory_region_del_subregion(MemoryRegion *mr, MemoryRegion *sub);
QOM_EXPORT bool memory_region_is_mapped(const MemoryRegion *mr);
QOM_EXPORT void memory_region_set_enabled(MemoryRegion *mr, bool enabled);
QOM_EXPORT void memory_region_set_address(MemoryRegion *mr, hwaddr addr);
QOM_EXPORT void memory_region_set_size(MemoryRegion *mr, uint64_t size);
QOM_EXPORT void memory_region_set_alias_offset(MemoryRegion *mr, hwaddr offset);
QOM_EXPORT void memory_region_set_readonly(MemoryRegion *mr, bool readonly);
QOM_EXPORT void memory_region_rom_device_set_romd(MemoryRegion *mr, bool romd);
/** Lets devices reach this region's methods by DMA. */
QOM_EXPORT void memory_region_set_allow_dma(MemoryRegion *mr, bool allow);
QOM_EXPORT uint64_t memory_region_size(const MemoryRegion *mr);
QOM_EXPORT const char *memory_region_name(const MemoryRegion *mr);
static inline Object *memory_region_owner(const MemoryRegion *mr)
{
    return mr->owner;
}
/** Host memory of a ram, rom or rom-device region, or NULL. Valid while the region lives. */
QOM_EXPORT void *memory_region_get_ram_ptr(const MemoryRegion *mr);

/** Changes between begin and the outermost commit are published at once. Main thread. */
QOM_EXPORT void memory_region_transaction_begin(void);
QOM_EXPORT void memory_region_transaction_commit(void);
/**
 * Whether all that was changed since the outermost begin can be published: listeners are asked
 * (MemoryListener.check). False with @errp set: undo the change, then commit. Within another
 * transaction it is true, since there may be more to come: who has begun the outermost one asks.
 * Main thread.
 */
QOM_EXPORT bool memory_region_transaction_check(GError **errp) G_GNUC_WARN_UNUSED_RESULT;

/** Writes that match signal the eventfd instead of reaching the method, wherever they come from. */
QOM_EXPORT void memory_region_add_eventfd(MemoryRegion *mr, const MemoryRegionIoeventfd *e);
QOM_EXPORT void memory_region_del_eventfd(MemoryRegion *mr, const MemoryRegionIoeventfd *e);

/* Dirty tracking of RAM by page of 4096 bytes. */
/** Begins and ends tracking of a region that has memory; listeners hear of it. Main thread. */
QOM_EXPORT void memory_region_set_log(MemoryRegion *mr, bool log);
/** For who writes through a host address. Any thread. */
QOM_EXPORT void memory_region_set_dirty(MemoryRegion *mr, hwaddr addr, uint64_t size);
/**
 * Copies the bits of @addr, @size (multiples of 4096) to @bits, from bit 0 on, and clears them; an
 * accelerator syncs its own first. False, with nothing done, when the region is not tracked or the
 * range is not in it. Main thread.
 */
QOM_EXPORT bool memory_region_snapshot_dirty(MemoryRegion *mr, hwaddr addr, uint64_t size,
                                             uint64_t *bits);

/* ---- Address spaces ---- */

QOM_EXPORT void address_space_init(AddressSpace *as, MemoryRegion *root, const char *name);
QOM_EXPORT void address_space_destroy(AddressSpace *as);

/**
 * One access of 1, 2, 4 or 8 bytes, of any alignment, to whatever is there: the way of an exit.
 * Within one region it is one access, taken or refused by the region's contract. Across regions,
 * and of 3, 5, 6 or 7 bytes (KVM cuts so at the end of a page), it is done by the largest aligned
 * pieces that each region takes. Values are in host order; what fails reads all ones, and of what is
 * written the bytes past @size do not count. Any thread.
 */
QOM_EXPORT MemTxResult address_space_load(AddressSpace *as, hwaddr addr, unsigned size,
                                          uint64_t *value, MemTxAttrs attrs);
QOM_EXPORT MemTxResult address_space_store(AddressSpace *as, hwaddr addr, unsigned size,
                                           uint64_t value, MemTxAttrs attrs);
/**
 * A buffer of any length, split where regions end; the first error is kept, the rest is still done.
 * Any thread.
 */
QOM_EXPORT MemTxResult address_space_read(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                                          void *buf, uint64_t len);
QOM_EXPORT MemTxResult address_space_write(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                                           const void *buf, uint64_t len);

/** What stands at an address. */
typedef struct MemoryRegionSection {
    MemoryRegion *mr; /* referenced when it comes from address_space_find(); NULL: nothing */
    AddressSpace *as;
    hwaddr offset_within_region;
    hwaddr offset_within_address_space;
    uint64_t size;  /* bytes from there to the end of the range, UINT64_MAX for 2^64 */
    bool ram;       /* is memory: memory_region_get_ram_ptr(mr) + offset_within_region */
    bool readonly;  /* and writes are dropped, or go to the methods of a rom-device */
    bool dirty_log; /* and writes are to be noted: memory_region_set_dirty() */
} MemoryRegionSection;

/**
 * The section at @addr; drop section.mr with object_unref(). The reference does not keep the memory of
 * a region that is embedded in its owner: off the main thread use it only inside an entry, and on the
 * main thread until the owner may go. Any thread.
 */
QOM_EXPORT MemoryRegionSection address_space_find(AddressSpace *as, hwaddr addr);
/** Calls @fn for each range of the current view in order until it returns false. Any thread. */
QOM_EXPORT void address_space_foreach(AddressSpace *as,
                                      bool (*fn)(const MemoryRegionSection *s, void *opaque),
                                      void *opaque);

/* ---- Guest memory (checked) ---- */

/**
 * A bounded view of guest RAM, valid until guest_slice_put() on the same thread; one contiguous
 * piece of RAM.
 */
typedef struct GuestSlice {
    uint8_t *host; /* @len bytes; the guest may change them at any time: copy once, then check */
    uint64_t len;
    MemoryRegion *mr;
    hwaddr offset; /* in @mr */
    bool writable;
} GuestSlice;

/**
 * @addr, @len in guest memory as a view. False (with nothing to put) when it wraps, leaves RAM,
 * crosses into another region, or is to be written and is read-only. The view holds off the freeing
 * of withdrawn memory: put it soon, and wait for no other thread meanwhile. No bytes at all are a
 * view wherever there is RAM.
 */
QOM_EXPORT bool guest_slice_get(AddressSpace *as, hwaddr addr, uint64_t len, bool write,
                                GuestSlice *out) G_GNUC_WARN_UNUSED_RESULT;
/** Ends the view; marks it dirty if it was writable. */
QOM_EXPORT void guest_slice_put(GuestSlice *slice);

/**
 * DMA by a device: RAM only (or regions that allow it). MEMTX_OK or the first error, nothing copied
 * past it. @attrs names the requester; its dma is set here. Any thread.
 */
QOM_EXPORT MemTxResult dma_memory_read(AddressSpace *as, hwaddr addr, void *buf, uint64_t len,
                                       MemTxAttrs attrs) G_GNUC_WARN_UNUSED_RESULT;
QOM_EXPORT MemTxResult dma_memory_write(AddressSpace *as, hwaddr addr, const void *buf,
                                        uint64_t len, MemTxAttrs attrs) G_GNUC_WARN_UNUSED_RESULT;

/* ---- Listeners ---- */

/**
 * Told of changes to one address space, on the main thread: begin, region_del for what goes or
 * changes, region_add for what comes (region_nop for what stays, if given), eventfds, commit. After
 * begin and before the view is published, so that an accelerator may hold its vCPUs between begin
 * and commit. Adding a listener replays the current view.
 */
struct MemoryListener {
    /*
     * Whether it can follow a map that shows these @n sections, in order of address, and no others;
     * false with @errp set, which names the region that is too much. Asked where the change can
     * still be refused (memory_region_transaction_check()): devices that come, the board, BARs that
     * a guest moves. Nothing else is told of it then, and what is published may differ. Not every
     * change is asked about: a guest's windows of bridges and shadows of ROMs are not.
     */
    bool (*check)(MemoryListener *l, const MemoryRegionSection *sections, unsigned n,
                  GError **errp);
    void (*begin)(MemoryListener *l);
    void (*region_del)(MemoryListener *l, const MemoryRegionSection *s);
    void (*region_add)(MemoryListener *l, const MemoryRegionSection *s);
    void (*region_nop)(MemoryListener *l, const MemoryRegionSection *s);
    bool (*eventfd_add)(MemoryListener *l, const MemoryRegionSection *s,
                        const MemoryRegionIoeventfd *e);
    void (*eventfd_del)(MemoryListener *l, const MemoryRegionSection *s,
                        const MemoryRegionIoeventfd *e);
    /* Fold the accelerator's dirty bits in. */
    void (*log_sync)(MemoryListener *l, const MemoryRegionSection *s);
    void (*commit)(MemoryListener *l);
    int priority; /* lower is told first of additions, last of removals */
    void *opaque;
};
QOM_EXPORT void memory_listener_register(MemoryListener *l, AddressSpace *as);
QOM_EXPORT void memory_listener_unregister(MemoryListener *l, AddressSpace *as);

/* ---- The system's own two address spaces ---- */

/** "memory" and "I/O" of the one machine of this process; made by memory_map_init(). */
extern QOM_EXPORT AddressSpace address_space_memory, address_space_io;
QOM_EXPORT MemoryRegion *get_system_memory(void);
QOM_EXPORT MemoryRegion *get_system_io(void);
QOM_EXPORT void memory_map_init(void);
QOM_EXPORT void memory_map_cleanup(void);

/* ---- Observation of accesses ---- */

/** One dispatched access, as an observer sees it. */
typedef struct MemoryAccess {
    AddressSpace *as;
    hwaddr addr; /* in the address space */
    uint64_t value;
    unsigned size;
    bool is_write;
    MemoryRegion *mr; /* NULL: unassigned */
    hwaddr offset;    /* of the address in the region */
    MemTxResult result;
} MemoryAccess;
/**
 * address_space_load/store, and what happened told in @what (mr is valid only until the map next
 * changes).
 */
QOM_EXPORT MemTxResult address_space_access_observed(AddressSpace *as, MemoryAccess *what,
                                                     MemTxAttrs attrs);

/** What an object that embeds a guard implements, so that its regions find it. */
#define TYPE_ENTRY_OWNER "entry-owner"
OBJECT_DECLARE_INTERFACE(EntryOwner, EntryOwnerClass, ENTRY_OWNER)
struct EntryOwnerClass {
    InterfaceClass parent_class;
    EntryGuard *(*get_guard)(EntryOwner *owner);
};

#endif

/* SPDX-License-Identifier: MIT */
/* Regions as objects: the type, making each kind, the memory behind RAM, and the end. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <qomet/qom/module.h>
#include "memory/memory-int.h"

/* ---- The type ---- */

static uint64_t region_serial; /* of the region made last; atomic */

static void memory_region_instance_init(Object *obj)
{
    MemoryRegion *mr = MEMORY_REGION(obj);

    mr->serial = __atomic_add_fetch(&region_serial, 1, __ATOMIC_RELAXED);
    mr->enabled = true;
    mr->romd_mode = true;
}

/* Memory that was a region's, on its way out. */
typedef struct OldRam {
    void *ram;
    size_t bytes;
    uint64_t *dirty;
} OldRam;

static void old_ram_free(void *opaque)
{
    OldRam *old = opaque;

    if (old->ram) {
        munmap(old->ram, old->bytes);
    }
    g_free(old->dirty);
    g_free(old);
}

static void memory_region_finalize(Object *obj)
{
    MemoryRegion *mr = MEMORY_REGION(obj);

    if (mr->subregions) {
        for (guint i = 0; i < mr->subregions->len; i++) {
            MemoryRegion *sub = g_ptr_array_index(mr->subregions, i);

            sub->container = NULL;
            object_unref(sub);
        }
        g_ptr_array_free(mr->subregions, TRUE);
    }
    if (mr->ioeventfds) {
        g_array_free(mr->ioeventfds, TRUE);
    }
    if (mr->ram || mr->dirty) {
        OldRam *old = g_new(OldRam, 1);

        *old = (OldRam){ mr->ram_foreign ? NULL : mr->ram, mr->ram_bytes, mr->dirty };
        rcu_retire(old_ram_free, old);
    }
    g_free(mr->label);
}

/*
 * An owner that ends with a region still mapped takes it out of the map; its memory would be looked
 * at otherwise.
 */
static void memory_region_unparent(Object *obj)
{
    MemoryRegion *mr = MEMORY_REGION(obj);

    if (mr->container) {
        memory_region_del_subregion(mr->container, mr);
    }
}

static GVariant *get_size(Object *obj, const Property *prop, GError **errp)
{
    (void)prop;
    (void)errp;
    return g_variant_new_uint64(memory_region_size(MEMORY_REGION(obj)));
}

static GVariant *get_container(Object *obj, const Property *prop, GError **errp)
{
    const MemoryRegion *mr = MEMORY_REGION(obj);
    g_autofree char *path = mr->container ? object_get_canonical_path(OBJECT(mr->container)) : NULL;

    (void)prop;
    (void)errp;
    return g_variant_new_string(path ? path : "");
}

static GVariant *get_alias(Object *obj, const Property *prop, GError **errp)
{
    const MemoryRegion *mr = MEMORY_REGION(obj);
    g_autofree char *path = mr->alias ? object_get_canonical_path(OBJECT(mr->alias)) : NULL;

    (void)prop;
    (void)errp;
    return g_variant_new_string(path ? path : "");
}

static const Property memory_region_properties[] = {
    { .name = "addr",
      .info = &prop_info_uint64,
      .offset = offsetof(MemoryRegion, addr),
      .read_only = true,
      .help = "where it begins in its container" },
    { .name = "size",
      .info = &prop_info_accessor_uint,
      .get = get_size,
      .read_only = true,
      .help = "its bytes; the largest number stands for 2^64" },
    { .name = "priority",
      .info = &prop_info_int32,
      .offset = offsetof(MemoryRegion, priority),
      .read_only = true,
      .help = "where it overlaps another in the container, the higher one is seen" },
    { .name = "enabled",
      .info = &prop_info_bool,
      .offset = offsetof(MemoryRegion, enabled),
      .read_only = true,
      .help = "whether it is seen at all" },
    { .name = "container",
      .info = &prop_info_accessor_string,
      .get = get_container,
      .read_only = true,
      .help = "path of the region that it is mapped in" },
    { .name = "alias",
      .info = &prop_info_accessor_string,
      .get = get_alias,
      .read_only = true,
      .help = "path of the region that it shows a part of" },
    { .name = "alias-offset",
      .info = &prop_info_uint64,
      .offset = offsetof(MemoryRegion, alias_offset),
      .read_only = true,
      .help = "where that part begins" },
};

static void memory_region_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    klass->unparent = memory_region_unparent;
    object_class_add_properties(klass, memory_region_properties,
                                G_N_ELEMENTS(memory_region_properties));
}

static const TypeInfo memory_region_types[] = {
    {
        .name = TYPE_MEMORY_REGION,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(MemoryRegion),
        .instance_init = memory_region_instance_init,
        .instance_finalize = memory_region_finalize,
        .class_init = memory_region_class_init,
    },
    {
        .name = TYPE_ENTRY_OWNER,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(EntryOwnerClass),
    },
};
DEFINE_TYPES(memory_region_types)

/* ---- Making ---- */

/* @name with what a path cannot hold replaced; the caller frees. */
static char *child_name(const char *name)
{
    char *safe = g_strdup(name && *name ? name : "region");

    return g_strdelimit(safe, "/", '-');
}

void memory_region_init(MemoryRegion *mr, Object *owner, const char *name, uint64_t size)
{
    GError *error = NULL;

    if (!object_initialize(mr, sizeof(*mr), TYPE_MEMORY_REGION, &error)) {
        g_error("memory region '%s': %s", name, error->message);
    }
    mr->owner = owner;
    mr->last = size_to_last(size);
    mr->empty = size == 0;
    mr->label = g_strdup(name ? name : "");
    if (owner) {
        g_autofree char *plain = child_name(name);

        if (!object_property_add_child(owner, plain, OBJECT(mr), NULL)) {
            /* A device may call several regions alike. */
            g_autofree char *numbered = g_strdup_printf("%s[*]", plain);

            if (!object_property_add_child(owner, numbered, OBJECT(mr), &error)) {
                g_error("memory region '%s': %s", name, error->message);
            }
        }
        object_unref(mr);
    }
}

static EntryGuard *guard_of_owner(Object *owner)
{
    while (owner && !object_dynamic_cast(owner, TYPE_ENTRY_OWNER)) {
        owner = object_get_parent(owner);
    }
    if (!owner) {
        return NULL;
    }
    return ENTRY_OWNER_GET_CLASS(owner)->get_guard(ENTRY_OWNER(owner));
}

static bool sizes_are_sound(unsigned min, unsigned max, unsigned most_by_default)
{
    const unsigned least = min ? min : 1, most = max ? max : most_by_default;

    return most <= 8 && least <= most && (least & (least - 1)) == 0 && (most & (most - 1)) == 0;
}

/* What every access relies on; a table of another kind is a mistake in the program. */
static void check_ops(const MemoryRegionOps *ops, const char *name)
{
    if (!sizes_are_sound(ops->valid.min_access_size, ops->valid.max_access_size, 8) ||
        !sizes_are_sound(ops->impl.min_access_size, ops->impl.max_access_size, 4)) {
        g_error("memory region '%s': valid and impl sizes are 1, 2, 4 or 8, the least not above "
                "the most",
                name);
    }
}

void memory_region_init_io(MemoryRegion *mr, Object *owner, const MemoryRegionOps *ops,
                           void *opaque, const char *name, uint64_t size)
{
    check_ops(ops, name);
    memory_region_init(mr, owner, name, size);
    mr->kind = REGION_IO;
    mr->ops = ops;
    mr->opaque = opaque;
    mr->guard = guard_of_owner(owner);
}

/*
 * @bytes mapped at a multiple of @align, or MAP_FAILED with errno: of what is mapped around them,
 * the rest is given back.
 */
static void *map_aligned(size_t bytes, size_t align, int flags, int fd)
{
    uint8_t *base =
        mmap(NULL, bytes + align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    const size_t before = -(uintptr_t)base & (align - 1);
    void *ram;
    int errnum;

    if (base == MAP_FAILED) {
        return MAP_FAILED;
    }
    ram = mmap(base + before, bytes, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
    errnum = errno;
    if (ram == MAP_FAILED) {
        munmap(base, bytes + align);
        errno = errnum;
        return MAP_FAILED;
    }
    if (before) {
        munmap(base, before);
    }
    munmap(base + before + bytes, align - before);
    return ram;
}

/*
 * Room for @size bytes, none of it touched, as memory_region_init_ram_from_fd() has them. NULL with
 * @errp set when the host has none.
 */
static void *ram_new(const char *name, uint64_t size, size_t *bytes, size_t align, uint32_t flags,
                     int fd, GError **errp)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const int how = (flags & RAM_SHARED ? MAP_SHARED : MAP_PRIVATE) | (fd < 0 ? MAP_ANONYMOUS : 0) |
                    (flags & RAM_NORESERVE ? MAP_NORESERVE : 0);
    void *ram;

    if (size == 0) {
        qom_error_set(errp, QOM_ERROR_VALUE, "memory '%s' has no size: it takes at least one byte",
                      name);
        return NULL;
    }
    if (size > (uint64_t)PTRDIFF_MAX - page - align) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "memory '%s' of %" PRIu64 " bytes is more than this host can address", name,
                      size);
        return NULL;
    }
    *bytes = (size + page - 1) & ~(page - 1);
    ram = align > page ? map_aligned(*bytes, align, how, fd)
                       : mmap(NULL, *bytes, PROT_READ | PROT_WRITE, how, fd, 0);
    if (ram == MAP_FAILED) {
        qom_error_set(errp, QOM_ERROR_FAILED,
                      "memory '%s' of %" PRIu64 " bytes: the host has no room for it (%s)", name,
                      size, g_strerror(errno));
        return NULL;
    }
    return ram;
}

static void init_ram(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                     MemoryRegionKind kind, void *ram, size_t bytes)
{
    memory_region_init(mr, owner, name, size);
    mr->kind = kind;
    mr->ram = ram;
    mr->ram_bytes = bytes;
}

bool memory_region_init_ram_from_fd(MemoryRegion *mr, Object *owner, const char *name,
                                    uint64_t size, uint64_t align, uint32_t ram_flags, int fd,
                                    GError **errp)
{
    size_t bytes;
    void *ram = ram_new(name, size, &bytes, align, ram_flags, fd, errp);

    if (!ram) {
        return false;
    }
    init_ram(mr, owner, name, bytes, REGION_RAM, ram, bytes);
    return true;
}

bool memory_region_init_ram(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                            GError **errp)
{
    return memory_region_init_ram_from_fd(mr, owner, name, size, 0, RAM_NORESERVE, -1, errp);
}

void memory_region_init_ram_ptr(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                                void *ptr)
{
    init_ram(mr, owner, name, size, REGION_RAM, ptr, size);
    mr->ram_foreign = true;
}

bool memory_region_init_rom(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                            GError **errp)
{
    if (!memory_region_init_ram(mr, owner, name, size, errp)) {
        return false;
    }
    mr->readonly = true;
    return true;
}

bool memory_region_init_rom_device(MemoryRegion *mr, Object *owner, const MemoryRegionOps *ops,
                                   void *opaque, const char *name, uint64_t size, GError **errp)
{
    size_t bytes;
    void *ram = ram_new(name, size, &bytes, 0, RAM_NORESERVE, -1, errp);

    if (!ram) {
        return false;
    }
    check_ops(ops, name);
    init_ram(mr, owner, name, bytes, REGION_ROM_DEVICE, ram, bytes);
    mr->ops = ops;
    mr->opaque = opaque;
    mr->guard = guard_of_owner(owner);
    return true;
}

void memory_region_init_alias(MemoryRegion *mr, Object *owner, const char *name, MemoryRegion *orig,
                              hwaddr offset, uint64_t size)
{
    memory_region_init(mr, owner, name, size);
    mr->kind = REGION_ALIAS;
    mr->alias = orig;
    mr->alias_offset = offset;
}

void memory_region_set_guard(MemoryRegion *mr, EntryGuard *guard)
{
    g_return_if_fail(!mr->container);
    mr->guard = guard;
}

/* ---- Questions ---- */

uint64_t memory_region_size(const MemoryRegion *mr)
{
    if (mr->empty) {
        return 0;
    }
    return mr->last == UINT64_MAX ? UINT64_MAX : mr->last + 1;
}

const char *memory_region_name(const MemoryRegion *mr)
{
    return mr->label;
}

void *memory_region_get_ram_ptr(const MemoryRegion *mr)
{
    return mr->ram;
}

bool memory_region_is_mapped(const MemoryRegion *mr)
{
    return mr->container != NULL;
}

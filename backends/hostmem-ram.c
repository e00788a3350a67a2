/* SPDX-License-Identifier: MIT */
/* "memory-backend-ram": memory that no file stands behind. */
#include <qomet/backends/hostmem.h>
#include <qomet/qom/module.h>

static bool ram_backend_alloc(HostMemoryBackend *backend, const char *name, uint32_t ram_flags,
                              GError **errp)
{
    return memory_region_init_ram_from_fd(&backend->mr, OBJECT(backend), name, backend->size, 0,
                                          ram_flags, -1, errp);
}

static void ram_backend_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    MEMORY_BACKEND_CLASS(klass)->alloc = ram_backend_alloc;
}

static const TypeInfo ram_backend_types[] = {
    {
        .name = "memory-backend-ram",
        .parent = TYPE_MEMORY_BACKEND,
        .class_init = ram_backend_class_init,
    },
};

DEFINE_TYPES(ram_backend_types)

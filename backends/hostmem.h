/* SPDX-License-Identifier: MIT */
/*
 * Memory backends: where the memory of a guest comes from, as an object that a user makes
 * (-object memory-backend-ram,id=m0,size=64M) and a machine or a device takes.
 */
#ifndef QOMET_BACKENDS_HOSTMEM_H
#define QOMET_BACKENDS_HOSTMEM_H

#include <qomet/memory/memory.h>

#define TYPE_MEMORY_BACKEND "memory-backend"
OBJECT_DECLARE_TYPE(HostMemoryBackend, HostMemoryBackendClass, MEMORY_BACKEND)

struct HostMemoryBackend {
    Object parent_obj;
    uint64_t size; /* bytes */
    bool share, prealloc, merge, dump, reserve;
    uint32_t prealloc_threads;
    bool complete;   /* mr is there: what it was made by stays as it is */
    bool is_mapped;  /* somebody has taken it */
    MemoryRegion mr; /* the memory, once complete */
};

struct HostMemoryBackendClass {
    ObjectClass parent_class;
    /**
     * Makes backend->mr of @size bytes, with @ram_flags (RAM_*) and @name, as a child of the
     * backend.
     */
    bool (*alloc)(HostMemoryBackend *backend, const char *name, uint32_t ram_flags, GError **errp);
};

/** The backend /objects/@id; NULL with @errp set when there is none of that name. Main thread. */
QOM_EXPORT HostMemoryBackend *host_memory_backend_find(const char *id, GError **errp);
/** Its memory, or NULL before it is complete. */
QOM_EXPORT MemoryRegion *host_memory_backend_get_memory(HostMemoryBackend *backend);
/**
 * Tells the host whether pages of the RAM @mr that are equal may be one (@merge), and whether its core
 * dumps have them (@dump). That it cannot is no failure: it is advice. Main thread.
 */
QOM_EXPORT void host_memory_advise(const MemoryRegion *mr, bool merge, bool dump);
/**
 * Takes the backend for one user: false with @errp set when it has one already. A backend that is
 * taken cannot be deleted. Main thread.
 */
QOM_EXPORT bool host_memory_backend_take(HostMemoryBackend *backend,
                                         GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** Ends that. Main thread. */
QOM_EXPORT void host_memory_backend_release(HostMemoryBackend *backend);

#endif

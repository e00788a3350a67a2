/* SPDX-License-Identifier: MIT */
/*
 * What all memory backends have in common: their properties, advice to the host about the memory,
 * and memory that is there before the guest asks for it.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>
#include <qomet/backends/hostmem.h>
#include <qomet/qom/module.h>
#include <qomet/qom/user-creatable.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; not in every libc that meets it */
#endif

#define MAX_PREALLOC_THREADS 256

/* ---- Memory that is there beforehand ---- */

/* What one thread has to see to. */
typedef struct Populate {
    uint8_t *from;
    size_t bytes;
    int errnum; /* 0: it is there */
    pthread_t thread;
} Populate;

static void *populate(void *opaque)
{
    Populate *part = opaque;
    int rc;

    do {
        rc = madvise(part->from, part->bytes, MADV_POPULATE_WRITE);
    } while (rc != 0 && (errno == EINTR || errno == EAGAIN));
    part->errnum = rc ? errno : 0;
    return NULL;
}

/* Whole pages for each thread; the last one takes the rest. */
static void divide(const HostMemoryBackend *backend, Populate *parts, uint32_t n)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t each = (backend->mr.ram_bytes / n) & ~(page - 1);

    for (uint32_t i = 0; i < n; i++) {
        parts[i].from = backend->mr.ram + i * each;
        parts[i].bytes = i + 1 < n ? each : backend->mr.ram_bytes - i * each;
    }
}

static bool preallocate(const HostMemoryBackend *backend, GError **errp)
{
    const uint32_t n = backend->prealloc_threads;
    g_autofree Populate *parts = g_new0(Populate, n);
    uint32_t started = 1;
    int errnum = 0;

    divide(backend, parts, n);
    while (started < n &&
           pthread_create(&parts[started].thread, NULL, populate, &parts[started]) == 0) {
        started++;
    }
    populate(&parts[0]);
    for (uint32_t i = 0; i < n; i++) {
        if (i >= started) {
            populate(&parts[i]);
        } else if (i) {
            pthread_join(parts[i].thread, NULL);
        }
        errnum = errnum ? errnum : parts[i].errnum;
    }
    if (errnum == EINVAL) {
        qom_error_set(errp, QOM_ERROR_FAILED, "prealloc=on: this host's Linux is older than 5.14");
    } else if (errnum) {
        qom_error_set(errp, QOM_ERROR_FAILED,
                      "prealloc=on: the host does not have %" G_GUINT64_FORMAT " bytes: %s",
                      backend->size, g_strerror(errnum));
    }
    return errnum == 0;
}

/* ---- The object ---- */

void host_memory_advise(const MemoryRegion *mr, bool merge, bool dump)
{
    madvise(mr->ram, mr->ram_bytes, merge ? MADV_MERGEABLE : MADV_UNMERGEABLE);
    madvise(mr->ram, mr->ram_bytes, dump ? MADV_DODUMP : MADV_DONTDUMP);
}

static void advise(const HostMemoryBackend *backend)
{
    host_memory_advise(&backend->mr, backend->merge, backend->dump);
}

static bool memory_backend_complete(UserCreatable *uc, GError **errp)
{
    HostMemoryBackend *backend = MEMORY_BACKEND(uc);
    const char *name = object_get_canonical_path_component(OBJECT(backend));
    const uint32_t flags =
        (backend->share ? RAM_SHARED : 0) | (backend->reserve ? 0 : RAM_NORESERVE);

    if (!backend->size) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'size' is missing: a memory backend takes at least one byte");
        return false;
    }
    if (backend->prealloc && !backend->reserve) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'prealloc=on' and 'reserve=off' are incompatible: memory that is there is "
                      "reserved");
        return false;
    }
    if (!qom_method_ok(MEMORY_BACKEND_GET_CLASS(backend)->alloc(backend, name, flags, errp),
                       object_get_typename(OBJECT(backend)), "alloc", errp)) {
        return false;
    }
    backend->complete = true;
    advise(backend);
    return !backend->prealloc || preallocate(backend, errp);
}

static bool memory_backend_can_be_deleted(UserCreatable *uc)
{
    return !MEMORY_BACKEND(uc)->is_mapped;
}

HostMemoryBackend *host_memory_backend_find(const char *id, GError **errp)
{
    Object *obj = object_resolve_path_component(object_get_objects_root(), id);

    if (!obj) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND,
                      "memory backend '%s' not found: there is no "
                      "-object of that id",
                      id);
        return NULL;
    }
    if (!object_dynamic_cast(obj, TYPE_MEMORY_BACKEND)) {
        qom_error_set(errp, QOM_ERROR_TYPE,
                      "'%s' is of type '%s', expected a memory backend (memory-backend-ram)", id,
                      object_get_typename(obj));
        return NULL;
    }
    return MEMORY_BACKEND(obj);
}

MemoryRegion *host_memory_backend_get_memory(HostMemoryBackend *backend)
{
    return backend->complete ? &backend->mr : NULL;
}

bool host_memory_backend_take(HostMemoryBackend *backend, GError **errp)
{
    g_autofree char *path = object_get_canonical_path(OBJECT(backend));

    if (!backend->complete || backend->is_mapped) {
        qom_error_set(errp, QOM_ERROR_STATE, "memory backend %s %s", path ? path : "",
                      backend->is_mapped ? "can't be used multiple times" : "is not complete");
        return false;
    }
    backend->is_mapped = true;
    return true;
}

void host_memory_backend_release(HostMemoryBackend *backend)
{
    backend->is_mapped = false;
}

/* ---- The type ---- */

static bool set_advice(Object *obj, const Property *prop, GVariant *value,
                       GError **errp G_GNUC_UNUSED)
{
    HostMemoryBackend *backend = MEMORY_BACKEND(obj);

    *(bool *)((char *)obj + prop->offset) = g_variant_get_boolean(value);
    if (backend->complete) {
        advise(backend);
    }
    return true;
}

static const Property memory_backend_props[] = {
    DEFINE_PROP_SIZE("size", HostMemoryBackend, size, 0, .help = "its bytes"),
    DEFINE_PROP_BOOL("share", HostMemoryBackend, share, false,
                     .help = "other processes that map the same see what the guest writes"),
    DEFINE_PROP_BOOL("reserve", HostMemoryBackend, reserve, true,
                     .help = "have the host keep room for all of it"),
    DEFINE_PROP_BOOL("prealloc", HostMemoryBackend, prealloc, false,
                     .help = "have all of it there before the guest asks for it"),
    DEFINE_PROP_UINT32("prealloc-threads", HostMemoryBackend, prealloc_threads, 1,
                       PROP_RANGE_U(1, MAX_PREALLOC_THREADS), .help = "how many threads do so"),
    DEFINE_PROP_BOOL("merge", HostMemoryBackend, merge, true, .live = true, .set = set_advice,
                     .help = "let the host keep pages of equal contents once"),
    DEFINE_PROP_BOOL("dump", HostMemoryBackend, dump, true, .live = true, .set = set_advice,
                     .help = "have it in a core dump of this process"),
};

static bool memory_backend_may_set(Object *obj, const Property *prop, GError **errp)
{
    if (MEMORY_BACKEND(obj)->complete && !prop->live) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "cannot change property '%s' of '%s' any more: the "
                      "memory is there",
                      prop->name, object_get_typename(obj));
        return false;
    }
    return true;
}

static void memory_backend_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    UserCreatableClass *ucc = USER_CREATABLE_CLASS(klass);

    ucc->complete = memory_backend_complete;
    ucc->can_be_deleted = memory_backend_can_be_deleted;
    klass->may_set = memory_backend_may_set;
    object_class_add_properties(klass, memory_backend_props, G_N_ELEMENTS(memory_backend_props));
}

static const TypeInfo memory_backend_types[] = {
    {
        .name = TYPE_MEMORY_BACKEND,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(HostMemoryBackend),
        .class_size = sizeof(HostMemoryBackendClass),
        .class_init = memory_backend_class_init,
        .abstract = true,
        .interfaces = (const InterfaceInfo[]){ { TYPE_USER_CREATABLE }, {} },
    },
};

DEFINE_TYPES(memory_backend_types)

/* SPDX-License-Identifier: MIT */
/*
 * The guest's memory into a file. It is read twice: first for whether all of it is there, so that a
 * wrong address leaves a file as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>
#include <qomet/accel/debug.h>
#include <qomet/backends/host-client.h>
#include <qomet/monitor/qmp.h>
#include "monitor/handlers.h"

#define CHUNK_BYTES 65536

/** What is to be written. */
typedef struct Dump {
    CPUState *cpu; /* NULL: physical addresses of a machine without vCPUs */
    bool virtual;
    uint64_t addr, size;
} Dump;

static bool read_chunk(const Dump *dump, uint64_t offset, uint8_t *buf, size_t len, GError **errp)
{
    uint64_t addr = dump->addr + offset;

    if (dump->cpu) {
        return dump->virtual ? cpu_read_memory(dump->cpu, addr, buf, len, errp)
                             : cpu_read_physical(dump->cpu, addr, buf, len, errp);
    }
    if (dma_memory_read(&address_space_memory, addr, buf, len, (MemTxAttrs){ .debug = 1 }) !=
        MEMTX_OK) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND,
                      "there is no memory at 0x%" PRIx64 " or in the %zu bytes behind it", addr,
                      len);
        return false;
    }
    return true;
}

static bool write_chunk(int fd, const uint8_t *buf, size_t len, GError **errp)
{
    while (len) {
        ssize_t n = write(fd, buf, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            qmp_error_set(errp, QMP_ERROR_GENERIC, "An IO error has occurred: %s",
                          g_strerror(errno));
            return false;
        }
        buf += n;
        len -= (size_t)n;
    }
    return true;
}

/* Into @fd, or nowhere (-1). */
static bool copy_memory(const Dump *dump, int fd, GError **errp)
{
    g_autofree uint8_t *buf = g_malloc(CHUNK_BYTES);

    for (uint64_t done = 0; done < dump->size;) {
        size_t len = MIN(CHUNK_BYTES, dump->size - done);

        if (!read_chunk(dump, done, buf, len, errp) ||
            (fd >= 0 && !write_chunk(fd, buf, len, errp))) {
            return false;
        }
        done += len;
    }
    return true;
}

static bool save(const Dump *dump, const char *filename, GError **errp)
{
    bool ok;
    int fd;

    if (!copy_memory(dump, -1, errp)) {
        return false;
    }
    /* A pipe that nobody reads is not waited for. */
    fd = host_open(filename, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY, errp);
    if (fd < 0) {
        return false;
    }
    ok = copy_memory(dump, fd, errp);
    if (close(fd) != 0 && ok) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "An IO error has occurred: %s", g_strerror(errno));
        ok = false;
    }
    return ok;
}

static bool read_arguments(GVariant *args, Dump *dump, GError **errp)
{
    int64_t size = qmp_arg_int(args, "size", 0);
    uint64_t addr = (uint64_t)qmp_arg_int(args, "val", 0);

    if (size < 0 || addr + (uint64_t)size < addr) {
        qmp_error_set(errp, QMP_ERROR_GENERIC,
                      "Invalid addr 0x%016" PRIx64 "/size %" PRId64 " specified", addr, size);
        return false;
    }
    dump->addr = addr;
    dump->size = (uint64_t)size;
    return true;
}

bool qmp_do_memsave(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    int64_t index = qmp_arg_int(args, "cpu-index", 0);
    Dump dump = { .virtual = true };
    bool ok;

    (void)mon;
    (void)ret;
    dump.cpu = index >= 0 && index <= UINT32_MAX ? qemu_get_cpu((unsigned)index) : NULL;
    if (!dump.cpu) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "Parameter 'cpu-index' expects a CPU number");
        return false;
    }
    if (!read_arguments(args, &dump, errp)) {
        return false;
    }
    /* Its page tables stay as they are meanwhile. */
    pause_all_vcpus();
    ok = save(&dump, qmp_arg_str(args, "filename"), errp);
    resume_all_vcpus();
    return ok;
}

bool qmp_do_pmemsave(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    Dump dump = { .cpu = qemu_get_cpu(0) };

    (void)mon;
    (void)ret;
    return read_arguments(args, &dump, errp) && save(&dump, qmp_arg_str(args, "filename"), errp);
}

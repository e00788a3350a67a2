/* SPDX-License-Identifier: MIT */
/*
 * A timeline of the run, for the viewers of Chrome's trace event format: rows for the main loop and
 * for each vCPU (in the guest, and each exit), and one for each device that was reached.
 *
 *   {"displayTimeUnit":"ns","traceEvents":[
 *   {"ph":"X","pid":1,"tid":1,"ts":12.345,"dur":1.204,"name":"io","cat":"exit","args":{...}},
 *   ...
 *   ]}
 *
 * What is written to the file ends it each time, and the next write begins where that end is. So
 * the file is whole between writes, and stays so however the program ends; a signal that kills it in
 * the middle of one leaves the last lines torn.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <qomet/accel/accel.h>
#include <qomet/backends/loop.h>
#include <qomet/qom/keyval.h>
#include "accel/exit-int.h"

#define HEAD "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
#define TAIL "\n]}\n"

/* Events are gathered until there are so many bytes of them, or the first is so old. */
#define GATHER_BYTES 65536
#define GATHER_NS (INT64_C(100) * 1000000)
/* No viewer takes more; nor shall a guest fill the disk. */
#define FILE_BYTES_MAX (INT64_C(1) << 30)

/* The two groups of rows: "processes" of the format. */
#define PID_PROGRAM 1
#define PID_DEVICES 2
#define TID_MAIN_LOOP 0 /* of PID_PROGRAM; vCPU N is N + 1 */

/* One row. Slices of a row may not overlap. */
typedef struct Row {
    unsigned tid;
    int64_t end_ns;     /* of its last slice */
    int64_t entered_ns; /* of a vCPU: the entry whose slice has been written */
} Row;

static struct {
    pthread_mutex_t lock; /* guards what follows */
    int fd;               /* -1: there is none */
    int64_t start_ns;     /* zero of the timeline */
    int64_t size;         /* of the file, without its end */
    int64_t gathered_ns;  /* when the first event in the buffer came */
    bool any;             /* an event has been written or gathered */
    GString *buffer;
    GHashTable *devices, *vcpus; /* path, or index: Row */
    int64_t busy_ns;             /* since when the main loop has something to do; main thread */
} trace = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

/* ---- Text ---- */

static void append_string(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    json_append_string(trace.buffer, valid);
}

static void append_us(const char *name, int64_t ns)
{
    ns = MAX(ns, 0);
    g_string_append_printf(trace.buffer, ",\"%s\":%" PRId64 ".%03d", name, ns / 1000,
                           (int)(ns % 1000));
}

/* Begins an event of the phase @ph; ended by "}". */
static void begin_event(char ph, unsigned pid, unsigned tid, const char *name)
{
    if (!trace.buffer->len) {
        trace.gathered_ns = exit_clock_ns();
    }
    if (trace.any) {
        g_string_append(trace.buffer, ",\n");
    }
    trace.any = true;
    g_string_append_printf(trace.buffer, "{\"ph\":\"%c\",\"pid\":%u,\"tid\":%u,\"name\":", ph, pid,
                           tid);
    append_string(name);
}

/* Names a row, or with @what "process_name" the group. */
static void name_row(const char *what, unsigned pid, unsigned tid, const char *name)
{
    begin_event('M', pid, tid, what);
    g_string_append(trace.buffer, ",\"args\":{\"name\":");
    append_string(name);
    g_string_append(trace.buffer, "}}");
}

/* A slice of @row, cut where the one before has not ended; left open for arguments. */
static void begin_slice(Row *row, unsigned pid, const char *name, const char *category,
                        int64_t from_ns, int64_t to_ns)
{
    from_ns = MAX(from_ns, row->end_ns);
    to_ns = MAX(to_ns, from_ns);
    row->end_ns = to_ns;
    begin_event('X', pid, row->tid, name);
    append_us("ts", from_ns - trace.start_ns);
    append_us("dur", to_ns - from_ns);
    g_string_append_printf(trace.buffer, ",\"cat\":\"%s\"", category);
}

/* ---- The file ---- */

/* With the lock held: no more of it. */
static void give_up(const char *why)
{
    warn_report("-trace-file: %s: the timeline ends here", why);
    close(trace.fd);
    trace.fd = -1;
}

/* 0, or an errno. */
static int write_at(const char *text, size_t len, int64_t offset)
{
    while (len) {
        ssize_t n = pwrite(trace.fd, text, len, offset);

        if (n > 0) {
            text += n;
            len -= (size_t)n;
            offset += n;
        } else if (n == 0 || errno != EINTR) {
            return n == 0 ? ENOSPC : errno;
        }
    }
    return 0;
}

/* With the lock held: what was gathered goes to the file, which is whole again then. */
static void flush(void)
{
    size_t events = trace.buffer->len;
    int err;

    if (trace.fd < 0 || !events) {
        return;
    }
    g_string_append(trace.buffer, TAIL);
    err = write_at(trace.buffer->str, trace.buffer->len, trace.size);
    if (err) {
        /* What is there of it is taken back, as far as that can be done. */
        (void)write_at(TAIL, strlen(TAIL), trace.size);
        (void)!ftruncate(trace.fd, trace.size + (off_t)strlen(TAIL));
        give_up(g_strerror(err));
    } else {
        trace.size += (int64_t)events;
        if (trace.size > FILE_BYTES_MAX) {
            give_up("1 GiB is written, more no viewer takes");
        }
    }
    g_string_truncate(trace.buffer, 0);
}

/* With the lock held, after each event. */
static void flush_if_due(void)
{
    if (trace.buffer->len >= GATHER_BYTES || exit_clock_ns() - trace.gathered_ns >= GATHER_NS) {
        flush();
    }
}

/* ---- Exits ---- */

static Row *row_new(GHashTable *rows, gpointer key, unsigned pid, unsigned tid, const char *name)
{
    Row *row = g_new0(Row, 1);

    row->tid = tid;
    g_hash_table_insert(rows, key, row);
    name_row("thread_name", pid, tid, name);
    return row;
}

static Row *vcpu_row(unsigned index)
{
    Row *row = g_hash_table_lookup(trace.vcpus, GUINT_TO_POINTER(index));
    g_autofree char *name = row ? NULL : g_strdup_printf("vcpu %u", index);

    return row ? row : row_new(trace.vcpus, GUINT_TO_POINTER(index), PID_PROGRAM, index + 1, name);
}

static Row *device_row(const char *path)
{
    Row *row = g_hash_table_lookup(trace.devices, path);

    return row ? row
               : row_new(trace.devices, g_strdup(path), PID_DEVICES,
                         g_hash_table_size(trace.devices) + 1, path);
}

static void append_access(const ExitRecord *r)
{
    g_string_append(trace.buffer, ",\"args\":{\"address-space\":");
    append_string(r->space);
    g_string_append_printf(trace.buffer,
                           ",\"address\":\"0x%" PRIx64 "\",\"size\":%u,\"%s\":\"0x%" PRIx64 "\"",
                           r->addr, r->size, r->is_write ? "write" : "read", r->value);
    if (r->region) {
        g_string_append(trace.buffer, ",\"region\":");
        append_string(r->region);
    }
    if (r->path) {
        g_string_append(trace.buffer, ",\"path\":");
        append_string(r->path);
    }
    if (r->method_class) {
        g_string_append(trace.buffer, ",\"class\":");
        append_string(r->method_class);
    }
    g_string_append(trace.buffer, "}}");
}

static void trace_exit(CPUState *cpu, const ExitRecord *r)
{
    Row *row;

    (void)cpu;
    pthread_mutex_lock(&trace.lock);
    if (trace.fd < 0) {
        pthread_mutex_unlock(&trace.lock);
        return;
    }
    row = vcpu_row(r->vcpu);
    if (r->entered_ns != row->entered_ns) {
        row->entered_ns = r->entered_ns;
        begin_slice(row, PID_PROGRAM, "guest", "guest", r->entered_ns, r->left_ns);
        g_string_append_c(trace.buffer, '}');
    }
    if (r->space) {
        begin_slice(row, PID_PROGRAM, r->reason, "exit", r->left_ns, r->began_ns + r->ns);
        append_access(r);
    } else {
        begin_event('i', PID_PROGRAM, row->tid, r->reason);
        append_us("ts", r->left_ns - trace.start_ns);
        g_string_append(trace.buffer, ",\"s\":\"t\",\"cat\":\"exit\"}");
    }
    if (r->path && r->method_class) {
        begin_slice(device_row(r->path), PID_DEVICES, r->is_write ? "write" : "read", "device",
                    r->began_ns, r->began_ns + r->ns);
        append_access(r);
    }
    flush_if_due();
    pthread_mutex_unlock(&trace.lock);
}

const ExitObserver exit_observer_trace = { EXIT_TRACE, trace_exit };

/* ---- The main loop ---- */

/* Called before and after each wait of the loop. */
static void trace_loop(bool waits)
{
    static Row row = { .tid = TID_MAIN_LOOP };
    int64_t now = exit_clock_ns();

    if (!waits) {
        trace.busy_ns = now;
        return;
    }
    pthread_mutex_lock(&trace.lock);
    if (trace.fd >= 0) {
        if (trace.busy_ns >= trace.start_ns) {
            begin_slice(&row, PID_PROGRAM, "round", "main-loop", trace.busy_ns, now);
            g_string_append_c(trace.buffer, '}');
        }
        /* It may be long until the next event. */
        flush();
    }
    pthread_mutex_unlock(&trace.lock);
}

static void trace_runstate(bool running, RunState state, void *opaque)
{
    (void)running;
    (void)opaque;
    pthread_mutex_lock(&trace.lock);
    if (trace.fd >= 0) {
        begin_event('i', PID_PROGRAM, TID_MAIN_LOOP, runstate_name(state));
        append_us("ts", exit_clock_ns() - trace.start_ns);
        g_string_append(trace.buffer, ",\"s\":\"g\",\"cat\":\"state\"}");
        flush_if_due();
    }
    pthread_mutex_unlock(&trace.lock);
}

/* ---- Begin and end ---- */

/* The timeline's file, with nothing in it yet. */
static int open_file(const char *path, GError **errp)
{
    /* Without waiting for the reader of a pipe. */
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0666);
    struct stat st;

    if (fd < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "cannot write the timeline '%s': %s", path,
                      g_strerror(errno));
        return -1;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "cannot write the timeline '%s': it is no regular file", path);
        close(fd);
        return -1;
    }
    if (pwrite(fd, HEAD TAIL, strlen(HEAD TAIL), 0) != (ssize_t)strlen(HEAD TAIL)) {
        qom_error_set(errp, QOM_ERROR_FAILED, "cannot write the timeline '%s': %s", path,
                      g_strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

bool exit_trace_open(const char *path, GError **errp)
{
    int fd;

    exit_trace_close();
    /* Refused where this program cannot do it, and then nothing is opened. */
    if (!exit_observe(EXIT_TRACE, true, errp)) {
        return false;
    }
    fd = open_file(path, errp);
    if (fd < 0) {
        (void)exit_observe(EXIT_TRACE, false, NULL);
        return false;
    }
    pthread_mutex_lock(&trace.lock);
    trace.fd = fd;
    trace.start_ns = exit_clock_ns();
    trace.size = strlen(HEAD);
    trace.any = false;
    trace.busy_ns = 0;
    trace.buffer = g_string_sized_new(2 * GATHER_BYTES);
    trace.devices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    trace.vcpus = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    name_row("process_name", PID_PROGRAM, TID_MAIN_LOOP, "qomet");
    name_row("thread_name", PID_PROGRAM, TID_MAIN_LOOP, "main loop");
    name_row("process_name", PID_DEVICES, 0, "devices");
    flush();
    pthread_mutex_unlock(&trace.lock);
    main_loop_observe(trace_loop);
    runstate_add_listener(trace_runstate, NULL);
    return true;
}

void exit_trace_close(void)
{
    if (!trace.buffer) {
        return;
    }
    (void)exit_observe(EXIT_TRACE, false, NULL);
    main_loop_observe(NULL);
    runstate_del_listener(trace_runstate, NULL);
    pthread_mutex_lock(&trace.lock);
    flush();
    if (trace.fd >= 0) {
        close(trace.fd);
        trace.fd = -1;
    }
    g_string_free(trace.buffer, TRUE);
    trace.buffer = NULL;
    g_clear_pointer(&trace.devices, g_hash_table_unref);
    g_clear_pointer(&trace.vcpus, g_hash_table_unref);
    pthread_mutex_unlock(&trace.lock);
}

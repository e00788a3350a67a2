/* SPDX-License-Identifier: MIT */
/* What is remembered of exits that were observed: each vCPU's last ones, and time by object. */
#include <pthread.h>
#include "accel/cpu-int.h"
#include "accel/exit-int.h"

struct ExitMemory {
    pthread_mutex_t lock; /* guards what follows */
    uint64_t seen; /* the number of the last one; number N is records[N % EXIT_RECORDS_KEPT] */
    ExitRecord records[EXIT_RECORDS_KEPT];
};

/* ---- The last exits ---- */

static void record_release(ExitRecord *r)
{
    g_free(r->region);
    g_free(r->path);
}

static void record_copy(ExitRecord *to, const ExitRecord *from)
{
    *to = *from;
    to->region = g_strdup(from->region);
    to->path = g_strdup(from->path);
    to->guard = NULL;
}

static void record_free(gpointer opaque)
{
    record_release(opaque);
    g_free(opaque);
}

/* Made at the first exit that is observed. Its own thread. */
static ExitMemory *memory_of(CPUState *cpu)
{
    if (!cpu->exits) {
        ExitMemory *memory = g_new0(ExitMemory, 1);

        pthread_mutex_init(&memory->lock, NULL);
        __atomic_store_n(&cpu->exits, memory, __ATOMIC_RELEASE);
    }
    return cpu->exits;
}

static void remember(CPUState *cpu, const ExitRecord *r)
{
    ExitMemory *memory = memory_of(cpu);
    ExitRecord *place;

    pthread_mutex_lock(&memory->lock);
    memory->seen = r->number;
    place = &memory->records[r->number % EXIT_RECORDS_KEPT];
    record_release(place);
    record_copy(place, r);
    pthread_mutex_unlock(&memory->lock);
}

void exit_memory_free(CPUState *cpu)
{
    if (!cpu->exits) {
        return;
    }
    for (size_t i = 0; i < EXIT_RECORDS_KEPT; i++) {
        record_release(&cpu->exits->records[i]);
    }
    pthread_mutex_destroy(&cpu->exits->lock);
    g_clear_pointer(&cpu->exits, g_free);
}

static void gather(CPUState *cpu, unsigned max, GPtrArray *out)
{
    ExitMemory *memory = __atomic_load_n(&cpu->exits, __ATOMIC_ACQUIRE);
    uint64_t n;

    if (!memory) {
        return;
    }
    pthread_mutex_lock(&memory->lock);
    n = MIN(MIN(memory->seen, EXIT_RECORDS_KEPT), max);
    for (uint64_t i = 0; i < n; i++) {
        ExitRecord *copy = g_new(ExitRecord, 1);

        record_copy(copy, &memory->records[(memory->seen - i) % EXIT_RECORDS_KEPT]);
        g_ptr_array_add(out, copy);
    }
    pthread_mutex_unlock(&memory->lock);
}

/* Newest first; accesses of one exit in the order of their numbers. */
static gint compare_records(gconstpointer a, gconstpointer b)
{
    const ExitRecord *x = *(ExitRecord *const *)a, *y = *(ExitRecord *const *)b;

    if (x->left_ns != y->left_ns) {
        return x->left_ns < y->left_ns ? 1 : -1;
    }
    return x->number < y->number ? 1 : x->number > y->number ? -1 : 0;
}

GPtrArray *exit_records(CPUState *cpu, unsigned max)
{
    GPtrArray *out = g_ptr_array_new_with_free_func(record_free);

    if (cpu) {
        gather(cpu, max, out);
        return out;
    }
    CPU_FOREACH(cpu)
    {
        gather(cpu, max, out);
    }
    g_ptr_array_sort(out, compare_records);
    if (out->len > max) {
        g_ptr_array_set_size(out, (gint)max);
    }
    return out;
}

const ExitObserver exit_observer_memory = {
    .when = EXIT_ANY,
    .seen = remember,
};

/* ---- Time by object ---- */

static void count_time(CPUState *cpu, const ExitRecord *r)
{
    (void)cpu;
    if (r->guard) {
        entry_guard_add_time(r->guard, (uint64_t)r->ns);
    }
}

const ExitObserver exit_observer_timing = { EXIT_TIMING | EXIT_EXPLAIN, count_time };

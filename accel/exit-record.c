/* SPDX-License-Identifier: MIT */
/*
 * Exits that somebody wants to know of: the record is filled here, and handed to each observer that
 * is on. One of them writes the log of "-d exits".
 *
 * A told exit is one line, fields separated by single spaces, in this order (the last three for
 * accesses only):
 *
 *   vcpu 0 exit=io path=/machine/x type=isa-debugcon addr=0xf1 size=1 write value=0x48
 *   vcpu 0 exit=hlt path=- type=-
 *
 * path and type are those of the object whose region was reached, "-" where nothing is. A read ends
 * "read value=0x..", with what the guest gets. String instructions give a line for each element; an
 * access with a length that is no power of two gives one for each byte.
 */
#include <inttypes.h>
#include <time.h>
#include "accel/cpu-int.h"
#include "accel/exit-int.h"
#include "config.h"

/* ---- Observers ---- */

static void log_exit(CPUState *cpu, const ExitRecord *r)
{
    (void)cpu;
    if (!r->space) {
        qemu_log("vcpu %u exit=%s path=- type=-\n", r->vcpu, r->reason);
        return;
    }
    qemu_log("vcpu %u exit=%s path=%s type=%s addr=0x%" PRIx64 " size=%u %s value=0x%" PRIx64 "\n",
             r->vcpu, r->reason, r->path ? r->path : "-", r->type ? r->type : "-", r->addr, r->size,
             r->is_write ? "write" : "read", r->value);
}

static const ExitObserver exit_observer_log = { EXIT_LOG, log_exit };

static const ExitObserver *const observers[] = {
    &exit_observer_log,
#ifdef QOMET_EXPLAIN
    &exit_observer_explain, &exit_observer_timing, &exit_observer_trace, &exit_observer_memory,
#endif
};

static unsigned asked_for; /* ExitObservers, all but EXIT_LOG; atomic */

unsigned exit_observers(void)
{
    return __atomic_load_n(&asked_for, __ATOMIC_RELAXED) |
           (qemu_loglevel_mask(LOG_EXITS) ? EXIT_LOG : 0);
}

void exit_observers_changed(void)
{
    CPUState *cpu;

    CPU_FOREACH(cpu)
    {
        cpu_exit(cpu);
    }
}

bool exit_observe(ExitObservers which, bool on, GError **errp)
{
    bool known = false;

    for (size_t i = 0; i < G_N_ELEMENTS(observers); i++) {
        known = known || (observers[i]->when & which);
    }
    if (!known && on) {
        qom_error_set(errp, QOM_ERROR_FAILED,
                      "exits cannot be explained, timed or traced here: this program was "
                      "configured with --disable-explain");
        return false;
    }
    if (on) {
        __atomic_fetch_or(&asked_for, which, __ATOMIC_RELAXED);
    } else {
        __atomic_fetch_and(&asked_for, ~(unsigned)which, __ATOMIC_RELAXED);
    }
    exit_observers_changed();
    return true;
}

void exit_observers_reset(void)
{
    __atomic_store_n(&asked_for, 0, __ATOMIC_RELAXED);
}

int64_t exit_clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

void exit_observed(CPUState *cpu, ExitRecord *r)
{
    unsigned on = exit_observers();

    r->vcpu = cpu->index;
    r->number = ++cpu->exits_observed;
    for (size_t i = 0; i < G_N_ELEMENTS(observers); i++) {
        if (observers[i]->when & on) {
            observers[i]->seen(cpu, r);
        }
    }
}

/* ---- Accesses ---- */

/*
 * The class that has the methods of @mr. A region is embedded in the part of its owner that one of
 * the owner's classes brings, and the methods are of that class; one elsewhere counts as of the
 * owner's own.
 */
static const char *method_class(const MemoryRegion *mr, const Object *owner)
{
    ObjectClass *klass = object_get_class(owner), *parent;
    size_t offset = (uintptr_t)mr - (uintptr_t)owner;

    if ((uintptr_t)mr < (uintptr_t)owner || offset >= object_type_get_instance_size(klass)) {
        return object_class_get_name(klass);
    }
    while ((parent = object_class_get_parent(klass)) &&
           offset < object_type_get_instance_size(parent)) {
        klass = parent;
    }
    return object_class_get_name(klass);
}

static void record_region(ExitRecord *r, const MemoryRegion *mr, hwaddr offset)
{
    Object *owner = memory_region_owner(mr);

    r->region = g_strdup(memory_region_name(mr));
    r->offset = offset;
    r->guard = mr->guard;
    if (owner) {
        r->path = object_get_canonical_path(owner);
        r->type = object_get_typename(owner);
        r->method_class = mr->ops ? method_class(mr, owner) : NULL;
    }
}

/*
 * The vCPU's own guard is held around the access and what is told of it: the main thread takes a
 * region away only when it is left, so the object that answered still has its path.
 */
void exit_observed_access(CPUState *cpu, ExitRecord *r, AddressSpace *as, MemTxAttrs attrs)
{
    MemoryAccess what = {
        .addr = r->addr, .size = r->size, .is_write = r->is_write, .value = r->value
    };
    EntryGuard *guard = &cpu->parent_obj.guard;
    bool inside = entry_enter(guard);

    r->began_ns = exit_clock_ns();
    r->result = address_space_access_observed(as, &what, attrs);
    r->ns = exit_clock_ns() - r->began_ns;
    r->value = what.value;
    r->space = as->name;
    if (what.mr) {
        record_region(r, what.mr, what.offset);
    }
    exit_observed(cpu, r);
    g_clear_pointer(&r->region, g_free);
    g_clear_pointer(&r->path, g_free);
    if (inside) {
        entry_leave(guard);
    }
}

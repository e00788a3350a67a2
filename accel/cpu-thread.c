/* SPDX-License-Identifier: MIT */
/*
 * The thread of a vCPU: when it runs the guest, when it is parked or halted, and what others ask of
 * it meanwhile. Whoever wants something first says what (under the lock), then kicks; the thread
 * looks at all of it each time it has left the guest.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <qomet/accel/accel.h>
#include <qomet/accel/cpu-intc.h>
#include <qomet/memory/main-work.h>
#include "accel/cpu-int.h"

/* A device's methods need little; where address space is limited, many vCPUs still fit. */
#define STACK_BYTES ((size_t)1 << 20)

typedef struct CPUWork CPUWork;
struct CPUWork {
    CPUWork *next;
    void (*fn)(CPUState *cpu, void *opaque);
    void *opaque;
    bool *done; /* of a waiting caller, under the lock; NULL: nobody waits, and the work is freed */
};

struct CPUThread {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    CPUWork *work, **work_tail;
    bool failed; /* the accelerator could not make its part: never to run */
    bool end;
    bool parked_in_wait; /* waits for the main thread, and has seen that it is to be parked */
    bool held;           /* until the machine's requests have been carried out */
    char name[16];
};

static __thread CPUState *current;

/*
 * How often the vCPUs were paused more than resumed. Before the first start they are paused once.
 * Main thread.
 */
static unsigned pause_depth = 1;

static void (*halt_hook)(CPUState *cpu, void *opaque);
static void *halt_hook_opaque;

CPUState *cpu_current(void)
{
    return current;
}

void cpu_set_halt_hook(void (*fn)(CPUState *cpu, void *opaque), void *opaque)
{
    halt_hook = fn;
    halt_hook_opaque = opaque;
}

CPUThread *cpu_thread_new(void)
{
    CPUThread *t = g_new0(CPUThread, 1);

    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
    t->work_tail = &t->work;
    return t;
}

void cpu_thread_free(CPUThread *t)
{
    while (t->work) {
        CPUWork *work = t->work;

        t->work = work->next;
        g_free(work);
    }
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
    g_free(t);
}

/* With the lock held. */
static void set_state(CPUState *cpu, CPUThreadState state)
{
    if (__atomic_exchange_n(&cpu->state, state, __ATOMIC_SEQ_CST) != state) {
        pthread_cond_broadcast(&cpu->thread_data->changed);
    }
}

/* With the lock held, which is given up around each piece of work. */
static void do_work(CPUState *cpu)
{
    CPUThread *t = cpu->thread_data;

    while (t->work) {
        CPUWork *work = t->work;

        t->work = work->next;
        if (!t->work) {
            t->work_tail = &t->work;
        }
        pthread_mutex_unlock(&t->lock);
        work->fn(cpu, work->opaque);
        pthread_mutex_lock(&t->lock);
        if (work->done) {
            *work->done = true;
            pthread_cond_broadcast(&t->changed);
        } else {
            g_free(work);
        }
    }
}

static bool must_park(CPUState *cpu)
{
    const CPUThread *t = cpu->thread_data;

    return __atomic_load_n(&cpu->stop, __ATOMIC_SEQ_CST) || t->held || t->failed;
}

static void wait_for_change(CPUState *cpu)
{
    pthread_cond_wait(&cpu->thread_data->changed, &cpu->thread_data->lock);
}

/* Whether it stays in HLT, and is not woken by what has come before it went there. */
static bool stays_halted(CPUState *cpu)
{
    if (!cpu->deaf && cpu_has_interrupt(cpu)) {
        __atomic_store_n(&cpu->halted, 0, __ATOMIC_SEQ_CST);
    }
    return __atomic_load_n(&cpu->halted, __ATOMIC_SEQ_CST);
}

/* With the lock held: runs, parks and halts until the end. */
static void live(CPUState *cpu)
{
    AccelClass *ac = ACCEL_GET_CLASS(current_accel());
    CPUThread *t = cpu->thread_data;

    for (;;) {
        /* Before looking: a request that is not seen below sets it again. */
        __atomic_store_n(&cpu->exit_request, 0, __ATOMIC_SEQ_CST);
        do_work(cpu);
        if (t->end) {
            return;
        }
        if (must_park(cpu)) {
            set_state(cpu, CPU_STOPPED);
            wait_for_change(cpu);
        } else if (__atomic_load_n(&cpu->events, __ATOMIC_SEQ_CST)) {
            set_state(cpu, CPU_RUNNING);
            pthread_mutex_unlock(&t->lock);
            cpu_deal_with_events(cpu);
            pthread_mutex_lock(&t->lock);
        } else if (stays_halted(cpu)) {
            set_state(cpu, CPU_HALTED);
            wait_for_change(cpu);
        } else {
            set_state(cpu, CPU_RUNNING);
            pthread_mutex_unlock(&t->lock);
            ac->cpu_exec(cpu);
            pthread_mutex_lock(&t->lock);
        }
    }
}

/* ---- Waiting for the main thread ---- */

typedef struct MainWait {
    CPUState *cpu;
    bool over;
} MainWait;

static void main_wait_over(void *opaque)
{
    MainWait *wait = opaque;
    CPUThread *t = wait->cpu->thread_data;

    pthread_mutex_lock(&t->lock);
    wait->over = true;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

/*
 * A device on this thread has asked the main one for something (entry_call_main()), which is
 * queued. What is queued here comes after it, so @done is set when it runs. The main thread may
 * meanwhile want this vCPU to be parked, or to do work, and wait for that; it counts as parked
 * then, and stays here until it is let go.
 */
static void wait_for_main(const uint32_t *done, void *opaque)
{
    CPUState *cpu = opaque;
    CPUThread *t = cpu->thread_data;
    MainWait wait = { .cpu = cpu };

    (void)done;
    main_work_post(main_wait_over, &wait);
    pthread_mutex_lock(&t->lock);
    for (;;) {
        bool stop = __atomic_load_n(&cpu->stop, __ATOMIC_SEQ_CST);

        do_work(cpu);
        if (wait.over && (!stop || t->end)) {
            break;
        }
        if (t->parked_in_wait != stop) {
            t->parked_in_wait = stop;
            pthread_cond_broadcast(&t->changed);
        }
        wait_for_change(cpu);
    }
    t->parked_in_wait = false;
    pthread_mutex_unlock(&t->lock);
}

/* ---- Start and end ---- */

/*
 * With the lock held: has the thread look at what is asked of it. One that is about to end is let
 * alone, because there may be no thread any more that could take a signal.
 */
static void poke(CPUState *cpu)
{
    pthread_cond_broadcast(&cpu->thread_data->changed);
    if (!cpu->thread_data->end) {
        cpu_exit(cpu);
    }
}

static void *cpu_thread(void *opaque)
{
    CPUState *cpu = opaque;
    CPUThread *t = cpu->thread_data;
    g_autoptr(GError) error = NULL;

    current = cpu;
    __atomic_store_n(&cpu->thread_id, gettid(), __ATOMIC_RELEASE);
    pthread_setname_np(pthread_self(), t->name);
    entry_thread_register(t->name, wait_for_main, cpu);
    if (!qom_method_ok(ACCEL_GET_CLASS(current_accel())->cpu_init(cpu, &error),
                       object_get_typename(OBJECT(current_accel())), "cpu_init", &error)) {
        error_report("%s", error->message);
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_ERROR);
    }
    pthread_mutex_lock(&t->lock);
    t->failed = error != NULL;
    live(cpu);
    set_state(cpu, CPU_ENDED);
    pthread_mutex_unlock(&t->lock);
    entry_thread_unregister();
    return NULL;
}

static void set_stop(CPUState *cpu, uint32_t stop)
{
    pthread_mutex_lock(&cpu->thread_data->lock);
    __atomic_store_n(&cpu->stop, stop, __ATOMIC_SEQ_CST);
    if (stop) {
        poke(cpu);
    } else {
        pthread_cond_broadcast(&cpu->thread_data->changed);
    }
    pthread_mutex_unlock(&cpu->thread_data->lock);
}

static bool create_thread(CPUState *cpu, GError **errp)
{
    sigset_t all, old;
    pthread_attr_t attr;
    int err;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    /* What the user or another program sends is for the main thread. */
    sigfillset(&all);
    sigdelset(&all, SIG_IPI);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    err = pthread_create(&cpu->thread, &attr, cpu_thread, cpu);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (err) {
        qom_error_set(errp, QOM_ERROR_FAILED, "no thread for vCPU %u: %s", cpu->index,
                      g_strerror(err));
        return false;
    }
    cpu->has_thread = true;
    return true;
}

bool cpu_thread_start(CPUState *cpu, GError **errp)
{
    CPUThread *t = cpu->thread_data;

    cpu->stop = pause_depth > 0;
    cpu->state = CPU_CREATED;
    cpu->halted = 0;
    t->end = t->held = t->failed = false;
    snprintf(t->name, sizeof(t->name), "vcpu %u", cpu->index);
    return create_thread(cpu, errp);
}

/*
 * Waits for the end of the thread, doing meanwhile what it may be waiting for in the middle of an
 * access.
 */
void cpu_thread_end(CPUState *cpu)
{
    CPUThread *t = cpu->thread_data;

    if (!cpu->has_thread) {
        return;
    }
    pthread_mutex_lock(&t->lock);
    poke(cpu);
    t->end = true;
    while (cpu->state != CPU_ENDED) {
        struct timespec soon;

        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_nsec += 1000000;
        soon.tv_sec += soon.tv_nsec / 1000000000;
        soon.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&t->changed, &t->lock, &soon);
        pthread_mutex_unlock(&t->lock);
        main_work_run();
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
    pthread_join(cpu->thread, NULL);
    cpu->has_thread = false;
    if (cpu->accel) {
        ACCEL_GET_CLASS(current_accel())->cpu_destroy(cpu);
    }
}

/* ---- Asking ---- */

void cpu_exit(CPUState *cpu)
{
    AccelState *accel = current_accel();

    __atomic_store_n(&cpu->exit_request, 1, __ATOMIC_SEQ_CST);
    if (accel) {
        ACCEL_GET_CLASS(accel)->cpu_kick(cpu);
    }
}

void cpu_look(CPUState *cpu)
{
    if (cpu != current) {
        pthread_mutex_lock(&cpu->thread_data->lock);
        poke(cpu);
        pthread_mutex_unlock(&cpu->thread_data->lock);
    }
}

static void work_add(CPUState *cpu, CPUWork *work)
{
    CPUThread *t = cpu->thread_data;

    pthread_mutex_lock(&t->lock);
    *t->work_tail = work;
    t->work_tail = &work->next;
    poke(cpu);
    pthread_mutex_unlock(&t->lock);
}

void run_on_cpu(CPUState *cpu, void (*fn)(CPUState *cpu, void *opaque), void *opaque)
{
    bool done = false;
    CPUWork work = { .fn = fn, .opaque = opaque, .done = &done };

    if (cpu == current || !cpu->has_thread) {
        fn(cpu, opaque);
        return;
    }
    work_add(cpu, &work);
    pthread_mutex_lock(&cpu->thread_data->lock);
    while (!done) {
        wait_for_change(cpu);
    }
    pthread_mutex_unlock(&cpu->thread_data->lock);
}

void async_run_on_cpu(CPUState *cpu, void (*fn)(CPUState *cpu, void *opaque), void *opaque)
{
    CPUWork *work = g_new0(CPUWork, 1);

    work->fn = fn;
    work->opaque = opaque;
    work_add(cpu, work);
}

void cpu_halt(CPUState *cpu, bool interruptible)
{
    cpu->deaf = !interruptible;
    __atomic_store_n(&cpu->halted, 1, __ATOMIC_SEQ_CST);
    if (halt_hook) {
        halt_hook(cpu, halt_hook_opaque);
    }
}

void cpu_wake(CPUState *cpu)
{
    if (__atomic_exchange_n(&cpu->halted, 0, __ATOMIC_SEQ_CST)) {
        pthread_mutex_lock(&cpu->thread_data->lock);
        pthread_cond_broadcast(&cpu->thread_data->changed);
        pthread_mutex_unlock(&cpu->thread_data->lock);
    }
}

static void inject_nmi(CPUState *cpu, void *opaque)
{
    /* Whether it worked is seen by the error. */
    if (!cpu_waits_for_start(cpu) && ACCEL_GET_CLASS(current_accel())->inject_nmi(cpu, opaque)) {
        cpu_wake(cpu);
    }
}

bool cpu_inject_nmi(CPUState *cpu, GError **errp)
{
    g_autoptr(GError) error = NULL;

    if (!ACCEL_GET_CLASS(current_accel())->inject_nmi) {
        qom_error_set(errp, QOM_ERROR_STATE, "the accelerator '%s' has no non-maskable interrupts",
                      ACCEL_GET_CLASS(current_accel())->name);
        return false;
    }
    run_on_cpu(cpu, inject_nmi, &error);
    if (error) {
        g_propagate_error(errp, g_steal_pointer(&error));
        return false;
    }
    return true;
}

/* ---- All of them ---- */

static bool is_parked(CPUState *cpu)
{
    CPUThread *t = cpu->thread_data;

    return !cpu->has_thread || cpu->state == CPU_CREATED || cpu->state == CPU_STOPPED ||
           cpu->state == CPU_ENDED || t->parked_in_wait;
}

void pause_all_vcpus(void)
{
    CPUState *cpu;

    if (pause_depth++) {
        return;
    }
    CPU_FOREACH(cpu)
    {
        set_stop(cpu, 1);
    }
    CPU_FOREACH(cpu)
    {
        pthread_mutex_lock(&cpu->thread_data->lock);
        while (!is_parked(cpu)) {
            wait_for_change(cpu);
        }
        pthread_mutex_unlock(&cpu->thread_data->lock);
    }
}

/*
 * Waits until the accelerator has made those that the first one may start: what is sent to one that
 * is not there is lost.
 */
static void wait_for_others(void)
{
    CPUState *cpu;

    CPU_FOREACH(cpu)
    {
        pthread_mutex_lock(&cpu->thread_data->lock);
        while (cpu->index && cpu->has_thread && cpu->state == CPU_CREATED) {
            wait_for_change(cpu);
        }
        pthread_mutex_unlock(&cpu->thread_data->lock);
    }
}

void resume_all_vcpus(void)
{
    CPUState *cpu;

    g_assert(pause_depth > 0);
    if (--pause_depth) {
        return;
    }
    wait_for_others();
    CPU_FOREACH(cpu)
    {
        if (!cpu->debug_hold) {
            set_stop(cpu, 0);
        }
    }
}

void cpus_pause_reset(void)
{
    pause_depth = 1;
}

void cpu_hold_for_request(CPUState *cpu)
{
    pthread_mutex_lock(&cpu->thread_data->lock);
    cpu->thread_data->held = true;
    pthread_mutex_unlock(&cpu->thread_data->lock);
    cpu_exit(cpu);
}

void cpus_request_done(void)
{
    CPUState *cpu;

    CPU_FOREACH(cpu)
    {
        pthread_mutex_lock(&cpu->thread_data->lock);
        cpu->thread_data->held = false;
        pthread_cond_broadcast(&cpu->thread_data->changed);
        pthread_mutex_unlock(&cpu->thread_data->lock);
    }
}

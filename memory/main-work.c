/* SPDX-License-Identifier: MIT */
/* Work for the main thread: a locked queue and an eventfd that the main loop watches. */
#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <qomet/memory/main-work.h>
#include "memory/rcu-int.h"

typedef struct MainWork {
    struct MainWork *next;
    void (*fn)(void *opaque);
    void *opaque;
} MainWork;

static __thread bool thread_is_main;

static pthread_mutex_t work_lock = PTHREAD_MUTEX_INITIALIZER;
static MainWork *work_list, **work_tail = &work_list;
static pthread_once_t work_fd_once = PTHREAD_ONCE_INIT;
static int work_fd = -1;

static void work_fd_make(void)
{
    work_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (work_fd < 0) {
        g_error("eventfd for the main thread's work: %s", g_strerror(errno));
    }
}

void main_work_init(void)
{
    thread_is_main = true;
    entry_self();
    main_work_fd();
}

bool main_work_is_main(void)
{
    return thread_is_main;
}

int main_work_fd(void)
{
    pthread_once(&work_fd_once, work_fd_make);
    return work_fd;
}

void main_work_post(void (*fn)(void *opaque), void *opaque)
{
    MainWork *work = g_new(MainWork, 1);
    int fd = main_work_fd();
    bool first;

    work->fn = fn;
    work->opaque = opaque;
    work->next = NULL;
    pthread_mutex_lock(&work_lock);
    first = !work_list;
    *work_tail = work;
    work_tail = &work->next;
    pthread_mutex_unlock(&work_lock);
    /* A counter that is about to overflow refuses the write; it is readable then as well. */
    if (first && eventfd_write(fd, 1) < 0 && errno != EAGAIN) {
        g_error("eventfd for the main thread's work: %s", g_strerror(errno));
    }
}

unsigned main_work_run(void)
{
    eventfd_t count;
    MainWork *list;
    unsigned n = 0;

    /* Read before the list is taken: what is queued afterwards finds it empty and writes again. */
    if (eventfd_read(main_work_fd(), &count) < 0 && errno != EAGAIN) {
        g_error("eventfd for the main thread's work: %s", g_strerror(errno));
    }
    pthread_mutex_lock(&work_lock);
    list = work_list;
    work_list = NULL;
    work_tail = &work_list;
    pthread_mutex_unlock(&work_lock);

    while (list) {
        MainWork *work = list;

        list = work->next;
        work->fn(work->opaque);
        g_free(work);
        n++;
    }
    return n;
}

/* SPDX-License-Identifier: MIT */
/*
 * The program's standard output as a chardev that everyone shares who prints without having one of
 * his own. It reads nothing and leaves the terminal as it is.
 */
#include <fcntl.h>
#include <unistd.h>
#include <qomet/memory/main-work.h>
#include <qomet/qom/module.h>
#include <qomet/qom/log.h>
#include "backends/chardev/char-int.h"
#include "backends/chardev/fd.h"

#define TYPE_CHARDEV_STDOUT "chardev-stdout"
/* No user can give this id. */
#define STDOUT_ID "#stdout"

static pthread_mutex_t stdout_lock = PTHREAD_MUTEX_INITIALIZER;
static Chardev *the_stdout; /* a reference; written under the lock, read without */

static void publish(void *opaque G_GNUC_UNUSED)
{
    Chardev *chr = __atomic_load_n(&the_stdout, __ATOMIC_ACQUIRE);

    /* It works outside the tree too; it only could not be shown there. */
    if (chr && !object_get_parent(OBJECT(chr)) &&
        !object_property_add_child(chr_container(), STDOUT_ID, OBJECT(chr), NULL)) {
        warn_report("'%s' has no place in /chardevs", STDOUT_ID);
    }
}

static Chardev *make_stdout(void)
{
    Chardev *chr = CHARDEV(object_new(TYPE_CHARDEV_STDOUT));

    chr->label = g_strdup(STDOUT_ID);
    chr->ready = true;
    chr->opened = true;
    fd_chardev_start(CHARDEV_FD(chr), -1,
                     fd_chardev_reopen(STDOUT_FILENO, O_WRONLY, &CHARDEV_FD(chr)->out_blocks));
    return chr;
}

Chardev *chr_stdout(void)
{
    Chardev *chr = __atomic_load_n(&the_stdout, __ATOMIC_ACQUIRE);

    if (!chr) {
        pthread_mutex_lock(&stdout_lock);
        chr = the_stdout;
        if (!chr) {
            chr = make_stdout();
            __atomic_store_n(&the_stdout, chr, __ATOMIC_RELEASE);
            /* The tree belongs to the main thread. */
            main_work_post(publish, NULL);
        }
        pthread_mutex_unlock(&stdout_lock);
    }
    return chr;
}

Chardev *chr_stdout_take(void)
{
    return __atomic_exchange_n(&the_stdout, NULL, __ATOMIC_ACQ_REL);
}

static const TypeInfo stdout_types[] = {
    {
        .name = TYPE_CHARDEV_STDOUT,
        .parent = TYPE_CHARDEV_FD,
    },
};

DEFINE_TYPES(stdout_types)

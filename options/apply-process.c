/* SPDX-License-Identifier: MIT */
/*
 * Options about the program itself: modules, the log, the pid file.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <qomet/accel/exit-record.h>
#include <qomet/backends/daemon.h>
#include "options/options-int.h"

bool option_apply_module(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)plan;
    return module_load(word->arg, errp);
}

bool option_apply_log(OptionPlan *plan, OptionWord *word, GError **errp)
{
    uint32_t mask;

    (void)plan;
    if (!qemu_str_to_log_mask(word->arg, &mask, errp)) {
        return false;
    }
    __atomic_store_n(&qemu_loglevel, mask, __ATOMIC_RELAXED);
    return true;
}

bool option_apply_log_file(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)plan;
    return qemu_set_log_filename(word->arg, errp);
}

bool option_apply_explain(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)plan;
    (void)word;
    return exit_observe(EXIT_EXPLAIN, true, errp);
}

bool option_apply_daemonize(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)word;
    (void)errp;
    plan->daemonize = true;
    return true;
}

bool option_daemonize(OptionPlan *plan, GError **errp)
{
    if (plan->daemonize && !os_daemonize(errp)) {
        g_prefix_error(errp, "-daemonize: ");
        return false;
    }
    return true;
}

bool option_apply_trace_file(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)plan;
    return exit_trace_open(word->arg, errp);
}

bool option_apply_stopped(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)word;
    (void)errp;
    plan->stopped = true;
    return true;
}

bool option_check_display(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)plan;
    if (strcmp(word->arg, "none") != 0) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is not a display, accepted is none", word->arg);
        return false;
    }
    return true;
}

/* Whether @path still names the file that @fd is. */
static bool is_still_at(int fd, const char *path)
{
    struct stat ours, there;

    return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_dev == there.st_dev &&
           ours.st_ino == there.st_ino;
}

/*
 * Opens and locks @path. Between opening and locking, another program that had the lock may have
 * removed the file: then what is locked here has no name any more, and it is tried again.
 */
static int open_and_lock(const char *path, GError **errp)
{
    for (;;) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);

        if (fd < 0) {
            qom_error_set(errp, QOM_ERROR_FAILED, "cannot open the pid file: %s",
                          g_strerror(errno));
            return -1;
        }
        if (fcntl(fd, F_SETLK, &lock) < 0) {
            if (errno == EACCES || errno == EAGAIN) {
                qom_error_set(errp, QOM_ERROR_EXISTS,
                              "cannot lock the pid file: another process holds it and is running");
            } else {
                qom_error_set(errp, QOM_ERROR_FAILED, "cannot lock the pid file: %s",
                              g_strerror(errno));
            }
            close(fd);
            return -1;
        }
        if (is_still_at(fd, path)) {
            return fd;
        }
        close(fd);
    }
}

bool option_apply_pidfile(OptionPlan *plan, OptionWord *word, GError **errp)
{
    char text[16];
    int len = g_snprintf(text, sizeof(text), "%d\n", (int)getpid());
    int fd;

    /*
     * The last one stands; a lock is the process's, so the same name again would be locked twice
     * and removed once.
     */
    option_pidfile_remove(plan);
    fd = open_and_lock(word->arg, errp);
    if (fd < 0) {
        return false;
    }
    plan->pidfile = g_canonicalize_filename(word->arg, NULL);
    plan->pidfile_fd = fd;
    if (ftruncate(fd, 0) < 0 || write(fd, text, (size_t)len) != len) {
        qom_error_set(errp, QOM_ERROR_FAILED, "cannot write the pid file: %s", g_strerror(errno));
        option_pidfile_remove(plan);
        return false;
    }
    return true;
}

void option_pidfile_remove(OptionPlan *plan)
{
    if (!plan->pidfile) {
        return;
    }
    if (is_still_at(plan->pidfile_fd, plan->pidfile)) {
        unlink(plan->pidfile);
    }
    close(plan->pidfile_fd);
    g_clear_pointer(&plan->pidfile, g_free);
    plan->pidfile_fd = -1;
}

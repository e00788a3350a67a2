/* SPDX-License-Identifier: MIT */
/*
 * The program: words of the command line in, an exit status out. The rooms are begun, the options
 * carried out, the machine run, and everything ended in the opposite order.
 */
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <qomet/accel/runstate.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/backends/daemon.h>
#include <qomet/options/options.h>
#include "machine/rooms.h"
#include "monitor/attach-client.h"

static void killed(int signal, siginfo_t *info, void *context)
{
    (void)context;
    qemu_system_killed(signal, info->si_pid);
}

/*
 * Whoever ends the program ends it in order, and a peer that has gone is an error of write(), not
 * our end.
 */
static void take_signals(void)
{
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_sigaction = killed, .sa_flags = SA_SIGINFO };

    /* Without SA_RESTART: what waits in a system call while the machine is made is woken. */
    for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++) {
        sigaction(ends[i], &action, NULL);
    }
    action = (struct sigaction){ .sa_handler = SIG_IGN };
    sigaction(SIGPIPE, &action, NULL);
}

/*
 * A standard stream that is closed would be the number of the next thing opened, and messages would
 * be written into it.
 */
static void keep_standard_streams(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        close(fd);
    }
}

/* Ctrl-a x */
static void quit(void)
{
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_UI);
}

static bool begin(GError **errp)
{
    /* Threads here allocate seldom: a heap for each would only cost a start its time, and memory. */
    mallopt(M_ARENA_MAX, 1);
    keep_standard_streams();
    if (!rooms_begin(errp)) {
        return false;
    }
    take_signals();
    qemu_chr_set_quit_hook(quit);
    return true;
}

static void end(void)
{
    rooms_end();
    qemu_set_log_filename(NULL, NULL);
}

/* Makes the machine that the words describe and runs it to its end. */
static int run(OptionPlan *plan)
{
    g_autoptr(GError) error = NULL;

    switch (options_apply(plan, &error)) {
    case OPTIONS_FAILED:
        /*
         * A signal wakes what waits for a peer or a file, and that fails then: not what the user is
         * to read.
         */
        if (qemu_shutdown_requested_get() == SHUTDOWN_CAUSE_HOST_SIGNAL) {
            return EXIT_SUCCESS;
        }
        error_report("%s", error->message);
        return EXIT_FAILURE;
    case OPTIONS_ANSWERED:
        return EXIT_SUCCESS;
    case OPTIONS_READY:
        break;
    }
    os_setup_post();
    if (!options_start_stopped(plan)) {
        vm_start();
    }
    return qemu_main_loop();
}

/*
 * ThreadSanitizer makes room for signals at a thread's first call that may wait, and loses one that
 * comes while it does.
 */
static void be_ready_for_signals(void)
{
#if defined(__SANITIZE_THREAD__)
    poll(NULL, 0, 0);
#endif
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int status = EXIT_FAILURE;
    OptionPlan *plan;

    be_ready_for_signals();
    if (argc > 1 && options_command(argv[1])) {
        keep_standard_streams();
        return attach_client(argc - 1, argv + 1);
    }
    if (!begin(&error)) {
        error_report("%s", error->message);
        return EXIT_FAILURE;
    }
    plan = options_parse(argc, argv, &error);
    if (plan) {
        status = run(plan);
    } else {
        error_report("%s", error->message);
    }
    end();
    option_plan_free(plan);
    return status;
}

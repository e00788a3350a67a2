/* SPDX-License-Identifier: MIT */
/*
 * Standard input and output, in a child process on a terminal of its own: raw while it runs,
 * restored at every way out, and Ctrl-a.
 */
#include "tests/unit/chardev-fixture.h"
#include <pty.h>
#include <termios.h>

#define CTRL_A "\001"

static int terminal; /* the test's side */
static pid_t child;

/* ---- The child ---- */

/* Says what it gets: "<text>", and for a break "<!>". */
static void echo_read(void *opaque, const uint8_t *buf, int size)
{
    Front *f = opaque;

    for (int i = 0; i < size; i++) {
        g_autofree char *text =
            buf[i] < ' ' ? g_strdup_printf("<^%c>", buf[i] + '@') : g_strdup_printf("<%c>", buf[i]);

        fe_write(f, text);
    }
}

static void echo_event(void *opaque, QEMUChrEvent event)
{
    if (event == CHR_EVENT_BREAK) {
        fe_write(opaque, "<!>");
    }
}

static volatile sig_atomic_t quit;

static void ask_quit(void)
{
    quit = 1;
}

static void echo_until_quit(const char *words, bool listens)
{
    Front *f;

    chr_make("%s", words);
    f = front_new("io");
    if (listens) {
        qemu_chr_fe_set_handlers(&f->chr, front_can_read, echo_read, echo_event, NULL, f);
    } else {
        f->room = 0;
    }
    qemu_chr_set_quit_hook(ask_quit);
    fe_write(f, "ready\n");
    while (!quit) {
        main_loop_wait(true);
    }
}

static void orderly(void)
{
    echo_until_quit("stdio,id=io", true);
    qemu_chr_cleanup();
    _exit(0);
}

static void no_signals(void)
{
    echo_until_quit("stdio,id=io,signal=off", true);
    qemu_chr_cleanup();
    _exit(0);
}

static void no_escape(void)
{
    echo_until_quit("stdio,id=io,escape=off", true);
}

static void deaf(void)
{
    echo_until_quit("stdio,id=io", false);
    qemu_chr_cleanup();
    _exit(0);
}

static void without_cleanup(void)
{
    echo_until_quit("stdio,id=io", true);
    exit(0);
}

static void aborting(void)
{
    echo_until_quit("stdio,id=io", true);
    abort();
}

static void crashing(void)
{
    echo_until_quit("stdio,id=io", true);
    raise(SIGSEGV);
}

/* ---- The test's side ---- */

static const int all_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV,
                                   SIGBUS, SIGFPE,  SIGILL, SIGSYS,  SIGTSTP, SIGCONT };

static void start(void (*fn)(void))
{
    struct winsize size = { 25, 80, 0, 0 };

    fflush(NULL);
    child = forkpty(&terminal, NULL, NULL, &size);
    assert_true(child >= 0);
    if (child == 0) {
        /* Those of the test framework are not what a program has. */
        for (size_t i = 0; i < G_N_ELEMENTS(all_signals); i++) {
            signal(all_signals[i], SIG_DFL);
        }
        fn();
        _exit(9);
    }
    assert_reads(terminal, "ready\r\n");
}

static bool is_raw(void)
{
    struct termios mode;

    assert_int_equal(tcgetattr(terminal, &mode), 0);
    return !(mode.c_lflag & (ICANON | ECHO)) && !(mode.c_iflag & ICRNL);
}

static bool is_cooked(void)
{
    struct termios mode;

    assert_int_equal(tcgetattr(terminal, &mode), 0);
    return (mode.c_lflag & (ICANON | ECHO | ISIG | IEXTEN)) == (ICANON | ECHO | ISIG | IEXTEN) &&
           (mode.c_iflag & (ICRNL | IXON)) == (ICRNL | IXON);
}

static void key(const char *text)
{
    send_text(terminal, text);
}

/* How the child ended; the terminal is as it was. */
static int ended(void)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(is_cooked());
    close(terminal);
    return status;
}

static void assert_exits(int code)
{
    int status = ended();

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
}

static void assert_killed(int sig)
{
    int status = ended();

    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), sig);
}

/* ---- Keys ---- */

static void the_terminal_is_raw_while_it_runs(void **state)
{
    (void)state;
    start(orderly);
    assert_true(is_raw());
    key("a");
    assert_reads(terminal, "<a>");
    key("\r");
    assert_reads(terminal, "<^M>");
    key("\023\021");
    assert_reads(terminal, "<^S><^Q>");
    key(CTRL_A "x");
    assert_reads(terminal, "qomet: terminated\r\n");
    assert_exits(0);
}

static void ctrl_a_twice_sends_one(void **state)
{
    (void)state;
    start(orderly);
    key("a" CTRL_A CTRL_A "b");
    assert_reads(terminal, "<a><^A><b>");
    /* The two keys need not come together. */
    key(CTRL_A);
    run_for(20);
    key(CTRL_A);
    assert_reads(terminal, "<^A>");
    key(CTRL_A "x");
    assert_reads(terminal, "qomet: terminated\r\n");
    assert_exits(0);
}

static void ctrl_a_b_is_a_break(void **state)
{
    (void)state;
    start(orderly);
    key(CTRL_A "b");
    assert_reads(terminal, "<!>");
    key(CTRL_A "x");
    assert_reads(terminal, "qomet: terminated\r\n");
    assert_exits(0);
}

static void ctrl_a_h_helps_and_c_says_that_there_is_no_monitor(void **state)
{
    (void)state;
    start(orderly);
    key(CTRL_A "h");
    assert_reads(terminal, "\r\n"
                           "C-a h    this help\r\n"
                           "C-a x    end the machine\r\n"
                           "C-a b    send a break\r\n"
                           "C-a C-a  send C-a\r\n");
    key(CTRL_A "c");
    assert_reads(terminal,
                 "\r\nqomet: there is no monitor on this terminal (-serial mon:stdio has one)\r\n");
    key(CTRL_A "z"
               "q");
    assert_reads(terminal, "<q>");
    key(CTRL_A "x");
    assert_reads(terminal, "qomet: terminated\r\n");
    assert_exits(0);
}

static void ctrl_a_x_works_when_the_guest_takes_no_input(void **state)
{
    g_autofree char *much = g_strnfill(3000, 'y');

    (void)state;
    start(deaf);
    for (int i = 0; i < 4; i++) {
        key(much);
        run_for(20);
    }
    key(CTRL_A "x");
    assert_reads(terminal, "qomet: terminated\r\n");
    assert_exits(0);
}

static void without_escape_ctrl_a_is_a_key_like_others(void **state)
{
    (void)state;
    start(no_escape);
    key(CTRL_A "x");
    assert_reads(terminal, "<^A><x>");
    key("\003");
    assert_killed(SIGINT);
}

static void with_signal_off_ctrl_c_is_for_the_guest(void **state)
{
    (void)state;
    start(no_signals);
    key("\003\032\034");
    assert_reads(terminal, "<^C><^Z><^\\>");
    key(CTRL_A "x");
    assert_reads(terminal, "qomet: terminated\r\n");
    assert_exits(0);
}

/* ---- Ways out ---- */

static void it_is_restored_after_ctrl_c(void **state)
{
    (void)state;
    start(orderly);
    key("\003");
    assert_killed(SIGINT);
}

static void it_is_restored_after_each_signal_that_ends(void **state)
{
    static const int signals[] = { SIGTERM, SIGHUP, SIGQUIT, SIGINT, SIGABRT };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
        start(orderly);
        assert_true(is_raw());
        kill(child, signals[i]);
        assert_killed(signals[i]);
    }
}

static void it_is_restored_after_exit_without_cleanup(void **state)
{
    (void)state;
    start(without_cleanup);
    key(CTRL_A "x");
    assert_reads(terminal, "qomet: terminated\r\n");
    assert_exits(0);
}

static void it_is_restored_after_abort(void **state)
{
    (void)state;
    start(aborting);
    key(CTRL_A "x");
    assert_reads(terminal, "qomet: terminated\r\n");
    assert_killed(SIGABRT);
}

static void it_is_restored_after_a_crash(void **state)
{
    const char *sanitizers = getenv("SANITIZERS");

    (void)state;
    if (sanitizers && *sanitizers) {
        test_skip("a sanitizer has the handler of crashes");
    }
    start(crashing);
    key(CTRL_A "x");
    assert_reads(terminal, "qomet: terminated\r\n");
    assert_killed(SIGSEGV);
}

static void it_is_restored_while_stopped_and_raw_again_afterwards(void **state)
{
    int status;

    (void)state;
    start(orderly);
    kill(child, SIGTSTP);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    assert_true(is_cooked());
    kill(child, SIGCONT);
    run_until(is_raw());
    key("a");
    assert_reads(terminal, "<a>");
    key("\003");
    assert_killed(SIGINT);
}

static void a_terminal_that_is_closed_does_no_harm(void **state)
{
    int status;

    (void)state;
    start(orderly);
    close(terminal);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGHUP);
}

/* ---- Pipes ---- */

static void two_cannot_have_it(void **state)
{
    (void)state;
    chr_make("stdio,id=one");
    assert_refused("cannot use stdio by multiple character devices: 'one' has it", "stdio,id=two");
    qemu_chr_cleanup();
    chr_make("stdio,id=two");
}

/* Feeds @text through a pipe; the child leaves at the guest's word "q". Gives what it wrote. */
static char *through_pipes(const char *text, bool more)
{
    int in[2], out[2], status;
    char *got = g_malloc0(4096);
    size_t have = 0;
    ssize_t n;
    pid_t pid;

    fflush(NULL);
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    pid = fork();
    if (pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        orderly();
    }
    close(in[0]);
    close(out[1]);
    send_text(in[1], text);
    if (!more) {
        close(in[1]);
    }
    usleep(100000);
    /* The end of input has ended nothing. */
    assert_int_equal(waitpid(pid, &status, WNOHANG), more ? pid : 0);
    if (more) {
        close(in[1]);
    } else {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    while ((n = read(out[0], got + have, 4095 - have)) > 0) {
        have += n;
    }
    close(out[0]);
    return got;
}

static void the_end_of_input_is_not_the_end(void **state)
{
    g_autofree char *got = through_pipes("abc", false);

    (void)state;
    assert_string_equal(got, "ready\n<a><b><c>");
}

static void ctrl_a_x_works_through_a_pipe(void **state)
{
    g_autofree char *got = through_pipes("abc" CTRL_A "x", true);

    (void)state;
    assert_non_null(strstr(got, "qomet: terminated"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        chardev_test(the_terminal_is_raw_while_it_runs),
        chardev_test(ctrl_a_twice_sends_one),
        chardev_test(ctrl_a_b_is_a_break),
        chardev_test(ctrl_a_h_helps_and_c_says_that_there_is_no_monitor),
        chardev_test(ctrl_a_x_works_when_the_guest_takes_no_input),
        chardev_test(without_escape_ctrl_a_is_a_key_like_others),
        chardev_test(with_signal_off_ctrl_c_is_for_the_guest),
        chardev_test(it_is_restored_after_ctrl_c),
        chardev_test(it_is_restored_after_each_signal_that_ends),
        chardev_test(it_is_restored_after_exit_without_cleanup),
        chardev_test(it_is_restored_after_abort),
        chardev_test(it_is_restored_after_a_crash),
        chardev_test(it_is_restored_while_stopped_and_raw_again_afterwards),
        chardev_test(a_terminal_that_is_closed_does_no_harm),
        chardev_test(two_cannot_have_it),
        chardev_test(the_end_of_input_is_not_the_end),
        chardev_test(ctrl_a_x_works_through_a_pipe),
    };

    return cmocka_run_group_tests(tests, chardev_setup, chardev_teardown);
}

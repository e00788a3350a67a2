/* SPDX-License-Identifier: MIT */
/*
 * What the tests of character devices share: a front end that writes down what it is given, the
 * loop run until something is so, and a folder for sockets and files.
 */
#ifndef QOMET_TESTS_UNIT_CHARDEV_FIXTURE_H
#define QOMET_TESTS_UNIT_CHARDEV_FIXTURE_H

#include "tests/test.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/backends/chardev/ringbuf.h>
#include <qomet/memory/main-work.h>
#include <qomet/memory/memory.h>
#include <qomet/qom/module.h>
#include <qomet/qom/user-creatable.h>

#define TYPE_FRONT "test-front"

/* Takes @room bytes, and checks of each call that it comes inside the guard. */
typedef struct Front {
    Object parent_obj;
    EntryGuard guard;
    CharBackend chr;
    int room;
    GString *got;
    GString *events; /* a letter for each: b o c, i and u for in and out of focus, d for drained */
    bool outside;    /* some call did not come inside the guard */
} Front;

static G_GNUC_UNUSED Front *FRONT(void *obj)
{
    return obj;
}

static void front_note(Front *f, char event)
{
    f->outside |= !entry_inside(&f->guard);
    if (event) {
        g_string_append_c(f->events, event);
    }
}

static int front_can_read(void *opaque)
{
    front_note(opaque, 0);
    return FRONT(opaque)->room;
}

static void front_read(void *opaque, const uint8_t *buf, int size)
{
    Front *f = opaque;

    front_note(f, 0);
    assert_true(size <= f->room);
    f->room -= size;
    g_string_append_len(f->got, (const char *)buf, size);
}

static void front_event(void *opaque, QEMUChrEvent event)
{
    static const char letters[] = {
        [CHR_EVENT_BREAK] = 'b',  [CHR_EVENT_OPENED] = 'o',  [CHR_EVENT_CLOSED] = 'c',
        [CHR_EVENT_MUX_IN] = 'i', [CHR_EVENT_MUX_OUT] = 'u',
    };

    front_note(opaque, letters[event]);
}

static void front_drained(void *opaque)
{
    front_note(opaque, 'd');
}

static G_GNUC_UNUSED void front_listen(Front *f)
{
    qemu_chr_fe_set_handlers(&f->chr, front_can_read, front_read, front_event, front_drained, f);
}

static void front_init(Object *obj)
{
    Front *f = FRONT(obj);

    entry_guard_init(&f->guard, obj, ENTRY_RANK_DEVICE);
    f->got = g_string_new(NULL);
    f->events = g_string_new(NULL);
    f->room = 1 << 20;
}

static void front_finalize(Object *obj)
{
    Front *f = FRONT(obj);
    EntryCounts counts;

    assert_false(f->outside);
    /* What a front end causes from within its own calls is no second entry. */
    entry_guard_counts(&f->guard, &counts);
    assert_int_equal(counts.refused, 0);
    qemu_chr_fe_deinit(&f->chr);
    entry_guard_destroy(&f->guard);
    g_string_free(f->got, TRUE);
    g_string_free(f->events, TRUE);
}

static EntryGuard *front_guard(EntryOwner *owner)
{
    return &FRONT(owner)->guard;
}

static const Property front_props[] = {
    DEFINE_PROP_CHR("chardev", Front, chr, .help = "where it writes"),
};

static void front_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    ENTRY_OWNER_CLASS(klass)->get_guard = front_guard;
    object_class_add_properties(klass, front_props, G_N_ELEMENTS(front_props));
}

static const TypeInfo front_types[] = {
    {
        .name = TYPE_FRONT,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Front),
        .instance_init = front_init,
        .instance_finalize = front_finalize,
        .class_init = front_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_ENTRY_OWNER }, { NULL } },
    },
};

DEFINE_TYPES(front_types)

/* A front end that listens to the chardev @id (NULL: none), below /front. */
static G_GNUC_UNUSED Front *front_new(const char *id)
{
    Front *f = FRONT(object_new(TYPE_FRONT));
    GError *err = NULL;

    assert_non_null(f);
    assert_true(object_property_add_child(container_get(object_get_root(), "/front"), "dev[*]",
                                          OBJECT(f), NULL));
    if (id && !object_property_set_str(OBJECT(f), "chardev", id, &err)) {
        fail_msg("%s", err->message);
    }
    front_listen(f);
    object_unref(f);
    return f;
}

/* ---- Chardevs ---- */

static G_GNUC_UNUSED Chardev *chr_try(GError **errp, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
static G_GNUC_UNUSED Chardev *chr_try(GError **errp, const char *fmt, ...)
{
    g_autofree char *words = NULL;
    g_autoptr(KeyVal) kv = NULL;
    va_list ap;

    va_start(ap, fmt);
    words = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    kv = keyval_parse(words, "backend", errp);
    return kv ? qemu_chr_new_keyval(kv, errp) : NULL;
}

/* The chardev of these words, which must be right. */
#define chr_make(...)                                                                              \
    ({                                                                                             \
        GError *err_ = NULL;                                                                       \
        Chardev *chr_ = chr_try(&err_, __VA_ARGS__);                                               \
        if (!chr_) {                                                                               \
            fail_msg("%s", err_->message);                                                         \
        }                                                                                          \
        chr_;                                                                                      \
    })

/* The words are refused, with this message. */
#define assert_refused(text, ...)                                                                  \
    do {                                                                                           \
        GError *err_ = NULL;                                                                       \
        assert_null(chr_try(&err_, __VA_ARGS__));                                                  \
        assert_non_null(err_);                                                                     \
        assert_string_equal(err_->message, text);                                                  \
        g_error_free(err_);                                                                        \
    } while (0)

/* ---- Time ---- */

static G_GNUC_UNUSED int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

static G_GNUC_UNUSED gboolean loop_tick(gpointer opaque G_GNUC_UNUSED)
{
    return G_SOURCE_CONTINUE;
}

/* Runs the loop until @cond is true, ten seconds at most. */
#define run_until(cond)                                                                            \
    do {                                                                                           \
        int64_t end_ = now_ms() + 10000;                                                           \
        guint tick_ = g_timeout_add(5, loop_tick, NULL);                                           \
        while (!(cond) && now_ms() < end_) {                                                       \
            main_loop_wait(true);                                                                  \
        }                                                                                          \
        g_source_remove(tick_);                                                                    \
        assert_true(cond);                                                                         \
    } while (0)

static G_GNUC_UNUSED void run_for(int ms)
{
    int64_t end = now_ms() + ms;
    guint tick = g_timeout_add(2, loop_tick, NULL);

    while (now_ms() < end) {
        main_loop_wait(true);
    }
    g_source_remove(tick);
}

/* ---- Peers ---- */

static char *test_dir;

static G_GNUC_UNUSED char *test_path(const char *name)
{
    return g_strdup_printf("%s/%s", test_dir, name);
}

static G_GNUC_UNUSED int unix_connect(const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(sa.sun_path, path, sizeof(sa.sun_path));
    if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static G_GNUC_UNUSED int unix_listen(const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(sa.sun_path, path, sizeof(sa.sun_path));
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

/* What can be read from @fd, the loop running, until @len bytes are there. The caller frees. */
static G_GNUC_UNUSED char *read_text(int fd, size_t len)
{
    char *text = g_malloc0(len + 1);
    size_t have = 0;
    int64_t end = now_ms() + 10000;

    while (have < len && now_ms() < end) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        main_loop_wait(false);
        if (poll(&p, 1, 2) == 1) {
            ssize_t n = read(fd, text + have, len - have);

            if (n <= 0) {
                break;
            }
            have += n;
        }
    }
    assert_int_equal(have, len);
    return text;
}

#define assert_reads(fd, expected)                                                                 \
    do {                                                                                           \
        g_autofree char *text_ = read_text(fd, strlen(expected));                                  \
        assert_string_equal(text_, expected);                                                      \
    } while (0)

static G_GNUC_UNUSED void send_text(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static G_GNUC_UNUSED int fe_write(Front *f, const char *text)
{
    return qemu_chr_fe_write_all(&f->chr, (const uint8_t *)text, strlen(text));
}

/* ---- Before and after each test ---- */

static G_GNUC_UNUSED int chardev_setup(void **state)
{
    GError *err = NULL;

    (void)state;
    main_loop_init();
    if (!module_call_init(MODULE_INIT_QOM, &err)) {
        fail_msg("%s", err->message);
    }
    test_dir = g_dir_make_tmp("qomet-chardev-XXXXXX", NULL);
    return test_dir ? 0 : -1;
}

static G_GNUC_UNUSED int chardev_teardown(void **state)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", test_dir);

    (void)state;
    main_loop_cleanup();
    object_root_cleanup();
    g_clear_pointer(&test_dir, g_free);
    return system(command);
}

static int drop_child(Object *child, void *opaque G_GNUC_UNUSED)
{
    object_unparent(child);
    return 0;
}

/* Ends every chardev and front end; what main was still to do is done. */
static G_GNUC_UNUSED int chardev_end(void **state)
{
    (void)state;
    qemu_chr_cleanup();
    object_child_foreach(container_get(object_get_root(), "/front"), drop_child, NULL);
    for (int i = 0; i < 5; i++) {
        main_loop_wait(false);
    }
    return 0;
}

#define chardev_test(fn) cmocka_unit_test_teardown(fn, chardev_end)

#endif

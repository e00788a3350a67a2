/* SPDX-License-Identifier: MIT */
/*
 * The qtest accelerator, and the object that a test is connected to.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <qomet/qom/user-creatable.h>
#include "accel/qtest/qtest-int.h"

/* ---- The accelerator ---- */

static bool qtest_accel_init(AccelState *accel, GError **errp)
{
    (void)accel;
    (void)errp;
    qemu_clock_virtual_manual();
    return true;
}

static void qtest_accel_class_init(ObjectClass *klass, const void *data)
{
    AccelClass *ac = ACCEL_CLASS(klass);

    (void)data;
    ac->name = "qtest";
    ac->help = "no CPU: a test drives the devices and the clock";
    ac->init = qtest_accel_init;
}

/* ---- The test's connection ---- */

static void log_line(QTest *s, char kind, const char *text)
{
    if (s->log_file) {
        int64_t us = g_get_monotonic_time() - s->began_us;

        fprintf(s->log_file, "[%c +%" PRId64 ".%06" PRId64 "] %s\n", kind, us / G_USEC_PER_SEC,
                us % G_USEC_PER_SEC, text);
    }
}

void qtest_say(QTest *s, const char *text)
{
    log_line(s, 'S', text);
    qtest_stream_send(s->stream, text);
}

static bool take_line(char *text, size_t len, void *opaque)
{
    QTest *s = opaque;

    log_line(s, 'R', text ? text : "(a line that is too long)");
    qtest_command_line(s, text, len);
    /* As no CPU would execute another instruction of the guest. */
    return !qemu_shutdown_requested_get();
}

static void hung_up(void *opaque)
{
    log_line(opaque, 'I', "CLOSED");
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
}

static bool open_log(QTest *s, GError **errp)
{
    if (!s->log) {
        return true;
    }
    s->log_file = fopen(s->log, "we");
    if (!s->log_file) {
        qom_error_set(errp, QOM_ERROR_FAILED, "cannot write the test's log '%s': %s", s->log,
                      g_strerror(errno));
        return false;
    }
    setvbuf(s->log_file, NULL, _IOLBF, 0);
    s->began_us = g_get_monotonic_time();
    return true;
}

static bool qtest_complete(UserCreatable *uc, GError **errp)
{
    QTest *s = QTEST(uc);

    if (!s->address) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'address' is missing: unix:PATH or stdio");
        return false;
    }
    if (!open_log(s, errp)) {
        return false;
    }
    s->stream = qtest_stream_new(s->address, take_line, hung_up, s, errp);
    if (!s->stream) {
        return false;
    }
    log_line(s, 'I', "OPENED");
    return true;
}

static void qtest_instance_init(Object *obj)
{
    QTEST(obj)->lines = g_ptr_array_new();
}

static void qtest_finalize(Object *obj)
{
    QTest *s = QTEST(obj);

    qtest_intercept_end(s);
    g_ptr_array_free(s->lines, TRUE);
    qtest_stream_free(s->stream);
    if (s->log_file) {
        fclose(s->log_file);
    }
}

static const Property qtest_props[] = {
    DEFINE_PROP_STRING("address", QTest, address,
                       .help = "where the test is: unix:PATH (it listens there) or stdio"),
    DEFINE_PROP_STRING("log", QTest, log, .help = "a file for what the test says and is told"),
};

static void qtest_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    object_class_add_properties(klass, qtest_props, G_N_ELEMENTS(qtest_props));
    USER_CREATABLE_CLASS(klass)->complete = qtest_complete;
}

static const TypeInfo qtest_types[] = {
    {
        .name = TYPE_QTEST_ACCEL,
        .parent = TYPE_ACCEL,
        .class_init = qtest_accel_class_init,
    },
    {
        .name = TYPE_QTEST,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(QTest),
        .instance_init = qtest_instance_init,
        .instance_finalize = qtest_finalize,
        .class_init = qtest_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_USER_CREATABLE }, { NULL } },
    },
};
DEFINE_TYPES(qtest_types)

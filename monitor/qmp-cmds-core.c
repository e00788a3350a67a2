/* SPDX-License-Identifier: MIT */
/*
 * Commands about the conversation itself and about the end of it.
 */
#include "config.h"

#include <qomet/accel/runstate.h>
#include "monitor/handlers.h"
#include "monitor/qmp-int.h"

/* The version of QEMU whose words are spoken: clients look at it for what they may ask. */
#define SPOKEN_MAJOR 7
#define SPOKEN_MINOR 2
#define SPOKEN_MICRO 0

bool qmp_do_capabilities(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    QmpMonitor *qmp = QMP_MONITOR(mon);
    g_autoptr(GVariant) enable = qmp_arg(args, "enable");

    (void)ret;
    (void)errp;
    /* The schema knows only one capability. */
    qmp->oob = enable && g_variant_n_children(enable) > 0;
    qmp->negotiated = true;
    qmp_listen(qmp, true);
    return true;
}

GVariant *qmp_version(void)
{
    GVariantBuilder version, qemu;

    g_variant_builder_init(&qemu, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&qemu, "{sv}", "micro", g_variant_new_int64(SPOKEN_MICRO));
    g_variant_builder_add(&qemu, "{sv}", "minor", g_variant_new_int64(SPOKEN_MINOR));
    g_variant_builder_add(&qemu, "{sv}", "major", g_variant_new_int64(SPOKEN_MAJOR));
    g_variant_builder_init(&version, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&version, "{sv}", "qemu", g_variant_builder_end(&qemu));
    g_variant_builder_add(&version, "{sv}", "package",
                          g_variant_new_string(PACKAGE_NAME " " PACKAGE_VERSION));
    return g_variant_builder_end(&version);
}

bool qmp_do_query_version(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)args;
    (void)errp;
    *ret = qmp_version();
    return true;
}

bool qmp_do_quit(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)args;
    (void)ret;
    (void)errp;
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    return true;
}

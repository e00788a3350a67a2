/* SPDX-License-Identifier: MIT */
/*
 * Commands about the conversation itself.
 */
#include "config.h"

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
    GVariant *qemu = qmp_object("micro", g_variant_new_int64(SPOKEN_MICRO), "minor",
                                g_variant_new_int64(SPOKEN_MINOR), "major",
                                g_variant_new_int64(SPOKEN_MAJOR), NULL);

    return qmp_object("qemu", qemu, "package",
                      g_variant_new_string(PACKAGE_NAME " " PACKAGE_VERSION), NULL);
}

bool qmp_do_query_version(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)args;
    (void)errp;
    *ret = qmp_version();
    return true;
}

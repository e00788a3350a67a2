/* SPDX-License-Identifier: MIT */
/*
 * From a request to an answer: what every request must look like, which command it means, whether
 * that may be executed now, and the classes of errors.
 */
#include <stdarg.h>
#include <string.h>
#include "monitor/qmp-int.h"

/* ---- Errors ---- */

GQuark qmp_error_quark(void)
{
    return g_quark_from_static_string("qmp-error");
}

void qmp_error_set(GError **errp, QmpErrorClass class, const char *fmt, ...)
{
    va_list ap;

    if (!errp) {
        return;
    }
    va_start(ap, fmt);
    *errp = g_error_new_valist(QMP_ERROR, (gint) class, fmt, ap);
    va_end(ap);
}

const char *qmp_error_class(const GError *error)
{
    static const char *const names[QMP_ERROR__MAX] = {
        [QMP_ERROR_GENERIC] = "GenericError",
        [QMP_ERROR_COMMAND_NOT_FOUND] = "CommandNotFound",
        [QMP_ERROR_DEVICE_NOT_FOUND] = "DeviceNotFound",
        [QMP_ERROR_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
        [QMP_ERROR_KVM_MISSING_CAP] = "KVMMissingCap",
    };

    return names[error->domain == QMP_ERROR ? error->code : QMP_ERROR_GENERIC];
}

GVariant *qmp_error_answer(const GError *error, GVariant *id)
{
    return qmp_object("id", id, "error",
                      qmp_object("class", g_variant_new_string(qmp_error_class(error)), "desc",
                                 qmp_text(error->message), NULL),
                      NULL);
}

/* ---- Requests ---- */

/** A request taken apart. */
typedef struct Request {
    const char *name; /* of the command; belongs to the value that was read */
    bool oob;         /* asked for out of band */
    GVariant *args;   /* a{sv}, full */
    GVariant *id;     /* full; NULL: none was given */
} Request;

static void request_clear(Request *r)
{
    g_clear_pointer(&r->args, g_variant_unref);
    g_clear_pointer(&r->id, g_variant_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Request, request_clear)

static bool wrong(GError **errp, const char *fmt, const char *name)
{
    g_autofree char *text = g_strdup_printf(fmt, name);

    qmp_error_set(errp, QMP_ERROR_GENERIC, "QMP input %s", text);
    return false;
}

/* Whether @qmp may say @key ("execute" or "exec-oob") now; takes the command's name. */
static bool read_command(Request *r, const QmpMonitor *qmp, const char *key, GVariant *value,
                         GError **errp)
{
    r->oob = !strcmp(key, "exec-oob");
    if (r->oob && !qmp->oob) {
        return wrong(errp, "member '%s' is unexpected", key);
    }
    if (r->name) {
        return wrong(errp, "member '%s' clashes with the other one that names a command", key);
    }
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        return wrong(errp, "member '%s' must be a string", key);
    }
    r->name = g_variant_get_string(value, NULL);
    return true;
}

static bool read_member(Request *r, const QmpMonitor *qmp, const char *key, GVariant *value,
                        GError **errp)
{
    if (!strcmp(key, "execute") || !strcmp(key, "exec-oob")) {
        return read_command(r, qmp, key, value, errp);
    }
    if (!strcmp(key, "arguments")) {
        if (!g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT)) {
            return wrong(errp, "member '%s' must be an object", key);
        }
        r->args = g_variant_ref(value);
        return true;
    }
    return !strcmp(key, "id") || wrong(errp, "member '%s' is unexpected", key);
}

static bool read_request(Request *r, const QmpMonitor *qmp, GVariant *request, GError **errp)
{
    GVariantIter iter;
    const char *key;
    GVariant *value;
    bool good = true;

    if (!g_variant_is_of_type(request, G_VARIANT_TYPE_VARDICT)) {
        return wrong(errp, "must be a %s", "JSON object");
    }
    r->id = g_variant_lookup_value(request, "id", NULL);
    g_variant_iter_init(&iter, request);
    while (good && g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        good = read_member(r, qmp, key, value, errp);
        g_variant_unref(value);
    }
    if (good && !r->args) {
        r->args = g_variant_ref_sink(g_variant_new("a{sv}", NULL));
    }
    return good && (r->name || wrong(errp, "lacks member '%s'", "execute"));
}

static const QmpCommand *find_command(const QmpMonitor *qmp, const char *name, GError **errp)
{
    const QmpCommand *command = qmp_command_find(name);
    bool negotiates = !strcmp(name, "qmp_capabilities");
    g_autofree char *near = NULL;

    if (!qmp->negotiated && !negotiates) {
        qmp_error_set(errp, QMP_ERROR_COMMAND_NOT_FOUND,
                      "Expecting capabilities negotiation with 'qmp_capabilities'");
        return NULL;
    }
    if (qmp->negotiated && negotiates) {
        qmp_error_set(errp, QMP_ERROR_COMMAND_NOT_FOUND,
                      "Capabilities negotiation is already complete, command ignored");
        return NULL;
    }
    if (!command) {
        near = qom_did_you_mean_row(name, qmp_commands, sizeof(*qmp_commands));
        qmp_error_set(errp, QMP_ERROR_COMMAND_NOT_FOUND, "The command %s has not been found%s",
                      name, near);
    }
    return command;
}

static bool execute(QmpMonitor *qmp, const Request *r, GVariant **ret, GError **errp)
{
    const QmpCommand *command = find_command(qmp, r->name, errp);

    if (!command) {
        return false;
    }
    if (r->oob && !command->oob) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "The command %s does not support OOB", r->name);
        return false;
    }
    return schema_check(command->args, command->open_args, r->args, errp) &&
           command->fn(MONITOR(qmp), r->args, ret, errp);
}

bool qmp_is_oob(const QmpMonitor *qmp, GVariant *request)
{
    g_autoptr(GVariant) name = NULL;

    if (qmp->oob && g_variant_is_of_type(request, G_VARIANT_TYPE_VARDICT)) {
        name = g_variant_lookup_value(request, "exec-oob", NULL);
    }
    return name != NULL;
}

GVariant *qmp_dispatch(QmpMonitor *qmp, GVariant *request)
{
    g_auto(Request) r = { .name = NULL };
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) owned = NULL;
    GVariant *ret = NULL;

    if (!read_request(&r, qmp, request, &error) || !execute(qmp, &r, &ret, &error)) {
        return qmp_error_answer(error, r.id);
    }
    owned = g_variant_take_ref(ret ? ret : qmp_object(NULL, NULL));
    return qmp_object("return", owned, "id", r.id, NULL);
}

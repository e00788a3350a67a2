/* SPDX-License-Identifier: MIT */
/* Exits over QMP: how many each object has taken, and the last ones as a path. */
#include <qomet/monitor/qmp.h>
#include "monitor/exits.h"
#include "monitor/handlers.h"

static GVariant *number(uint64_t value)
{
    return g_variant_new_uint64(value);
}

static GVariant *text(const char *value)
{
    return value ? qmp_text(value) : NULL;
}

bool qmp_do_query_exits(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    g_autoptr(GPtrArray) all = exit_counts_all();
    GVariantBuilder list;

    (void)mon;
    (void)args;
    (void)errp;
    g_variant_builder_init(&list, G_VARIANT_TYPE("av"));
    for (guint i = 0; i < all->len; i++) {
        const ExitCounts *c = g_ptr_array_index(all, i);
        const EntryCounts *n = &c->counts;

        g_variant_builder_add(
            &list, "v",
            qmp_object("path", text(c->path), "type", text(c->type), "reads", number(n->reads),
                       "writes", number(n->writes), "read-bytes", number(n->read_bytes),
                       "write-bytes", number(n->write_bytes), "entries", number(n->other),
                       "access-ns", number(n->nanoseconds), "contended", number(n->contended),
                       "refused", number(n->refused), NULL));
    }
    *ret = g_variant_builder_end(&list);
    return true;
}

static const char *result_word(MemTxResult result)
{
    return result == MEMTX_OK            ? "ok"
           : result & MEMTX_DECODE_ERROR ? "unassigned"
           : result & MEMTX_ACCESS_ERROR ? "refused"
                                         : "error";
}

static GVariant *explained(const ExitRecord *r)
{
    g_autoptr(GString) words = g_string_new(NULL);
    bool access = r->space != NULL;

    exit_record_explain(r, words);
    return qmp_object(
        "number", number(r->number), "cpu-index", number(r->vcpu), "reason", text(r->reason),
        "meaning", text(r->meaning), "rip", r->has_rip ? number(r->rip) : NULL, "address-space",
        text(r->space), "address", access ? number(r->addr) : NULL, "size",
        access ? number(r->size) : NULL, "write",
        access ? g_variant_new_boolean(r->is_write) : NULL, "value",
        access ? number(r->value) : NULL, "result", access ? text(result_word(r->result)) : NULL,
        "region", text(r->region), "offset", r->region ? number(r->offset) : NULL, "path",
        text(r->path), "type", text(r->type), "method-class", text(r->method_class), "time-ns",
        access ? number((uint64_t)r->ns) : NULL, "text", text(words->str), NULL);
}

bool qmp_do_explain_exit(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    g_autoptr(GVariant) record = qmp_arg(args, "record");
    g_autoptr(GPtrArray) records = NULL;
    GVariantBuilder list;

    (void)mon;
    if (record && !exit_observe(EXIT_KEEP, g_variant_get_boolean(record), errp)) {
        return false;
    }
    records = exit_records_asked_for(qmp_arg_int(args, "count", 1),
                                     qmp_arg_int(args, "cpu-index", -1), errp);
    if (!records) {
        return false;
    }
    g_variant_builder_init(&list, G_VARIANT_TYPE("av"));
    for (guint i = 0; i < records->len; i++) {
        g_variant_builder_add(&list, "v", explained(g_ptr_array_index(records, i)));
    }
    *ret = g_variant_builder_end(&list);
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * What the command line takes: clients ask for that instead of guessing it from a version.
 */
#include <string.h>
#include <qomet/monitor/qmp.h>
#include <qomet/options/options.h>
#include "monitor/handlers.h"

/** The parameters of an option while they are listed. */
typedef struct Parameters {
    GVariantBuilder list;
    GHashTable *names; /* of those in it; several types may have a property of one name */
} Parameters;

static void add_parameter(Parameters *p, const char *name, const char *type, const char *help,
                          const char *defval)
{
    if (g_hash_table_add(p->names, (void *)name)) {
        g_variant_builder_add(&p->list, "v",
                              qmp_object("name", g_variant_new_string(name), "type",
                                         g_variant_new_string(type), "help",
                                         help ? g_variant_new_string(help) : NULL, "default",
                                         defval ? g_variant_new_string(defval) : NULL, NULL));
    }
}

static const char *parameter_type(const Property *prop)
{
    if (prop->info == &prop_info_size) {
        return "size";
    }
    switch (prop->info->kind) {
    case PROP_KIND_BOOL:
    case PROP_KIND_BIT:
        return "boolean";
    case PROP_KIND_INT:
    case PROP_KIND_UINT:
        return "number";
    default:
        return "string";
    }
}

static void add_properties(ObjectClass *klass, void *opaque)
{
    for (guint i = 0; i < klass->property_list->len; i++) {
        const Property *prop = g_ptr_array_index(klass->property_list, i);
        g_autofree char *defval = object_property_default_text(prop);

        if (!prop->read_only) {
            add_parameter(opaque, prop->name, parameter_type(prop), prop->help, defval);
        }
    }
}

static GVariant *list_parameters(const OptionList *option)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    Parameters p = { .names = names };

    g_variant_builder_init(&p.list, G_VARIANT_TYPE("av"));
    for (const OptionKey *key = option->keys; key && key->name; key++) {
        add_parameter(&p, key->name, key->type, key->help, NULL);
    }
    if (option->keys_of) {
        object_class_foreach(add_properties, option->keys_of, false, &p);
    }
    return g_variant_builder_end(&p.list);
}

/* The error of an option that has no such list. */
static bool no_option(const char *name, GError **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *near = NULL;
    OptionList option;

    for (unsigned n = 0; options_list(n, &option); n++) {
        g_ptr_array_add(names, (void *)option.name);
    }
    g_ptr_array_add(names, NULL);
    near = qom_did_you_mean(name, (const char *const *)names->pdata);
    qmp_error_set(errp, QMP_ERROR_GENERIC, "invalid option name: %s%s", name, near);
    return false;
}

bool qmp_do_query_command_line_options(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    const char *wanted = qmp_arg_str(args, "option");
    GVariantBuilder list;
    OptionList option;
    bool any = false;

    (void)mon;
    module_load_all(NULL);
    g_variant_builder_init(&list, G_VARIANT_TYPE("av"));
    for (unsigned n = 0; options_list(n, &option); n++) {
        if (!wanted || !strcmp(wanted, option.name)) {
            any = true;
            g_variant_builder_add(&list, "v",
                                  qmp_object("option", g_variant_new_string(option.name),
                                             "parameters", list_parameters(&option), NULL));
        }
    }
    *ret = g_variant_ref_sink(g_variant_builder_end(&list));
    if (!any) {
        g_clear_pointer(ret, g_variant_unref);
        return no_option(wanted, errp);
    }
    return true;
}

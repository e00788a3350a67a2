/* SPDX-License-Identifier: MIT */
/*
 * Questions in options: "-device help" lists names, "-device X,help" the properties of one. What is
 * listed is read from the classes.
 */
#include "config.h"

#include <string.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/qom/value.h>
#include "options/options-int.h"

static bool is_help(const char *text)
{
    return text && (!strcmp(text, "help") || !strcmp(text, "?"));
}

/* The text of the implied key, or NULL. */
static const char *first_text(const OptionWord *word)
{
    KeyValItem *item = keyval_find(word->kv, word->option->implied_key);

    return item ? item->text : NULL;
}

/* Whether "X,help" was written. */
static bool asks_for_properties(const OptionWord *word)
{
    KeyValItem *item = keyval_find(word->kv, "help");

    return item && item->text && !strcmp(item->text, "on");
}

bool option_answer_help(const OptionWord *word, FILE *out)
{
    (void)word;
    option_print_help(out);
    return true;
}

bool option_answer_version(const OptionWord *word, FILE *out)
{
    (void)word;
    fprintf(out, "%s version %s\n", PACKAGE_NAME, PACKAGE_VERSION);
    return true;
}

/*
 * What is accepted where the type does not tell it all: "ignore/warn/stop", "1 to 99"; or NULL. The
 * caller frees.
 */
static char *accepted_text(const Property *prop)
{
    if (prop->info->kind == PROP_KIND_ENUM) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();

        for (int i = 0; i < prop->enum_table->size; i++) {
            if (prop->enum_table->array[i]) {
                g_ptr_array_add(names, (void *)prop->enum_table->array[i]);
            }
        }
        g_ptr_array_add(names, NULL);
        return g_strjoinv("/", (char **)names->pdata);
    }
    if (!prop->has_range) {
        return NULL;
    }
    if (prop->info == &prop_info_size) {
        g_autofree char *min = value_print_size(prop->min.u), *max = value_print_size(prop->max.u);

        return g_strdup_printf("%s to %s", min, max);
    }
    if (prop->info->kind == PROP_KIND_INT) {
        return g_strdup_printf("%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, prop->min.i,
                               prop->max.i);
    }
    return g_strdup_printf("%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, prop->min.u, prop->max.u);
}

static void print_property(FILE *out, const Property *prop)
{
    g_autofree char *head =
        g_strdup_printf("  %s=<%s>", prop->name, object_property_type_name(prop));
    g_autofree char *accepted = accepted_text(prop), *defval = object_property_default_text(prop);

    if (!prop->help && !accepted && !defval) {
        fprintf(out, "%s\n", head);
        return;
    }
    fprintf(out, "%-24s - %s", head, prop->help ? prop->help : "");
    if (accepted) {
        fprintf(out, "%s%s", prop->help ? ", " : "", accepted);
    }
    if (defval) {
        fprintf(out, "%s(default: %s)", prop->help || accepted ? " " : "", defval);
    }
    putc('\n', out);
}

static int compare_properties(const void *a, const void *b)
{
    return strcmp((*(const Property *const *)a)->name, (*(const Property *const *)b)->name);
}

/*
 * A line a property that can be set, in order of name, as QEMU writes it. What all that are @base
 * have is left out.
 */
static void print_properties(FILE *out, ObjectClass *klass, const char *name, const char *base)
{
    g_autoptr(GPtrArray) props = g_ptr_array_new();
    ObjectClass *common = base ? object_class_by_name(base) : NULL;

    for (unsigned i = 0; i < klass->property_list->len; i++) {
        const Property *prop = g_ptr_array_index(klass->property_list, i);

        if (!prop->read_only && !(common && object_class_property_find(common, prop->name))) {
            g_ptr_array_add(props, (void *)prop);
        }
    }
    qsort(props->pdata, props->len, sizeof(void *), compare_properties);
    fprintf(out, "%s options:\n", name);
    for (unsigned i = 0; i < props->len; i++) {
        print_property(out, g_ptr_array_index(props, i));
    }
}

/* Calls @print with @out for every class that is @type and can be made, in order of name. */
static void list_classes(FILE *out, const char *type,
                         void (*print)(ObjectClass *klass, void *opaque))
{
    g_autoptr(GError) error = NULL;

    if (!module_load_all(&error)) {
        warn_report("%s", error->message);
    }
    object_class_foreach(print, type, false, out);
}

/* The class of a name that people may have left the suffix off. */
static ObjectClass *class_with_suffix(const char *name, const char *suffix)
{
    g_autofree char *type = g_strconcat(name, suffix, NULL);

    return object_class_by_name(type);
}

/* A name and a sentence of an accelerator, machine or backend. */
static void print_row(FILE *out, const char *name, const char *text, const char *after)
{
    if (text || *after) {
        fprintf(out, "%-20s %s%s\n", name, text ? text : "", after);
    } else {
        fprintf(out, "%s\n", name);
    }
}

static char *without_suffix(const char *name, const char *suffix)
{
    return g_str_has_suffix(name, suffix) ? g_strndup(name, strlen(name) - strlen(suffix))
                                          : g_strdup(name);
}

static void print_machine(ObjectClass *klass, void *opaque)
{
    FILE *out = opaque;
    MachineClass *mc = MACHINE_CLASS(klass);
    g_autofree char *name = machine_name(mc);

    print_row(out, name, mc->desc, mc->is_default ? " (default)" : "");
    if (mc->alias) {
        g_autofree char *text = g_strdup_printf("the same as %s", name);

        print_row(out, mc->alias, text, "");
    }
}

bool option_answer_machine(const OptionWord *word, FILE *out)
{
    const char *name = first_text(word);
    MachineClass *mc;

    if (is_help(name)) {
        fprintf(out, "Supported machines are:\n");
        list_classes(out, TYPE_MACHINE, print_machine);
        return true;
    }
    if (!asks_for_properties(word)) {
        return false;
    }
    mc = name ? machine_class_find(name, NULL) : machine_class_default();
    if (!mc) {
        return false;
    }
    print_properties(out, OBJECT_CLASS(mc), name ? name : object_class_get_name(OBJECT_CLASS(mc)),
                     NULL);
    return true;
}

static void print_accel(ObjectClass *klass, void *opaque)
{
    FILE *out = opaque;
    print_row(out, ACCEL_CLASS(klass)->name, ACCEL_CLASS(klass)->help, "");
}

bool option_answer_accel(const OptionWord *word, FILE *out)
{
    const char *comma = strchr(word->arg, ',');
    g_autofree char *name =
        g_strndup(word->arg, comma ? (gsize)(comma - word->arg) : strlen(word->arg));
    ObjectClass *klass;

    if (is_help(name)) {
        fprintf(out, "Supported accelerators are:\n");
        list_classes(out, TYPE_ACCEL, print_accel);
        return true;
    }
    klass = comma && is_help(comma + 1) ? class_with_suffix(name, ACCEL_CLASS_SUFFIX) : NULL;
    if (!klass) {
        return false;
    }
    print_properties(out, klass, name, NULL);
    return true;
}

static void print_cpu(ObjectClass *klass, void *opaque)
{
    FILE *out = opaque;
    g_autofree char *name = without_suffix(object_class_get_name(klass), X86_CPU_TYPE_NAME(""));

    print_row(out, name, DEVICE_CLASS(klass)->desc, "");
}

static void print_features(FILE *out)
{
    unsigned column = 0;

    fprintf(out, "\nRecognized CPUID flags:\n");
    for (unsigned i = 0; i < X86_NUM_FEATURE_WORDS * 32; i++) {
        const char *name = x86_feature_words[i / 32].names[i % 32];

        if (name && column + strlen(name) + 1 > 75) {
            putc('\n', out);
            column = 0;
        }
        if (name) {
            column += (unsigned)fprintf(out, "%s%s", column ? " " : "  ", name);
        }
    }
    putc('\n', out);
}

bool option_answer_cpu(const OptionWord *word, FILE *out)
{
    if (!is_help(word->arg)) {
        return false;
    }
    fprintf(out, "Available CPUs:\n");
    list_classes(out, TYPE_CPU, print_cpu);
    print_features(out);
    return true;
}

static void print_device(ObjectClass *klass, void *opaque)
{
    FILE *out = opaque;
    DeviceClass *dc = DEVICE_CLASS(klass);

    if (dc->user_creatable) {
        fprintf(out, "name \"%s\"", object_class_get_name(klass));
        if (dc->bus_type) {
            fprintf(out, ", bus %s", dc->bus_type);
        }
        if (dc->desc) {
            fprintf(out, ", desc \"%s\"", dc->desc);
        }
        putc('\n', out);
    }
}

bool option_answer_device(const OptionWord *word, FILE *out)
{
    const char *name = first_text(word);
    ObjectClass *klass;

    if (is_help(name)) {
        list_classes(out, TYPE_DEVICE, print_device);
        return true;
    }
    klass = name && asks_for_properties(word) ? object_class_by_name(name) : NULL;
    if (!klass || !object_class_dynamic_cast(klass, TYPE_DEVICE)) {
        return false;
    }
    print_properties(out, klass, name, TYPE_DEVICE);
    return true;
}

static void print_object(ObjectClass *klass, void *opaque)
{
    FILE *out = opaque;
    fprintf(out, "  %s\n", object_class_get_name(klass));
}

bool option_answer_object(const OptionWord *word, FILE *out)
{
    const char *name = first_text(word);
    ObjectClass *klass;

    if (is_help(name)) {
        fprintf(out, "List of user creatable objects:\n");
        list_classes(out, TYPE_USER_CREATABLE, print_object);
        return true;
    }
    klass = name && asks_for_properties(word) ? object_class_by_name(name) : NULL;
    if (!klass || !object_class_dynamic_cast(klass, TYPE_USER_CREATABLE)) {
        return false;
    }
    print_properties(out, klass, name, NULL);
    return true;
}

static void print_chardev(ObjectClass *klass, void *opaque)
{
    FILE *out = opaque;
    ChardevClass *cc = CHARDEV_CLASS(klass);

    if (cc->backend_name) {
        print_row(out, cc->backend_name, cc->help, "");
    }
}

bool option_answer_chardev(const OptionWord *word, FILE *out)
{
    const char *name = first_text(word);
    g_autofree char *type = NULL;
    ObjectClass *klass;

    if (is_help(name)) {
        fprintf(out, "Available chardev backend types:\n");
        list_classes(out, TYPE_CHARDEV, print_chardev);
        return true;
    }
    type = name && asks_for_properties(word) ? g_strconcat("chardev-", name, NULL) : NULL;
    klass = type ? object_class_by_name(type) : NULL;
    if (!klass || !object_class_dynamic_cast(klass, TYPE_CHARDEV)) {
        return false;
    }
    print_properties(out, klass, name, NULL);
    return true;
}

bool option_answer_log(const OptionWord *word, FILE *out)
{
    if (!is_help(word->arg)) {
        return false;
    }
    fprintf(out, "Log items (comma separated):\n");
    for (const LogItem *item = qemu_log_items; item->name; item++) {
        print_row(out, item->name, item->help, "");
    }
    print_row(out, "all", "every one of them", "");
    return true;
}

bool option_answer_display(const OptionWord *word, FILE *out)
{
    if (!is_help(word->arg)) {
        return false;
    }
    fprintf(out, "Available display backend types:\nnone\n");
    return true;
}

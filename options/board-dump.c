/* SPDX-License-Identifier: MIT */
/*
 * A machine as a board: what stands below "/machine" and is no part of another device becomes an
 * object of the text, with those properties that are not as its type has them, its place on a bus
 * or in the address spaces, and its wires. All of it is read from the object tree.
 */
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/qom/user-creatable.h>
#include <qomet/qom/value.h>
#include "options/board-int.h"

/* Numbers from here on are addresses, ports and masks rather than counts: hexadecimal. */
#define FIRST_HEX 64

/* ---- Properties ---- */

/* What the machine decides of its objects, for boards to leave it to the machine. */
static const struct {
    const char *type, *property, *of_machine;
    const char *before; /* what the object's value has before the machine's */
} decided[] = { { "ram", "size", "ram-size", "" },
                { "ram", "memdev", "memory-backend", "/objects/" } };

/* The machine's property that @value of @obj is, or NULL. */
static const char *decided_by_machine(Object *obj, const Property *prop, const char *value)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(decided); i++) {
        g_autofree char *of_machine = NULL;

        if (strcmp(object_get_typename(obj), decided[i].type) != 0 ||
            strcmp(prop->name, decided[i].property) != 0) {
            continue;
        }
        of_machine = object_property_print(qdev_get_machine(), decided[i].of_machine, NULL);
        if (of_machine && *of_machine && g_str_has_prefix(value, decided[i].before)) {
            value += strlen(decided[i].before);
        }
        return !g_strcmp0(of_machine, value) ? decided[i].of_machine : NULL;
    }
    /* The chardevs that machines make for -serial. */
    return prop->info == &prop_info_chr && g_str_has_prefix(value, "serial") &&
                   strspn(value + strlen("serial"), "0123456789") ==
                       strlen(value) - strlen("serial") &&
                   value[strlen("serial")]
               ? value
               : NULL;
}

/* The value as the text is to show it; the caller frees. */
static char *print_value(Object *obj, const Property *prop)
{
    char *text = object_property_print(obj, prop->name, NULL);
    uint64_t number;

    if (text && prop->info->kind == PROP_KIND_UINT && !prop->info->print &&
        value_parse_uint(text, FIRST_HEX, UINT64_MAX, &number, NULL)) {
        g_free(text);
        text = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", number);
    }
    return text;
}

/* Whether the property is as in any object of its type; @fresh is such a one, or NULL. */
static bool is_default(const Property *prop, const char *value, Object *fresh)
{
    g_autofree char *usual = object_property_default_text(prop);
    uint64_t a, b;

    if (!usual && fresh) {
        usual = object_property_print(fresh, prop->name, NULL);
    }
    if (!usual) {
        return !*value;
    }
    return !strcmp(usual, value) || (value_parse_uint(usual, 0, UINT64_MAX, &a, NULL) &&
                                     value_parse_uint(value, 0, UINT64_MAX, &b, NULL) && a == b);
}

/*
 * Adds what can be set on objects of @klass, is set otherwise on @obj, and is no property that all
 * objects of the class @common have.
 */
static void dump_properties(GPtrArray *props, Object *obj, ObjectClass *klass, const char *common)
{
    ObjectClass *all = common ? object_class_by_name(common) : NULL;
    g_autoptr(Object) fresh = object_new_with_class(klass, NULL);
    ObjectPropertyIterator iter;
    ObjectPropertyView view;

    object_property_iter_init(&iter, obj);
    while (object_property_iter_next(&iter, &view)) {
        const Property *prop = view.instance ? NULL : object_class_property_find(klass, view.name);
        g_autofree char *value = NULL;
        BoardProperty *added;
        const char *machines;

        if (!prop || !view.settable || (all && object_class_property_find(all, prop->name)) ||
            !g_strcmp0(prop->link_type, TYPE_IRQ)) {
            continue;
        }
        value = print_value(obj, prop);
        machines = value ? decided_by_machine(obj, prop, value) : NULL;
        if (!value || (!machines && is_default(prop, value, fresh))) {
            continue;
        }
        added =
            board_add_property(props, g_strdup(prop->name), g_strdup(machines ? machines : value));
        added->reference = machines != NULL;
    }
}

/* ---- Wires ---- */

typedef struct WireDump {
    Board *board;
    Object *obj;
    /* The wire that the next line may prolong: */
    BoardWire *last;
    char *from_group, *to_group;
    Object *to;
    unsigned from_first, from_last, to_first, to_last;
} WireDump;

/* The path of @obj below the machine, or NULL; the caller frees. */
static char *path_below(const Object *obj)
{
    g_autofree char *path = object_get_canonical_path(obj);

    return path && g_str_has_prefix(path, "/machine/") ? g_strdup(path + strlen("/machine/"))
                                                       : NULL;
}

/* "serial0.irq", "pic.4", "isa.0.irq[0..15]"; the caller frees. */
static char *end_text(Object *obj, bool input, const char *group, unsigned first, unsigned last)
{
    g_autofree char *path = path_below(obj);
    bool named = strcmp(group, input ? BOARD_UNNAMED_IN : BOARD_UNNAMED_OUT) != 0;
    const char *dot = named ? "." : "", *name = named ? group : "";

    if (first != last) {
        return g_strdup_printf("%s%s%s[%u..%u]", path, dot, name, first, last);
    }
    if (first == 0 && board_line_count(obj, group, input) == 1) {
        return g_strdup_printf("%s%s%s", path, dot, name);
    }
    return named ? g_strdup_printf("%s.%s[%u]", path, name, first)
                 : g_strdup_printf("%s.%u", path, first);
}

static void show_wire(WireDump *dump)
{
    if (dump->last) {
        g_free(dump->last->from.text);
        g_free(dump->last->to.text);
        dump->last->from.text =
            end_text(dump->obj, false, dump->from_group, dump->from_first, dump->from_last);
        dump->last->to.text =
            end_text(dump->to, true, dump->to_group, dump->to_first, dump->to_last);
    }
}

static void dump_line(const char *group, unsigned n, void *opaque)
{
    WireDump *dump = opaque;
    g_autofree char *name = g_strdup_printf("%s[%u]", group, n), *to_group = NULL, *path = NULL;
    Object *line = object_property_get_link(dump->obj, name, NULL);
    Object *to = line ? object_get_parent(line) : NULL;
    const char *to_name = line ? object_get_canonical_path_component(line) : NULL, *bracket;
    unsigned to_n;

    if (!line) {
        return;
    }
    path = to ? path_below(to) : NULL;
    bracket = path ? strrchr(to_name, '[') : NULL;
    if (!bracket) {
        g_autofree char *mine = path_below(dump->obj);

        g_ptr_array_add(
            dump->board->remarks,
            g_strdup_printf("%s.%s leads to a line that is no part of an object", mine, name));
        return;
    }
    to_group = g_strndup(to_name, (size_t)(bracket - to_name));
    to_n = (unsigned)g_ascii_strtoull(bracket + 1, NULL, 10);
    if (dump->last && dump->to == to && n == dump->from_last + 1 && to_n == dump->to_last + 1 &&
        !strcmp(dump->from_group, group) && !strcmp(dump->to_group, to_group)) {
        dump->from_last = n;
        dump->to_last = to_n;
    } else {
        dump->last = board_add_wire(dump->board);
        dump->to = to;
        g_free(dump->from_group);
        g_free(dump->to_group);
        dump->from_group = g_strdup(group);
        dump->to_group = g_steal_pointer(&to_group);
        dump->from_first = dump->from_last = n;
        dump->to_first = dump->to_last = to_n;
    }
    show_wire(dump);
}

/* All wires that lead away from @obj, those with consecutive numbers in one. */
static int dump_wires(Object *obj, void *opaque)
{
    WireDump dump = { .board = opaque, .obj = obj };

    board_foreach_line(obj, false, dump_line, &dump);
    g_free(dump.from_group);
    g_free(dump.to_group);
    return 0;
}

/* ---- Objects ---- */

static void dump_regions(GArray *places, MemoryRegion *const *regions, unsigned n,
                         const MemoryRegion *space, bool port)
{
    unsigned used = 0;

    for (unsigned i = 0; i < n; i++) {
        if (regions[i]->container == space) {
            used = i + 1;
        }
    }
    for (unsigned i = 0; i < used; i++) {
        BoardPlace place = { .port = port,
                             .nowhere = regions[i]->container != space,
                             .addr = regions[i]->addr };

        g_array_append_val(places, place);
    }
}

static void dump_place(BoardObject *object, DeviceState *dev)
{
    if (object_dynamic_cast(OBJECT(dev), TYPE_SYS_BUS_DEVICE)) {
        const SysBusDevice *sbd = SYS_BUS_DEVICE(dev);

        dump_regions(object->places, sbd->mmio, sbd->num_mmio, get_system_memory(), false);
        dump_regions(object->places, sbd->pio, sbd->num_pio, get_system_io(), true);
    }
    if (dev->parent_bus && !object_dynamic_cast(OBJECT(dev->parent_bus), TYPE_SYSTEM_BUS)) {
        object->bus.text = path_below(OBJECT(dev->parent_bus));
    }
}

static int cannot_be_said(Board *board, Object *obj)
{
    g_autofree char *path = object_get_canonical_path(obj);

    g_ptr_array_add(board->remarks,
                    g_strdup_printf("%s, of type '%s', cannot be said in a board file", path,
                                    object_get_typename(obj)));
    return 0;
}

static void dump_object(Board *board, Object *obj)
{
    BoardObject *object = board_add_object(board);
    bool is_device = object_dynamic_cast(obj, TYPE_DEVICE) != NULL;

    object->name.text = path_below(obj);
    object->type.text = g_strdup(object_get_typename(obj));
    if (is_device) {
        dump_place(object, DEVICE(obj));
    }
    dump_properties(object->props, obj, object_get_class(obj), is_device ? TYPE_DEVICE : NULL);
    dump_wires(obj, board);
    /* Of its parts too: a bus that it offers. What it has wired itself is not wired again. */
    object_child_foreach_recursive(obj, dump_wires, board);
}

/* Whether @obj holds what users add, which comes after the board. */
static bool is_users(const Object *obj)
{
    return object_get_parent(obj) == qdev_get_machine() &&
           g_str_has_prefix(object_get_canonical_path_component(obj), "peripheral");
}

/* What is there without a word of the board. */
static bool is_implied(Object *obj)
{
    return object_dynamic_cast(obj, TYPE_ACCEL) || object_dynamic_cast(obj, TYPE_SYSTEM_BUS) ||
           obj == OBJECT(get_system_memory()) || obj == OBJECT(get_system_io());
}

static int dump_child(Object *obj, void *opaque);

static int dump_users(Object *obj, void *opaque)
{
    return is_users(obj) ? object_child_foreach(obj, dump_child, opaque) : 0;
}

static int dump_child(Object *obj, void *opaque)
{
    Board *board = opaque;
    g_autofree char *path = NULL;

    if (is_implied(obj) || is_users(obj)) {
        return 0;
    }
    if (!strcmp(object_get_typename(obj), TYPE_CONTAINER)) {
        return object_child_foreach(obj, dump_child, board);
    }
    if (!object_dynamic_cast(obj, TYPE_DEVICE) && !object_dynamic_cast(obj, TYPE_BUS) &&
        !object_dynamic_cast(obj, TYPE_USER_CREATABLE)) {
        return cannot_be_said(board, obj);
    }
    path = path_below(obj);
    if (!board_name_is_good(path)) {
        return cannot_be_said(board, obj);
    }
    dump_object(board, obj);
    return 0;
}

/* ---- The machine ---- */

/* The nearest class above that makes no board of its own, or the empty one. */
static MachineClass *find_base(MachineClass *mc)
{
    while (mc->init) {
        mc = MACHINE_CLASS(object_class_get_parent(OBJECT_CLASS(mc)));
    }
    return object_class_is_abstract(OBJECT_CLASS(mc)) ? machine_class_find("none", NULL) : mc;
}

Board *board_dump(MachineState *machine)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine), *base = find_base(mc);
    Board *board = board_new();

    board->has_machine = true;
    board->base.text = machine_name(base);
    board->desc.text = g_strdup(mc->desc);
    dump_properties(board->props, OBJECT(machine), OBJECT_CLASS(base), NULL);
    object_child_foreach(OBJECT(machine), dump_child, board);
    object_child_foreach(OBJECT(machine), dump_users, board);
    if (mc->max_cpus && !cpu_count()) {
        board_add_object(board)->cpus = true;
    }
    return board;
}

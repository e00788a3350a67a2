/* SPDX-License-Identifier: MIT */
/*
 * A machine made of a board. Every object is made first, then all are configured, so that
 * properties may name any of them; then they are realized and wired (board-realize.c).
 */
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/qom/user-creatable.h>
#include "options/board-int.h"

typedef struct Maker {
    MachineState *machine;
    unsigned serials; /* ports that the board has: the highest $serialN, and one */
} Maker;

/* ---- Making ---- */

/* Where the object shall stand: the container above it, and its name there. */
static Object *find_place(const BoardText *name, const char **last, GError **errp)
{
    const char *slash = strrchr(name->text, '/');
    g_autofree char *above = NULL;
    Object *machine = qdev_get_machine(), *place;

    *last = slash ? slash + 1 : name->text;
    if (!slash) {
        return machine;
    }
    above = g_strndup(name->text, (size_t)(slash - name->text));
    for (char *p = above;; *p++ = '/') {
        p = strchr(p, '/');
        if (p) {
            *p = '\0';
        }
        place = board_find_object(above);
        if (place && strcmp(object_get_typename(place), TYPE_CONTAINER) != 0) {
            board_error(errp, &name->at, "nothing can stand below '%s', which is of type '%s'",
                        above, object_get_typename(place));
            return NULL;
        }
        if (!p) {
            break;
        }
    }
    if (!place) {
        place = container_get(machine, above);
    }
    if (!place) {
        board_error(errp, &name->at, "nothing can stand below '%s': that is a property", above);
    }
    return place;
}

static bool add_to_tree(Object *obj, const BoardObject *text, GError **errp)
{
    const char *last;
    Object *place = find_place(&text->name, &last, errp);
    bool has_id = object_dynamic_cast(obj, TYPE_DEVICE) &&
                  g_str_has_prefix(text->name.text, "peripheral/") &&
                  last == text->name.text + strlen("peripheral/");

    if (!place) {
        return false;
    }
    if (has_id ? qdev_set_id(DEVICE(obj), last, errp)
               : object_property_add_child(place, last, obj, errp)) {
        return true;
    }
    return board_blame_object(errp, text);
}

static Object *make_bus(const BoardObject *text, GError **errp)
{
    BusState *bus;

    if (strchr(text->name.text, '/')) {
        board_error(errp, &text->name.at,
                    "expected a name without '/': a bus that stands for itself is the machine's");
        return NULL;
    }
    bus = qbus_new(text->type.text, NULL, text->name.text, errp);
    if (!bus) {
        board_blame_object(errp, text);
    }
    return OBJECT(bus);
}

/* *@obj stays NULL for "cpus", and for a vCPU that the accelerator does not have. */
static bool make_object(const BoardObject *text, Object **obj, GError **errp)
{
    ObjectClass *klass = text->cpus ? NULL : object_class_by_name(text->type.text);
    Object *made;
    bool ok;

    if (!klass || (object_class_dynamic_cast(klass, TYPE_CPU) &&
                   !ACCEL_GET_CLASS(current_accel())->has_cpus)) {
        return true;
    }
    if (object_class_dynamic_cast(klass, TYPE_BUS)) {
        *obj = make_bus(text, errp);
        return *obj != NULL;
    }
    made = object_new_with_class(klass, errp);
    ok = made ? add_to_tree(made, text, errp) : board_blame_object(errp, text);
    object_unref(made);
    if (ok) {
        *obj = made; /* the tree's */
    }
    return ok;
}

/* ---- Configuring ---- */

/* The number N of "serialN", or -1. */
static int serial_number(const char *name)
{
    uint64_t n;

    return g_str_has_prefix(name, "serial") &&
                   g_ascii_string_to_unsigned(name + strlen("serial"), 10, 0, 255, &n, NULL)
               ? (int)n
               : -1;
}

/* The chardev of the machine's serial port @n: what -serial says, or one that leads nowhere. */
static char *serial_chardev(Maker *maker, unsigned n, GError **errp)
{
    const char *words = machine_serial_words(maker->machine, n);
    g_autofree char *id = g_strdup_printf("serial%u", n);
    Chardev *chr = qemu_chr_find(id);

    maker->serials = MAX(maker->serials, n + 1);
    if (!chr) {
        chr = qemu_chr_new(id, words ? words : "null", errp);
    }
    if (!chr) {
        g_prefix_error(errp, "-serial %s: ", words ? words : "null");
        return NULL;
    }
    return g_strdup(chr->label);
}

/* What the machine has under the name behind a '$'; the caller frees. */
static char *look_up(Maker *maker, const BoardText *name, GError **errp)
{
    int n = serial_number(name->text);
    char *text = n >= 0 ? serial_chardev(maker, (unsigned)n, errp)
                        : object_property_print(OBJECT(maker->machine), name->text, errp);

    if (!text) {
        board_blame(errp, &name->at);
    }
    return text;
}

static bool set_property(Maker *maker, Object *obj, const BoardProperty *prop, GError **errp)
{
    g_autofree char *looked_up = NULL;

    if (prop->reference) {
        looked_up = look_up(maker, &prop->value, errp);
        if (!looked_up) {
            return false;
        }
    }
    if (!object_property_parse(obj, prop->key.text, looked_up ? looked_up : prop->value.text,
                               errp)) {
        bool known = object_property_exists(obj, prop->key.text);

        return board_blame(errp, known ? &prop->value.at : &prop->key.at);
    }
    return true;
}

static bool configure(Maker *maker, const BoardObject *text, Object *obj, GError **errp)
{
    /* Devices have done so themselves. */
    if (object_dynamic_cast(obj, TYPE_USER_CREATABLE) && !object_apply_global_props(obj, errp)) {
        return board_blame_object(errp, text);
    }
    for (unsigned i = 0; i < text->props->len; i++) {
        if (!set_property(maker, obj, g_ptr_array_index(text->props, i), errp)) {
            return false;
        }
    }
    if (object_dynamic_cast(obj, TYPE_CPU)) {
        CPU(obj)->topology = machine_topology(maker->machine);
    }
    return true;
}

/* ---- All of it ---- */

static bool make_all(const Board *board, Object **objects, GError **errp)
{
    for (unsigned i = 0; i < board->objects->len; i++) {
        if (board_interrupted(errp) ||
            !make_object(g_ptr_array_index(board->objects, i), &objects[i], errp)) {
            return false;
        }
    }
    return true;
}

static bool configure_all(Maker *maker, const Board *board, Object *const *objects, GError **errp)
{
    for (unsigned i = 0; i < board->objects->len; i++) {
        if (board_interrupted(errp)) {
            return false;
        }
        if (objects[i] &&
            !configure(maker, g_ptr_array_index(board->objects, i), objects[i], errp)) {
            return false;
        }
    }
    return true;
}

/* What is user-creatable is complete before any device is realized: devices may name it. */
static bool complete_all(const Board *board, Object *const *objects, GError **errp)
{
    for (unsigned i = 0; i < board->objects->len; i++) {
        if (objects[i] && !user_creatable_complete(objects[i], errp)) {
            return board_blame_object(errp, g_ptr_array_index(board->objects, i));
        }
    }
    return true;
}

bool board_make(const Board *board, MachineState *machine, unsigned *serials, GError **errp)
{
    Maker maker = { .machine = machine };
    g_autofree Object **objects = g_new0(Object *, board->objects->len);
    bool ok = make_all(board, objects, errp) && configure_all(&maker, board, objects, errp) &&
              complete_all(board, objects, errp) && board_realize(board, objects, machine, errp);

    *serials = MAX(*serials, maker.serials);
    return ok;
}

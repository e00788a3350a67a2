/* SPDX-License-Identifier: MIT */
/*
 * A machine made of a board. Everything is made first, then configured, so that properties may name
 * any object; then it is realized in the order of the file, except that what the lines of a bus lead
 * to comes before the devices on that bus, which take their lines when they are realized. A wire is
 * connected as soon as both its ends are there.
 */
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/qom/user-creatable.h>
#include "options/board-int.h"

/* An object of the board on its way. */
typedef struct Item {
    const BoardObject *text;
    Object *obj; /* the tree's; NULL: a vCPU that the accelerator does not have, or "cpus" */
    bool begun;  /* its turn has come, or was brought forward */
    bool done;   /* realized, or nothing that could be */
} Item;

/* A wire on its way. */
typedef struct Strand {
    const BoardWire *text;
    Object *from, *to; /* NULL: not there yet */
    bool connected;
} Strand;

typedef struct Maker {
    const Board *board;
    MachineState *machine;
    Item *items;
    unsigned n_items;
    GHashTable *by_object; /* Object -> its Item */
    Strand *strands;
    unsigned n_strands;
    GHashTable *strands_of; /* Object -> GPtrArray of the Strands that end there */
    GHashTable *taken;      /* see board_connect() */
    unsigned serials;       /* ports that the board has: the highest $serialN, and one */
} Maker;

/* "FILE:LINE:COLUMN: name: " */
static bool blame(const BoardObject *object, GError **errp)
{
    g_prefix_error(errp, "%s: ", object->name.text);
    return board_blame(errp, &object->name.at);
}

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
    return place ? place : container_get(machine, above);
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
    return blame(text, errp);
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
        blame(text, errp);
    }
    return OBJECT(bus);
}

static bool make_item(const Maker *maker, Item *item, GError **errp)
{
    const BoardObject *text = item->text;
    ObjectClass *klass = text->cpus ? NULL : object_class_by_name(text->type.text);
    bool ok;

    if (!klass || (object_class_dynamic_cast(klass, TYPE_CPU) &&
                   !ACCEL_GET_CLASS(current_accel())->has_cpus)) {
        return true;
    }
    if (object_class_dynamic_cast(klass, TYPE_BUS)) {
        item->obj = make_bus(text, errp);
        ok = item->obj != NULL;
    } else {
        Object *obj = object_new_with_class(klass, errp);

        ok = obj ? add_to_tree(obj, text, errp) : blame(text, errp);
        item->obj = ok ? obj : NULL;
        object_unref(obj);
    }
    if (ok) {
        g_hash_table_insert(maker->by_object, item->obj, item);
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

static bool configure(Maker *maker, const Item *item, GError **errp)
{
    /* Devices have done so themselves. */
    if (object_dynamic_cast(item->obj, TYPE_USER_CREATABLE) &&
        !object_apply_global_props(item->obj, errp)) {
        return blame(item->text, errp);
    }
    for (unsigned i = 0; i < item->text->props->len; i++) {
        const BoardProperty *prop = g_ptr_array_index(item->text->props, i);
        g_autofree char *looked_up = NULL;

        if (prop->reference) {
            looked_up = look_up(maker, &prop->value, errp);
            if (!looked_up) {
                return false;
            }
        }
        if (!object_property_parse(item->obj, prop->key.text,
                                   looked_up ? looked_up : prop->value.text, errp)) {
            bool known = object_property_exists(item->obj, prop->key.text);

            return board_blame(errp, known ? &prop->value.at : &prop->key.at);
        }
    }
    if (object_dynamic_cast(item->obj, TYPE_CPU)) {
        CPU(item->obj)->nr_cores = maker->machine->smp_cpus;
    }
    return true;
}

static bool check_serials(const Maker *maker, GError **errp)
{
    unsigned n = maker->machine->serial_words ? machine_serial_count(maker->machine) : 0;

    for (unsigned i = maker->serials; i < n; i++) {
        const char *words = machine_serial_words(maker->machine, i);

        if (words) {
            qom_error_set(errp, QOM_ERROR_VALUE, "-serial %s: the board has %u serial port%s",
                          words, maker->serials, maker->serials == 1 ? "" : "s");
            return false;
        }
    }
    return true;
}

/* ---- Wires ---- */

/* Whether the lines of @obj are all there. */
static bool is_ready(const Maker *maker, Object *obj)
{
    const Item *item = obj ? g_hash_table_lookup(maker->by_object, obj) : NULL;

    return obj && (!item || item->done);
}

static const GPtrArray *strands_of(const Maker *maker, const void *obj)
{
    static const GPtrArray none;
    const GPtrArray *strands = g_hash_table_lookup(maker->strands_of, obj);

    return strands ? strands : &none;
}

/* Connects those wires of @obj whose other end is there. */
static bool connect_wires_of(Maker *maker, Object *obj, GError **errp)
{
    const GPtrArray *strands = strands_of(maker, obj);

    for (unsigned i = 0; i < strands->len; i++) {
        Strand *strand = g_ptr_array_index(strands, i);

        if (strand->connected || !is_ready(maker, strand->from) || !is_ready(maker, strand->to)) {
            continue;
        }
        if (!board_connect(strand->text, maker->taken, errp)) {
            return false;
        }
        strand->connected = true;
    }
    return true;
}

static void add_strand(Maker *maker, Object *end, Strand *strand)
{
    GPtrArray *strands = end ? g_hash_table_lookup(maker->strands_of, end) : NULL;

    if (end && !strands) {
        strands = g_ptr_array_new();
        g_hash_table_insert(maker->strands_of, end, strands);
    }
    if (end) {
        g_ptr_array_add(strands, strand);
    }
}

/* Finds the objects at both ends of every wire, as far as they are there before realize. */
static void begin_wires(Maker *maker)
{
    for (unsigned i = 0; i < maker->n_strands; i++) {
        Strand *strand = &maker->strands[i];

        strand->text = g_ptr_array_index(maker->board->wires, i);
        strand->from = board_end_object(&strand->text->from);
        strand->to = board_end_object(&strand->text->to);
        add_strand(maker, strand->from, strand);
        if (strand->to != strand->from) {
            add_strand(maker, strand->to, strand);
        }
    }
}

/* What is left leads to parts of devices, which came with them, or nowhere. */
static bool connect_rest(Maker *maker, GError **errp)
{
    for (unsigned i = 0; i < maker->n_strands; i++) {
        if (!maker->strands[i].connected &&
            !board_connect(maker->strands[i].text, maker->taken, errp)) {
            return false;
        }
    }
    return true;
}

/* ---- Realizing ---- */

static bool realize_item(Maker *maker, Item *item, GError **errp);

/* The bus that @text names: an object of the board, or any bus of the machine; NULL: none. */
static BusState *named_bus(const char *text)
{
    Object *obj = board_find_object(text);

    return obj && object_dynamic_cast(obj, TYPE_BUS) ? BUS(obj) : qbus_find(text, NULL, NULL);
}

/* A bus may be a part of a device, which must be realized for that. */
static bool realize_owner_of_bus(Maker *maker, const char *bus, GError **errp)
{
    for (unsigned i = 0; i < maker->n_items; i++) {
        Item *item = &maker->items[i];
        size_t len = item->obj ? strlen(item->text->name.text) : 0;

        if (len && !strncmp(bus, item->text->name.text, len) && bus[len] == '/' &&
            !realize_item(maker, item, errp)) {
            return false;
        }
    }
    return true;
}

static bool find_bus(Maker *maker, const BoardObject *text, DeviceClass *dc, BusState **bus,
                     GError **errp)
{
    *bus = NULL;
    if (!text->bus.text) {
        if (dc->bus_type && strcmp(dc->bus_type, TYPE_SYSTEM_BUS) != 0) {
            *bus = qbus_find(NULL, dc->bus_type, errp);
            return *bus || blame(text, errp);
        }
        return true;
    }
    *bus = named_bus(text->bus.text);
    if (!*bus) {
        if (!realize_owner_of_bus(maker, text->bus.text, errp)) {
            return false;
        }
        *bus = named_bus(text->bus.text);
    }
    if (!*bus) {
        qbus_find(text->bus.text, NULL, errp);
        return board_blame(errp, &text->bus.at);
    }
    return true;
}

/* Devices take the lines of their bus as they are then: what those lead to comes before. */
static bool realize_behind_bus(Maker *maker, const BusState *bus, GError **errp)
{
    const GPtrArray *strands = strands_of(maker, bus);
    Item *item = g_hash_table_lookup(maker->by_object, bus);

    for (unsigned i = 0; i < strands->len; i++) {
        const Strand *strand = g_ptr_array_index(strands, i);
        Item *target = strand->to ? g_hash_table_lookup(maker->by_object, strand->to) : NULL;

        if (target && !realize_item(maker, target, errp)) {
            return false;
        }
    }
    return !item || realize_item(maker, item, errp);
}

static bool map_places(const BoardObject *text, Object *obj, GError **errp)
{
    unsigned n[2] = { 0, 0 };

    for (unsigned i = 0; i < text->places->len; i++) {
        const BoardPlace *place = &g_array_index(text->places, BoardPlace, i);
        unsigned region = n[place->port]++;
        bool ok;

        if (place->nowhere) {
            continue;
        }
        ok = place->port ? sysbus_pio_map(SYS_BUS_DEVICE(obj), region, place->addr, errp)
                         : sysbus_mmio_map(SYS_BUS_DEVICE(obj), region, place->addr, errp);
        if (!ok) {
            return board_blame(errp, &place->at);
        }
    }
    return true;
}

static bool check_places(const BoardObject *text, Object *obj, GError **errp)
{
    if (!text->places->len || object_dynamic_cast(obj, TYPE_SYS_BUS_DEVICE)) {
        return true;
    }
    return board_error(errp, &g_array_index(text->places, BoardPlace, 0).at,
                       "'at' is for devices of the type '%s': where a '%s' answers is told by its "
                       "properties, if at all",
                       TYPE_SYS_BUS_DEVICE, text->type.text);
}

static bool realize_device(Maker *maker, Item *item, GError **errp)
{
    const BoardObject *text = item->text;
    DeviceState *dev = DEVICE(item->obj);
    BusState *bus;

    if (!find_bus(maker, text, DEVICE_GET_CLASS(dev), &bus, errp) ||
        (bus && !realize_behind_bus(maker, bus, errp))) {
        return false;
    }
    if (!(object_dynamic_cast(item->obj, TYPE_SYS_BUS_DEVICE) && !bus
              ? sysbus_realize(SYS_BUS_DEVICE(dev), errp)
              : qdev_realize(dev, bus, errp))) {
        return blame(text, errp);
    }
    return map_places(text, item->obj, errp);
}

static bool realize_item(Maker *maker, Item *item, GError **errp)
{
    if (item->begun) {
        return true;
    }
    item->begun = true;
    if (item->text->cpus) {
        return machine_create_cpus(maker->machine, errp) || board_blame(errp, &item->text->name.at);
    }
    if (!item->obj) {
        return true;
    }
    if (!check_places(item->text, item->obj, errp)) {
        return false;
    }
    if (object_dynamic_cast(item->obj, TYPE_DEVICE)) {
        if (!realize_device(maker, item, errp)) {
            return false;
        }
    } else if (item->text->bus.text) {
        return board_error(errp, &item->text->bus.at, "a '%s' is no device and sits on no bus",
                           item->text->type.text);
    }
    item->done = true;
    return connect_wires_of(maker, item->obj, errp);
}

/* ---- All of it ---- */

static bool make_items(Maker *maker, GError **errp)
{
    for (unsigned i = 0; i < maker->n_items; i++) {
        maker->items[i].text = g_ptr_array_index(maker->board->objects, i);
        if (!make_item(maker, &maker->items[i], errp)) {
            return false;
        }
    }
    return true;
}

static bool configure_items(Maker *maker, GError **errp)
{
    for (unsigned i = 0; i < maker->n_items; i++) {
        if (maker->items[i].obj && !configure(maker, &maker->items[i], errp)) {
            return false;
        }
    }
    for (unsigned i = 0; i < maker->n_items; i++) {
        const Item *item = &maker->items[i];

        /* What is user-creatable is complete then: devices may name it. */
        if (item->obj && !user_creatable_complete(item->obj, errp)) {
            return blame(item->text, errp);
        }
    }
    return check_serials(maker, errp);
}

static bool realize_items(Maker *maker, GError **errp)
{
    begin_wires(maker);
    for (unsigned i = 0; i < maker->n_items; i++) {
        if (!realize_item(maker, &maker->items[i], errp)) {
            return false;
        }
    }
    return connect_rest(maker, errp);
}

bool board_make(const Board *board, MachineState *machine, GError **errp)
{
    Maker maker = { .board = board,
                    .machine = machine,
                    .n_items = board->objects->len,
                    .n_strands = board->wires->len };
    bool ok;

    maker.items = g_new0(Item, maker.n_items);
    maker.strands = g_new0(Strand, maker.n_strands);
    maker.by_object = g_hash_table_new(NULL, NULL);
    maker.strands_of = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
    maker.taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    ok = make_items(&maker, errp) && configure_items(&maker, errp) && realize_items(&maker, errp);
    g_hash_table_unref(maker.taken);
    g_hash_table_unref(maker.strands_of);
    g_hash_table_unref(maker.by_object);
    g_free(maker.strands);
    g_free(maker.items);
    return ok;
}

/* SPDX-License-Identifier: MIT */
/*
 * The objects of a board realized and wired: in the order of the file, except that what the lines
 * of a bus lead to comes before the devices on that bus, which take their lines when they are
 * realized. A wire is connected as soon as both its ends are there.
 */
#include <string.h>
#include "options/board-int.h"

/* How many buses may wait for each other's lines: each takes a part of the stack. */
#define MAX_BEHIND 500

/* An object of the board on its way. */
typedef struct Item {
    const BoardObject *text;
    Object *obj; /* NULL: there is none, see board_realize() */
    bool begun;  /* its turn has come, or was brought forward */
    bool done;   /* realized, or nothing that could be */
} Item;

/* A wire on its way. */
typedef struct Strand {
    const BoardWire *text;
    Object *from, *to; /* NULL: not there yet */
    bool connected;
} Strand;

typedef struct Realizer {
    MachineState *machine;
    Item *items;
    unsigned n_items;
    unsigned depth;        /* of realize_item() within itself */
    GHashTable *by_object; /* Object -> its Item */
    Strand *strands;
    unsigned n_strands;
    GHashTable *strands_of; /* Object -> GPtrArray of the Strands that end there */
    GHashTable *waiting;    /* Object -> GPtrArray of the Strands that end in a part of it */
    GHashTable *taken;      /* see board_connect() */
} Realizer;

/* ---- Wires ---- */

/* Whether the lines of @obj are all there. */
static bool is_ready(const Realizer *realizer, Object *obj)
{
    const Item *item = obj ? g_hash_table_lookup(realizer->by_object, obj) : NULL;

    return obj && (!item || item->done);
}

static const GPtrArray *list_of(GHashTable *table, const void *obj)
{
    static const GPtrArray none;
    const GPtrArray *strands = g_hash_table_lookup(table, obj);

    return strands ? strands : &none;
}

static void add_to_list(GHashTable *table, Object *obj, Strand *strand)
{
    GPtrArray *strands = g_hash_table_lookup(table, obj);

    if (!strands) {
        strands = g_ptr_array_new();
        g_hash_table_insert(table, obj, strands);
    }
    g_ptr_array_add(strands, strand);
}

/* Connects those wires of @obj whose other end is there. */
static bool connect_wires_of(Realizer *realizer, Object *obj, GError **errp)
{
    const GPtrArray *strands = list_of(realizer->strands_of, obj);

    for (unsigned i = 0; i < strands->len; i++) {
        Strand *strand = g_ptr_array_index(strands, i);

        if (strand->connected || !is_ready(realizer, strand->from) ||
            !is_ready(realizer, strand->to)) {
            continue;
        }
        if (!board_connect(strand->text, realizer->taken, errp)) {
            return false;
        }
        strand->connected = true;
    }
    return true;
}

/* The object of the board whose part @end will be in when it is realized, or NULL. */
static Object *owner_of(const Realizer *realizer, const BoardText *end)
{
    g_autofree char *path = g_strdup(end->text);

    for (char *slash; (slash = strrchr(path, '/'));) {
        Object *obj;

        *slash = '\0';
        obj = board_find_object(path);
        if (obj && g_hash_table_contains(realizer->by_object, obj)) {
            return obj;
        }
    }
    return NULL;
}

/* Finds the object at one end of @strand; when it is a part of a device, that is waited for. */
static bool begin_end(Realizer *realizer, Strand *strand, Object **obj, const BoardText *end,
                      GError **errp)
{
    Object *owner;

    *obj = board_end_object(end);
    if (*obj) {
        add_to_list(realizer->strands_of, *obj, strand);
        return true;
    }
    owner = owner_of(realizer, end);
    if (!owner) {
        BoardLines nothing;

        return board_lines_find(&nothing, end, end == &strand->text->to, errp);
    }
    add_to_list(realizer->waiting, owner, strand);
    return true;
}

static bool begin_wires(Realizer *realizer, const Board *board, GError **errp)
{
    for (unsigned i = 0; i < realizer->n_strands; i++) {
        Strand *strand = &realizer->strands[i];

        strand->text = g_ptr_array_index(board->wires, i);
        if (!begin_end(realizer, strand, &strand->from, &strand->text->from, errp) ||
            !begin_end(realizer, strand, &strand->to, &strand->text->to, errp)) {
            return false;
        }
    }
    return true;
}

static void find_part(Realizer *realizer, Strand *strand, Object **obj, const BoardText *end)
{
    if (!*obj) {
        *obj = board_end_object(end);
        if (*obj) {
            add_to_list(realizer->strands_of, *obj, strand);
        }
    }
}

/* @obj has been realized: its parts are there. */
static void find_parts(Realizer *realizer, Object *obj)
{
    const GPtrArray *waiting = list_of(realizer->waiting, obj);

    for (unsigned i = 0; i < waiting->len; i++) {
        Strand *strand = g_ptr_array_index(waiting, i);

        find_part(realizer, strand, &strand->from, &strand->text->from);
        find_part(realizer, strand, &strand->to, &strand->text->to);
    }
}

/* What is left leads to parts of devices, which came with them, or nowhere. */
static bool connect_rest(Realizer *realizer, GError **errp)
{
    for (unsigned i = 0; i < realizer->n_strands; i++) {
        if (!realizer->strands[i].connected &&
            !board_connect(realizer->strands[i].text, realizer->taken, errp)) {
            return false;
        }
    }
    return true;
}

/* ---- Realizing ---- */

static bool realize_item(Realizer *realizer, Item *item, GError **errp);

/* The bus that @text names: an object of the board, or any bus of the machine; NULL: none. */
static BusState *named_bus(const char *text)
{
    Object *obj = board_find_object(text);

    return obj && object_dynamic_cast(obj, TYPE_BUS) ? BUS(obj) : qbus_find(text, NULL, NULL);
}

/* A bus may be a part of a device, which must be realized for that. */
static bool realize_owner_of_bus(Realizer *realizer, const char *bus, GError **errp)
{
    for (unsigned i = 0; i < realizer->n_items; i++) {
        Item *item = &realizer->items[i];
        size_t len = item->obj ? strlen(item->text->name.text) : 0;

        if (len && !strncmp(bus, item->text->name.text, len) && bus[len] == '/' &&
            !realize_item(realizer, item, errp)) {
            return false;
        }
    }
    return true;
}

static bool find_bus(Realizer *realizer, const BoardObject *text, DeviceClass *dc, BusState **bus,
                     GError **errp)
{
    *bus = NULL;
    if (!text->bus.text) {
        if (dc->bus_type && strcmp(dc->bus_type, TYPE_SYSTEM_BUS) != 0) {
            *bus = qbus_find(NULL, dc->bus_type, errp);
            return *bus || board_blame_object(errp, text);
        }
        return true;
    }
    *bus = named_bus(text->bus.text);
    if (!*bus) {
        if (!realize_owner_of_bus(realizer, text->bus.text, errp)) {
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
static bool realize_behind_bus(Realizer *realizer, BusState *bus, GError **errp)
{
    const GPtrArray *strands = list_of(realizer->strands_of, bus);
    Item *item = g_hash_table_lookup(realizer->by_object, bus);

    for (unsigned i = 0; i < strands->len; i++) {
        const Strand *strand = g_ptr_array_index(strands, i);
        Item *target = strand->to ? g_hash_table_lookup(realizer->by_object, strand->to) : NULL;

        if (target && !realize_item(realizer, target, errp)) {
            return false;
        }
    }
    return item ? realize_item(realizer, item, errp)
                : connect_wires_of(realizer, OBJECT(bus), errp);
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

static bool realize_device(Realizer *realizer, Item *item, GError **errp)
{
    const BoardObject *text = item->text;
    DeviceState *dev = DEVICE(item->obj);
    BusState *bus;

    if (!find_bus(realizer, text, DEVICE_GET_CLASS(dev), &bus, errp) ||
        (bus && !realize_behind_bus(realizer, bus, errp))) {
        return false;
    }
    if (!(object_dynamic_cast(item->obj, TYPE_SYS_BUS_DEVICE) && !bus
              ? sysbus_realize(SYS_BUS_DEVICE(dev), errp)
              : qdev_realize(dev, bus, errp))) {
        return board_blame_object(errp, text);
    }
    return map_places(text, item->obj, errp);
}

static bool realize_begun(Realizer *realizer, Item *item, GError **errp)
{
    if (item->text->cpus) {
        return machine_create_cpus(realizer->machine, errp) ||
               board_blame(errp, &item->text->name.at);
    }
    if (!item->obj) {
        return true;
    }
    if (!check_places(item->text, item->obj, errp)) {
        return false;
    }
    if (object_dynamic_cast(item->obj, TYPE_DEVICE)) {
        if (!realize_device(realizer, item, errp)) {
            return false;
        }
    } else if (item->text->bus.text) {
        return board_error(errp, &item->text->bus.at, "a '%s' is no device and sits on no bus",
                           item->text->type.text);
    }
    item->done = true;
    find_parts(realizer, item->obj);
    return connect_wires_of(realizer, item->obj, errp);
}

static bool realize_item(Realizer *realizer, Item *item, GError **errp)
{
    bool ok;

    if (item->begun) {
        return true;
    }
    if (realizer->depth == MAX_BEHIND) {
        return board_error(errp, &item->text->name.at,
                           "expected at most %d objects that wait for the lines of each "
                           "other's buses",
                           MAX_BEHIND);
    }
    item->begun = true;
    realizer->depth++;
    ok = realize_begun(realizer, item, errp);
    realizer->depth--;
    return ok;
}

/* ---- All of it ---- */

static void begin_items(Realizer *realizer, const Board *board, Object *const *objects)
{
    for (unsigned i = 0; i < realizer->n_items; i++) {
        Item *item = &realizer->items[i];

        *item = (Item){ .text = g_ptr_array_index(board->objects, i), .obj = objects[i] };
        if (item->obj) {
            g_hash_table_insert(realizer->by_object, item->obj, item);
        }
    }
}

static bool realize_all(Realizer *realizer, GError **errp)
{
    for (unsigned i = 0; i < realizer->n_items; i++) {
        if (board_interrupted(errp) || !realize_item(realizer, &realizer->items[i], errp)) {
            return false;
        }
    }
    return connect_rest(realizer, errp);
}

/* Before the map is published: nobody shall see the half of a board. */
static void unrealize_all(Realizer *realizer)
{
    for (unsigned i = realizer->n_items; i > 0; i--) {
        Object *obj = realizer->items[i - 1].obj;

        if (obj && object_dynamic_cast(obj, TYPE_DEVICE)) {
            qdev_unrealize(DEVICE(obj));
        }
    }
}

static GHashTable *new_lists(void)
{
    return g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
}

bool board_realize(const Board *board, Object *const *objects, MachineState *machine, GError **errp)
{
    Realizer realizer = { .machine = machine,
                          .n_items = board->objects->len,
                          .n_strands = board->wires->len };
    bool ok;

    realizer.items = g_new0(Item, realizer.n_items);
    realizer.strands = g_new0(Strand, realizer.n_strands);
    realizer.by_object = g_hash_table_new(NULL, NULL);
    realizer.strands_of = new_lists();
    realizer.waiting = new_lists();
    realizer.taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    begin_items(&realizer, board, objects);
    /* The map is published once: with each of very many devices it would be made anew. */
    memory_region_transaction_begin();
    ok = begin_wires(&realizer, board, errp) && realize_all(&realizer, errp) &&
         memory_region_transaction_check(errp);
    if (!ok) {
        unrealize_all(&realizer);
    }
    memory_region_transaction_commit();
    g_hash_table_unref(realizer.taken);
    g_hash_table_unref(realizer.waiting);
    g_hash_table_unref(realizer.strands_of);
    g_hash_table_unref(realizer.by_object);
    g_free(realizer.strands);
    g_free(realizer.items);
    return ok;
}

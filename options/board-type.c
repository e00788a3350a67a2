/* SPDX-License-Identifier: MIT */
/*
 * A board as a machine type, registered at run time: its name, what it begins with, the defaults of
 * its properties, and its class. From then on it is a machine like any other.
 */
#include <string.h>
#include <qomet/qom/user-creatable.h>
#include "options/board-int.h"

/* RAM of a board that takes it from the machine and does not say how much. */
#define DEFAULT_RAM_SIZE (UINT64_C(16) << 20)
#define MAX_CPUS 255

/* What a class knows of its board. Lives as long as the process. */
typedef struct BoardType {
    Board *board;
    Property *defaults; /* properties of the base with the defaults of the board */
    unsigned n_defaults;
    const char *desc;
    unsigned cpus; /* that stand on the board by name; 0: none does, or those that -smp asks for */
} BoardType;

/* ---- Checks of names ---- */

static bool can_stand(ObjectClass *klass)
{
    return object_class_dynamic_cast(klass, TYPE_DEVICE) ||
           object_class_dynamic_cast(klass, TYPE_BUS) ||
           object_class_dynamic_cast(klass, TYPE_USER_CREATABLE);
}

static ObjectClass *find_type(const BoardText *type, GError **errp)
{
    g_autoptr(GError) error = NULL;
    ObjectClass *klass = object_class_by_name_err(type->text, &error);

    if (klass && can_stand(klass) && !object_class_is_abstract(klass)) {
        return klass;
    }
    if (klass) {
        board_error(errp, &type->at,
                    "expected a type of devices, buses or user-creatable objects: "
                    "'%s' is %s",
                    type->text, can_stand(klass) ? "abstract" : "none");
    } else if (!g_error_matches(error, QOM_ERROR, QOM_ERROR_NOT_FOUND)) {
        g_propagate_error(errp, g_steal_pointer(&error));
        board_blame(errp, &type->at);
    } else {
        g_autofree char *near = object_class_did_you_mean(type->text, TYPE_OBJECT, NULL, can_stand);

        board_error(errp, &type->at, "there is no type '%s'%s", type->text, near);
    }
    return NULL;
}

/* Every type is there; counts the vCPUs. */
static bool check_types(BoardType *type, GError **errp)
{
    for (unsigned i = 0; i < type->board->objects->len; i++) {
        const BoardObject *object = g_ptr_array_index(type->board->objects, i);
        ObjectClass *klass = object->cpus ? NULL : find_type(&object->type, errp);

        if (!object->cpus && !klass) {
            return false;
        }
        type->cpus += klass && object_class_dynamic_cast(klass, TYPE_CPU) != NULL;
    }
    return true;
}

static const BoardObject *cpus_line(const Board *board)
{
    for (unsigned i = 0; i < board->objects->len; i++) {
        const BoardObject *object = g_ptr_array_index(board->objects, i);

        if (object->cpus) {
            return object;
        }
    }
    return NULL;
}

static const char *file_of(const Board *board)
{
    return g_ptr_array_index(board->files, 0);
}

/* The name that the board says, or "my-board" of "boards/my.board". */
static char *name_of(const Board *board, GError **errp)
{
    g_autofree char *name = NULL;

    if (board->name.text) {
        return g_strdup(board->name.text);
    }
    name = g_path_get_basename(file_of(board));
    g_strdelimit(name, ".", '-');
    if (!id_wellformed(name, NULL)) {
        board_error(
            errp, &(BoardPos){ file_of(board), 1, 1 },
            "expected a line 'machine NAME', since this file's own name cannot be that of a "
            "machine");
        return NULL;
    }
    return g_steal_pointer(&name);
}

static bool board_machine_init(MachineState *machine, GError **errp);

/* Where the name of the machine stands. */
static BoardPos place_of_name(const Board *board)
{
    return board->name.text ? board->name.at : (BoardPos){ file_of(board), 1, 1 };
}

static bool check_free(const Board *board, const char *name, GError **errp)
{
    BoardPos at = place_of_name(board);
    MachineClass *mc = machine_class_find(name, NULL);
    bool is_board = mc && mc->init == board_machine_init;
    const BoardType *type = is_board ? mc->init_data : NULL;

    if (!mc) {
        return true;
    }
    return board_error(errp, &at, "there is a machine '%s' already%s%s", name,
                       type ? ", from " : "", type ? file_of(type->board) : "");
}

static MachineClass *find_base(const Board *board, GError **errp)
{
    MachineClass *mc =
        machine_class_find(board->base.text ? board->base.text : BOARD_DEFAULT_BASE, errp);

    if (!mc && board->base.text) {
        board_blame(errp, &board->base.at);
    }
    return mc;
}

/* ---- Defaults ---- */

static bool refers_to(const GPtrArray *props, const char *property)
{
    for (unsigned i = 0; i < props->len; i++) {
        const BoardProperty *prop = g_ptr_array_index(props, i);

        if (prop->reference && !strcmp(prop->value.text, property)) {
            return true;
        }
    }
    return false;
}

/* Whether an object takes a value from the machine's @property. */
static bool uses(const Board *board, const char *property)
{
    for (unsigned i = 0; i < board->objects->len; i++) {
        const BoardObject *object = g_ptr_array_index(board->objects, i);

        if (refers_to(object->props, property)) {
            return true;
        }
    }
    return false;
}

static const BoardProperty *machine_property(const Board *board, const char *name)
{
    for (unsigned i = 0; i < board->props->len; i++) {
        const BoardProperty *prop = g_ptr_array_index(board->props, i);

        if (!strcmp(prop->key.text, name)) {
            return prop;
        }
    }
    return NULL;
}

static bool unknown_property(const BoardProperty *prop, ObjectClass *klass, GError **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *near = NULL;

    for (unsigned i = 0; i < klass->property_list->len; i++) {
        const Property *known = g_ptr_array_index(klass->property_list, i);

        g_ptr_array_add(names, (void *)known->name);
    }
    g_ptr_array_add(names, NULL);
    near = qom_did_you_mean(prop->key.text, (const char *const *)names->pdata);
    return board_error(errp, &prop->key.at, "a machine of this kind has no property '%s'%s",
                       prop->key.text, near);
}

static bool add_default(BoardType *type, const BoardProperty *prop, ObjectClass *base,
                        GError **errp)
{
    const Property *known = object_class_property_find(base, prop->key.text);
    Property *changed = &type->defaults[type->n_defaults];

    if (!known) {
        return unknown_property(prop, base, errp);
    }
    if (prop->reference) {
        return board_error(errp, &prop->value.at,
                           "expected a value: only objects take values of the machine with '$'");
    }
    *changed = *known;
    if (!object_property_set_default_text(changed, prop->value.text, errp)) {
        g_prefix_error(errp, "property '%s': ", prop->key.text);
        return board_blame(errp, &prop->value.at);
    }
    type->n_defaults++;
    return true;
}

static const Property *find_default(const BoardType *type, const char *name)
{
    for (unsigned i = 0; i < type->n_defaults; i++) {
        if (!strcmp(type->defaults[i].name, name)) {
            return &type->defaults[i];
        }
    }
    return NULL;
}

/* vCPUs that stand on the board by name are as many as the property "smp" says. */
static bool settle_cpus(BoardType *type, MachineClass *base, GError **errp)
{
    const Property *smp = find_default(type, "smp");
    const BoardProperty *said = machine_property(type->board, "smp");
    const BoardObject *line = cpus_line(type->board);
    Property *changed = &type->defaults[type->n_defaults];

    if (line && (type->cpus || base->max_cpus)) {
        return board_error(errp, &line->name.at, "expected no 'cpus' line: %s",
                           type->cpus ? "this board's vCPUs stand on it by name"
                                      : "what this board begins with makes the vCPUs");
    }
    if (!type->cpus) {
        return true;
    }
    if (smp && smp->defval.u != type->cpus) {
        return board_error(errp, &said->value.at, "expected %u: so many vCPUs stand on this board",
                           type->cpus);
    }
    if (!smp) {
        *changed = *object_class_property_find(OBJECT_CLASS(base), "smp");
        changed->defval.u = type->cpus;
        type->n_defaults++;
    }
    return true;
}

static bool settle_defaults(BoardType *type, MachineClass *base, GError **errp)
{
    const Board *board = type->board;
    const BoardProperty *ram = machine_property(board, "ram-size");

    /* Room for one more, see settle_cpus(). */
    type->defaults = g_new0(Property, board->props->len + 1);
    for (unsigned i = 0; i < board->props->len; i++) {
        if (!add_default(type, g_ptr_array_index(board->props, i), OBJECT_CLASS(base), errp)) {
            return false;
        }
    }
    if (ram && !base->default_ram_size && !uses(board, "ram-size")) {
        return board_error(
            errp, &ram->key.at,
            "nothing on this board takes its size from here, with 'size: $ram-size'");
    }
    return settle_cpus(type, base, errp);
}

/* ---- The class ---- */

static const BoardType *type_of(const MachineClass *mc)
{
    return mc->init == board_machine_init ? mc->init_data : NULL;
}

static MachineClass *parent_of(MachineClass *mc)
{
    return MACHINE_CLASS(object_class_get_parent(OBJECT_CLASS(mc)));
}

/* What a board begins with is made first. *@serials: how many ports there are for -serial. */
static bool make_board(MachineClass *mc, MachineState *machine, unsigned *serials, GError **errp)
{
    const BoardType *type = type_of(mc);

    if (type) {
        return make_board(parent_of(mc), machine, serials, errp) &&
               board_make(type->board, machine, serials, errp);
    }
    if (mc->init) {
        *serials = UINT_MAX; /* it has them all, or refuses */
        return mc->init(machine, errp);
    }
    return true;
}

static bool check_serials(const MachineState *machine, unsigned ports, GError **errp)
{
    unsigned n = machine->serial_words ? machine_serial_count(machine) : 0;

    for (unsigned i = ports; i < n; i++) {
        const char *words = machine_serial_words(machine, i);

        if (words) {
            qom_error_set(errp, QOM_ERROR_VALUE, "-serial %s: the board has %u serial port%s",
                          words, ports, ports == 1 ? "" : "s");
            return false;
        }
    }
    return true;
}

/* Refuses to be told by an option what the board says itself, and would not be heard. */
static bool check_options(const MachineState *machine, const MachineClass *mc, GError **errp)
{
    const BoardType *type = type_of(mc);
    const char *file = file_of(type->board);

    if (machine->ram_size && !mc->default_ram_size) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "ram-size: the board in '%s' says itself what RAM it has", file);
        return false;
    }
    if (type->cpus && machine->smp_cpus != type->cpus) {
        qom_error_set(errp, QOM_ERROR_VALUE, "smp=%u: the board in '%s' has %u vCPUs",
                      machine->smp_cpus, file, type->cpus);
        return false;
    }
    if (type->cpus && machine->cpu_type && g_strcmp0(machine->cpu_type, mc->default_cpu_type)) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "cpu=%s: the board in '%s' says itself what its vCPUs are", machine->cpu_type,
                      file);
        return false;
    }
    return true;
}

static bool board_machine_init(MachineState *machine, GError **errp)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);
    unsigned serials = 0;

    return check_options(machine, mc, errp) && make_board(mc, machine, &serials, errp) &&
           check_serials(machine, serials, errp);
}

/* Defaults that a setter has to be told, since no field can hold them. */
static bool set_defaults(MachineClass *mc, MachineState *machine, GError **errp)
{
    const BoardType *type = type_of(mc);

    if (!type) {
        return !mc->prepare || mc->prepare(machine, errp);
    }
    if (!set_defaults(parent_of(mc), machine, errp)) {
        return false;
    }
    for (unsigned i = 0; i < type->board->props->len; i++) {
        const BoardProperty *prop = g_ptr_array_index(type->board->props, i);

        if (!object_property_parse(OBJECT(machine), prop->key.text, prop->value.text, errp)) {
            return board_blame(errp, &prop->value.at);
        }
    }
    return true;
}

static bool board_machine_prepare(MachineState *machine, GError **errp)
{
    return set_defaults(MACHINE_GET_CLASS(machine), machine, errp);
}

static void board_class_init(ObjectClass *klass, const void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);
    const BoardType *type = data;
    const Property *ram = find_default(type, "ram-size"), *cpu = find_default(type, "cpu");

    mc->desc = type->desc;
    mc->init = board_machine_init;
    mc->init_data = type;
    mc->prepare = board_machine_prepare;
    if (ram) {
        mc->default_ram_size = ram->defval.u;
    } else if (!mc->default_ram_size && uses(type->board, "ram-size")) {
        mc->default_ram_size = DEFAULT_RAM_SIZE;
    }
    if (cpu) {
        mc->default_cpu_type = cpu->defval.s;
    }
    if (type->cpus || cpus_line(type->board)) {
        mc->max_cpus = type->cpus ? type->cpus : MAX_CPUS;
    }
    object_class_add_properties(klass, type->defaults, type->n_defaults);
}

/* ---- Registering ---- */

static void type_free(BoardType *type)
{
    board_free(type->board);
    g_free(type->defaults);
    g_free(type);
}

static bool register_type(BoardType *type, const char *name, MachineClass *base, GError **errp)
{
    g_autofree char *type_name = g_strconcat(name, TYPE_MACHINE_SUFFIX, NULL);
    g_autofree char *from = g_strdup_printf("board from the file %s", file_of(type->board));
    const TypeInfo info = {
        .name = g_intern_string(type_name),
        .parent = object_class_get_name(OBJECT_CLASS(base)),
        .class_init = board_class_init,
        .class_data = type,
    };

    type->desc = g_intern_string(type->board->desc.text ? type->board->desc.text : from);
    if (!type_register(&info, errp)) {
        BoardPos at = place_of_name(type->board);

        return board_blame(errp, &at);
    }
    return true;
}

bool board_register(Board *board, GError **errp)
{
    BoardType *type = g_new0(BoardType, 1);
    g_autofree char *name = NULL;
    MachineClass *base;
    bool ok;

    type->board = board;
    name = name_of(board, errp);
    base = name && check_free(board, name, errp) ? find_base(board, errp) : NULL;
    ok = base && check_types(type, errp) && settle_defaults(type, base, errp) &&
         register_type(type, name, base, errp);
    if (!ok) {
        type_free(type);
    }
    return ok;
}

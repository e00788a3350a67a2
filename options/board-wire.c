/* SPDX-License-Identifier: MIT */
/*
 * The ends of wires, read from the object tree: an input is a line object below its device, an
 * output a link to one - of a device, or of a bus. "serial0.irq", "pic.4", "isa.0.irq[0..15]": an
 * object, the name of a group of lines, a number or a range.
 */
#include <stdlib.h>
#include <string.h>
#include "options/board-int.h"

static void lines_clear(BoardLines *lines)
{
    g_clear_pointer(&lines->group, g_free);
}

/* ---- Objects ---- */

/* The child of that name; not what a link or an alias leads to. */
static Object *child_of(Object *obj, const char *name)
{
    Object *child = object_resolve_path_component(obj, name);

    return child && object_get_parent(child) == obj ? child : NULL;
}

Object *board_find_object(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    Object *obj = qdev_get_machine();

    for (char **part = parts; *part && obj; part++) {
        obj = child_of(obj, *part);
    }
    return *path ? obj : NULL;
}

/* The object that the longest beginning of @text names, and where that ends. */
static Object *longest_object(const char *text, size_t *len)
{
    const char *slash = strrchr(text, '/'), *last = slash ? slash + 1 : text;
    g_autofree char *above = g_strndup(text, slash ? (size_t)(slash - text) : 0);
    g_autofree char *name = g_strdup(last);
    Object *place = slash ? board_find_object(above) : qdev_get_machine();

    for (size_t n = strlen(name); place && n > 0; n--) {
        Object *obj;

        if (last[n] && last[n] != '.' && last[n] != '[') {
            continue;
        }
        name[n] = '\0';
        obj = child_of(place, name);
        if (obj) {
            *len = (size_t)(last - text) + n;
            return obj;
        }
    }
    return NULL;
}

Object *board_end_object(const BoardText *end)
{
    size_t len;

    return longest_object(end->text, &len);
}

/* ---- Lines ---- */

static const char *unnamed(bool inputs)
{
    return inputs ? BOARD_UNNAMED_IN : BOARD_UNNAMED_OUT;
}

/* "irq[4]": the property that a line is. */
static char *property_of(const BoardLines *lines, bool inputs, unsigned n)
{
    return g_strdup_printf("%s[%u]", lines->group ? lines->group : unnamed(inputs), n);
}

/* Whether a property is a line of that direction: its group and number. */
static bool is_line(const ObjectPropertyView *view, bool inputs, char **group, unsigned *n)
{
    const char *bracket = strrchr(view->name, '[');
    bool is = inputs ? view->child && object_dynamic_cast(view->child, TYPE_IRQ)
                     : view->prop && !g_strcmp0(view->prop->link_type, TYPE_IRQ);

    if (!is || !bracket) {
        return false;
    }
    *group = g_strndup(view->name, (size_t)(bracket - view->name));
    *n = (unsigned)strtoul(bracket + 1, NULL, 10);
    return true;
}

void board_foreach_line(Object *obj, bool inputs, BoardLineFn *fn, void *opaque)
{
    ObjectPropertyIterator iter;
    ObjectPropertyView view;

    object_property_iter_init(&iter, obj);
    while (object_property_iter_next(&iter, &view)) {
        g_autofree char *group = NULL;
        unsigned n;

        if (is_line(&view, inputs, &group, &n)) {
            fn(group, n, opaque);
        }
    }
}

typedef struct LineCount {
    const char *group;
    unsigned count;
} LineCount;

static void count_line(const char *group, unsigned n, void *opaque)
{
    LineCount *count = opaque;

    if (!strcmp(group, count->group)) {
        count->count = MAX(count->count, n + 1);
    }
}

unsigned board_line_count(Object *obj, const char *group, bool inputs)
{
    LineCount count = { .group = group ? group : unnamed(inputs) };

    board_foreach_line(obj, inputs, count_line, &count);
    return count.count;
}

/* ---- Reading an end ---- */

static bool read_number(const char **p, unsigned *n)
{
    char *end;
    unsigned long value = g_ascii_isdigit(**p) ? strtoul(*p, &end, 10) : ULONG_MAX;

    if (value > UINT16_MAX) {
        return false;
    }
    *n = (unsigned)value;
    *p = end;
    return true;
}

/* "[4]", "[0..15]" or nothing, to the end. */
static bool read_range(const char *p, BoardLines *lines)
{
    lines->first = lines->last = 0;
    if (!*p) {
        return true;
    }
    if (*p++ != '[' || !read_number(&p, &lines->first)) {
        return false;
    }
    lines->last = lines->first;
    if (g_str_has_prefix(p, "..")) {
        p += 2;
        if (!read_number(&p, &lines->last) || lines->last < lines->first) {
            return false;
        }
    }
    return !strcmp(p, "]");
}

/* What follows the object: "", "[4]", ".4", ".irq", ".irq[4]", ".irq.4". */
static bool read_lines(const char *p, BoardLines *lines)
{
    size_t len;

    if (*p == '.' && !g_ascii_isdigit(p[1])) {
        len = strcspn(p + 1, ".[");
        if (!len) {
            return false;
        }
        lines->group = g_strndup(p + 1, len);
        p += 1 + len;
    }
    if (*p == '.') {
        p++;
        if (!read_number(&p, &lines->first) || *p) {
            return false;
        }
        lines->last = lines->first;
        return true;
    }
    return read_range(p, lines);
}

/* ---- What is wrong with it ---- */

static int collect_path(Object *obj, void *opaque)
{
    g_autofree char *path = object_get_canonical_path(obj);

    if (!object_dynamic_cast(obj, TYPE_IRQ) && !object_dynamic_cast(obj, TYPE_MEMORY_REGION)) {
        g_ptr_array_add(opaque, g_strdup(path + strlen("/machine/")));
    }
    return 0;
}

static bool no_object(const BoardText *end, GError **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *object = g_strdup(end->text), *near = NULL;
    char *dot = strrchr(object, '.');

    object_child_foreach_recursive(qdev_get_machine(), collect_path, names);
    g_ptr_array_add(names, NULL);
    if (dot) {
        *dot = '\0';
    }
    near = qom_did_you_mean(object, (const char *const *)names->pdata);
    return board_error(errp, &end->at, "the wire to nowhere: there is no object '%s'%s", object,
                       near);
}

static void collect_group(const char *group, unsigned n, void *opaque)
{
    (void)n;
    if (!g_ptr_array_find_with_equal_func(opaque, group, g_str_equal, NULL)) {
        g_ptr_array_add(opaque, g_strdup(group));
    }
}

/* "'irq' and the unnamed ones"; the caller frees. */
static char *list_groups(const GPtrArray *groups)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < groups->len; i++) {
        const char *name = g_ptr_array_index(groups, i);

        g_string_append(out, i == 0 ? "" : i + 1 == groups->len ? " and " : ", ");
        if (!strcmp(name, BOARD_UNNAMED_IN) || !strcmp(name, BOARD_UNNAMED_OUT)) {
            g_string_append(out, "lines with a number only");
        } else {
            g_string_append_printf(out, "'%s'", name);
        }
    }
    return g_string_free(out, FALSE);
}

static bool no_line(const BoardLines *lines, const BoardText *end, bool inputs, GError **errp)
{
    g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *path = object_get_canonical_path(lines->obj), *have = NULL, *near = NULL;
    const char *direction = inputs ? "input" : "output", *name = path + strlen("/machine/");
    unsigned count = board_line_count(lines->obj, lines->group, inputs);

    if (count) {
        return board_error(errp, &end->at, "'%s' has no %s line %u%s%s%s: it has 0 to %u", name,
                           direction, lines->last, lines->group ? " in '" : "",
                           lines->group ? lines->group : "", lines->group ? "'" : "", count - 1);
    }
    board_foreach_line(lines->obj, inputs, collect_group, groups);
    if (!groups->len) {
        return board_error(errp, &end->at, "'%s' (%s) has no %s lines", name,
                           object_get_typename(lines->obj), direction);
    }
    have = list_groups(groups);
    g_ptr_array_add(groups, NULL);
    near = qom_did_you_mean(lines->group ? lines->group : "", (const char *const *)groups->pdata);
    if (!lines->group) {
        return board_error(errp, &end->at, "say which %s line of '%s': it has %s", direction, name,
                           have);
    }
    return board_error(errp, &end->at, "'%s' has no %s line '%s'%s: it has %s", name, direction,
                       lines->group, near, have);
}

bool board_lines_find(BoardLines *lines, const BoardText *end, bool inputs, GError **errp)
{
    size_t len = 0;

    *lines = (BoardLines){ .obj = longest_object(end->text, &len) };
    if (!lines->obj) {
        return no_object(end, errp);
    }
    if (!read_lines(end->text + len, lines)) {
        lines_clear(lines);
        return board_error(
            errp, &end->at,
            "expected '.' and a line behind '%.*s', as in '.irq', '.4', '.irq[4]' or "
            "'[0..15]', not '%s'",
            (int)len, end->text, end->text + len);
    }
    if (!g_strcmp0(lines->group, unnamed(inputs))) {
        lines_clear(lines);
    }
    if (lines->last >= board_line_count(lines->obj, lines->group, inputs)) {
        no_line(lines, end, inputs, errp);
        lines_clear(lines);
        return false;
    }
    return true;
}

/* ---- Connecting ---- */

static bool connect_one(const BoardLines *from, unsigned i, const BoardLines *to, GError **errp)
{
    g_autofree char *source = property_of(from, false, from->first + i);
    g_autofree char *sink = property_of(to, true, to->first + i);
    Object *line = object_resolve_path_component(to->obj, sink);

    if (object_property_get_link(from->obj, source, NULL) == line) {
        return true; /* a device may have led it there itself: as its bus has it */
    }
    if (object_dynamic_cast(from->obj, TYPE_DEVICE)) {
        return qdev_connect_gpio_out_named(DEVICE(from->obj), from->group, (int)(from->first + i),
                                           IRQ(line), errp);
    }
    return object_property_set_link(from->obj, source, line, errp);
}

static bool check_taken(const BoardLines *from, const BoardWire *wire, GHashTable *taken,
                        GError **errp)
{
    g_autofree char *path = object_get_canonical_path(from->obj);

    for (unsigned n = from->first; n <= from->last; n++) {
        g_autofree char *property = property_of(from, false, n);
        char *key = g_strdup_printf("%s.%s", path, property);
        const BoardWire *other = g_hash_table_lookup(taken, key);

        if (other && other != wire) {
            g_free(key);
            return board_error(errp, &wire->from.at,
                               "'%s' leads to '%s' already, at %s:%u; a split-irq leads to several",
                               wire->from.text, other->to.text, other->from.at.file,
                               other->from.at.line);
        }
        g_hash_table_insert(taken, key, (void *)wire);
    }
    return true;
}

static bool connect(const BoardWire *wire, const BoardLines *from, const BoardLines *to,
                    GHashTable *taken, GError **errp)
{
    unsigned count = from->last - from->first + 1;

    if (to->last - to->first + 1 != count) {
        return board_error(errp, &wire->to.at, "expected %u line%s, as many as '%s' is, not %u",
                           count, count == 1 ? "" : "s", wire->from.text, to->last - to->first + 1);
    }
    if (!check_taken(from, wire, taken, errp)) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!connect_one(from, i, to, errp)) {
            return board_blame(errp, &wire->from.at);
        }
    }
    return true;
}

bool board_connect(const BoardWire *wire, GHashTable *taken, GError **errp)
{
    BoardLines from = { .obj = NULL }, to = { .obj = NULL };
    bool ok = board_lines_find(&from, &wire->from, false, errp) &&
              board_lines_find(&to, &wire->to, true, errp) &&
              connect(wire, &from, &to, taken, errp);

    lines_clear(&from);
    lines_clear(&to);
    return ok;
}

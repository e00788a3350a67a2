/* SPDX-License-Identifier: MIT */
/*
 * The composition tree: who is whose child and under which name, and the life of children. Main
 * thread.
 */
#include <stdio.h>
#include <string.h>
#include "qom/qom-int.h"

/* Which indexes of "NAME[*]" have been given out: one bit each. */
typedef struct ArrayNames {
    GArray *words;     /* of uint64_t */
    size_t first_word; /* every word before it is full */
} ArrayNames;

static Object *root;

/* ---- [*] names ---- */

static void array_names_free(gpointer data)
{
    ArrayNames *names = data;

    g_array_free(names->words, TRUE);
    g_free(names);
}

static size_t array_names_take(ArrayNames *names)
{
    size_t w = names->first_word;
    uint64_t *word;
    unsigned bit;

    while (w < names->words->len && g_array_index(names->words, uint64_t, w) == UINT64_MAX) {
        w++;
    }
    names->first_word = w;
    if (w == names->words->len) {
        g_array_set_size(names->words, w + 1);
    }
    word = &g_array_index(names->words, uint64_t, w);
    bit = __builtin_ctzll(~*word);
    *word |= UINT64_C(1) << bit;
    return w * 64 + bit;
}

static void array_names_give_back(ArrayNames *names, size_t index)
{
    size_t w = index / 64;

    if (w < names->words->len) {
        g_array_index(names->words, uint64_t, w) &= ~(UINT64_C(1) << index % 64);
        names->first_word = MIN(names->first_word, w);
    }
}

static bool name_taken(const Object *obj, const char *name)
{
    return g_hash_table_contains(obj->node->table, name) ||
           (obj->class->properties && object_class_property_find(obj->class, name));
}

/* The name that "PREFIX[*]" stands for: the lowest index that is free. The caller frees it. */
static char *resolve_array_name(Object *obj, const char *pattern)
{
    ObjectNode *node = obj->node;
    size_t prefix_len = strlen(pattern) - strlen("[*]");
    g_autofree char *prefix = g_strndup(pattern, prefix_len);
    ArrayNames *names;
    char *name = g_malloc(prefix_len + 24);

    if (!node->arrays) {
        node->arrays = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, array_names_free);
    }
    names = g_hash_table_lookup(node->arrays, prefix);
    if (!names) {
        names = g_new0(ArrayNames, 1);
        names->words = g_array_new(FALSE, TRUE, sizeof(uint64_t));
        g_hash_table_insert(node->arrays, g_strdup(prefix), names);
    }
    memcpy(name, pattern, prefix_len);
    do {
        /* One that was given out by its full name is passed over, once: its bit stays set. */
        snprintf(name + prefix_len, 24, "[%zu]", array_names_take(names));
    } while (name_taken(obj, name));
    return name;
}

static void forget_array_name(ObjectNode *node, const char *name)
{
    const char *bracket = node->arrays ? strrchr(name, '[') : NULL;
    g_autofree char *prefix = NULL;
    ArrayNames *names;
    char *end;
    guint64 index;

    if (!bracket) {
        return;
    }
    prefix = g_strndup(name, bracket - name);
    names = g_hash_table_lookup(node->arrays, prefix);
    index = g_ascii_strtoull(bracket + 1, &end, 10);
    if (names && end > bracket + 1 && strcmp(end, "]") == 0) {
        array_names_give_back(names, index);
    }
}

/* ---- instance properties ---- */

static ObjectNode *node_get(Object *obj)
{
    if (!obj->node) {
        obj->node = g_new0(ObjectNode, 1);
        obj->node->table = g_hash_table_new(g_str_hash, g_str_equal);
    }
    return obj->node;
}

ObjectProperty *object_node_find(const Object *obj, const char *name)
{
    return obj->node ? g_hash_table_lookup(obj->node->table, name) : NULL;
}

void object_property_free(ObjectProperty *op)
{
    g_free((char *)op->prop.name);
    g_free(op->alias_name);
    if (!op->child) {
        g_free(op->type_name);
    }
    g_free(op);
}

static bool check_new_name(Object *obj, const char *name, GError **errp)
{
    const char *problem = NULL;

    if (!name || !*name) {
        problem = "it is empty";
    } else if (strchr(name, '/')) {
        problem = "it holds '/', which separates the parts of a path";
    } else if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        problem = "it stands for another place in a path";
    }
    if (problem) {
        g_autofree char *path = object_get_canonical_path(obj);

        qom_error_set(errp, QOM_ERROR_SYNTAX, "'%s' is no name for a property of %s '%s': %s",
                      name ? name : "", object_get_typename(obj), path ? path : "", problem);
        return false;
    }
    if (name_taken(obj, name)) {
        ObjectProperty *taken = object_node_find(obj, name);
        g_autofree char *path = object_get_canonical_path(obj);

        qom_error_set(errp, QOM_ERROR_EXISTS, "%s '%s' has a property '%s' already%s%s",
                      object_get_typename(obj), path ? path : "", name,
                      taken && taken->type_name ? ": " : "",
                      taken && taken->type_name ? taken->type_name : "");
        return false;
    }
    return true;
}

bool object_node_add(Object *obj, ObjectProperty *op, GError **errp)
{
    ObjectNode *node = node_get(obj);
    const char *name = op->prop.name;

    if (name && g_str_has_suffix(name, "[*]") && !strchr(name, '/')) {
        op->prop.name = resolve_array_name(obj, name);
        g_free((char *)name);
    } else if (!check_new_name(obj, name, errp)) {
        object_property_free(op);
        return false;
    }
    g_hash_table_insert(node->table, (gpointer)op->prop.name, op);
    op->link.data = op;
    g_queue_push_tail_link(&node->order, &op->link);
    return true;
}

/* Takes @op out of @obj; it stays whole. */
static void node_take_out(Object *obj, ObjectProperty *op)
{
    ObjectNode *node = obj->node;

    g_hash_table_remove(node->table, op->prop.name);
    g_queue_unlink(&node->order, &op->link);
    forget_array_name(node, op->prop.name);
}

void object_node_remove(Object *obj, ObjectProperty *op)
{
    node_take_out(obj, op);
    property_release_instance(obj, op);
    object_property_free(op);
}

void object_node_clear(Object *obj)
{
    ObjectNode *node = obj->node;
    GList *last;

    /* From the end each time: unparenting a child may take others with it. */
    while ((last = g_queue_peek_tail_link(&node->order))) {
        ObjectProperty *op = last->data;

        if (op->child) {
            object_unparent(op->child);
        } else {
            object_node_remove(obj, op);
        }
    }
    g_hash_table_unref(node->table);
    g_clear_pointer(&node->arrays, g_hash_table_unref);
    g_clear_pointer(&obj->node, g_free);
}

/* ---- children ---- */

static char *child_type_name(const Object *child)
{
    TypeEntry *type = type_entry(child->class);
    char *name = __atomic_load_n(&type->child_type, __ATOMIC_ACQUIRE), *made;

    if (name) {
        return name;
    }
    /* An object with children may be made in any thread before it is put into the tree. */
    made = g_strconcat("child<", type->pub.name, ">", NULL);
    if (__atomic_compare_exchange_n(&type->child_type, &name, made, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
        return made;
    }
    g_free(made);
    return name;
}

bool object_property_add_child(Object *obj, const char *name, Object *child, GError **errp)
{
    ObjectProperty *op;

    if (child->parent) {
        g_autofree char *path = object_get_canonical_path(child);

        qom_error_set(errp, QOM_ERROR_STATE, "%s '%s' has a parent already: it cannot become '%s'",
                      object_get_typename(child), path ? path : child->name, name ? name : "");
        return false;
    }
    for (const Object *above = obj; above; above = above->parent) {
        if (above == child) {
            qom_error_set(errp, QOM_ERROR_STATE, "%s cannot become a child of what is below it",
                          object_get_typename(child));
            return false;
        }
    }
    op = g_new0(ObjectProperty, 1);
    op->prop.name = g_strdup(name);
    op->child = child;
    op->type_name = child_type_name(child);
    if (!object_node_add(obj, op, errp)) {
        return false;
    }
    child->parent = obj;
    child->name = (char *)op->prop.name;
    object_ref(child);
    return true;
}

void object_unparent(Object *obj)
{
    Object *parent;
    ObjectProperty *op;

    if (!obj->parent) {
        return;
    }
    object_ref(obj);
    if (obj->class->unparent) {
        obj->class->unparent(obj);
    }
    /* The hook may have done it itself. */
    parent = obj->parent;
    if (parent) {
        op = object_node_find(parent, obj->name);
        object_links_clear_to(obj);
        node_take_out(parent, op);
        obj->parent = NULL;
        obj->name = NULL;
        object_property_free(op);
        object_unref(obj);
    }
    object_unref(obj);
}

int object_child_foreach(Object *obj, int (*fn)(Object *child, void *opaque), void *opaque)
{
    GList *next;
    int ret = 0;

    for (GList *l = obj->node ? obj->node->order.head : NULL; l && ret == 0; l = next) {
        ObjectProperty *op = l->data;

        next = l->next;
        if (op->child) {
            ret = fn(op->child, opaque);
        }
    }
    return ret;
}

int object_child_foreach_recursive(Object *obj, int (*fn)(Object *child, void *opaque),
                                   void *opaque)
{
    GList *next;
    int ret = 0;

    for (GList *l = obj->node ? obj->node->order.head : NULL; l && ret == 0; l = next) {
        Object *child = ((ObjectProperty *)l->data)->child;

        next = l->next;
        if (!child) {
            continue;
        }
        object_ref(child);
        ret = fn(child, opaque);
        if (ret == 0 && child->parent == obj) {
            ret = object_child_foreach_recursive(child, fn, opaque);
        }
        object_unref(child);
    }
    return ret;
}

/* ---- the root ---- */

Object *object_get_root(void)
{
    if (!root) {
        __atomic_store_n(&root, object_new(TYPE_CONTAINER), __ATOMIC_RELEASE);
    }
    return root;
}

bool object_is_root(const Object *obj)
{
    return obj == __atomic_load_n(&root, __ATOMIC_ACQUIRE);
}

Object *object_get_objects_root(void)
{
    return container_get(object_get_root(), "/objects");
}

void object_root_cleanup(void)
{
    Object *old = root;

    if (old) {
        /* Children first, while their paths still begin at the root. */
        if (old->node) {
            object_node_clear(old);
        }
        __atomic_store_n(&root, NULL, __ATOMIC_RELEASE);
        object_unref(old);
    }
}

Object *container_get(Object *parent, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    Object *obj = parent;

    for (char **part = parts; *part && obj; part++) {
        Object *child;

        if (!**part) {
            continue;
        }
        child = object_resolve_path_component(obj, *part);
        if (!child) {
            child = object_new(TYPE_CONTAINER);
            if (!object_property_add_child(obj, *part, child, NULL)) {
                g_clear_pointer(&child, object_unref);
            } else {
                object_unref(child);
            }
        }
        obj = child;
    }
    return obj;
}

/* SPDX-License-Identifier: MIT */
/*
 * What words have brought to a running machine, as an object: it links to each thing without holding
 * it, and takes away what is left when the devices have gone.
 */
#include <qomet/backends/chardev/char.h>
#include <qomet/hw/core/bus.h>
#include <qomet/memory/main-work.h>
#include <qomet/qom/user-creatable.h>
#include "options/attachment.h"

/* Where a link points: to something in the tree, or to NULL when it has left. */
typedef struct Thing {
    Object *object;
} Thing;

struct Attachment {
    Object parent_obj;
    GPtrArray *things; /* of Thing *, in the order made */
    bool had_users;    /* devices or monitors: without them the rest has no use */
    void (*gone)(void *opaque);
    void *gone_opaque;
};

static Object *attachments(void)
{
    return container_get(object_get_root(), "/attachments");
}

Attachment *attachment_new(void)
{
    Object *obj = object_new(TYPE_ATTACHMENT);
    /* There is always a number left. */
    bool placed = object_property_add_child(attachments(), "attachment[*]", obj, NULL);

    g_assert(placed);
    object_unref(obj);
    return ATTACHMENT(obj);
}

void attachment_add(Attachment *a, Object *obj)
{
    g_autofree char *name = g_strdup_printf("made[%u]", a->things->len);
    Thing *thing = g_new0(Thing, 1);
    bool linked;

    g_ptr_array_add(a->things, thing);
    linked = object_property_add_link(OBJECT(a), name, TYPE_OBJECT, &thing->object,
                                      object_property_allow_set_link, OBJ_PROP_LINK_WEAK, NULL) &&
             object_property_set_link(OBJECT(a), name, obj, NULL);
    g_assert(linked);
}

void attachment_set_gone(Attachment *a, void (*fn)(void *opaque), void *opaque)
{
    a->gone = fn;
    a->gone_opaque = opaque;
}

/* The @i th thing that was made, or NULL when it has gone. */
static Object *thing_at(const Attachment *a, unsigned i)
{
    return ((const Thing *)g_ptr_array_index(a->things, i))->object;
}

static bool is_device(Object *obj)
{
    return object_dynamic_cast(obj, TYPE_DEVICE) != NULL;
}

/* Whether it is there for others to use: a chardev or an object, not a device or a monitor. */
static bool is_for_others(Object *obj)
{
    return object_dynamic_cast(obj, TYPE_CHARDEV) ||
           object_get_parent(obj) == object_get_objects_root();
}

static bool is_empty(const Attachment *a)
{
    for (unsigned i = 0; i < a->things->len; i++) {
        if (thing_at(a, i)) {
            return false;
        }
    }
    return true;
}

/* Whether something is left for which the rest is there. */
static bool has_users(const Attachment *a)
{
    for (unsigned i = 0; i < a->things->len; i++) {
        Object *obj = thing_at(a, i);

        if (obj && !is_for_others(obj)) {
            return true;
        }
    }
    return false;
}

/* ---- The end --------------------------------------------------------------------------------- */

static bool in_use(Object *obj)
{
    UserCreatable *uc = (UserCreatable *)object_dynamic_cast(obj, TYPE_USER_CREATABLE);
    const UserCreatableClass *klass = uc ? USER_CREATABLE_GET_CLASS(uc) : NULL;

    if (object_dynamic_cast(obj, TYPE_CHARDEV)) {
        return CHARDEV(obj)->be != NULL;
    }
    return klass && klass->can_be_deleted && !klass->can_be_deleted(uc);
}

/* A chardev may have a part that is not in front. */
static void take_away(Object *obj)
{
    if (!object_dynamic_cast(obj, TYPE_CHARDEV) || !qemu_chr_remove(CHARDEV(obj)->label, NULL)) {
        object_unparent(obj);
    }
}

/* What nobody else has taken into use goes. */
static void end_rest(Attachment *a)
{
    for (unsigned i = a->things->len; i > 0; i--) {
        Object *obj = thing_at(a, i - 1);

        if (obj && !in_use(obj)) {
            take_away(obj);
        }
    }
    if (a->gone) {
        a->gone(a->gone_opaque);
    }
    object_unparent(OBJECT(a));
}

/* Takes over a reference. */
static void end_if_empty(void *opaque)
{
    Attachment *a = opaque;

    if (object_get_parent(OBJECT(a)) && !has_users(a)) {
        end_rest(a);
    }
    object_unref(a);
}

static int holds(Object *child, void *opaque)
{
    const Attachment *a = ATTACHMENT(child);

    for (unsigned i = 0; i < a->things->len; i++) {
        if (thing_at(a, i) == opaque) {
            return 1;
        }
    }
    return 0;
}

bool attachments_have(const Object *obj)
{
    return object_child_foreach(attachments(), holds, (void *)obj) != 0;
}

static int sweep(Object *child, void *opaque)
{
    Attachment *a = ATTACHMENT(child);

    (void)opaque;
    if (a->had_users || is_empty(a)) {
        end_if_empty(object_ref(a));
    }
    return 0;
}

void attachments_sweep(void)
{
    object_child_foreach(attachments(), sweep, NULL);
}

/* The device is still in the tree, and in the middle of its end. */
static void device_gone(DeviceState *dev, void *opaque)
{
    (void)dev;
    main_work_post(end_if_empty, opaque);
}

void attachment_complete(Attachment *a)
{
    a->had_users = has_users(a);
    for (unsigned i = 0; i < a->things->len; i++) {
        Object *obj = thing_at(a, i);

        if (is_device(obj)) {
            qdev_on_unrealize(DEVICE(obj), device_gone, object_ref(a));
        }
    }
}

void attachment_undo(Attachment *a)
{
    for (unsigned i = a->things->len; i > 0; i--) {
        Object *obj = thing_at(a, i - 1);

        if (obj) {
            take_away(obj);
        }
    }
    object_unparent(OBJECT(a));
}

void attachment_end(Attachment *a)
{
    for (unsigned i = a->things->len; i > 0; i--) {
        Object *obj = thing_at(a, i - 1);
        g_autoptr(GError) error = NULL;

        if (is_device(obj)) {
            if (!DEVICE(obj)->pending_deleted && !qdev_unplug(DEVICE(obj), &error)) {
                warn_report("a device that was attached stays: %s", error->message);
            }
        } else if (obj && !is_for_others(obj)) {
            object_unparent(obj);
        }
    }
    end_if_empty(object_ref(a));
}

/* ---- The type -------------------------------------------------------------------------------- */

static void attachment_init(Object *obj)
{
    ATTACHMENT(obj)->things = g_ptr_array_new_with_free_func(g_free);
}

static void attachment_finalize(Object *obj)
{
    g_ptr_array_free(ATTACHMENT(obj)->things, TRUE);
}

static const TypeInfo attachment_types[] = {
    {
        .name = TYPE_ATTACHMENT,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Attachment),
        .instance_init = attachment_init,
        .instance_finalize = attachment_finalize,
    },
};
DEFINE_TYPES(attachment_types)

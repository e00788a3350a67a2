/* SPDX-License-Identifier: MIT */
/*
 * Types, objects and properties without a machine: an abstract class, two below it, an interface,
 * and objects made from words. "shapes circle,radius=2 rectangle,width=3,height=4" prints their
 * areas, then doubles what can grow.
 */
#include <stdio.h>
#include <qomet/qom/keyval.h>
#include <qomet/qom/module.h>

/* ---- what a shape is: normally a header ---- */

#define TYPE_SHAPE "shape"
OBJECT_DECLARE_TYPE(Shape, ShapeClass, SHAPE)

struct Shape {
    Object parent_obj;
};

struct ShapeClass {
    ObjectClass parent_class;
    double (*area)(Shape *shape);
};

#define TYPE_GROWABLE "growable"
OBJECT_DECLARE_INTERFACE(Growable, GrowableClass, GROWABLE)

struct GrowableClass {
    InterfaceClass parent_class;
    void (*grow)(Growable *growable, unsigned factor);
};

/* ---- a circle, which has a radius ---- */

#define TYPE_CIRCLE "circle"
OBJECT_DECLARE_SIMPLE_TYPE(Circle, CIRCLE)

struct Circle {
    Shape parent_obj;
    uint32_t radius;
};

static double circle_area(Shape *shape)
{
    double radius = CIRCLE(shape)->radius;

    return 3.14159265358979 * radius * radius;
}

static const Property circle_properties[] = {
    DEFINE_PROP_UINT32("radius", Circle, radius, 1, PROP_RANGE_U(1, 1000),
                       .help = "from the centre to the edge"),
};

static void circle_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    SHAPE_CLASS(klass)->area = circle_area;
    object_class_add_properties(klass, circle_properties, G_N_ELEMENTS(circle_properties));
}

/* ---- a rectangle, which can grow ---- */

#define TYPE_RECTANGLE "rectangle"
OBJECT_DECLARE_SIMPLE_TYPE(Rectangle, RECTANGLE)

struct Rectangle {
    Shape parent_obj;
    uint32_t width, height;
};

static double rectangle_area(Shape *shape)
{
    Rectangle *rectangle = RECTANGLE(shape);

    return (double)rectangle->width * rectangle->height;
}

static void rectangle_grow(Growable *growable, unsigned factor)
{
    Rectangle *rectangle = RECTANGLE(growable);

    rectangle->width *= factor;
    rectangle->height *= factor;
}

static const Property rectangle_properties[] = {
    DEFINE_PROP_UINT32("width", Rectangle, width, 1, .help = "from left to right"),
    DEFINE_PROP_UINT32("height", Rectangle, height, 1, .help = "from top to bottom"),
};

static void rectangle_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    SHAPE_CLASS(klass)->area = rectangle_area;
    GROWABLE_CLASS(klass)->grow = rectangle_grow;
    object_class_add_properties(klass, rectangle_properties, G_N_ELEMENTS(rectangle_properties));
}

/* ---- all of them, in any order ---- */

static const TypeInfo shape_types[] = {
    {
        .name = TYPE_CIRCLE,
        .parent = TYPE_SHAPE,
        .instance_size = sizeof(Circle),
        .class_init = circle_class_init,
    },
    {
        .name = TYPE_RECTANGLE,
        .parent = TYPE_SHAPE,
        .instance_size = sizeof(Rectangle),
        .class_init = rectangle_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_GROWABLE }, {} },
    },
    {
        .name = TYPE_SHAPE,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Shape),
        .class_size = sizeof(ShapeClass),
        .abstract = true,
    },
    {
        .name = TYPE_GROWABLE,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(GrowableClass),
    },
};
DEFINE_TYPES(shape_types)

/* ---- the program ---- */

static Shape *shape_new(const char *words, GError **errp)
{
    g_autoptr(KeyVal) kv = keyval_parse(words, "type", errp);
    const char *type = kv ? keyval_take(kv, "type") : NULL;
    Object *obj = kv ? object_new_err(type ? type : "", errp) : NULL;

    if (!obj) {
        return NULL;
    }
    if (!object_dynamic_cast(obj, TYPE_SHAPE)) {
        qom_error_set(errp, QOM_ERROR_TYPE, "'%s' is no shape", type);
    } else if (keyval_apply(kv, obj, errp)) {
        return SHAPE(obj);
    }
    object_unref(obj);
    return NULL;
}

static void describe(Shape *shape)
{
    printf("%s: %.2f", object_get_typename(OBJECT(shape)), SHAPE_GET_CLASS(shape)->area(shape));
    if (object_dynamic_cast(OBJECT(shape), TYPE_GROWABLE)) {
        GROWABLE_GET_CLASS(shape)->grow(GROWABLE(shape), 2);
        printf(", grown: %.2f", SHAPE_GET_CLASS(shape)->area(shape));
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (!module_call_init(MODULE_INIT_QOM, &error)) {
        fprintf(stderr, "shapes: %s\n", error->message);
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        g_autoptr(Shape) shape = shape_new(argv[i], &error);

        if (!shape) {
            fprintf(stderr, "shapes: %s: %s\n", argv[i], error->message);
            return 1;
        }
        describe(shape);
    }
    return 0;
}

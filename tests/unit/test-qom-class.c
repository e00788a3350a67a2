/* SPDX-License-Identifier: MIT */
/*
 * Classes: made once, parent first, with methods inherited and overridden; interfaces and casts.
 */
#include "tests/test.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <qomet/qom/module.h>

/* ---- the types of this test ---- */

#define TYPE_SHAPE "shape"
#define TYPE_SQUARE "square"
#define TYPE_TILE "tile" /* a square */
#define TYPE_DOT "dot"
#define TYPE_PAINTABLE "paintable"
#define TYPE_SPRAYABLE "sprayable" /* paintable */
#define TYPE_MOVABLE "movable"

OBJECT_DECLARE_TYPE(Shape, ShapeClass, SHAPE)
OBJECT_DECLARE_SIMPLE_TYPE(Tile, TILE)
OBJECT_DECLARE_INTERFACE(Paintable, PaintableClass, PAINTABLE)
OBJECT_DECLARE_INTERFACE(Sprayable, SprayableClass, SPRAYABLE)
OBJECT_DECLARE_INTERFACE(Movable, MovableClass, MOVABLE)

struct Shape {
    Object parent_obj;
};

struct Tile {
    Shape parent_obj;
};

struct ShapeClass {
    ObjectClass parent_class;
    const char *(*name)(void);
    const char *(*kind)(void);
    char *owned; /* not inherited: class_base_init clears it */
    unsigned base_inits;
};

struct PaintableClass {
    InterfaceClass parent_class;
    const char *(*paint)(void);
    const char *(*strip)(void);
};

struct SprayableClass {
    PaintableClass parent_class;
    const char *(*spray)(void);
};

struct MovableClass {
    InterfaceClass parent_class;
    const char *(*move)(void);
};

#define SAYS(function, text)                                                                       \
    static const char *function(void)                                                              \
    {                                                                                              \
        return text;                                                                               \
    }
SAYS(shape_name, "shape")
SAYS(shape_kind, "kind of shape")
SAYS(square_name, "square")
SAYS(paint_default, "paint by default")
SAYS(strip_default, "strip by default")
SAYS(square_paint, "square painted")
SAYS(tile_spray, "tile sprayed")
SAYS(tile_move, "tile moved")
SAYS(sprayable_strip, "strip by sprayable")

static GString *trace;
static unsigned square_class_inits;
static int square_data;

static void shape_class_base_init(ObjectClass *klass, const void *data)
{
    (void)data;
    g_string_append_printf(trace, "base:%s ", object_class_get_name(klass));
    ((ShapeClass *)klass)->owned = NULL;
    ((ShapeClass *)klass)->base_inits++;
}

static void shape_class_init(ObjectClass *klass, const void *data)
{
    ShapeClass *sc = SHAPE_CLASS(klass);

    assert_null(data);
    g_string_append(trace, "init:shape ");
    sc->name = shape_name;
    sc->kind = shape_kind;
    sc->owned = (char *)"of shape";
}

static void square_class_init(ObjectClass *klass, const void *data)
{
    assert_ptr_equal(data, &square_data);
    g_string_append(trace, "init:square ");
    square_class_inits++;
    SHAPE_CLASS(klass)->name = square_name;
    PAINTABLE_CLASS(klass)->paint = square_paint;
    /* The class is not published yet, but its own class_init may look it up. */
    assert_ptr_equal(object_class_by_name(TYPE_SQUARE), klass);
    assert_ptr_equal(object_class_dynamic_cast(klass, TYPE_SQUARE), klass);
    /* What derives from it must wait. */
    assert_null(object_class_by_name(TYPE_TILE));
}

static void paintable_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    PAINTABLE_CLASS(klass)->paint = paint_default;
    PAINTABLE_CLASS(klass)->strip = strip_default;
}

static void sprayable_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    PAINTABLE_CLASS(klass)->strip = sprayable_strip;
}

static void tile_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    SPRAYABLE_CLASS(klass)->spray = tile_spray;
    MOVABLE_CLASS(klass)->move = tile_move;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_TILE,
        .parent = TYPE_SQUARE,
        .instance_size = sizeof(Tile),
        .class_init = tile_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_MOVABLE }, { TYPE_SPRAYABLE }, {} },
    },
    {
        .name = TYPE_SQUARE,
        .parent = TYPE_SHAPE,
        .class_init = square_class_init,
        .class_data = &square_data,
        .interfaces = (const InterfaceInfo[]){ { TYPE_PAINTABLE }, {} },
    },
    {
        .name = TYPE_SHAPE,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Shape),
        .abstract = true,
        .class_size = sizeof(ShapeClass),
        .class_base_init = shape_class_base_init,
        .class_init = shape_class_init,
    },
    {
        .name = TYPE_DOT,
        .parent = TYPE_SHAPE,
        .interfaces = (const InterfaceInfo[]){ { TYPE_SPRAYABLE }, { TYPE_PAINTABLE }, {} },
    },
    {
        .name = TYPE_PAINTABLE,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(PaintableClass),
        .class_init = paintable_class_init,
    },
    {
        .name = TYPE_SPRAYABLE,
        .parent = TYPE_PAINTABLE,
        .class_size = sizeof(SprayableClass),
        .class_init = sprayable_class_init,
    },
    {
        .name = TYPE_MOVABLE,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(MovableClass),
    },
};

static int setup(void **state)
{
    (void)state;
    trace = g_string_new(NULL);
    return type_register_static_array(types, G_N_ELEMENTS(types), NULL) ? 0 : 1;
}

static int teardown(void **state)
{
    (void)state;
    g_string_free(trace, TRUE);
    return 0;
}

/* ---- tests, in this order: the first makes the classes ---- */

static void a_class_is_made_on_first_use_parent_first_and_once(void **state)
{
    (void)state;
    assert_int_equal(square_class_inits, 0);
    assert_non_null(object_class_by_name(TYPE_TILE));
    assert_string_equal(trace->str, "base:shape init:shape base:square init:square base:tile ");
    assert_non_null(object_class_by_name(TYPE_SQUARE));
    assert_int_equal(square_class_inits, 1);
}

static void methods_are_inherited_and_overridden(void **state)
{
    ShapeClass *shape = SHAPE_CLASS(object_class_by_name(TYPE_SHAPE));
    ShapeClass *tile = SHAPE_CLASS(object_class_by_name(TYPE_TILE));

    (void)state;
    assert_string_equal(shape->name(), "shape");
    assert_string_equal(tile->name(), "square");
    assert_string_equal(tile->kind(), "kind of shape");
}

static void class_base_init_runs_for_the_type_and_all_below_it(void **state)
{
    ShapeClass *shape = SHAPE_CLASS(object_class_by_name(TYPE_SHAPE));
    ShapeClass *tile = SHAPE_CLASS(object_class_by_name(TYPE_TILE));

    (void)state;
    assert_string_equal(shape->owned, "of shape");
    assert_null(tile->owned);
    assert_int_equal(shape->base_inits, 1);
    assert_int_equal(tile->base_inits, 3);
}

static void a_class_has_its_own_version_of_an_interface(void **state)
{
    ObjectClass *square = object_class_by_name(TYPE_SQUARE), *dot = object_class_by_name(TYPE_DOT);

    (void)state;
    assert_ptr_not_equal(PAINTABLE_CLASS(square), PAINTABLE_CLASS(dot));
    assert_string_equal(PAINTABLE_CLASS(square)->paint(), "square painted");
    assert_string_equal(PAINTABLE_CLASS(square)->strip(), "strip by default");
    assert_string_equal(PAINTABLE_CLASS(dot)->paint(), "paint by default");
    assert_ptr_equal(PAINTABLE_CLASS(square)->parent_class.concrete_class, square);
    assert_ptr_equal(PAINTABLE_CLASS(dot)->parent_class.concrete_class, dot);
    assert_string_equal(object_class_get_name(OBJECT_CLASS(PAINTABLE_CLASS(square))),
                        TYPE_PAINTABLE);
}

static void an_interface_that_extends_another_serves_both(void **state)
{
    ObjectClass *tile = object_class_by_name(TYPE_TILE);

    (void)state;
    assert_string_equal(SPRAYABLE_CLASS(tile)->spray(), "tile sprayed");
    assert_ptr_equal(PAINTABLE_CLASS(tile), SPRAYABLE_CLASS(tile));
    assert_string_equal(MOVABLE_CLASS(tile)->move(), "tile moved");
    assert_ptr_equal(SPRAYABLE_CLASS(tile)->parent_class.parent_class.concrete_class, tile);
    /*
     * What the parent class has set for the interface above it is kept, else the interface's own
     * word.
     */
    assert_string_equal(PAINTABLE_CLASS(tile)->paint(), "square painted");
    assert_string_equal(PAINTABLE_CLASS(tile)->strip(), "strip by sprayable");
}

static void an_interface_named_after_one_that_extends_it_adds_nothing(void **state)
{
    ObjectClass *dot = object_class_by_name(TYPE_DOT);

    (void)state;
    assert_ptr_equal(PAINTABLE_CLASS(dot), SPRAYABLE_CLASS(dot));
    assert_string_equal(PAINTABLE_CLASS(dot)->strip(), "strip by sprayable");
}

static void a_cast_gives_the_object_or_nothing(void **state)
{
    Object *tile = object_new(TYPE_TILE), *dot = object_new(TYPE_DOT);

    (void)state;
    assert_ptr_equal(TILE(tile), tile);
    assert_ptr_equal(SHAPE(tile), tile);
    assert_ptr_equal(MOVABLE(tile), tile);
    assert_ptr_equal(PAINTABLE(tile), tile);
    assert_ptr_equal(OBJECT_CHECK(Object, tile, TYPE_SQUARE), tile);
    assert_ptr_equal(INTERFACE_CHECK(Movable, tile, TYPE_MOVABLE), tile);
    assert_null(TILE(NULL));
    assert_ptr_equal(object_dynamic_cast(tile, TYPE_SQUARE), tile);
    assert_ptr_equal(object_dynamic_cast(tile, TYPE_SPRAYABLE), tile);
    assert_ptr_equal(object_dynamic_cast(tile, TYPE_OBJECT), tile);
    assert_null(object_dynamic_cast(dot, TYPE_SQUARE));
    assert_null(object_dynamic_cast(dot, TYPE_MOVABLE));
    assert_null(object_dynamic_cast(dot, "no-such-type"));
    assert_null(object_dynamic_cast(dot, TYPE_INTERFACE));
    assert_null(object_dynamic_cast(NULL, TYPE_SHAPE));
    assert_ptr_equal(object_dynamic_cast_assert(tile, TYPE_SHAPE, __FILE__, __LINE__), tile);
    assert_string_equal(object_get_typename(tile), TYPE_TILE);
    object_unref(tile);
    object_unref(dot);
}

static void a_class_cast_gives_the_class_or_its_version_of_the_interface(void **state)
{
    ObjectClass *tile = object_class_by_name(TYPE_TILE), *dot = object_class_by_name(TYPE_DOT);

    (void)state;
    assert_ptr_equal(object_class_dynamic_cast(tile, TYPE_SQUARE), tile);
    assert_ptr_equal(object_class_dynamic_cast(tile, TYPE_MOVABLE), MOVABLE_CLASS(tile));
    assert_ptr_equal(OBJECT_CLASS_CHECK(MovableClass, tile, TYPE_MOVABLE), MOVABLE_CLASS(tile));
    assert_null(object_class_dynamic_cast(dot, TYPE_TILE));
    assert_null(object_class_dynamic_cast(dot, TYPE_MOVABLE));
    assert_null(object_class_dynamic_cast(dot, "no-such-type"));
    assert_null(object_class_dynamic_cast(NULL, TYPE_SHAPE));
}

static void wrong_object_cast(void)
{
    TILE(object_new(TYPE_DOT));
}

static void wrong_class_cast(void)
{
    MOVABLE_CLASS(object_class_by_name(TYPE_DOT));
}

static void unknown_cast(void)
{
    OBJECT_CHECK(Object, object_new(TYPE_DOT), "no-such-type");
}

/* What @fn writes to stderr before it ends the process by SIGABRT. */
static char *death_of(void (*fn)(void))
{
    char text[512];
    int fds[2], status;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(fds[1], STDERR_FILENO);
        fn();
        _exit(0);
    }
    close(fds[1]);
    n = read(fds[0], text, sizeof(text) - 1);
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    text[MAX(n, 0)] = '\0';
    return g_strdup(text);
}

static void a_wrong_cast_says_what_it_met(void **state)
{
    g_autofree char *object = death_of(wrong_object_cast), *klass = death_of(wrong_class_cast),
                    *unknown = death_of(unknown_cast);

    (void)state;
    assert_non_null(strstr(object, "of type 'dot'"));
    assert_non_null(strstr(object, "is no 'tile'\n"));
    assert_non_null(strstr(object, "test-qom-class.c:"));
    assert_non_null(strstr(klass, "class 'dot' is no 'movable'\n"));
    assert_non_null(strstr(unknown, "is no 'no-such-type', which is not registered\n"));
}

static void lists_are_in_order_of_name_and_leave_abstract_ones_out(void **state)
{
    GSList *list = object_class_get_list(TYPE_SHAPE, false);
    GSList *all = object_class_get_list(TYPE_SHAPE, true);
    GSList *paintable = object_class_get_list(TYPE_PAINTABLE, false);

    (void)state;
    assert_int_equal(g_slist_length(list), 3);
    assert_string_equal(object_class_get_name(list->data), TYPE_DOT);
    assert_string_equal(object_class_get_name(list->next->data), TYPE_SQUARE);
    assert_string_equal(object_class_get_name(list->next->next->data), TYPE_TILE);
    assert_int_equal(g_slist_length(all), 4);
    assert_true(object_class_is_abstract(g_slist_nth_data(all, 1)));
    assert_int_equal(g_slist_length(paintable), 3);
    assert_null(object_class_get_list("no-such-type", true));
    g_slist_free(list);
    g_slist_free(all);
    g_slist_free(paintable);
}

static void an_interface_is_abstract_and_says_so(void **state)
{
    GError *error = NULL;

    (void)state;
    assert_true(object_class_is_interface(object_class_by_name(TYPE_MOVABLE)));
    assert_false(object_class_is_interface(object_class_by_name(TYPE_DOT)));
    assert_true(object_class_is_abstract(object_class_by_name(TYPE_MOVABLE)));
    assert_null(object_new_err(TYPE_MOVABLE, &error));
    assert_string_equal(error->message, "type 'movable' is an interface: it has no objects");
    g_clear_error(&error);
    assert_null(object_new_err(TYPE_SHAPE, &error));
    assert_string_equal(error->message,
                        "type 'shape' is abstract: only types below it have objects");
    g_clear_error(&error);
}

static void an_interface_that_is_none_is_refused_each_time(void **state)
{
    static const InterfaceInfo wrong[] = { { TYPE_DOT }, {} }, missing[] = { { "moveable" }, {} },
                               root[] = { { TYPE_INTERFACE }, {} };
    static const TypeInfo infos[] = {
        { .name = "wrong-interface", .parent = TYPE_OBJECT, .interfaces = wrong },
        { .name = "missing-interface", .parent = TYPE_OBJECT, .interfaces = missing },
        { .name = "root-interface", .parent = TYPE_OBJECT, .interfaces = root },
    };
    static const char *const messages[] = {
        "type 'wrong-interface': 'dot' among its interfaces is no interface "
        "(none of its parents is 'interface')",
        "type 'missing-interface': interface 'moveable' is not registered "
        "(did you mean 'movable'?)",
        "type 'root-interface': 'interface' among its interfaces is no interface "
        "(none of its parents is 'interface')",
    };
    GError *error = NULL;

    (void)state;
    assert_true(type_register_static_array(infos, 3, NULL));
    for (int i = 0; i < 6; i++) {
        assert_null(object_class_by_name_err(infos[i % 3].name, &error));
        assert_string_equal(error->message, messages[i % 3]);
        g_clear_error(&error);
    }
}

static void many_interfaces_are_told_apart(void **state)
{
    InterfaceInfo some[41] = {};
    TypeInfo info = { .name = "implements-many", .parent = TYPE_OBJECT, .interfaces = some };
    ObjectClass *klass;

    (void)state;
    for (int i = 0; i < 120; i++) {
        TypeInfo interface = { .parent = TYPE_INTERFACE };

        interface.name = g_strdup_printf("many-%d", i);
        assert_non_null(type_register(&interface, NULL));
        assert_non_null(object_class_by_name(interface.name));
        if (i % 3 == 0) {
            some[i / 3].type = interface.name;
        } else {
            g_free((char *)interface.name);
        }
    }
    assert_non_null(type_register(&info, NULL));
    klass = object_class_by_name("implements-many");
    assert_non_null(klass);
    for (int i = 0; i < 120; i++) {
        g_autofree char *name = g_strdup_printf("many-%d", i);
        ObjectClass *version = object_class_dynamic_cast(klass, name);

        if (i % 3 == 0) {
            assert_non_null(version);
            assert_string_equal(object_class_get_name(version), name);
            assert_ptr_equal(((InterfaceClass *)version)->concrete_class, klass);
            g_free((char *)some[i / 3].type);
        } else {
            assert_null(version);
        }
    }
    assert_null(object_class_dynamic_cast(klass, TYPE_MOVABLE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_class_is_made_on_first_use_parent_first_and_once),
        cmocka_unit_test(methods_are_inherited_and_overridden),
        cmocka_unit_test(class_base_init_runs_for_the_type_and_all_below_it),
        cmocka_unit_test(a_class_has_its_own_version_of_an_interface),
        cmocka_unit_test(an_interface_that_extends_another_serves_both),
        cmocka_unit_test(an_interface_named_after_one_that_extends_it_adds_nothing),
        cmocka_unit_test(a_cast_gives_the_object_or_nothing),
        cmocka_unit_test(a_class_cast_gives_the_class_or_its_version_of_the_interface),
        cmocka_unit_test(a_wrong_cast_says_what_it_met),
        cmocka_unit_test(lists_are_in_order_of_name_and_leave_abstract_ones_out),
        cmocka_unit_test(an_interface_is_abstract_and_says_so),
        cmocka_unit_test(an_interface_that_is_none_is_refused_each_time),
        cmocka_unit_test(many_interfaces_are_told_apart),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

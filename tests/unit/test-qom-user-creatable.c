/* SPDX-License-Identifier: MIT */
/*
 * User-creatable objects: all of what the words say, or nothing and a reason.
 */
#include "tests/test.h"
#include <string.h>
#include <qomet/qom/user-creatable.h>

#define TYPE_BACKEND "test-backend"
#define TYPE_FILE_BACKEND "test-file-backend"

typedef struct Backend {
    Object parent_obj;
    uint64_t size;
    Object *other;
    char *path_at_completion;
    bool in_use;
} Backend;

static unsigned alive;

static bool backend_complete(UserCreatable *uc, GError **errp)
{
    Backend *backend = (Backend *)uc;

    backend->path_at_completion = object_get_canonical_path(OBJECT(uc));
    if (backend->size == 13) {
        qom_error_set(errp, QOM_ERROR_FAILED, "13 brings bad luck");
        return false;
    }
    return true;
}

static bool backend_can_be_deleted(UserCreatable *uc)
{
    return !((Backend *)uc)->in_use;
}

static const Property backend_properties[] = {
    DEFINE_PROP_SIZE("size", Backend, size, 0),
    DEFINE_PROP_LINK("other", Backend, other, TYPE_BACKEND, Object *),
};

static void backend_class_init(ObjectClass *klass, const void *data)
{
    UserCreatableClass *uc = USER_CREATABLE_CLASS(klass);

    (void)data;
    uc->complete = backend_complete;
    uc->can_be_deleted = backend_can_be_deleted;
    object_class_add_properties(klass, backend_properties, G_N_ELEMENTS(backend_properties));
}

static void backend_init(Object *obj)
{
    (void)obj;
    alive++;
}

static void backend_finalize(Object *obj)
{
    g_free(((Backend *)obj)->path_at_completion);
    alive--;
}

static const InterfaceInfo interfaces[] = { { TYPE_USER_CREATABLE }, { NULL } };

static const TypeInfo types[] = {
    { .name = TYPE_BACKEND,
      .parent = TYPE_OBJECT,
      .instance_size = sizeof(Backend),
      .instance_init = backend_init,
      .instance_finalize = backend_finalize,
      .class_init = backend_class_init,
      .interfaces = interfaces,
      .abstract = true },
    { .name = TYPE_FILE_BACKEND, .parent = TYPE_BACKEND },
    { .name = "test-quiet", .parent = TYPE_OBJECT, .interfaces = interfaces },
    { .name = "test-inner", .parent = TYPE_OBJECT },
    { .name = "test-orphan", .parent = "test-missing", .interfaces = interfaces },
};

static Object *add(const char *words, GError **errp)
{
    g_autoptr(KeyVal) kv = keyval_parse(words, "qom-type", NULL);

    assert_non_null(kv);
    return user_creatable_add(kv, errp);
}

static void assert_refused(const char *words, QomErrorCode code, const char *message)
{
    unsigned before = alive;
    GError *err = NULL;

    assert_null(add(words, &err));
    assert_non_null(err);
    assert_string_equal(err->message, message);
    assert_true(g_error_matches(err, QOM_ERROR, code));
    g_error_free(err);
    assert_null(add(words, NULL));
    assert_int_equal(alive, before);
}

static int teardown(void **state)
{
    (void)state;
    object_global_clear();
    object_root_cleanup();
    return alive ? -1 : 0;
}

static void words_make_an_object_in_its_place(void **state)
{
    GError *err = NULL;
    Object *obj = add(TYPE_FILE_BACKEND ",id=mem0,size=4K", &err);
    Backend *backend = (Backend *)obj;

    (void)state;
    if (!obj) {
        fail_msg("%s", err->message);
    }
    assert_ptr_equal(object_resolve_path("/objects/mem0", NULL), obj);
    assert_int_equal(backend->size, 4096);
    assert_string_equal(backend->path_at_completion, "/objects/mem0");
    assert_int_equal(obj->ref, 1);
}

static void json_makes_one_too(void **state)
{
    Object *obj = add("{\"qom-type\": \"test-file-backend\", \"id\": \"m\", \"size\": 5}", NULL);

    (void)state;
    assert_non_null(obj);
    assert_int_equal(((Backend *)obj)->size, 5);
    assert_refused("{\"qom-type\": \"test-file-backend\", \"id\": 5}", QOM_ERROR_VALUE,
                   "'5' is not a valid id, accepted is a letter followed by letters, digits, '-', "
                   "'.' and '_'");
}

static void a_type_that_cannot_be_made_is_refused(void **state)
{
    (void)state;
    assert_refused("nope,id=a", QOM_ERROR_NOT_FOUND, "'nope' is not a valid object type name");
    assert_refused("test-file-backnd,id=a", QOM_ERROR_NOT_FOUND,
                   "'test-file-backnd' is not a valid object type name (did you mean "
                   "'test-file-backend'?)");
    assert_refused("test-inner,id=a", QOM_ERROR_TYPE,
                   "objects of type 'test-inner' cannot be made by a user");
    assert_refused(TYPE_BACKEND ",id=a", QOM_ERROR_TYPE,
                   "type 'test-backend' is abstract: only types derived from it have objects");
    assert_refused(TYPE_USER_CREATABLE ",id=a", QOM_ERROR_TYPE,
                   "type 'user-creatable' is abstract: only types derived from it have objects");
    assert_refused("", QOM_ERROR_NOT_FOUND, "parameter 'qom-type' is missing");
}

static void a_type_that_is_broken_says_why(void **state)
{
    GError *err = NULL;

    (void)state;
    assert_null(add("test-orphan,id=a", &err));
    assert_non_null(strstr(err->message, "test-missing"));
    g_clear_error(&err);
}

static void an_id_must_be_there_well_formed_and_free(void **state)
{
    (void)state;
    assert_refused(TYPE_FILE_BACKEND, QOM_ERROR_NOT_FOUND, "parameter 'id' is missing");
    assert_refused(TYPE_FILE_BACKEND ",id=", QOM_ERROR_VALUE,
                   "'' is not a valid id, accepted is a letter followed by letters, digits, '-', "
                   "'.' and '_'");
    assert_refused(TYPE_FILE_BACKEND ",id=a/b", QOM_ERROR_VALUE,
                   "'a/b' is not a valid id, accepted is a letter followed by letters, digits, "
                   "'-', '.' and '_'");
    assert_non_null(add(TYPE_FILE_BACKEND ",id=x", NULL));
    assert_refused("test-quiet,id=x", QOM_ERROR_EXISTS,
                   "object id 'x' is already taken by /objects/x (test-file-backend)");
    assert_int_equal(alive, 1);
}

static void a_bad_property_leaves_nothing_behind(void **state)
{
    (void)state;
    assert_refused(TYPE_FILE_BACKEND ",id=a,size=4K,sze=1", QOM_ERROR_NOT_FOUND,
                   "Property 'test-file-backend.sze' not found (did you mean 'size'?)");
    assert_refused(TYPE_FILE_BACKEND ",id=a,size=4X", QOM_ERROR_VALUE,
                   "property 'size' of 'test-file-backend': '4X' is not a size, accepted is a "
                   "number with an optional suffix K, M, G, T, P, E");
    assert_null(object_resolve_path("/objects/a", NULL));
    assert_non_null(add(TYPE_FILE_BACKEND ",id=a", NULL));
}

static void an_object_that_cannot_be_completed_leaves_nothing_behind(void **state)
{
    (void)state;
    assert_non_null(add(TYPE_FILE_BACKEND ",id=base", NULL));
    assert_refused(TYPE_FILE_BACKEND ",id=a,size=13,other=base", QOM_ERROR_FAILED,
                   "13 brings bad luck");
    assert_null(object_resolve_path("/objects/a", NULL));
    assert_int_equal(object_resolve_path("/objects/base", NULL)->ref, 1);
}

static void globals_come_before_the_words(void **state)
{
    (void)state;
    object_global_add(TYPE_BACKEND, "size", "8K");
    assert_int_equal(((Backend *)add(TYPE_FILE_BACKEND ",id=a", NULL))->size, 8192);
    assert_int_equal(((Backend *)add(TYPE_FILE_BACKEND ",id=b,size=1", NULL))->size, 1);
    object_global_add(TYPE_BACKEND, "sizo", "8K");
    assert_refused(TYPE_FILE_BACKEND ",id=c", QOM_ERROR_NOT_FOUND,
                   "-global test-backend.sizo=8K: Property 'test-file-backend.sizo' not found "
                   "(did you mean 'size'?)");
}

static void an_object_in_use_is_not_deleted(void **state)
{
    Backend *backend = (Backend *)add(TYPE_FILE_BACKEND ",id=a", NULL);
    GError *err = NULL;

    (void)state;
    backend->in_use = true;
    assert_false(user_creatable_del("a", &err));
    assert_string_equal(err->message, "object 'a' is in use and cannot be deleted");
    g_clear_error(&err);
    backend->in_use = false;
    assert_true(user_creatable_del("a", NULL));
    assert_int_equal(alive, 0);
    assert_false(user_creatable_del("a", &err));
    assert_string_equal(err->message, "object 'a' not found");
    g_clear_error(&err);
}

static void hooks_may_be_missing(void **state)
{
    g_autoptr(Object) inner = object_new("test-inner");

    (void)state;
    assert_non_null(add("test-quiet,id=q", NULL));
    assert_true(user_creatable_del("q", NULL));
    assert_true(user_creatable_complete(inner, NULL));
}

static void an_id_is_a_letter_and_what_may_follow(void **state)
{
    static const char *const good[] = { "a", "Z", "a1", "virtio-net.0", "a_b-c.d" };
    static const char *const bad[] = { "",    "1",   "-a", ".a",   "_a", "a b",
                                       "a/b", "a,b", "ä",  "a[0]", "#1", "a\n" };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        assert_true(id_wellformed(good[i], NULL));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_false(id_wellformed(bad[i], NULL));
    }
}

#define uc_test(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        uc_test(words_make_an_object_in_its_place),
        uc_test(json_makes_one_too),
        uc_test(a_type_that_cannot_be_made_is_refused),
        uc_test(a_type_that_is_broken_says_why),
        uc_test(an_id_must_be_there_well_formed_and_free),
        uc_test(a_bad_property_leaves_nothing_behind),
        uc_test(an_object_that_cannot_be_completed_leaves_nothing_behind),
        uc_test(globals_come_before_the_words),
        uc_test(an_object_in_use_is_not_deleted),
        uc_test(hooks_may_be_missing),
        uc_test(an_id_is_a_letter_and_what_may_follow),
    };

    type_register_static_array(types, G_N_ELEMENTS(types), NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

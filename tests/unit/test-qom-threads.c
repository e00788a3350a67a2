/* SPDX-License-Identifier: MIT */
/*
 * Threads that race for the registry, for classes that do not exist yet, for casts and for
 * references. What they do wrong, ThreadSanitizer says; the counts here are what is left to see
 * without it.
 */
#include "tests/test.h"
#include <pthread.h>
#include <string.h>
#include <qomet/qom/module.h>

#define N_THREADS 6
#define N_TYPES 60
#define N_CONTESTED 5000
#define N_QUEUED 2000

#define TYPE_RACER "racer"
#define TYPE_RACER_INTERFACE "racer-interface"

OBJECT_DECLARE_TYPE(Racer, RacerClass, RACER)
OBJECT_DECLARE_INTERFACE(RacerInterface, RacerInterfaceClass, RACER_INTERFACE)

struct Racer {
    Object parent_obj;
    unsigned value;
};

struct RacerClass {
    ObjectClass parent_class;
    unsigned inits;
};

struct RacerInterfaceClass {
    InterfaceClass parent_class;
    unsigned value;
};

static unsigned class_inits, alive, registered, initialised;

static void racer_init(Object *obj)
{
    ((Racer *)obj)->value = 42;
    __atomic_fetch_add(&alive, 1, __ATOMIC_RELAXED);
}

static void racer_finalize(Object *obj)
{
    ((Racer *)obj)->value = 0;
    __atomic_fetch_sub(&alive, 1, __ATOMIC_RELAXED);
}

static void racer_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    ((RacerClass *)klass)->inits = 1;
    RACER_INTERFACE_CLASS(klass)->value = 7;
    /* Time for another thread to come in, were it not for the class lock; so the count is plain too. */
    g_usleep(200);
    class_inits++;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_RACER,
        .parent = TYPE_OBJECT,
        .abstract = true,
        .instance_size = sizeof(Racer),
        .instance_init = racer_init,
        .instance_finalize = racer_finalize,
        .class_size = sizeof(RacerClass),
        .interfaces = (const InterfaceInfo[]){ { TYPE_RACER_INTERFACE }, {} },
    },
    {
        .name = TYPE_RACER_INTERFACE,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(RacerInterfaceClass),
    },
};

static pthread_barrier_t barrier;

/* Starts the same work in all threads at once, each with its number, and waits for them. */
static void race(void *(*work)(void *number))
{
    pthread_t threads[N_THREADS];

    assert_int_equal(pthread_barrier_init(&barrier, NULL, N_THREADS), 0);
    for (uintptr_t i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)i), 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        void *failures;

        assert_int_equal(pthread_join(threads[i], &failures), 0);
        assert_int_equal((uintptr_t)failures, 0);
    }
    pthread_barrier_destroy(&barrier);
}

static int setup(void **state)
{
    (void)state;
    if (!type_register_static_array(types, G_N_ELEMENTS(types), NULL)) {
        return 1;
    }
    for (int i = 0; i < N_TYPES; i++) {
        g_autofree char *name = g_strdup_printf("racer-%d", i);
        g_autofree char *parent =
            i ? g_strdup_printf("racer-%d", (i - 1) / 2) : g_strdup(TYPE_RACER);
        TypeInfo info = { .name = name, .parent = parent, .class_init = racer_class_init };

        if (!type_register(&info, NULL)) {
            return 1;
        }
    }
    return 0;
}

static void *make_objects(void *number)
{
    uintptr_t failures = 0;

    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < N_TYPES; i++) {
        /* Half of the threads come from the other end, leaf before parent. */
        unsigned which = (uintptr_t)number % 2 ? i : N_TYPES - 1 - i;
        g_autofree char *name = g_strdup_printf("racer-%u", which);
        Object *obj = object_new(name);

        if (!obj || RACER(obj)->value != 42 || RACER_GET_CLASS(obj)->inits != 1 ||
            RACER_INTERFACE_GET_CLASS(obj)->value != 7 || OBJECT(RACER_INTERFACE(obj)) != obj ||
            !object_dynamic_cast(obj, "racer-0") ||
            object_dynamic_cast(obj, "racer-59") != (which == 59 ? obj : NULL)) {
            failures++;
        }
        object_unref(obj);
    }
    return (void *)failures;
}

static void a_class_is_made_once_whoever_comes_first(void **state)
{
    (void)state;
    race(make_objects);
    assert_int_equal(class_inits, N_TYPES);
    assert_int_equal(alive, 0);
}

static TypeInfo contested[N_CONTESTED];

static void *register_types(void *number)
{
    uintptr_t failures = 0;
    unsigned won = 0;

    (void)number;
    pthread_barrier_wait(&barrier);
    /* Whoever is behind is quicker, since the name is taken: so they meet again and again. */
    for (int i = 0; i < N_CONTESTED; i++) {
        won += type_register_static(&contested[i], NULL) != NULL;
    }
    for (int i = 0; i < N_CONTESTED; i += 10) {
        failures += !object_class_by_name(contested[i].name);
    }
    __atomic_fetch_add(&registered, won, __ATOMIC_RELAXED);
    return (void *)failures;
}

static void of_those_who_register_one_name_one_succeeds(void **state)
{
    unsigned before = type_count();

    (void)state;
    for (int i = 0; i < N_CONTESTED; i++) {
        contested[i].name = g_strdup_printf("contested-%d", i);
        contested[i].parent = TYPE_CONTAINER;
    }
    race(register_types);
    assert_int_equal(registered, N_CONTESTED);
    assert_int_equal(type_count(), before + N_CONTESTED);
}

static void *list_types(void *number)
{
    uintptr_t failures = 0;

    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 10; i++) {
        g_autofree char *late = g_strdup_printf("late-%u-%d", (unsigned)(uintptr_t)number, i);
        TypeInfo info = { .name = late, .parent = TYPE_RACER };
        GSList *list;

        failures += !type_register(&info, NULL);
        list = object_class_get_list(TYPE_RACER, false);
        failures += g_slist_length(list) < N_TYPES + (unsigned)i + 1;
        g_slist_free(list);
    }
    return (void *)failures;
}

static void listing_goes_on_while_types_are_added(void **state)
{
    (void)state;
    race(list_types);
}

static Object *shared;

static void *pass_references(void *number)
{
    (void)number;
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 1000; i++) {
        object_ref(shared);
        object_unref(shared);
    }
    /* Each thread gives back one reference that it was given: the last of them ends the object. */
    object_unref(shared);
    return NULL;
}

static void the_last_thread_to_let_go_ends_the_object(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        shared = object_new("racer-0");
        for (int i = 1; i < N_THREADS; i++) {
            object_ref(shared);
        }
        assert_int_equal(alive, 1);
        race(pass_references);
        assert_int_equal(alive, 0);
    }
}

static void count_initialiser(void)
{
    __atomic_fetch_add(&initialised, 1, __ATOMIC_RELAXED);
}

static void *fill_and_run_queue(void *number)
{
    uintptr_t failures = 0;

    pthread_barrier_wait(&barrier);
    for (int i = 0; i < N_QUEUED; i++) {
        register_module_init(count_initialiser, MODULE_INIT_QOM);
        if (i % 16 == (int)(uintptr_t)number) {
            failures += !module_call_init(MODULE_INIT_QOM, NULL);
        }
    }
    return (void *)failures;
}

static void every_initialiser_that_is_queued_runs_once(void **state)
{
    unsigned before = module_init_queued();

    (void)state;
    race(fill_and_run_queue);
    assert_true(module_call_init(MODULE_INIT_QOM, NULL));
    assert_int_equal(initialised, N_THREADS * N_QUEUED);
    assert_int_equal(module_init_queued(), before + N_THREADS * N_QUEUED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_class_is_made_once_whoever_comes_first),
        cmocka_unit_test(of_those_who_register_one_name_one_succeeds),
        cmocka_unit_test(listing_goes_on_while_types_are_added),
        cmocka_unit_test(the_last_thread_to_let_go_ends_the_object),
        cmocka_unit_test(every_initialiser_that_is_queued_runs_once),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}

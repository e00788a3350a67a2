/* SPDX-License-Identifier: MIT */
/*
 * Memory backends: memory of the host that a user makes as an object, and a device takes.
 */
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <qomet/backends/hostmem.h>
#include <qomet/hw/core/sysbus.h>
#include <qomet/memory/main-work.h>
#include <qomet/qom/user-creatable.h>

static char folder[] = "/tmp/qomet-test-XXXXXX";
static char *file;

static int group_setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || !module_call_init(MODULE_INIT_QOM, NULL)) {
        return -1;
    }
    file = g_build_filename(folder, "ram", NULL);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    rmdir(folder);
    g_free(file);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    memory_map_init();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    object_root_cleanup();
    memory_map_cleanup();
    unlink(file);
    return 0;
}

/* "-object @words", where %s is the file. */
static HostMemoryBackend *make(const char *words, GError **errp)
{
    g_auto(GStrv) parts = g_strsplit(words, "%s", -1);
    g_autofree char *full = g_strjoinv(file, parts);
    g_autoptr(KeyVal) kv = keyval_parse(full, "qom-type", NULL);
    Object *obj = user_creatable_add(kv, errp);

    return obj ? MEMORY_BACKEND(obj) : NULL;
}

static HostMemoryBackend *made(const char *words)
{
    GError *error = NULL;
    HostMemoryBackend *backend = make(words, &error);

    if (!backend) {
        fail_msg("%s: %s", words, error->message);
    }
    return backend;
}

static void assert_refused(const char *words, const char *why)
{
    g_autoptr(GError) error = NULL;

    assert_null(make(words, &error));
    if (!strstr(error->message, why)) {
        fail_msg("%s: expected '%s', got '%s'", words, why, error->message);
    }
    assert_null(object_resolve_path("/objects/m0", NULL));
}

static char *memory_of(HostMemoryBackend *backend)
{
    return memory_region_get_ram_ptr(host_memory_backend_get_memory(backend));
}

static off_t file_size(void)
{
    struct stat st;

    return stat(file, &st) == 0 ? st.st_size : -1;
}

static bool fd_has(const char *text)
{
    char have[64] = { 0 };
    int fd = open(file, O_RDONLY);
    ssize_t n = read(fd, have, sizeof(have) - 1);

    close(fd);
    return n > 0 && !strcmp(have, text);
}

/* ---- What there is ---- */

static void memory_is_zero_and_as_large_as_was_asked_for(void **state)
{
    HostMemoryBackend *backend = made("memory-backend-ram,id=m0,size=3M");

    (void)state;
    assert_int_equal(memory_region_size(host_memory_backend_get_memory(backend)), 3 << 20);
    assert_int_equal(memory_of(backend)[0], 0);
    memory_of(backend)[(3 << 20) - 1] = 1;
    assert_string_equal(memory_region_name(host_memory_backend_get_memory(backend)), "m0");
}

static void memory_that_is_there_beforehand_is_there(void **state)
{
    HostMemoryBackend *backend =
        made("memory-backend-ram,id=m0,size=1M,prealloc=on,prealloc-threads=3");
    unsigned char there[256];

    (void)state;
    assert_int_equal(mincore(memory_of(backend), 1 << 20, there), 0);
    for (int i = 0; i < 256; i++) {
        assert_true(there[i] & 1);
    }
}

static void a_file_is_made_and_shows_what_is_written(void **state)
{
    HostMemoryBackend *backend = made("memory-backend-file,id=m0,size=64K,share=on,mem-path=%s");

    (void)state;
    assert_int_equal(file_size(), 65536);
    memcpy(memory_of(backend), "guest", 6);
    assert_true(fd_has("guest"));
}

static void a_file_that_is_not_shared_is_read_and_kept_as_it_is(void **state)
{
    HostMemoryBackend *backend;
    g_autofree char *text = g_malloc0(65536);

    (void)state;
    memcpy(text, "before", 7);
    assert_true(g_file_set_contents(file, text, 65536, NULL));
    backend = made("memory-backend-file,id=m0,size=64K,mem-path=%s");
    assert_string_equal(memory_of(backend), "before");
    memcpy(memory_of(backend), "after", 6);
    assert_true(fd_has("before"));
}

static void a_folder_gets_a_file_without_a_name(void **state)
{
    g_autofree char *words =
        g_strdup_printf("memory-backend-file,id=m0,size=64K,mem-path=%s", folder);
    HostMemoryBackend *backend = made(words);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);

    (void)state;
    memory_of(backend)[65535] = 1;
    assert_null(g_dir_read_name(dir));
}

static void memory_of_a_file_is_aligned_as_asked_for(void **state)
{
    HostMemoryBackend *backend = made("memory-backend-file,id=m0,size=64K,align=4M,mem-path=%s");

    (void)state;
    assert_int_equal((uintptr_t)memory_of(backend) % (4 << 20), 0);
    memory_of(backend)[65535] = 1;
}

static void discarded_data_leaves_holes(void **state)
{
    struct stat st;

    (void)state;
    memset(memory_of(made("memory-backend-file,id=m0,size=64K,share=on,mem-path=%s,"
                          "discard-data=on")),
           1, 65536);
    assert_true(user_creatable_del("m0", NULL));
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_size, 65536);
    assert_int_equal(st.st_blocks, 0);
}

static void a_memfd_is_shared_and_sealed(void **state)
{
    HostMemoryBackend *backend = made("memory-backend-memfd,id=m0,size=64K");

    (void)state;
    assert_true(object_property_get_bool(OBJECT(backend), "share", NULL));
    assert_true(object_property_get_bool(OBJECT(backend), "seal", NULL));
    memory_of(backend)[65535] = 1;
}

/* ---- What is refused ---- */

static void what_makes_no_sense_is_refused_and_leaves_nothing(void **state)
{
    (void)state;
    assert_refused("memory-backend-ram,id=m0", "'size' is missing");
    assert_refused("memory-backend-ram,id=m0,size=0", "'size' is missing");
    assert_refused("memory-backend-ram,id=m0,size=8E", "more than this host can address");
    assert_refused("memory-backend-ram,id=m0,size=1P", "the host has no room for it");
    assert_refused("memory-backend-ram,id=m0,size=1M,prealloc-threads=0", "accepted are 1 to 256");
    assert_refused("memory-backend-ram,id=m0,size=1M,prealloc=on,reserve=off", "incompatible");
    assert_refused("memory-backend-file,id=m0,size=1M", "'mem-path' is missing");
    assert_refused("memory-backend-file,id=m0,size=5000,mem-path=%s", "no multiple of the file's");
    assert_refused("memory-backend-file,id=m0,size=64K,align=3,mem-path=%s", "no power of two");
    assert_refused("memory-backend-file,id=m0,size=64K,align=8E,mem-path=%s", "no power of two");
    assert_refused("memory-backend-file,id=m0,size=64K,mem-path=%s/none/here", "Could not open");
    assert_refused("memory-backend-file,id=m0,size=4E,mem-path=%s", "cannot make the file");
    assert_refused("memory-backend-memfd,id=m0,size=8E", "more than a file can have");
    assert_refused("memory-backend-memfd,id=m0,size=4M,hugetlbsize=2M", "without hugetlb=on");
    assert_refused("memory-backend-memfd,id=m0,size=4M,hugetlb=on,hugetlbsize=3M",
                   "no power of two");
    assert_refused("memory-backend-memfd,id=m0,size=1M,hugetlb=on,hugetlbsize=2M", "no multiple");
    assert_refused("memory-backend-memfd,id=m0,size=4M,hugetlb=on,hugetlbsize=4K", "memfd");
    assert_int_equal(file_size(), -1);
}

static void a_file_that_is_too_small_is_refused_and_kept(void **state)
{
    (void)state;
    assert_true(g_file_set_contents(file, "short", 5, NULL));
    assert_refused("memory-backend-file,id=m0,size=64K,mem-path=%s", "does not match 'size'");
    assert_true(fd_has("short"));
}

static void what_is_there_keeps_its_shape_but_takes_advice(void **state)
{
    Object *obj = OBJECT(made("memory-backend-ram,id=m0,size=1M"));
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_false(object_property_set_uint(obj, "size", 2 << 20, &error));
    assert_non_null(strstr(error->message, "cannot change property 'size'"));
    assert_true(object_property_set_bool(obj, "merge", false, NULL));
    assert_true(object_property_set_bool(obj, "dump", false, NULL));
    assert_false(object_property_get_bool(obj, "dump", NULL));
}

/* ---- A device that takes it ---- */

static DeviceState *ram_with(HostMemoryBackend *backend, uint64_t size, GError **errp)
{
    DeviceState *ram = qdev_new("ram", NULL);

    assert_true(object_property_set_link(OBJECT(ram), "memdev", OBJECT(backend), NULL));
    assert_true(object_property_set_uint(OBJECT(ram), "size", size, NULL));
    if (sysbus_realize(SYS_BUS_DEVICE(ram), errp)) {
        return ram;
    }
    object_unref(ram);
    return NULL;
}

static void the_memory_of_a_device_is_its_backends(void **state)
{
    HostMemoryBackend *backend = made("memory-backend-ram,id=m0,size=1M");
    DeviceState *ram = ram_with(backend, 0, NULL);
    uint64_t value = 0;

    (void)state;
    assert_non_null(ram);
    assert_true(sysbus_mmio_map(SYS_BUS_DEVICE(ram), 0, 0x100000, NULL));
    memory_of(backend)[3] = 'x';
    assert_int_equal(
        address_space_load(&address_space_memory, 0x100003, 1, &value, MEMTXATTRS_UNSPECIFIED),
        MEMTX_OK);
    assert_int_equal(value, 'x');
    assert_int_equal(object_property_get_uint(OBJECT(ram), "size", NULL), 1 << 20);
    object_unparent(OBJECT(ram));
    object_unref(ram);
}

static void a_backend_has_one_user_and_stays_while_it_has(void **state)
{
    HostMemoryBackend *backend = made("memory-backend-ram,id=m0,size=1M");
    DeviceState *ram = ram_with(backend, 1 << 20, NULL);
    g_autoptr(GError) second = NULL, deleted = NULL, size = NULL;

    (void)state;
    assert_non_null(ram);
    assert_null(ram_with(backend, 0, &second));
    assert_string_equal(second->message, "memory backend /objects/m0 can't be used multiple times");
    assert_false(user_creatable_del("m0", &deleted));
    assert_string_equal(deleted->message, "object 'm0' is in use and cannot be deleted");
    object_unparent(OBJECT(ram));
    object_unref(ram);
    assert_null(ram_with(backend, 4096, &size));
    assert_non_null(strstr(size->message, "size=4096 is not that of 'memdev'"));
    assert_true(user_creatable_del("m0", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_is_zero_and_as_large_as_was_asked_for, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(memory_that_is_there_beforehand_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_is_made_and_shows_what_is_written, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_shared_is_read_and_kept_as_it_is, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_folder_gets_a_file_without_a_name, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_of_a_file_is_aligned_as_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(discarded_data_leaves_holes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_memfd_is_shared_and_sealed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_refused_and_leaves_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_too_small_is_refused_and_kept, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_there_keeps_its_shape_but_takes_advice, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_memory_of_a_device_is_its_backends, setup, teardown),
        cmocka_unit_test_setup_teardown(a_backend_has_one_user_and_stays_while_it_has, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

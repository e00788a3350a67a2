/* SPDX-License-Identifier: MIT */
/*
 * Modules: the queues of initialisers, and shared objects whose types are checked together and then
 * stay for ever, or are dropped leaving nothing. All but the queues is under the class lock.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gmodule.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "qom/qom-int.h"

typedef void (*InitFunc)(void);

typedef struct Module {
    char *file; /* by realpath */
    dev_t dev;
    ino_t ino;
    GModule *handle;
} Module;

static const ModuleStamp own_stamp = QOM_MODULE_STAMP;

static pthread_mutex_t queue_mutex = PTHREAD_MUTEX_INITIALIZER;
static GArray *queues[MODULE_INIT_MAX]; /* of InitFunc */
static unsigned n_queued;
/* While this thread opens a module, its constructors queue here. */
static __thread GArray *module_queue;

static GPtrArray *loaded;        /* of Module *, in order of loading; never unloaded */
static GHashTable *in_progress;  /* files being loaded, by realpath */
static GHashTable *module_index; /* type name -> file */
/* Who says where an index is that nobody has needed so far; NULL: it is read, or there is none. */
static char *(*find_index)(void);

/* ---- queues ---- */

void register_module_init(void (*fn)(void), module_init_type type)
{
    if (module_queue) {
        g_array_append_val(module_queue, fn);
        return;
    }
    pthread_mutex_lock(&queue_mutex);
    if (!queues[type]) {
        queues[type] = g_array_new(FALSE, FALSE, sizeof(InitFunc));
    }
    g_array_append_val(queues[type], fn);
    n_queued++;
    pthread_mutex_unlock(&queue_mutex);
}

unsigned module_init_queued(void)
{
    unsigned n;

    pthread_mutex_lock(&queue_mutex);
    n = n_queued;
    pthread_mutex_unlock(&queue_mutex);
    return n;
}

static void run_queue(GArray *queue)
{
    for (guint i = 0; i < queue->len; i++) {
        g_array_index(queue, InitFunc, i)();
    }
}

bool module_call_init(module_init_type type, GError **errp)
{
    GArray *queue;
    TypeBatch batch;

    pthread_mutex_lock(&queue_mutex);
    queue = g_steal_pointer(&queues[type]);
    pthread_mutex_unlock(&queue_mutex);
    if (!queue) {
        return true;
    }
    type_batch_begin(&batch, NULL);
    run_queue(queue);
    g_array_free(queue, TRUE);
    return type_batch_end(&batch, false, errp);
}

/* ---- loading ---- */

/* dlopen() tells a text from a library, but not in words that name what was expected. */
static bool check_file(const char *file, struct stat *st, GError **errp)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    Elf64_Ehdr header = { 0 };
    const char *problem = NULL;

    if (fd < 0 || fstat(fd, st) < 0) {
        qom_error_set(errp, QOM_ERROR_MODULE, "module '%s' cannot be read: %s", file,
                      g_strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    if (!S_ISREG(st->st_mode)) {
        problem = "it is no regular file";
    } else if (read(fd, &header, sizeof(header)) != sizeof(header) ||
               memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
        problem = "it is no ELF file";
    } else if (header.e_type != ET_DYN) {
        problem = "it is an ELF file, but no shared object (link it with -shared)";
    }
    close(fd);
    if (problem) {
        qom_error_set(errp, QOM_ERROR_MODULE, "'%s' is not a module: %s", file, problem);
        return false;
    }
    return true;
}

static void compare_size(GString *text, const char *name, uint32_t theirs, uint32_t ours)
{
    if (theirs != ours) {
        g_string_append_printf(text, "%ssizeof(%s) is %u there and %u here", text->len ? ", " : "",
                               name, theirs, ours);
    }
}

static bool check_stamp(const char *file, GModule *handle, GError **errp)
{
    g_autoptr(GString) differences = g_string_new(NULL);
    const ModuleStamp *stamp;
    gpointer symbol;

    if (!g_module_symbol(handle, "qomet_module_stamp", &symbol) || !symbol) {
        qom_error_set(errp, QOM_ERROR_MODULE,
                      "'%s' is not a module of Qomet: it has no qomet_module_stamp (compile it "
                      "with the flags of 'pkg-config --cflags qomet')",
                      file);
        return false;
    }
    stamp = symbol;
    if (strncmp(stamp->abi, own_stamp.abi, sizeof(stamp->abi)) != 0) {
        qom_error_set(errp, QOM_ERROR_MODULE,
                      "module '%s' was built for QOM ABI '%.*s', this program has '%s': build it "
                      "again with the headers of this one ('pkg-config --cflags qomet')",
                      file, (int)sizeof(stamp->abi), stamp->abi, own_stamp.abi);
        return false;
    }
    compare_size(differences, "Object", stamp->object_size, own_stamp.object_size);
    compare_size(differences, "ObjectClass", stamp->class_size, own_stamp.class_size);
    compare_size(differences, "TypeInfo", stamp->type_info_size, own_stamp.type_info_size);
    compare_size(differences, "Property", stamp->property_size, own_stamp.property_size);
    if (differences->len) {
        qom_error_set(errp, QOM_ERROR_MODULE,
                      "module '%s' was built against other headers than this program: %s", file,
                      differences->str);
        return false;
    }
    return true;
}

/*
 * Opens the module and runs its initialisers with @batch open; whatever they register stays in the
 * batch.
 */
static bool open_module(Module *module, TypeBatch *batch, GError **errp)
{
    GArray *queue = g_array_new(FALSE, FALSE, sizeof(InitFunc));
    GArray *outer_queue = module_queue;
    bool good = false;

    module_queue = queue;
    /*
     * Bound at once, not lazily: a name that is missing is told now, not by the end of the process.
     */
    module->handle = g_module_open(module->file, G_MODULE_BIND_LOCAL);
    module_queue = outer_queue;
    if (!module->handle) {
        qom_error_set(errp, QOM_ERROR_MODULE, "module '%s' cannot be loaded: %s", module->file,
                      g_module_error());
    } else if (check_stamp(module->file, module->handle, errp)) {
        run_queue(queue);
        good = batch->entries->len > 0;
        if (!good) {
            qom_error_set(errp, QOM_ERROR_MODULE, "module '%s' registers no type", module->file);
        }
    }
    g_array_free(queue, TRUE);
    return good;
}

static void module_free(Module *module)
{
    if (module->handle) {
        g_module_close(module->handle);
    }
    g_free(module->file);
    g_free(module);
}

static bool load_new(const char *file, const struct stat *st, GError **errp)
{
    Module *module = g_new0(Module, 1);
    GError *error = NULL;
    TypeBatch batch;

    module->file = g_strdup(file);
    module->dev = st->st_dev;
    module->ino = st->st_ino;
    g_hash_table_add(in_progress, module->file);
    type_batch_begin(&batch, module->file);
    if (!open_module(module, &batch, &error)) {
        type_batch_drop(&batch);
    } else if (!type_batch_end(&batch, true, &error)) {
        g_prefix_error(&error, "module '%s': ", file);
    }
    g_hash_table_remove(in_progress, module->file);
    if (error) {
        module_free(module);
        g_propagate_error(errp, error);
        return false;
    }
    g_ptr_array_add(loaded, module);
    return true;
}

/*
 * The same file under another name would run no constructor again, so files are known by number
 * too.
 */
static bool is_loaded(const char *file, const struct stat *st)
{
    for (guint i = 0; i < loaded->len; i++) {
        const Module *module = loaded->pdata[i];

        if (strcmp(module->file, file) == 0 ||
            (module->dev == st->st_dev && module->ino == st->st_ino)) {
            return true;
        }
    }
    return false;
}

static bool load_locked(const char *path, GError **errp)
{
    char *file = realpath(path, NULL);
    struct stat st;
    bool good;

    if (!file) {
        qom_error_set(errp, QOM_ERROR_MODULE, "module '%s' cannot be read: %s", path,
                      g_strerror(errno));
        return false;
    }
    if (!loaded) {
        loaded = g_ptr_array_new();
        in_progress = g_hash_table_new(g_str_hash, g_str_equal);
    }
    good = check_file(file, &st, errp);
    if (good && !is_loaded(file, &st)) {
        if (g_hash_table_contains(in_progress, file)) {
            qom_error_set(errp, QOM_ERROR_MODULE, "module '%s' is needed by its own initialisers",
                          file);
            good = false;
        } else {
            good = load_new(file, &st, errp);
        }
    }
    free(file);
    return good;
}

bool module_load(const char *path, GError **errp)
{
    bool good;

    class_lock();
    good = load_locked(path, errp);
    class_unlock();
    return good;
}

char **module_list(void)
{
    char **list;
    guint n;

    class_lock();
    n = loaded ? loaded->len : 0;
    list = g_new0(char *, n + 1);
    for (guint i = 0; i < n; i++) {
        list[i] = g_strdup(((Module *)loaded->pdata[i])->file);
    }
    class_unlock();
    return list;
}

/* ---- the index ---- */

static bool parse_line(GHashTable *index, const char *dir, const char *file, unsigned number,
                       char *line, GError **errp)
{
    g_auto(GStrv) words = NULL;
    g_autofree char *path = NULL;
    const char *other;

    g_strdelimit(g_strstrip(line), "\t", ' ');
    if (!*line || *line == '#') {
        return true;
    }
    words = g_strsplit(line, " ", 2);
    if (!words[1] || !*g_strstrip(words[1]) || strpbrk(words[1], " /")) {
        qom_error_set(errp, QOM_ERROR_SYNTAX,
                      "%s:%u: expected 'TYPE FILE', FILE being in the same folder, not '%s'", file,
                      number, line);
        return false;
    }
    path = g_build_filename(dir, words[1], NULL);
    other = g_hash_table_lookup(index, words[0]);
    if (other && strcmp(other, path) != 0) {
        qom_error_set(errp, QOM_ERROR_EXISTS, "%s:%u: type '%s' is said to be in '%s' and in '%s'",
                      file, number, words[0], other, path);
        return false;
    }
    g_hash_table_insert(index, g_steal_pointer(&words[0]), g_steal_pointer(&path));
    g_free(words[1]);
    g_free(g_steal_pointer(&words));
    return true;
}

/* What the index in @dir says, or NULL with @errp set; a missing one says nothing. */
static GHashTable *read_index(const char *dir, GError **errp)
{
    g_autofree char *file = g_build_filename(dir, "modules.index", NULL);
    g_autoptr(GHashTable) index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    GError *error = NULL;

    if (!g_file_get_contents(file, &text, NULL, &error)) {
        if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
            g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR)) {
            g_error_free(error);
            return g_steal_pointer(&index);
        }
        qom_error_set(errp, QOM_ERROR_MODULE, "the index of modules: %s", error->message);
        g_error_free(error);
        return NULL;
    }
    lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        if (!parse_line(index, dir, file, i + 1, lines[i], errp)) {
            return NULL;
        }
    }
    return g_steal_pointer(&index);
}

bool module_set_dir(const char *dir, GError **errp)
{
    GHashTable *index = read_index(dir, errp);

    if (!index) {
        return false;
    }
    class_lock();
    g_clear_pointer(&module_index, g_hash_table_unref);
    module_index = index;
    find_index = NULL;
    class_unlock();
    return true;
}

void module_set_dir_finder(char *(*find)(void))
{
    class_lock();
    g_clear_pointer(&module_index, g_hash_table_unref);
    find_index = find;
    class_unlock();
}

/*
 * Under the class lock: the index, which is read now if it has not been needed before. NULL: there
 * is none, or with @errp set, which the next who needs it is told again, it cannot be read.
 */
static GHashTable *needed_index(GError **errp)
{
    if (find_index) {
        g_autofree char *dir = find_index();

        module_index = read_index(dir, errp);
        if (module_index) {
            find_index = NULL;
        }
    }
    return module_index;
}

bool module_index_has(const char *type)
{
    GHashTable *index = needed_index(NULL);

    return index && g_hash_table_contains(index, type);
}

static int compare_strings(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **module_index_types(void)
{
    GPtrArray *types = g_ptr_array_new();
    GHashTableIter iter;
    GHashTable *index;
    gpointer type;

    class_lock();
    index = needed_index(NULL);
    if (index) {
        g_hash_table_iter_init(&iter, index);
        while (g_hash_table_iter_next(&iter, &type, NULL)) {
            g_ptr_array_add(types, g_strdup(type));
        }
    }
    class_unlock();
    g_ptr_array_sort(types, compare_strings);
    g_ptr_array_add(types, NULL);
    return (char **)g_ptr_array_free(types, FALSE);
}

bool module_load_for_type(const char *type, GError **errp)
{
    GError *error = NULL;
    GHashTable *index;
    const char *file;
    bool good = false;

    class_lock();
    index = needed_index(errp);
    file = index ? g_hash_table_lookup(index, type) : NULL;
    if (file && type_lookup(type)) {
        good = true; /* another thread was quicker */
    } else if (file && load_locked(file, &error)) {
        good = type_lookup(type) != NULL;
        if (!good) {
            qom_error_set(errp, QOM_ERROR_MODULE,
                          "module '%s' does not register the type '%s', as its index says", file,
                          type);
        }
    } else if (file) {
        g_propagate_error(errp, error);
    }
    class_unlock();
    return good;
}

bool module_load_all(GError **errp)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    GHashTable *index;
    gpointer file;
    bool good;

    class_lock();
    index = needed_index(errp);
    if (index) {
        g_hash_table_iter_init(&iter, index);
        while (g_hash_table_iter_next(&iter, NULL, &file)) {
            g_ptr_array_add(files, g_strdup(file));
        }
    }
    g_ptr_array_sort(files, compare_strings);
    for (guint i = 0; i < files->len; i++) {
        load_locked(files->pdata[i], NULL);
    }
    good = !find_index;
    class_unlock();
    return good;
}

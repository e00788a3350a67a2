/* SPDX-License-Identifier: MIT */
/*
 * Character devices: made from words, refused for reasons, bound to one front end; and those
 * without a peer - null, file and ringbuf.
 */
#include "tests/unit/chardev-fixture.h"
#include "backends/chardev/char-int.h"

/* ---- Words ---- */

static void a_chardev_is_an_object_below_chardevs(void **state)
{
    Chardev *chr = chr_make("null,id=nul");
    g_autofree char *path = object_get_canonical_path(OBJECT(chr));

    (void)state;
    assert_string_equal(path, "/chardevs/nul");
    assert_string_equal(object_get_typename(OBJECT(chr)), "chardev-null");
    assert_ptr_equal(qemu_chr_find("nul"), chr);
    assert_null(qemu_chr_find("other"));
}

#define BACKENDS "file, mux, null, pipe, pty, ringbuf, socket, stdio, udp"

static void an_unknown_back_end_names_the_nearest_and_lists_all(void **state)
{
    (void)state;
    assert_refused("'nul' is not a valid char driver name (did you mean 'null'?). "
                   "Accepted are " BACKENDS,
                   "nul,id=x");
    assert_refused("'zzzzzzzz' is not a valid char driver name. "
                   "Accepted are " BACKENDS,
                   "zzzzzzzz,id=x");
    /* A type that is no back end for users. */
    assert_refused("'stdout' is not a valid char driver name. "
                   "Accepted are " BACKENDS,
                   "stdout,id=x");
    assert_refused("'fd' is not a valid char driver name. "
                   "Accepted are " BACKENDS,
                   "fd,id=x");
}

static void back_end_and_id_must_be_given(void **state)
{
    (void)state;
    assert_refused("Parameter 'id' is missing", "null");
    assert_refused("Parameter 'backend' is missing", "id=x");
    assert_refused("'zzzzzzzz' is not a valid char driver name. "
                   "Accepted are " BACKENDS,
                   "zzzzzzzz,help");
}

static void an_id_is_used_once(void **state)
{
    g_autofree char *path = test_path("twice");
    Chardev *chr = chr_make("file,id=x,path=%s", path);

    (void)state;
    (void)chr;
    assert_refused("Duplicate ID 'x' for chardev", "null,id=x");
}

static void an_id_must_be_well_formed(void **state)
{
    GError *err = NULL;

    (void)state;
    assert_null(chr_try(&err, "null,id=1x"));
    assert_non_null(err);
    g_error_free(err);
}

static void an_unknown_property_is_refused_and_nothing_is_left(void **state)
{
    g_autofree char *path = test_path("never");
    GError *err = NULL;

    (void)state;
    assert_null(chr_try(&err, "file,id=x,path=%s,apend=on", path));
    assert_non_null(strstr(err->message, "apend"));
    assert_non_null(strstr(err->message, "append"));
    g_error_free(err);
    assert_null(qemu_chr_find("x"));
    assert_int_equal(access(path, F_OK), -1);
}

static void properties_stay_as_they_are_once_it_is_open(void **state)
{
    Chardev *chr = chr_make("ringbuf,id=ring");
    GError *err = NULL;

    (void)state;
    assert_false(object_property_parse(OBJECT(chr), "size", "128", &err));
    assert_non_null(strstr(err->message, "is open: 'size' cannot be changed any more"));
    g_error_free(err);
}

static void properties_of_a_back_end_are_listed_without_making_one(void **state)
{
    ChardevClass *klass = qemu_chr_class_by_backend("file", NULL);
    const Property *prop;
    g_autofree char *text = NULL;

    (void)state;
    assert_non_null(klass);
    prop = object_class_property_find(OBJECT_CLASS(klass), "append");
    assert_non_null(prop);
    assert_string_equal(object_property_type_name(prop), "bool");
    text = object_property_default_text(prop);
    assert_string_equal(text, "off");
    assert_non_null(prop->help);
}

static Chardev *serial(const char *words)
{
    GError *err = NULL;
    Chardev *chr = qemu_chr_new("serial0", words, &err);

    if (!chr) {
        fail_msg("%s: %s", words, err->message);
    }
    return chr;
}

static void the_words_of_serial_make_chardevs(void **state)
{
    g_autofree char *path = test_path("a,b");
    g_autofree char *sock = test_path("serial.sock");
    g_autofree char *text = g_strdup_printf("file:%s", path);
    g_autofree char *unix_words = g_strdup_printf("unix:%s,server=on,wait=off", sock);
    g_autofree char *pipe = test_path("p,q");
    g_autofree char *pipe_words = g_strdup_printf("pipe:%s", pipe), *localaddr = NULL;
    Object *udp;

    (void)state;
    assert_string_equal(object_get_typename(OBJECT(serial("null"))), "chardev-null");
    chardev_end(NULL);
    /* The whole rest is the path, commas too. */
    assert_string_equal(object_get_typename(OBJECT(serial(text))), "chardev-file");
    assert_int_equal(access(path, F_OK), 0);
    chardev_end(NULL);
    assert_string_equal(object_get_typename(OBJECT(serial(unix_words))), "chardev-socket");
    assert_int_equal(access(sock, F_OK), 0);
    chardev_end(NULL);
    assert_string_equal(object_get_typename(OBJECT(serial("tcp:127.0.0.1:0,server=on,wait=off"))),
                        "chardev-socket");
    chardev_end(NULL);
    assert_string_equal(object_get_typename(OBJECT(serial("tcp::0,server=on,wait=off"))),
                        "chardev-socket");
    chardev_end(NULL);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_string_equal(object_get_typename(OBJECT(serial(pipe_words))), "chardev-pipe");
    chardev_end(NULL);
    assert_string_equal(object_get_typename(OBJECT(serial("udp::4444"))), "chardev-udp");
    chardev_end(NULL);
    udp = OBJECT(serial("udp:127.0.0.1:4444@127.0.0.2:0"));
    localaddr = object_property_get_str(udp, "localaddr", NULL);
    assert_string_equal(localaddr, "127.0.0.2");
    chardev_end(NULL);
    /* One that can be shared, in front of what the words say. */
    assert_string_equal(object_get_typename(OBJECT(serial("mon:null"))), "chardev-mux");
    assert_string_equal(object_get_typename(OBJECT(qemu_chr_find("serial0-base"))), "chardev-null");
}

static void serial_may_name_a_chardev(void **state)
{
    Chardev *chr = chr_make("null,id=nul");
    GError *err = NULL;

    (void)state;
    assert_ptr_equal(serial("chardev:nul"), chr);
    assert_null(qemu_chr_new("serial1", "chardev:lun", &err));
    assert_string_equal(err->message, "chardev 'lun' not found");
    g_error_free(err);
}

static void other_words_of_serial_are_refused(void **state)
{
    static const char *const wrong[] = { "nothing", "",     "tcp:4444", "mon:",    "file",
                                         "tcp:",    "udp:", "udp:1@2",  "udp::1@2" };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        GError *err = NULL;

        assert_null(qemu_chr_new("serial0", wrong[i], &err));
        assert_non_null(err);
        assert_non_null(strstr(err->message, "accepted are stdio, null, pty"));
        g_error_free(err);
    }
}

/* ---- Front ends ---- */

static void a_chardev_has_one_front_end(void **state)
{
    Front *a, *b;
    GError *err = NULL;

    (void)state;
    chr_make("null,id=nul");
    a = front_new("nul");
    b = front_new(NULL);
    assert_false(object_property_set_str(OBJECT(b), "chardev", "nul", &err));
    assert_string_equal(err->message, "property 'chardev' of 'test-front': chardev 'nul' is "
                                      "used by '/front/dev[0]', so '/front/dev[1]' cannot have it");
    g_error_free(err);
    assert_null(b->chr.chr);
    object_unparent(OBJECT(a));
    assert_true(object_property_set_str(OBJECT(b), "chardev", "nul", NULL));
}

static void the_property_gives_the_id_and_takes_another(void **state)
{
    Front *f;
    g_autofree char *none = NULL, *one = NULL;

    (void)state;
    chr_make("null,id=one");
    chr_make("null,id=two");
    f = front_new(NULL);
    none = object_property_print(OBJECT(f), "chardev", NULL);
    assert_string_equal(none, "");
    assert_true(object_property_parse(OBJECT(f), "chardev", "one", NULL));
    one = object_property_get_str(OBJECT(f), "chardev", NULL);
    assert_string_equal(one, "one");
    assert_true(object_property_parse(OBJECT(f), "chardev", "two", NULL));
    assert_null(qemu_chr_find("one")->be);
    assert_ptr_equal(qemu_chr_find("two")->be, &f->chr);
    assert_true(object_property_parse(OBJECT(f), "chardev", "", NULL));
    assert_null(qemu_chr_find("two")->be);
}

static void an_unknown_id_names_the_nearest(void **state)
{
    Front *f = front_new(NULL);
    GError *err = NULL;

    (void)state;
    chr_make("null,id=console");
    assert_false(object_property_set_str(OBJECT(f), "chardev", "consol", &err));
    assert_string_equal(err->message, "property 'chardev' of 'test-front': can't find value "
                                      "'consol': no chardev has that id (did you mean 'console'?)");
    g_error_free(err);
}

static void a_front_end_that_goes_frees_its_chardev(void **state)
{
    Front *f;

    (void)state;
    chr_make("null,id=nul");
    f = front_new("nul");
    object_unparent(OBJECT(f));
    assert_null(qemu_chr_find("nul")->be);
}

static void handlers_hear_at_once_of_a_peer_that_is_there(void **state)
{
    Front *f;

    (void)state;
    chr_make("null,id=nul");
    f = front_new("nul");
    assert_string_equal(f->events->str, "o");
}

static void without_a_chardev_writes_vanish(void **state)
{
    Front *f = front_new(NULL);

    (void)state;
    assert_int_equal(fe_write(f, "hello"), 5);
    assert_int_equal(qemu_chr_fe_write(&f->chr, (const uint8_t *)"hello", 5), 5);
    qemu_chr_fe_accept_input(&f->chr);
}

/* ---- Null ---- */

static void null_takes_everything(void **state)
{
    Front *f;
    static const uint8_t much[100000];

    (void)state;
    chr_make("null,id=nul");
    f = front_new("nul");
    assert_int_equal(qemu_chr_fe_write(&f->chr, much, sizeof(much)), sizeof(much));
    assert_int_equal(object_property_get_uint(OBJECT(f->chr.chr), "dropped", NULL), 0);
}

/* ---- File ---- */

static void assert_file(const char *path, const char *expected)
{
    g_autofree char *text = NULL;

    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, expected);
}

static void a_file_has_what_was_written_at_once(void **state)
{
    g_autofree char *path = test_path("out");
    Front *f;

    (void)state;
    assert_true(g_file_set_contents(path, "old", -1, NULL));
    chr_make("file,id=f,path=%s", path);
    assert_file(path, "");
    f = front_new("f");
    assert_int_equal(fe_write(f, "one "), 4);
    assert_int_equal(fe_write(f, "two"), 3);
    assert_file(path, "one two");
}

static void a_file_can_be_appended_to(void **state)
{
    g_autofree char *path = test_path("log");

    (void)state;
    assert_true(g_file_set_contents(path, "old ", -1, NULL));
    chr_make("file,id=f,path=%s,append=on", path);
    fe_write(front_new("f"), "new");
    assert_file(path, "old new");
}

static void a_file_that_cannot_be_opened_is_named_with_the_reason(void **state)
{
    g_autofree char *gone = test_path("no/such/folder");
    g_autofree char *out = test_path("kept");
    g_autofree char *pipe_path = test_path("pipe");
    g_autofree char *message =
        g_strdup_printf("Could not open '%s': No such file or directory", gone);
    g_autofree char *folder = g_strdup_printf("Could not open '%s': Is a directory", test_dir);
    g_autofree char *nobody =
        g_strdup_printf("Could not open '%s': nobody has this pipe open for reading", pipe_path);

    (void)state;
    assert_refused(message, "file,id=f,path=%s", gone);
    assert_refused(folder, "file,id=f,path=%s", test_dir);
    assert_refused("chardev: file: no filename given: path=... is missing", "file,id=f");
    assert_refused("chardev: file: no filename given: path=... is missing", "file,id=f,path=");
    /* A mistake in the input leaves the output as it was. */
    assert_true(g_file_set_contents(out, "kept", -1, NULL));
    assert_refused(message, "file,id=f,path=%s,input-path=%s", out, gone);
    assert_file(out, "kept");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_refused(nobody, "file,id=f,path=%s", pipe_path);
    assert_null(qemu_chr_find("f"));
}

static void a_full_disk_loses_output_and_nothing_else(void **state)
{
    Front *f;

    (void)state;
    if (access("/dev/full", W_OK) != 0) {
        test_skip("there is no /dev/full");
    }
    chr_make("file,id=f,path=/dev/full");
    f = front_new("f");
    assert_int_equal(fe_write(f, "lost"), 4);
    assert_int_equal(fe_write(f, "too"), 3);
    run_for(10);
    assert_int_equal(object_property_get_uint(OBJECT(f->chr.chr), "dropped", NULL), 7);
}

static void a_file_is_read_as_the_front_end_takes_it(void **state)
{
    g_autofree char *in = test_path("in");
    Front *f;

    (void)state;
    assert_true(g_file_set_contents(in, "0123456789", -1, NULL));
    chr_make("file,id=f,path=/dev/null,input-path=%s", in);
    f = front_new("f");
    f->room = 4;
    run_until(f->got->len == 4);
    run_for(20);
    assert_string_equal(f->got->str, "0123");
    f->room = 3;
    qemu_chr_fe_accept_input(&f->chr);
    run_until(f->got->len == 7);
    f->room = 100;
    qemu_chr_fe_accept_input(&f->chr);
    run_until(f->got->len == 10);
    run_for(20);
    assert_string_equal(f->got->str, "0123456789");
}

/* ---- Ringbuf ---- */

static void assert_takes(Chardev *chr, size_t max, const char *expected)
{
    uint8_t buf[64] = { 0 };

    assert_int_equal(ringbuf_chardev_take(CHARDEV_RINGBUF(chr), buf, max), strlen(expected));
    assert_string_equal((char *)buf, expected);
}

static void a_ringbuf_keeps_the_last_bytes(void **state)
{
    Chardev *chr = chr_make("ringbuf,id=ring,size=8");
    Front *f = front_new("ring");

    (void)state;
    fe_write(f, "abc");
    assert_takes(chr, 63, "abc");
    assert_takes(chr, 63, "");
    fe_write(f, "0123456789");
    assert_int_equal(ringbuf_chardev_count(CHARDEV_RINGBUF(chr)), 8);
    assert_takes(chr, 3, "234");
    fe_write(f, "xyz");
    assert_takes(chr, 63, "56789xyz");
    fe_write(f, "a longer text than it can hold");
    assert_takes(chr, 63, "can hold");
}

static void the_text_of_a_ringbuf_can_be_read_without_taking_it(void **state)
{
    Chardev *chr = chr_make("ringbuf,id=ring,size=4");
    Front *f = front_new("ring");
    g_autofree char *text = NULL, *odd = NULL;

    (void)state;
    fe_write(f, "abcdef");
    text = object_property_get_str(OBJECT(chr), "text", NULL);
    assert_string_equal(text, "cdef");
    assert_int_equal(object_property_get_uint(OBJECT(chr), "count", NULL), 4);
    qemu_chr_fe_write_all(&f->chr, (const uint8_t *)"\0\xff", 2);
    odd = object_property_get_str(OBJECT(chr), "text", NULL);
    assert_string_equal(odd, "ef\xef\xbf\xbd\xef\xbf\xbd");
}

static void the_size_of_a_ringbuf_is_a_power_of_two(void **state)
{
    (void)state;
    assert_refused("size of ringbuf chardev must be power of two from 1 to 1G, not 100",
                   "ringbuf,id=r,size=100");
    assert_refused("size of ringbuf chardev must be power of two from 1 to 1G, not 0",
                   "ringbuf,id=r,size=0");
    assert_refused("size of ringbuf chardev must be power of two from 1 to 1G, not 2147483648",
                   "ringbuf,id=r,size=2G");
    chr_make("ringbuf,id=r,size=1");
    fe_write(front_new("r"), "xy");
    assert_takes(qemu_chr_find("r"), 63, "y");
}

/* The back end may call while a method of the front end, further up the stack, is in it. */
static void a_front_end_that_is_entered_is_called_without_entering_it_again(void **state)
{
    Front *f;
    EntryCounts counts;

    (void)state;
    chr_make("null,id=n");
    f = front_new("n");
    assert_true(entry_enter(&f->guard));
    qemu_chr_be_event(f->chr.chr, CHR_EVENT_BREAK);
    entry_leave(&f->guard);
    assert_non_null(strchr(f->events->str, 'b'));
    entry_guard_counts(&f->guard, &counts);
    assert_int_equal(counts.refused, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        chardev_test(a_chardev_is_an_object_below_chardevs),
        chardev_test(a_front_end_that_is_entered_is_called_without_entering_it_again),
        chardev_test(an_unknown_back_end_names_the_nearest_and_lists_all),
        chardev_test(back_end_and_id_must_be_given),
        chardev_test(an_id_is_used_once),
        chardev_test(an_id_must_be_well_formed),
        chardev_test(an_unknown_property_is_refused_and_nothing_is_left),
        chardev_test(properties_stay_as_they_are_once_it_is_open),
        chardev_test(properties_of_a_back_end_are_listed_without_making_one),
        chardev_test(the_words_of_serial_make_chardevs),
        chardev_test(serial_may_name_a_chardev),
        chardev_test(other_words_of_serial_are_refused),
        chardev_test(a_chardev_has_one_front_end),
        chardev_test(the_property_gives_the_id_and_takes_another),
        chardev_test(an_unknown_id_names_the_nearest),
        chardev_test(a_front_end_that_goes_frees_its_chardev),
        chardev_test(handlers_hear_at_once_of_a_peer_that_is_there),
        chardev_test(without_a_chardev_writes_vanish),
        chardev_test(null_takes_everything),
        chardev_test(a_file_has_what_was_written_at_once),
        chardev_test(a_file_can_be_appended_to),
        chardev_test(a_file_that_cannot_be_opened_is_named_with_the_reason),
        chardev_test(a_full_disk_loses_output_and_nothing_else),
        chardev_test(a_file_is_read_as_the_front_end_takes_it),
        chardev_test(a_ringbuf_keeps_the_last_bytes),
        chardev_test(the_text_of_a_ringbuf_can_be_read_without_taking_it),
        chardev_test(the_size_of_a_ringbuf_is_a_power_of_two),
    };

    return cmocka_run_group_tests(tests, chardev_setup, chardev_teardown);
}

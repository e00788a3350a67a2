/* SPDX-License-Identifier: MIT */
/*
 * The commands of a test: one line each, one answer each, "OK", "OK VALUE" or "FAIL REASON". What
 * they do to ports and memory goes the way of a CPU's accesses.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "accel/qtest/qtest-int.h"

#define MAX_WORDS 6
/* How much one memset fills; it is done in blocks. */
#define MAX_FILL (UINT64_C(1) << 30)
#define FILL_BLOCK 65536

/* One command being carried out. */
typedef struct Command {
    QTest *tester;
    const char *name;
    char *word[MAX_WORDS]; /* what follows the name */
    unsigned words;
    GError *error; /* why it fails, or NULL */
} Command;

static void ok(Command *c)
{
    qtest_say(c->tester, "OK");
}

static void ok_number(Command *c, uint64_t value)
{
    char text[32];

    g_snprintf(text, sizeof(text), "OK 0x%016" PRIx64, value);
    qtest_say(c->tester, text);
}

static void ok_text(Command *c, const char *text)
{
    g_autofree char *line = g_strconcat("OK ", text, NULL);

    qtest_say(c->tester, line);
}

static bool fail(Command *c, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool fail(Command *c, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    c->error = g_error_new_valist(QOM_ERROR, QOM_ERROR_VALUE, format, ap);
    va_end(ap);
    return false;
}

/* ---- Words ---- */

/* The word @i as a number of at most @max; decimal, 0x or 0. */
static bool number(Command *c, unsigned i, const char *what, uint64_t max, uint64_t *value)
{
    const char *text = c->word[i];
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 0);
    if (!g_ascii_isdigit(text[0]) || *end || errno) {
        return fail(c, "%s '%.40s' is not a number", what, text);
    }
    if (*value > max) {
        return fail(c, "%s 0x%" PRIx64 " is more than 0x%" PRIx64, what, *value, max);
    }
    return true;
}

/* The words 0 and 1 as an address and a size of at most @max bytes that does not wrap. */
static bool range(Command *c, uint64_t max, uint64_t *addr, uint64_t *size)
{
    if (!number(c, 0, "address", UINT64_MAX, addr) || !number(c, 1, "size", max, size)) {
        return false;
    }
    if (!*size) {
        return fail(c, "size 0: there is nothing to move");
    }
    if (*addr + (*size - 1) < *addr) {
        return fail(c, "address 0x%" PRIx64 " and size 0x%" PRIx64 " go past the end", *addr,
                    *size);
    }
    return true;
}

/* The bytes of one access by the command's last letter. */
static unsigned access_size(const Command *c)
{
    switch (c->name[strlen(c->name) - 1]) {
    case 'b':
        return 1;
    case 'w':
        return 2;
    case 'l':
        return 4;
    default:
        return 8;
    }
}

static uint64_t max_value(unsigned size)
{
    return size == 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1;
}

/* ---- Ports and memory, one access ---- */

static bool load(Command *c, AddressSpace *as, uint64_t max_addr)
{
    uint64_t addr, value;

    if (!number(c, 0, "address", max_addr, &addr)) {
        return false;
    }
    /* What nothing answers reads as ones, for a test as for a guest. */
    address_space_load(as, addr, access_size(c), &value, MEMTXATTRS_UNSPECIFIED);
    ok_number(c, value & max_value(access_size(c)));
    return true;
}

static bool store(Command *c, AddressSpace *as, uint64_t max_addr)
{
    unsigned size = access_size(c);
    uint64_t addr, value;

    if (!number(c, 0, "address", max_addr, &addr) ||
        !number(c, 1, "value", max_value(size), &value)) {
        return false;
    }
    address_space_store(as, addr, size, value, MEMTXATTRS_UNSPECIFIED);
    ok(c);
    return true;
}

static bool do_in(Command *c)
{
    return load(c, &address_space_io, UINT16_MAX);
}

static bool do_out(Command *c)
{
    return store(c, &address_space_io, UINT16_MAX);
}

static bool do_read_one(Command *c)
{
    return load(c, &address_space_memory, UINT64_MAX);
}

static bool do_write_one(Command *c)
{
    return store(c, &address_space_memory, UINT64_MAX);
}

/* ---- Blocks of memory ---- */

/* A block of @size bytes to be filled. */
static GByteArray *block_new(uint64_t size)
{
    GByteArray *block = g_byte_array_sized_new((guint)size);

    g_byte_array_set_size(block, (guint)size);
    return block;
}

static GByteArray *read_block(Command *c)
{
    uint64_t addr, size;
    GByteArray *block;

    if (!range(c, QTEST_MAX_BLOCK, &addr, &size)) {
        return NULL;
    }
    block = block_new(size);
    address_space_read(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED, block->data, size);
    return block;
}

static bool do_read(Command *c)
{
    static const char digits[] = "0123456789abcdef";
    g_autoptr(GByteArray) block = read_block(c);
    g_autoptr(GString) text = NULL;

    if (!block) {
        return false;
    }
    text = g_string_sized_new(2 + 2 * block->len);
    g_string_append(text, "0x");
    for (guint i = 0; i < block->len; i++) {
        g_string_append_c(text, digits[block->data[i] >> 4]);
        g_string_append_c(text, digits[block->data[i] & 15]);
    }
    ok_text(c, text->str);
    return true;
}

static bool do_b64read(Command *c)
{
    g_autoptr(GByteArray) block = read_block(c);
    g_autofree char *text = NULL;

    if (!block) {
        return false;
    }
    text = g_base64_encode(block->data, block->len);
    ok_text(c, text);
    return true;
}

static bool do_write(Command *c)
{
    const char *text = c->word[2];
    g_autoptr(GByteArray) block = NULL;
    uint64_t addr, size;

    if (!range(c, QTEST_MAX_BLOCK, &addr, &size)) {
        return false;
    }
    if (text[0] != '0' || text[1] != 'x' || strlen(text + 2) != 2 * size) {
        return fail(c,
                    "the data are to be 0x and %" PRIu64 " hexadecimal digits, not %zu characters",
                    2 * size, strlen(text));
    }
    block = block_new(size);
    for (uint64_t i = 0; i < size; i++) {
        int high = g_ascii_xdigit_value(text[2 + 2 * i]);
        int low = g_ascii_xdigit_value(text[3 + 2 * i]);

        if (high < 0 || low < 0) {
            return fail(c, "the data are not hexadecimal at byte %" PRIu64, i);
        }
        block->data[i] = (uint8_t)(high << 4 | low);
    }
    address_space_write(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED, block->data, size);
    ok(c);
    return true;
}

static bool do_b64write(Command *c)
{
    const char *text = c->word[2];
    size_t letters =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    size_t padding = strspn(text + letters, "=");
    g_autofree uint8_t *data = NULL;
    uint64_t addr, size;
    gsize got;

    if (!range(c, QTEST_MAX_BLOCK, &addr, &size)) {
        return false;
    }
    if (text[letters + padding] || (letters + padding) % 4 || padding > 2) {
        return fail(c, "the data are not base64");
    }
    data = g_base64_decode(text, &got);
    if (got != size) {
        return fail(c, "the data are %zu bytes, not %" PRIu64, (size_t)got, size);
    }
    address_space_write(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED, data, size);
    ok(c);
    return true;
}

static bool do_memset(Command *c)
{
    g_autoptr(GByteArray) block = NULL;
    uint64_t addr, size, byte, len;

    if (!range(c, MAX_FILL, &addr, &size) || !number(c, 2, "value", UINT8_MAX, &byte)) {
        return false;
    }
    block = block_new(MIN(size, FILL_BLOCK));
    memset(block->data, (int)byte, block->len);
    for (uint64_t done = 0; done < size; done += len) {
        len = MIN(size - done, block->len);
        address_space_write(&address_space_memory, addr + done, MEMTXATTRS_UNSPECIFIED, block->data,
                            len);
    }
    ok(c);
    return true;
}

static bool do_endianness(Command *c)
{
    ok_text(c, "little");
    return true;
}

/* ---- Time ---- */

static bool has_clock(Command *c)
{
    AccelState *accel = current_accel();

    if (!accel || !object_dynamic_cast(OBJECT(accel), TYPE_QTEST_ACCEL)) {
        return fail(c, "the clock is not the test's: that takes -accel qtest");
    }
    return true;
}

static bool do_clock_step(Command *c)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    uint64_t step;

    if (!has_clock(c)) {
        return false;
    }
    if (c->words) {
        if (!number(c, 0, "step", (uint64_t)(INT64_MAX - now), &step)) {
            return false;
        }
    } else {
        int64_t left = qemu_clock_deadline_ns(QEMU_CLOCK_VIRTUAL);

        if (left > INT64_MAX - 1 - now) {
            return fail(c, "no timer is set");
        }
        step = (uint64_t)left;
    }
    qemu_clock_warp_to(now + (int64_t)step);
    ok_number(c, (uint64_t)qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    return true;
}

static bool do_clock_set(Command *c)
{
    uint64_t then;

    if (!has_clock(c) || !number(c, 0, "time", INT64_MAX, &then)) {
        return false;
    }
    if ((int64_t)then > qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL)) {
        qemu_clock_warp_to((int64_t)then);
    }
    ok_number(c, (uint64_t)qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    return true;
}

/* ---- Interrupt lines ---- */

static bool do_irq_intercept(Command *c)
{
    /* The end of a path may name a device and a part of it: then the device is meant. */
    Object *obj = object_resolve_path_type(c->word[0], TYPE_DEVICE, NULL);

    if (!obj) {
        obj = object_resolve_path_err(c->word[0], TYPE_OBJECT, &c->error);
    }
    if (!obj || !qtest_intercept(c->tester, obj, g_str_has_suffix(c->name, "out"), &c->error)) {
        return false;
    }
    ok(c);
    return true;
}

static bool do_set_irq_in(Command *c)
{
    DeviceState *dev = (DeviceState *)object_resolve_path_err(c->word[0], TYPE_DEVICE, &c->error);
    const char *group = strcmp(c->word[1], "unnamed-gpio-in") != 0 ? c->word[1] : NULL;
    bool negative = c->word[3][0] == '-';
    uint64_t n, level;
    qemu_irq irq;

    if (!dev || !number(c, 2, "line", INT32_MAX, &n)) {
        return false;
    }
    c->word[3] += negative;
    if (!number(c, 3, "level", INT32_MAX, &level)) {
        return false;
    }
    irq = qdev_get_gpio_in_named(dev, group, (int)n);
    if (!irq) {
        return fail(c, "'%s' has no input line %s %" PRIu64, c->word[0], c->word[1], n);
    }
    qemu_set_irq(irq, negative ? -(int)level : (int)level);
    ok(c);
    return true;
}

/* ---- Lines ---- */

static const struct {
    const char *name;
    unsigned min_words, max_words;
    bool (*run)(Command *c); /* answers; or false with c->error set */
    const char *usage;
} commands[] = {
    { "inb", 1, 1, do_in, "ADDRESS" },
    { "inw", 1, 1, do_in, "ADDRESS" },
    { "inl", 1, 1, do_in, "ADDRESS" },
    { "outb", 2, 2, do_out, "ADDRESS VALUE" },
    { "outw", 2, 2, do_out, "ADDRESS VALUE" },
    { "outl", 2, 2, do_out, "ADDRESS VALUE" },
    { "readb", 1, 1, do_read_one, "ADDRESS" },
    { "readw", 1, 1, do_read_one, "ADDRESS" },
    { "readl", 1, 1, do_read_one, "ADDRESS" },
    { "readq", 1, 1, do_read_one, "ADDRESS" },
    { "writeb", 2, 2, do_write_one, "ADDRESS VALUE" },
    { "writew", 2, 2, do_write_one, "ADDRESS VALUE" },
    { "writel", 2, 2, do_write_one, "ADDRESS VALUE" },
    { "writeq", 2, 2, do_write_one, "ADDRESS VALUE" },
    { "read", 2, 2, do_read, "ADDRESS SIZE" },
    { "write", 3, 3, do_write, "ADDRESS SIZE 0xDATA" },
    { "b64read", 2, 2, do_b64read, "ADDRESS SIZE" },
    { "b64write", 3, 3, do_b64write, "ADDRESS SIZE BASE64" },
    { "memset", 3, 3, do_memset, "ADDRESS SIZE VALUE" },
    { "endianness", 0, 0, do_endianness, "" },
    { "clock_step", 0, 1, do_clock_step, "[NS]" },
    { "clock_set", 1, 1, do_clock_set, "NS" },
    { "irq_intercept_in", 1, 1, do_irq_intercept, "PATH" },
    { "irq_intercept_out", 1, 1, do_irq_intercept, "PATH" },
    { "set_irq_in", 4, 4, do_set_irq_in, "PATH NAME LINE LEVEL" },
};

/*
 * Cuts @text into the command's name and at most MAX_WORDS words; false when there are more, or no
 * name.
 */
static bool split(Command *c, char *text)
{
    char *rest = NULL;

    c->name = strtok_r(text, " \t\r", &rest);
    for (char *word; (word = strtok_r(NULL, " \t\r", &rest)) != NULL; c->words++) {
        if (c->words == MAX_WORDS) {
            return fail(c, "more than %d words after '%.40s'", MAX_WORDS, c->name);
        }
        c->word[c->words] = word;
    }
    return c->name || fail(c, "an empty line");
}

static bool run(Command *c, char *text, size_t len)
{
    if (!text) {
        return fail(c, "a line of more than %" PRIu64 " bytes", QTEST_MAX_LINE);
    }
    if (strlen(text) != len) {
        return fail(c, "a zero byte in the line");
    }
    if (!split(c, text)) {
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].name, c->name) != 0) {
            continue;
        }
        if (c->words < commands[i].min_words || c->words > commands[i].max_words) {
            return fail(c, "write: %s%s%s", c->name, *commands[i].usage ? " " : "",
                        commands[i].usage);
        }
        return commands[i].run(c);
    }
    return fail(c, "Unknown command '%.40s'", c->name);
}

void qtest_command_line(QTest *s, char *text, size_t len)
{
    Command c = { .tester = s };

    if (!run(&c, text, len)) {
        g_autofree char *answer = g_strconcat("FAIL ", c.error->message, NULL);

        qtest_say(s, answer);
        g_error_free(c.error);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Ctrl-a on a terminal: the key behind it is a command to Qomet itself.
 */
#include <string.h>
#include "backends/chardev/char-int.h"

#define ESCAPE 0x01

static void (*quit_hook)(void);

void qemu_chr_set_quit_hook(void (*fn)(void))
{
    quit_hook = fn;
}

static void say(const ChrEscape *e, const char *text)
{
    chr_write_all(e->chr, (const uint8_t *)text, strlen(text));
}

void chr_escape_quit(const ChrEscape *e)
{
    say(e, "qomet: terminated\n");
    if (quit_hook) {
        quit_hook();
    }
}

static void help(const ChrEscape *e)
{
    say(e, "\nC-a h    this help\n");
    for (const ChrEscapeKey *key = e->keys; key->key; key++) {
        g_autofree char *line = g_strdup_printf("C-a %c    %s\n", key->key, key->help);

        if (key->help) {
            say(e, line);
        }
    }
    say(e, "C-a C-a  send C-a\n");
}

/* The key after Ctrl-a; true when it is not for us. */
static bool command(ChrEscape *e, uint8_t byte)
{
    if (byte == 'h' || byte == '?') {
        help(e);
        return false;
    }
    for (const ChrEscapeKey *key = e->keys; key->key; key++) {
        if (byte == (uint8_t)key->key) {
            key->fn(e);
            return false;
        }
    }
    return byte == ESCAPE;
}

bool chr_escape_passes(ChrEscape *e, uint8_t byte)
{
    if (e->begun) {
        e->begun = false;
        return command(e, byte);
    }
    e->begun = byte == ESCAPE;
    return !e->begun;
}

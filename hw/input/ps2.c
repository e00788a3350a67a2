/* SPDX-License-Identifier: MIT */
/*
 * PS/2 keyboard and mouse: their answers, from IBM's "Personal System/2 Hardware Interface
 * Technical Reference" (1988), "Keyboards" and "Mouse"; a mouse's other types are Microsoft's.
 */
#include <string.h>
#include <qomet/hw/input/ps2.h>

#define ACK 0xfa
#define RESEND 0xfe
#define SELF_TEST_PASSED 0xaa

/* Commands that both have. */
#define GET_ID 0xf2
#define SET_RATE 0xf3
#define ENABLE 0xf4
#define DISABLE 0xf5
#define SET_DEFAULTS 0xf6
#define RESET 0xff

#define KBD_SET_LEDS 0xed
#define KBD_ECHO 0xee
#define KBD_SCANCODE_SET 0xf0
#define KBD_ALL_FIRST 0xf7 /* to 0xfa: how all keys repeat */
#define KBD_ALL_LAST 0xfa
#define KBD_ID 0xab

#define MOUSE_SCALE_1 0xe6
#define MOUSE_SCALE_2 0xe7
#define MOUSE_SET_RESOLUTION 0xe8
#define MOUSE_GET_STATUS 0xe9
#define MOUSE_SET_STREAM 0xea
#define MOUSE_POLL 0xeb
#define MOUSE_END_WRAP 0xec
#define MOUSE_WRAP 0xee
#define MOUSE_SET_REMOTE 0xf0

#define MOUSE_STATUS_REMOTE 0x40
#define MOUSE_STATUS_ENABLED 0x20
#define MOUSE_STATUS_SCALE_2 0x10
#define MOUSE_TYPE_WHEEL 3
#define MOUSE_TYPE_FIVE_BUTTONS 4
#define DEFAULT_RESOLUTION 2
#define DEFAULT_RATE 100

static void answer(PS2State *s, const uint8_t *bytes, size_t n)
{
    memcpy(s->queue, bytes, n);
    s->count = n;
}

#define ANSWER(s, ...)                                                                             \
    answer(s, (const uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))

uint8_t ps2_read(PS2State *s)
{
    uint8_t value = s->queue[0];

    if (!s->count) {
        return 0;
    }
    s->count--;
    memmove(s->queue, s->queue + 1, s->count);
    return value;
}

static void set_defaults(PS2State *s)
{
    s->scancode_set = 2;
    s->status = 0;
    s->resolution = DEFAULT_RESOLUTION;
    s->rate = DEFAULT_RATE;
}

void ps2_reset(PS2State *s)
{
    *s = (PS2State){ 0 };
    set_defaults(s);
}

/* Whether the byte was the argument of a command before it, which is then @command. */
static bool take_argument(PS2State *s, uint8_t *command)
{
    *command = s->command;
    s->command = 0;
    s->count = 0;
    return *command != 0;
}

/* ---- The keyboard ---- */

/* What the controller makes of 1, 2, 3 on their way. */
static uint8_t scancode_set_number(const PS2State *s)
{
    static const uint8_t translated[] = { 0x43, 0x41, 0x3f };

    return s->translate ? translated[s->scancode_set - 1] : s->scancode_set;
}

static void keyboard_argument(PS2State *s, uint8_t command, uint8_t value)
{
    if (command != KBD_SCANCODE_SET) {
        ANSWER(s, ACK); /* nobody sees the lights, nothing repeats */
    } else if (value == 0) {
        ANSWER(s, ACK, scancode_set_number(s));
    } else if (value <= 3) {
        s->scancode_set = value;
        ANSWER(s, ACK);
    } else {
        ANSWER(s, RESEND);
    }
}

void ps2_keyboard_write(PS2State *s, uint8_t value)
{
    uint8_t command;

    if (take_argument(s, &command)) {
        keyboard_argument(s, command, value);
        return;
    }
    switch (value) {
    case KBD_SET_LEDS:
    case KBD_SCANCODE_SET:
    case SET_RATE:
        s->command = value;
        ANSWER(s, ACK);
        break;
    case KBD_ECHO:
        ANSWER(s, KBD_ECHO);
        break;
    case GET_ID:
        ANSWER(s, ACK, KBD_ID, s->translate ? 0x41 : 0x83);
        break;
    case DISABLE:
    case SET_DEFAULTS:
        set_defaults(s);
        ANSWER(s, ACK);
        break;
    case ENABLE:
    case KBD_ALL_FIRST ... KBD_ALL_LAST:
        ANSWER(s, ACK);
        break;
    case RESET:
        set_defaults(s);
        ANSWER(s, ACK, SELF_TEST_PASSED);
        break;
    default:
        ANSWER(s, RESEND);
    }
}

/* ---- The mouse ---- */

/* Rates of 200, 100, 80 ask for a wheel, then 200, 200, 80 for five buttons. */
static void detect_type(PS2State *s, uint8_t rate)
{
    if (s->detect == 0 && rate == 200) {
        s->detect = 1;
    } else if (s->detect == 1 && (rate == 100 || rate == 200)) {
        s->detect = rate == 100 ? 2 : 3;
    } else {
        if (rate == 80 && s->detect >= 2) {
            s->type = s->detect == 2 ? MOUSE_TYPE_WHEEL : MOUSE_TYPE_FIVE_BUTTONS;
        }
        s->detect = 0;
    }
}

static void mouse_argument(PS2State *s, uint8_t command, uint8_t value)
{
    if (command == SET_RATE) {
        s->rate = value;
        detect_type(s, value);
    } else {
        s->resolution = value & 3;
    }
    ANSWER(s, ACK);
}

static void mouse_set(PS2State *s, uint8_t clear, uint8_t set)
{
    s->status = (s->status & ~clear) | set;
    ANSWER(s, ACK);
}

static void mouse_command(PS2State *s, uint8_t value)
{
    switch (value) {
    case MOUSE_SCALE_1:
        mouse_set(s, MOUSE_STATUS_SCALE_2, 0);
        break;
    case MOUSE_SCALE_2:
        mouse_set(s, 0, MOUSE_STATUS_SCALE_2);
        break;
    case MOUSE_SET_RESOLUTION:
    case SET_RATE:
        s->command = value;
        ANSWER(s, ACK);
        break;
    case MOUSE_GET_STATUS:
        ANSWER(s, ACK, s->status, s->resolution, s->rate);
        break;
    case MOUSE_SET_STREAM:
        mouse_set(s, MOUSE_STATUS_REMOTE, 0);
        break;
    case MOUSE_SET_REMOTE:
        mouse_set(s, 0, MOUSE_STATUS_REMOTE);
        break;
    case MOUSE_POLL:
        ANSWER(s, ACK, 0x08, 0, 0); /* no button, no movement */
        break;
    case MOUSE_WRAP:
        s->wrap = 1;
        ANSWER(s, ACK);
        break;
    case GET_ID:
        ANSWER(s, ACK, s->type);
        break;
    case ENABLE:
        mouse_set(s, 0, MOUSE_STATUS_ENABLED);
        break;
    case DISABLE:
        mouse_set(s, MOUSE_STATUS_ENABLED, 0);
        break;
    case SET_DEFAULTS:
        set_defaults(s);
        ANSWER(s, ACK);
        break;
    case RESET:
        set_defaults(s);
        s->type = 0;
        ANSWER(s, ACK, SELF_TEST_PASSED, 0);
        break;
    case MOUSE_END_WRAP:
        ANSWER(s, ACK);
        break;
    default:
        ANSWER(s, RESEND);
    }
}

void ps2_mouse_write(PS2State *s, uint8_t value)
{
    uint8_t command;

    if (take_argument(s, &command)) {
        mouse_argument(s, command, value);
    } else if (s->wrap && value != MOUSE_END_WRAP && value != RESET) {
        ANSWER(s, value);
    } else {
        s->wrap = 0;
        mouse_command(s, value);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * A stream of JSON values. Each byte is looked at twice as it arrives: here, for where a value ends,
 * and by json-c's incremental reader. So a mistake is known at once, and it is known how to go on
 * behind it.
 */
#include <string.h>
#include <json-c/json.h>
#include <qomet/qom/error.h>
#include <qomet/qom/json-stream.h>
#include "qom/json-int.h"

/* What a byte means for where a value ends. */
enum {
    OTHER,
    SPACE,
    OPEN,
    CLOSE,
    COMMA, /* or colon */
    QUOTE, /* of either kind */
    BACKSLASH,
    NEWLINE,
    CONTROL, /* in no text; most of all NUL, at which json-c would stop */
    RESYNC,
};

static const uint8_t byte_class[256] = {
    [0 ... 8] = CONTROL,
    ['\t'] = SPACE,
    ['\n'] = NEWLINE,
    [11 ... 12] = CONTROL,
    ['\r'] = SPACE,
    [14 ... 31] = CONTROL,
    [' '] = SPACE,
    ['{'] = OPEN,
    ['['] = OPEN,
    ['}'] = CLOSE,
    [']'] = CLOSE,
    [','] = COMMA,
    [':'] = COMMA,
    ['"'] = QUOTE,
    ['\''] = QUOTE,
    ['\\'] = BACKSLASH,
    [0xfe ... 0xff] = RESYNC,
};

/** Where in a value the next byte is. */
typedef enum StreamState {
    BETWEEN, /* values */
    WORD,    /* a number, true, ... outside brackets, or what looks like one */
    NESTED,  /* within brackets */
    STRING,
    ESCAPED, /* behind the backslash in a string */
} StreamState;

struct JsonStream {
    StreamState state;
    char quote;      /* that ends the string */
    unsigned depth;  /* open brackets */
    unsigned tokens; /* of the value so far */
    bool bad;        /* the value is wrong and was reported: it is dropped up to its end */
    GString *text;   /* the value so far, for the second look */
    struct json_tokener *tokener;
    json_object *json; /* what json-c made of it; NULL: not whole yet (or the value null) */
    bool parsed;       /* json-c has all of it */
};

JsonStream *json_stream_new(void)
{
    JsonStream *s = g_new0(JsonStream, 1);

    s->text = g_string_new(NULL);
    s->tokener = json_reader_new();
    return s;
}

/* A value has ended, in one way or the other. */
static void begin_anew(JsonStream *s)
{
    json_object_put(s->json);
    s->json = NULL;
    s->parsed = s->bad = false;
    s->state = BETWEEN;
    s->depth = s->tokens = 0;
    json_tokener_reset(s->tokener);
    g_string_truncate(s->text, 0);
    if (s->text->allocated_len > 1024 * 1024) {
        g_string_free(s->text, TRUE);
        s->text = g_string_new(NULL);
    }
}

void json_stream_reset(JsonStream *s)
{
    begin_anew(s);
}

void json_stream_free(JsonStream *s)
{
    if (s) {
        json_object_put(s->json);
        json_tokener_free(s->tokener);
        g_string_free(s->text, TRUE);
        g_free(s);
    }
}

/* ---- Where a value ends ---- */

/** What stops a run over the bytes. */
typedef enum StreamStop {
    STOP_NOT,
    STOP_END,    /* the value ends with the bytes so far */
    STOP_GARBAGE /* the byte behind them is in no JSON text */
} StreamStop;

static void enter_string(JsonStream *s, char quote)
{
    s->quote = quote;
    s->state = STRING;
    s->tokens++;
}

/* A byte outside of strings; false when the value ends with it. */
static bool outside_byte(JsonStream *s, char c, uint8_t class)
{
    switch (class) {
    case OPEN:
        s->depth++;
        s->state = NESTED;
        s->tokens++;
        break;
    case CLOSE:
        s->depth -= s->depth > 0;
        return s->depth > 0;
    case COMMA:
        s->tokens++;
        return s->depth > 0;
    case QUOTE:
        enter_string(s, c);
        break;
    case SPACE:
    case NEWLINE:
        break;
    default:
        s->state = s->depth ? NESTED : WORD;
        break;
    }
    return true;
}

static bool string_byte(JsonStream *s, char c, uint8_t class)
{
    if (s->state == ESCAPED) {
        s->state = STRING;
    } else if (class == BACKSLASH) {
        s->state = ESCAPED;
    } else if (c == s->quote) {
        s->state = NESTED;
        return s->depth > 0;
    }
    return true;
}

/* Runs over @len bytes; *@n: how many belong to the value. */
static StreamStop find_end(JsonStream *s, const char *buf, size_t len, size_t *n)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t class = byte_class[(uint8_t)buf[i]];
        bool in_string = s->state == STRING || s->state == ESCAPED;
        bool more;

        *n = i;
        if (class >= CONTROL || (class == NEWLINE && (in_string || s->bad))) {
            return STOP_GARBAGE;
        }
        if (s->state == WORD && class != OTHER && class != BACKSLASH) {
            return STOP_END;
        }
        more = in_string ? string_byte(s, buf[i], class) : outside_byte(s, buf[i], class);
        if (!more) {
            *n = i + 1;
            return STOP_END;
        }
    }
    *n = len;
    return STOP_NOT;
}

/* ---- What it is ---- */

/* Always false: the value is wrong. */
static bool report(JsonStream *s, GError **errp, size_t at, const char *what)
{
    if (errp) {
        json_error_at(errp, s->text->str, MIN(at, s->text->len), what);
    }
    s->bad = true;
    return false;
}

/* Hands @len bytes to json-c. */
static bool parse(JsonStream *s, const char *buf, size_t len, size_t before, GError **errp)
{
    enum json_tokener_error error;

    s->json = json_tokener_parse_ex(s->tokener, buf, (int)len);
    error = json_tokener_get_error(s->tokener);
    s->parsed = error == json_tokener_success;
    return s->parsed || error == json_tokener_continue ||
           report(s, errp, before + json_tokener_get_parse_end(s->tokener),
                  json_error_words(error));
}

/* The next @len bytes of the value; false when they cannot be right. */
static bool take(JsonStream *s, const char *buf, size_t len, GError **errp)
{
    size_t before = s->text->len;

    if (s->tokens > JSON_STREAM_MAX_TOKENS) {
        return report(s, errp, before, "it has too many parts");
    }
    if (len > JSON_STREAM_MAX_BYTES - before) {
        return report(s, errp, before, "it is too long");
    }
    g_string_append_len(s->text, buf, (gssize)len);
    return s->parsed || !len || parse(s, buf, len, before, errp);
}

/* The value is whole. */
static GVariant *finish(JsonStream *s, GError **errp)
{
    const char *bad;

    /* The NUL tells a number at the end that it is whole. */
    if (!s->parsed && !parse(s, "", 1, s->text->len, errp)) {
        return NULL;
    }
    if (!s->parsed) {
        report(s, errp, s->text->len, json_error_words(json_tokener_continue));
        return NULL;
    }
    if (!g_utf8_validate(s->text->str, (gssize)s->text->len, &bad)) {
        report(s, errp, (size_t)(bad - s->text->str), "it is not valid UTF-8");
        return NULL;
    }
    if (!json_check(s->text->str, s->text->len, errp)) {
        return NULL;
    }
    return g_variant_ref_sink(json_to_value(s->json));
}

/* ---- The way ---- */

/* A byte that no value holds; true when that is to be said. */
static bool garbage(JsonStream *s, uint8_t byte, GError **errp)
{
    bool known = s->bad;
    bool in_string = s->state == STRING || s->state == ESCAPED;

    if (!known) {
        report(s, errp, s->text->len,
               byte >= 0x20 ? "it is not valid UTF-8"
               : in_string  ? "a control character in a string is written as an escape"
                            : "a control character is no JSON");
    }
    if (byte == '\n' || byte >= 0x20) {
        begin_anew(s);
    } else if (s->state == BETWEEN) {
        s->state = WORD;
    }
    return !known;
}

static size_t count_space(const char *buf, size_t len)
{
    size_t n = 0;

    while (n < len && (byte_class[(uint8_t)buf[n]] == SPACE || buf[n] == '\n')) {
        n++;
    }
    return n;
}

size_t json_stream_feed(JsonStream *s, const char *buf, size_t len, GVariant **value, GError **errp)
{
    size_t done = 0;

    *value = NULL;
    while (done < len) {
        bool known = s->bad;
        StreamStop stop;
        size_t n;

        if (s->state == BETWEEN) {
            done += count_space(buf + done, len - done);
        }
        stop = find_end(s, buf + done, len - done, &n);
        if (!s->bad) {
            take(s, buf + done, n, errp);
        }
        done += n;
        if (stop == STOP_END) {
            *value = s->bad ? NULL : finish(s, errp);
            begin_anew(s);
            if (!known) {
                return done;
            }
        } else if (s->bad && !known) {
            return done;
        } else if (stop == STOP_GARBAGE && garbage(s, (uint8_t)buf[done++], errp)) {
            return done;
        }
    }
    return done;
}

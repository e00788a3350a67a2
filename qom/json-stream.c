/* SPDX-License-Identifier: MIT */
/*
 * A stream of JSON values. Each byte is looked at twice as it arrives: here, for where a value ends,
 * and by json-c's incremental reader. So a mistake is known at once, and it is known how to go on
 * behind it.
 */
#include "config.h"

#include <string.h>
#include <json-c/json.h>
#include <qomet/qom/error.h>
#include <qomet/qom/json-stream.h>
#include "qom/json-int.h"

/* Buffers that a large value has left are given back. */
#define KEPT_BYTES 65536

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

/** How far a value has come, as far as its end matters. */
typedef struct Frame {
    StreamState state;
    char quote;      /* that ends the string */
    unsigned depth;  /* open brackets */
    unsigned tokens; /* so far */
} Frame;

struct JsonStream {
    Frame frame;
    bool bad;      /* the value is wrong and was reported: it is dropped up to its end */
    GString *text; /* the value so far, for the second look */
    struct json_tokener *tokener;
    json_object *json; /* what json-c made of it; NULL: not whole yet (or the value null) */
    bool parsed;       /* json-c has all of it */
    size_t end;        /* then: the bytes of text that it is made of */
};

static void make_buffers(JsonStream *s)
{
    s->text = g_string_new(NULL);
    s->tokener = json_reader_new();
}

static void free_buffers(JsonStream *s)
{
    g_string_free(s->text, TRUE);
    json_tokener_free(s->tokener);
}

JsonStream *json_stream_new(void)
{
    JsonStream *s = g_new0(JsonStream, 1);

    make_buffers(s);
    return s;
}

/* A value has ended, in one way or the other. */
static void begin_anew(JsonStream *s)
{
    json_object_put(s->json);
    s->json = NULL;
    s->parsed = s->bad = false;
    s->frame = (Frame){ .state = BETWEEN };
    if (s->text->allocated_len < KEPT_BYTES) {
        json_tokener_reset(s->tokener);
        g_string_truncate(s->text, 0);
    } else {
        free_buffers(s);
        make_buffers(s);
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
        free_buffers(s);
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

static void enter_string(Frame *f, char quote)
{
    f->quote = quote;
    f->state = STRING;
    f->tokens++;
}

/* A byte outside of strings; false when the value ends with it. */
static bool outside_byte(Frame *f, char c, uint8_t class)
{
    switch (class) {
    case OPEN:
        f->depth++;
        f->state = NESTED;
        f->tokens++;
        break;
    case CLOSE:
        f->depth -= f->depth > 0;
        return f->depth > 0;
    case COMMA:
        f->tokens++;
        return f->depth > 0;
    case QUOTE:
        enter_string(f, c);
        break;
    case SPACE:
    case NEWLINE:
        break;
    default:
        f->state = f->depth ? NESTED : WORD;
        break;
    }
    return true;
}

static bool string_byte(Frame *f, char c, uint8_t class)
{
    if (f->state == ESCAPED) {
        f->state = STRING;
    } else if (class == BACKSLASH) {
        f->state = ESCAPED;
    } else if (c == f->quote) {
        f->state = NESTED;
        return f->depth > 0;
    }
    return true;
}

/* Runs over @len bytes; *@n: how many belong to the value. @bad: it is one, so a line ends it. */
static StreamStop find_end(Frame *f, bool bad, const char *buf, size_t len, size_t *n)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t class = byte_class[(uint8_t)buf[i]];
        bool in_string = f->state == STRING || f->state == ESCAPED;
        bool more;

        *n = i;
        if (class >= CONTROL || (class == NEWLINE && (in_string || bad))) {
            return STOP_GARBAGE;
        }
        if (f->state == WORD && class != OTHER && class != BACKSLASH) {
            return STOP_END;
        }
        more = in_string ? string_byte(f, buf[i], class) : outside_byte(f, buf[i], class);
        if (!more) {
            *n = i + 1;
            return STOP_END;
        }
    }
#ifdef QOMET_PLANTED_BUG
    /* Found by fuzz-qmp: an escape at the end of a piece takes what is behind it. */
    len += f->state == ESCAPED;
#endif
    *n = len;
    return STOP_NOT;
}

/* ---- What it is ---- */

/* Always false. */
static bool report(const JsonStream *s, GError **errp, size_t at, const char *what)
{
    json_error_at(errp, s->text->str, MIN(at, s->text->len), what);
    return false;
}

/* Hands @len bytes to json-c; *@used: how many it has looked at. */
static bool parse(JsonStream *s, const char *buf, size_t len, size_t before, size_t *used,
                  GError **errp)
{
    enum json_tokener_error error;

    s->json = json_tokener_parse_ex(s->tokener, buf, (int)len);
    error = json_tokener_get_error(s->tokener);
    *used = json_tokener_get_parse_end(s->tokener);
    s->parsed = error == json_tokener_success;
    s->end = before + *used;
    return s->parsed || error == json_tokener_continue ||
           report(s, errp, s->end, json_error_words(error));
}

/* The next @len bytes of the value; false when they cannot be right, from the byte *@at on. */
static bool take(JsonStream *s, const char *buf, size_t len, size_t *at, GError **errp)
{
    size_t before = s->text->len;

    *at = 0;
    if (s->frame.tokens > JSON_STREAM_MAX_TOKENS) {
        return report(s, errp, before, "it has too many parts");
    }
    if (len > JSON_STREAM_MAX_BYTES - before) {
        return report(s, errp, before, "it is too long");
    }
    g_string_append_len(s->text, buf, (gssize)len);
    return s->parsed || !len || parse(s, buf, len, before, at, errp);
}

/* The value is whole. */
static GVariant *finish(JsonStream *s, GError **errp)
{
    const char *bad;
    size_t used;

    /* The NUL tells a number at the end that it is whole. */
    if (!s->parsed && !parse(s, "", 1, s->text->len, &used, errp)) {
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
    return json_checked_value(s->text->str, s->end, s->json, errp);
}

/* ---- The way ---- */

/* A byte that no value holds. */
static void garbage(JsonStream *s, uint8_t byte, GError **errp)
{
    bool in_string = s->frame.state == STRING || s->frame.state == ESCAPED;

    if (!s->bad) {
        report(s, errp, s->text->len,
               byte >= 0x20 ? "it is not valid UTF-8"
               : in_string  ? "a control character in a string is written as an escape"
                            : "a control character is no JSON");
        s->bad = true;
    }
    if (byte == '\n' || byte >= 0x20) {
        begin_anew(s);
    } else if (s->frame.state == BETWEEN) {
        s->frame.state = WORD;
    }
}

static size_t count_space(const char *buf, size_t len)
{
    size_t n = 0;

    while (n < len && (byte_class[(uint8_t)buf[n]] == SPACE || buf[n] == '\n')) {
        n++;
    }
    return n;
}

/*
 * Takes the bytes up to where the value ends; *@n: how many. What json-c finds wrong ends them too,
 * since from there on it is looked for the end in another way.
 */
static StreamStop take_until_end(JsonStream *s, const char *buf, size_t len, size_t *n,
                                 GError **errp)
{
    Frame before = s->frame;
    StreamStop stop = find_end(&s->frame, s->bad, buf, len, n);
    size_t at;

    if (!s->bad && !take(s, buf, *n, &at, errp)) {
        s->frame = before;
        stop = find_end(&s->frame, false, buf, MIN(at + 1, *n), n);
        s->bad = true;
    }
    return stop;
}

size_t json_stream_feed(JsonStream *s, const char *buf, size_t len, GVariant **value, GError **errp)
{
    size_t done = 0;
    bool told = false;

    *value = NULL;
    while (done < len && !told && !*value) {
        bool known = s->bad;
        StreamStop stop;
        size_t n;

        if (s->frame.state == BETWEEN) {
            done += count_space(buf + done, len - done);
        }
        stop = take_until_end(s, buf + done, len - done, &n, errp);
        done += n;
        told = s->bad && !known;
        if (stop == STOP_END) {
            *value = s->bad ? NULL : finish(s, errp);
            told = !known;
            begin_anew(s);
        } else if (stop == STOP_GARBAGE && !told) {
            garbage(s, (uint8_t)buf[done++], errp);
            told = !known;
        }
    }
    return done;
}

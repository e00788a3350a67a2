/* SPDX-License-Identifier: MIT */
/*
 * What the pictures share: the kinds of objects with their colours, the frame with title and
 * legend, and text that Graphviz takes as it is meant.
 */
#ifndef MONITOR_PICTURE_INT_H
#define MONITOR_PICTURE_INT_H

#include <qomet/monitor/picture.h>

/** One sort of thing in a picture. */
typedef struct PictureKind {
    const char *key;         /* by which the picture finds it: a type, or a word */
    const char *title;       /* in the legend */
    const char *fill, *line; /* colours */
    const char *room;        /* the room of the tree that has it, for the legend; or NULL */
} PictureKind;

typedef struct Picture {
    GString *text;
    const PictureKind *kinds; /* at most 32, ended by one without a key */
    uint32_t drawn;           /* a bit for each kind that was drawn: the legend shows these */
} Picture;

/** Begins a picture that is read from left to right. */
void picture_begin(Picture *p, const PictureKind *kinds);
/**
 * Ends it: @title stands above, then what is seen here (sentences of our own, without markup), then
 * the legend. Returns the text, which the caller frees.
 */
char *picture_end(Picture *p, const char *title, const char *seen);

/** The first kind that is named @key, or the last one; the legend shows it from now on. */
const PictureKind *picture_kind(Picture *p, const char *key);
/** The same for the first kind whose key is a type that @obj is. */
const PictureKind *picture_kind_of(Picture *p, Object *obj);

/**
 * Appends @text for a label in HTML's manner: characters of markup escaped, what cannot be shown
 * written as \xNN, and what is longer than a box is wide cut.
 */
void picture_label(GString *out, const char *text);
/** The same in small letters on the next line of a label. */
void picture_small(GString *out, const char *text);
/** Appends @text as the quoted name of a node: a viewer shows it under the pointer. */
void picture_name(GString *out, const char *text);
/** Appends the path of @obj as the name of its node. */
void picture_object(GString *out, Object *obj);

/** "8 bytes", "640 KiB": the largest unit that leaves a whole number; UINT64_MAX: "16 EiB". */
char *picture_size(uint64_t bytes);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How an attachment is filled: what attach.c uses of attachment.c.
 */
#ifndef OPTIONS_ATTACHMENT_H
#define OPTIONS_ATTACHMENT_H

#include <qomet/options/options.h>

/** An empty one, in /attachments. */
Attachment *attachment_new(void);
/** Notes that @obj, which is in the tree, came with it. */
void attachment_add(Attachment *a, Object *obj);
/** All went well: from now on it ends when its last device has gone. */
void attachment_complete(Attachment *a);
/** Whether @obj came with one of them. */
bool attachments_have(const Object *obj);
/** Ends the attachments of which nothing is left, or nothing that the rest is there for. */
void attachments_sweep(void);
/** Takes away, last first, what is there, without asking anybody; then @a itself. */
void attachment_undo(Attachment *a);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The error domain of the object model, and the nearest name for "did you mean".
 */
#include <stdarg.h>
#include <string.h>
#include <qomet/qom/error.h>

/* Longer words are nobody's misspelt name, and the table of distances lives on the stack. */
#define NEAREST_MAX 128

GQuark qom_error_quark(void)
{
    return g_quark_from_static_string("qom-error");
}

void qom_error_set(GError **errp, QomErrorCode code, const char *fmt, ...)
{
    va_list ap;

    if (!errp) {
        return;
    }
    va_start(ap, fmt);
    *errp = g_error_new_valist(QOM_ERROR, code, fmt, ap);
    va_end(ap);
}

void qom_error_set_if_none(GError **errp, QomErrorCode code, const char *fmt, ...)
{
    va_list ap;

    if (!errp || *errp) {
        return;
    }
    va_start(ap, fmt);
    *errp = g_error_new_valist(QOM_ERROR, code, fmt, ap);
    va_end(ap);
}

bool qom_method_ok(bool ok, const char *type, const char *method, GError **errp)
{
    if (!ok) {
        qom_error_set_if_none(errp, QOM_ERROR_FAILED,
                              "'%s': its %s() has failed and does not say why", type, method);
    }
    return ok;
}

/* Insertions, deletions and replacements that make @b of @a; both at most NEAREST_MAX long. */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned row[NEAREST_MAX + 1];

    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = MIN(replaced, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_len];
}

const char *qom_nearest(const char *word, const char *const *candidates)
{
    size_t len = word ? strlen(word) : 0;
    /* Fewer edits than letters: otherwise every short word would be near every other. */
    unsigned limit = len ? MIN(MAX(2, len / 3), len - 1) : 0;
    unsigned best_distance = limit + 1;
    const char *best = NULL, *best_prefix = NULL;

    if (len == 0 || len > NEAREST_MAX || !candidates) {
        return NULL;
    }
    for (; *candidates; candidates++) {
        size_t candidate_len = strlen(*candidates);
        unsigned distance;

        if (!best_prefix && strncmp(word, *candidates, len) == 0) {
            best_prefix = *candidates;
        }
        if (candidate_len > NEAREST_MAX || candidate_len > len + limit ||
            len > candidate_len + limit) {
            continue;
        }
        distance = edit_distance(word, len, *candidates, candidate_len);
        if (distance < best_distance) {
            best_distance = distance;
            best = *candidates;
        }
    }
    return best ? best : best_prefix;
}

char *qom_did_you_mean(const char *word, const char *const *candidates)
{
    const char *near = qom_nearest(word, candidates);

    return near ? g_strdup_printf(" (did you mean '%s'?)", near) : g_strdup("");
}

char *qom_did_you_mean_row(const char *word, const void *rows, size_t row_bytes)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *const *name;

    for (const char *row = rows; name = (const char *const *)row, *name; row += row_bytes) {
        g_ptr_array_add(names, (void *)*name);
    }
    g_ptr_array_add(names, NULL);
    return qom_did_you_mean(word, (const char *const *)names->pdata);
}

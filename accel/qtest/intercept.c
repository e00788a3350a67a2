/* SPDX-License-Identifier: MIT */
/*
 * Interrupt lines that a test watches: inputs are observed where they end; in an output a line of
 * our own is put, which tells the test and passes the level on.
 */
#include "accel/qtest/qtest-int.h"

/* Tells a change. A line that is set to its own level again is no news. */
static void tell(QTestLine *line, int level)
{
    int now = level != 0;
    char text[32];

    if (__atomic_exchange_n(&line->level, now, __ATOMIC_RELAXED) != now) {
        g_snprintf(text, sizeof(text), "IRQ %s %d", now ? "raise" : "lower", line->n);
        qtest_say(line->tester, text);
    }
}

static void input_changes(void *opaque, int n, int level)
{
    (void)n;
    tell(opaque, level);
}

static void output_changes(void *opaque, int n, int level)
{
    QTestLine *line = opaque;

    (void)n;
    tell(line, level);
    qemu_set_irq(line->irq, level);
}

/* What qdev_foreach_gpio() gathers: the groups must not change while it goes over them. */
typedef struct Gathering {
    QTest *tester;
    DeviceState *dev;
    bool outputs;
} Gathering;

static void gather(const char *name, int n, bool in, qemu_irq irq, void *opaque)
{
    Gathering *g = opaque;
    QTestLine *line;

    /* Named inputs cannot be told apart by a number, so they are left out, as in QEMU. */
    if (in == g->outputs || (in && name)) {
        return;
    }
    line = g_new0(QTestLine, 1);
    line->tester = g->tester;
    line->dev = g->outputs ? (DeviceState *)object_ref(g->dev) : NULL;
    line->group = g_strdup(name);
    line->irq = irq ? (qemu_irq)object_ref(irq) : NULL;
    line->n = n;
    g_ptr_array_add(g->tester->lines, line);
}

/* A board's own lines are children of it. */
static int gather_child(Object *child, void *opaque)
{
    Gathering *g = opaque;

    if (object_dynamic_cast(child, TYPE_IRQ)) {
        gather(NULL, (int)g->tester->lines->len, true, IRQ(child), g);
    }
    return 0;
}

bool qtest_intercept(QTest *s, Object *obj, bool outputs, GError **errp)
{
    g_autofree char *path = object_get_canonical_path(obj);
    DeviceState *dev = (DeviceState *)object_dynamic_cast(obj, TYPE_DEVICE);
    Gathering g = { s, dev, outputs };

    if (s->intercepted) {
        if (!g_strcmp0(s->intercepted, path) && s->intercepted_outputs == outputs) {
            return true;
        }
        qom_error_set(errp, QOM_ERROR_STATE, "the %s of '%s' are watched already",
                      s->intercepted_outputs ? "outputs" : "inputs", s->intercepted);
        return false;
    }
    if (dev) {
        qdev_foreach_gpio(dev, gather, &g);
    } else {
        object_child_foreach(obj, gather_child, &g);
    }
    if (!s->lines->len) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "'%s' has no %s lines", path,
                      outputs ? "output" : "input");
        return false;
    }
    s->intercepted = g_steal_pointer(&path);
    s->intercepted_outputs = outputs;
    for (unsigned i = 0; i < s->lines->len; i++) {
        QTestLine *line = g_ptr_array_index(s->lines, i);

        if (outputs) {
            line->tap = qemu_allocate_irq(output_changes, line, line->n);
            if (!qdev_connect_gpio_out_named(dev, line->group, line->n, line->tap, errp)) {
                qtest_intercept_end(s);
                return false;
            }
        } else {
            qemu_irq_set_observer(line->irq, input_changes, line, line->n);
        }
    }
    return true;
}

void qtest_intercept_end(QTest *s)
{
    for (unsigned i = 0; i < s->lines->len; i++) {
        QTestLine *line = g_ptr_array_index(s->lines, i);

        if (!line->dev) {
            qemu_irq_set_observer(line->irq, NULL, NULL, 0);
        } else if (qdev_get_gpio_out_connector(line->dev, line->group, line->n) == line->tap &&
                   !qdev_connect_gpio_out_named(line->dev, line->group, line->n, line->irq, NULL)) {
            warn_report("an intercepted line could not be led back");
        }
        object_unref(line->tap);
        object_unref(line->irq);
        object_unref(line->dev);
        g_free(line->group);
        g_free(line);
    }
    g_ptr_array_set_size(s->lines, 0);
    g_clear_pointer(&s->intercepted, g_free);
}

/* SPDX-License-Identifier: MIT */
/* Pins of the PCI bus and lines of the ISA bus: a line is high while any of its pins is. */
#include <string.h>
#include "hw/isa/pirq.h"

void pirq_router_init(PirqRouter *r)
{
    pthread_mutex_init(&r->lock, NULL);
    memset(r->line, PIRQ_OFF, sizeof(r->line));
}

void pirq_router_destroy(PirqRouter *r)
{
    pthread_mutex_destroy(&r->lock);
}

/* With the lock. */
static void update_line(PirqRouter *r, unsigned line)
{
    int level = 0;

    if (line >= ISA_NUM_IRQS) {
        return;
    }
    for (unsigned i = 0; i < PIRQS_MAX; i++) {
        level |= r->line[i] == line && r->level[i];
    }
    qemu_set_irq(r->isa->irqs[line], level);
}

void pirq_set(PirqRouter *r, unsigned pirq, int level)
{
    pthread_mutex_lock(&r->lock);
    r->level[pirq] = level != 0;
    update_line(r, r->line[pirq]);
    pthread_mutex_unlock(&r->lock);
}

void pirq_route(PirqRouter *r, unsigned pirq, uint8_t value)
{
    uint8_t line = value & PIRQ_OFF ? PIRQ_OFF : value & 0xf, old;

    pthread_mutex_lock(&r->lock);
    old = r->line[pirq];
    r->line[pirq] = line;
    if (line != old && r->level[pirq]) {
        update_line(r, old);
        update_line(r, line);
    }
    pthread_mutex_unlock(&r->lock);
}

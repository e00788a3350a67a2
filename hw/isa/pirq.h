/* SPDX-License-Identifier: MIT */
/* How a south bridge leads pins of the PCI bus to lines of the ISA bus, as its registers say. */
#ifndef HW_ISA_PIRQ_H
#define HW_ISA_PIRQ_H

#include <qomet/hw/isa/isa-bus.h>

#define PIRQS_MAX 8
#define PIRQ_OFF 0x80 /* in a register; otherwise its lower half is the line */

/** Part of a south bridge. */
typedef struct PirqRouter {
    ISABus *isa;
    pthread_mutex_t lock;     /* a leaf, for what follows */
    uint8_t level[PIRQS_MAX]; /* 0 or 1 */
    uint8_t line[PIRQS_MAX];  /* PIRQ_OFF: none */
} PirqRouter;

/* In instance_init, and in instance_finalize. */
void pirq_router_init(PirqRouter *r);
void pirq_router_destroy(PirqRouter *r);
/* Any thread. */
void pirq_set(PirqRouter *r, unsigned pirq, int level);
/* The register of @pirq has that value: a line that loses a pin goes down, one that gets it up. */
void pirq_route(PirqRouter *r, unsigned pirq, uint8_t value);

#endif

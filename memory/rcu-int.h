/* SPDX-License-Identifier: MIT */
/*
 * Publication and reclamation: data that readers find through one pointer and read in a section
 * (entry-int.h). The main thread replaces the pointer, waits until every section that may have seen
 * the old data is over, and frees it.
 */
#ifndef MEMORY_RCU_INT_H
#define MEMORY_RCU_INT_H

#include "memory/entry-int.h"

/*
 * Asks the kernel for the barrier that makes sections cheap. Before the first section; costs
 * nothing while there is one thread.
 */
void rcu_init(void);

/* The pointer that is replaced: stored by the main thread, loaded in a section. */
#define rcu_publish(slot, value) __atomic_store_n(slot, value, __ATOMIC_SEQ_CST)
#define rcu_read(slot) __atomic_load_n(slot, __ATOMIC_SEQ_CST)

/*
 * Has @fn(@ptr) called when each section that is open now is over: before it returns, if it can be.
 * Any thread.
 */
void rcu_retire(void (*fn)(void *ptr), void *ptr);
/* The same for a caller that calls entry_synchronize() afterwards, which does what was retired. */
void rcu_retire_later(void (*fn)(void *ptr), void *ptr);

#endif

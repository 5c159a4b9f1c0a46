/* SPDX-License-Identifier: Apache-2.0
 * Spin locks: usable in handlers, without errno, and kind to a machine with one processor.
 *
 * Who has spun for a while sleeps in the kernel. Yielding in place of it starves: a scheduler may take
 * each sched_yield(2) off the thread's account, until it gets no turn for seconds, and it may be
 * this thread that takes the lock next. A lock may be in memory that processes share.
 */
#include "cr.h"

enum { FREE = CR_SPINLOCK_INITIALIZER, TAKEN = 1, AWAITED = 2 };

#define SPINS 128
#define SLICE 100 /* ms */

void cr_spinlock_init(cr_spinlock_t *lock)
{
	cri_store(lock, FREE);
}

int cr_spinlock_trylock(cr_spinlock_t *lock)
{
	return cri_load(lock) == FREE && cri_swap(lock, FREE, TAKEN);
}

void cr_spinlock_lock(cr_spinlock_t *lock)
{
	uint32_t now;

	for (unsigned turns = 0; turns < SPINS; turns++) {
		if (cr_spinlock_trylock(lock))
			return;
		cri_pause();
	}
	for (;;) {
		now = cri_load(lock);
		/* Nobody knows whether others sleep, so whoever frees it is to wake one. */
		if (now == FREE && cri_swap(lock, FREE, AWAITED))
			return;
		if (now == AWAITED || (now == TAKEN && cri_swap(lock, TAKEN, AWAITED)))
			cri_wait_word(lock, AWAITED, SLICE, 0);
	}
}

void cr_spinlock_unlock(cr_spinlock_t *lock)
{
	uint32_t was;

	do
		was = cri_load(lock);
	while (!cri_swap(lock, was, FREE));
	/* The memory may be somebody else's by now; then it wakes nobody, or somebody who looks again. */
	if (was == AWAITED)
		cri_wake_word(lock, 0);
}

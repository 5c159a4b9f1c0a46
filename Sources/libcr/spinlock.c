/* SPDX-License-Identifier: Apache-2.0
 * Spin locks: usable in handlers, without errno, and kind to a machine with one processor.
 */
#include "cr.h"

void cr_spinlock_init(cr_spinlock_t *lock)
{
	cri_store(lock, CR_SPINLOCK_INITIALIZER);
}

int cr_spinlock_trylock(cr_spinlock_t *lock)
{
	return cri_load(lock) == 0 && cri_swap(lock, 0, 1);
}

void cr_spinlock_lock(cr_spinlock_t *lock)
{
	unsigned turns = 0;

	while (!cr_spinlock_trylock(lock)) {
		/* Whoever has it may need this processor to get on. */
		if (++turns % 64 == 0)
			cr_raw_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
		else
			cri_pause();
	}
}

void cr_spinlock_unlock(cr_spinlock_t *lock)
{
	cri_store(lock, 0);
}

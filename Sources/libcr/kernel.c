/* SPDX-License-Identifier: Apache-2.0
 * The few kernel calls that must not touch errno or must work in a handler.
 */
#include "cr.h"

#define FUTEX_PRIVATE 128

/* struct timespec as SYS_futex takes it: two longs, whatever time_t is. */
struct cri_time {
	long seconds, nanoseconds;
};

int cri_wait_word(cri_word *word, uint32_t value, unsigned milliseconds, int private)
{
	struct cri_time time = { milliseconds / 1000, (long)(milliseconds % 1000) * 1000000 };

	return (int)cr_raw_call(SYS_futex, (long)word, private ? FUTEX_PRIVATE : 0, (long)(int)value,
		(long)&time, 0, 0);
}

void cri_wake_word(cri_word *word, int private)
{
	cr_raw_call(SYS_futex, (long)word, 1 | (private ? FUTEX_PRIVATE : 0), 0x7fffffff, 0, 0, 0);
}

int cri_is_readable(const void *place)
{
	/* The kernel looks at the word before it finds that there is no time to wait. */
	return cri_wait_word((cri_word *)((uintptr_t)place & ~(uintptr_t)3), 0, 0, 1) != -EFAULT;
}

static cri_mask change_mask(int how, cri_mask mask)
{
	cri_mask old = 0;

	cr_raw_call(SYS_rt_sigprocmask, how, (long)&mask, (long)&old, sizeof mask, 0, 0);
	return old;
}

/* The kernel's masks are words of a long each, the first signals in the first word. */
static cri_mask own_signal(void)
{
	unsigned long words[8 / sizeof(long)] = { 0 };
	unsigned bit = CR_SIGNUM - 1, width = 8 * sizeof(long);
	cri_mask mask;

	words[bit / width] = 1ul << bit % width;
	memcpy(&mask, words, sizeof mask);
	return mask;
}

cri_mask cri_block_signals(void)
{
	return change_mask(SIG_BLOCK, ~(cri_mask)0);
}

void cri_restore_signals(cri_mask mask)
{
	change_mask(SIG_SETMASK, mask);
}

void cri_unblock_own_signal(void)
{
	change_mask(SIG_UNBLOCK, own_signal());
}

cri_mask cri_enter_guard(void)
{
	cri_mask mask = cri_block_signals();

	cr_spinlock_lock(&cri_guard);
	return mask;
}

void cri_leave_guard(cri_mask mask)
{
	cr_spinlock_unlock(&cri_guard);
	cri_restore_signals(mask);
}

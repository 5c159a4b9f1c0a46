/* SPDX-License-Identifier: Apache-2.0 */
/* arch/i386/scenarios/calls_by_each_way.c
 * Threads that wait in a call made by int 0x80 and by the vdso (sysenter or syscall), all six
 * arguments of which must be there when it is made again.
 */
#include "scenario.h"
#include <elf.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/auxv.h>

static int words[2], ids[2];

static long wait_by_interrupt(int *word)
{
	register long result asm("eax") = SYS_futex;

	/* FUTEX_WAIT_BITSET, for no bit but this: the sixth argument, in ebp. */
	asm volatile("push %%ebp; mov $4, %%ebp; int $0x80; pop %%ebp"
		     : "+a"(result)
		     : "b"(word), "c"(FUTEX_WAIT_BITSET), "d"(0), "S"(0), "D"(0)
		     : "memory");
	return result;
}

static long wait_by_vdso(int *word)
{
	register long result asm("eax") = SYS_futex;

	asm volatile("push %%ebp; mov $4, %%ebp; call *vdso; pop %%ebp"
		     : "+a"(result)
		     : "b"(word), "c"(FUTEX_WAIT_BITSET), "d"(0), "S"(0), "D"(0)
		     : "memory");
	return result;
}

uintptr_t vdso;

static void *waiter(void *place)
{
	int way = (int *)place - ids;

	__atomic_store_n(&ids[way], gettid(), __ATOMIC_SEQ_CST);
	check((way ? wait_by_vdso : wait_by_interrupt)(&words[way]) == 0);
	return NULL;
}

int main(void)
{
	pthread_t threads[2];

	vdso = getauxval(AT_SYSINFO);
	if (!vdso)
		cannot_run_here("this kernel has no vdso for it");
	for (int i = 0; i < 2; i++) {
		check(pthread_create(&threads[i], NULL, waiter, &ids[i]) == 0);
		while (!__atomic_load_n(&ids[i], __ATOMIC_SEQ_CST))
			pause_briefly();
		await_blocked_in(ids[i], SYS_futex);
	}
	checkpoint_here();
	for (int i = 0; i < 2; i++) {
		await_blocked_in(ids[i], SYS_futex);
		/* Bits that it does not wait for do not wake it. */
		check(syscall(SYS_futex, &words[i], FUTEX_WAKE_BITSET, 1, NULL, NULL, 8) == 0);
		check(syscall(SYS_futex, &words[i], FUTEX_WAKE_BITSET, 1, NULL, NULL, 4) == 1);
		check(pthread_join(threads[i], NULL) == 0);
	}
	return passed();
}

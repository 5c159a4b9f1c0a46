/* SPDX-License-Identifier: Apache-2.0 */
/* arch/aarch64/scenarios/thread_pointer.c
 * TPIDR_EL0 is each thread's own: the C library's, and where a thread has put another.
 */
#include "scenario.h"
#include <pthread.h>

static __thread int local = 5;
static volatile int released, set;

static uint64_t thread_pointer(void)
{
	uint64_t value;

	asm volatile("mrs %0, tpidr_el0" : "=r"(value));
	return value;
}

static void *second(void *unused)
{
	uint64_t old = thread_pointer(), mine = 0x1122334455667788, seen;

	(void)unused;
	local = 7;
	/* Without the library until it is put back. */
	asm volatile("msr tpidr_el0, %0" ::"r"(mine));
	set = 1;
	while (!released)
		;
	seen = thread_pointer();
	asm volatile("msr tpidr_el0, %0" ::"r"(old));
	check(seen == mine);
	check(local == 7);
	return NULL;
}

int main(void)
{
	pthread_t thread;

	local = 6;
	check(pthread_create(&thread, NULL, second, NULL) == 0);
	while (!set)
		pause_briefly();
	checkpoint_here();
	check(local == 6);
	released = 1;
	check(pthread_join(thread, NULL) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* arch/powerpc64le/scenarios/thread_pointer.c
 * r13 is each thread's own: the C library's, and where a thread has put something else.
 */
#include "scenario.h"
#include <pthread.h>

static __thread int local = 5;
static volatile uint64_t released, set;

static void *second(void *unused)
{
	uint64_t mine = 0x1122334455667788, seen;

	(void)unused;
	local = 7;
	/* Without the library until it is put back. */
	asm volatile("mr 14, 13\n\t"
		     "mr 13, %1\n\t"
		     "std %1, 0(%3)\n"
		     "1:\n\t"
		     "ld 15, 0(%2)\n\t"
		     "cmpdi cr7, 15, 0\n\t"
		     "beq cr7, 1b\n\t"
		     "mr %0, 13\n\t"
		     "mr 13, 14"
		     : "=&r"(seen)
		     : "r"(mine), "b"(&released), "b"(&set)
		     : "r14", "r15", "cr7", "memory");
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

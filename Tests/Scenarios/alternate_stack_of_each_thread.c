/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/alternate_stack_of_each_thread.c
 * Every thread names its own signal stack; and one of them disarms it while in use.
 */
#include "scenario.h"
#include <pthread.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

enum { count = 3, size = 64 * 1024 };
static int ready;

static void *thread(void *number)
{
	stack_t wanted = { .ss_sp = memory(size), .ss_size = size }, present;

	if ((uintptr_t)number == 0)
		wanted.ss_flags = SS_AUTODISARM;
	check(sigaltstack(&wanted, NULL) == 0);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	wait_for_go(0);
	check(sigaltstack(NULL, &present) == 0);
	check(present.ss_sp == wanted.ss_sp && present.ss_size == size);
	check(present.ss_flags == wanted.ss_flags);
	return NULL;
}

int main(void)
{
	pthread_t threads[count];
	stack_t present;

	for (uintptr_t i = 0; i < count; i++)
		check(pthread_create(&threads[i], NULL, thread, (void *)i) == 0);
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) != count)
		pause_briefly();
	checkpoint_here();
	check(sigaltstack(NULL, &present) == 0 && present.ss_flags == SS_DISABLE);
	for (int i = 0; i < count; i++)
		check(pthread_join(threads[i], NULL) == 0);
	return passed();
}

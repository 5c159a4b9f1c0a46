/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/signal_masks_of_threads.c
 * Each thread blocks signals of its own.
 */
#include "scenario.h"
#include <pthread.h>

enum { count = 4 };
static int ready;

static void check_only_blocked(int number)
{
	sigset_t mask;

	check(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
	for (int i = 1; i <= 64; i++)
		if (i != 32 && i != 33)
			check(sigismember(&mask, i) == (i == number));
}

static void block_only(int number)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, number);
	check(pthread_sigmask(SIG_SETMASK, &mask, NULL) == 0);
}

static void *thread(void *number)
{
	block_only((uintptr_t)number);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	wait_for_go(0);
	check_only_blocked((uintptr_t)number);
	return NULL;
}

int main(void)
{
	pthread_t threads[count];

	for (uintptr_t i = 0; i < count; i++)
		check(pthread_create(&threads[i], NULL, thread, (void *)(i ? 40 + i : SIGTRAP)) == 0);
	block_only(SIGTERM);
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) != count)
		pause_briefly();
	checkpoint_here();
	check_only_blocked(SIGTERM);
	for (int i = 0; i < count; i++)
		check(pthread_join(threads[i], NULL) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/thread_made_afterwards.c
 * New threads after the restart, on top of those that were there, and after those have gone.
 */
#include "scenario.h"
#include <pthread.h>

static void *twice(void *number)
{
	return (void *)((uintptr_t)number * 2);
}

static void *stay(void *unused)
{
	wait_for_go(0);
	return unused;
}

static void make_and_join(uintptr_t count)
{
	pthread_t threads[count];
	void *end;

	for (uintptr_t i = 0; i < count; i++)
		check(pthread_create(&threads[i], NULL, twice, (void *)i) == 0);
	for (uintptr_t i = 0; i < count; i++)
		check(pthread_join(threads[i], &end) == 0 && end == (void *)(i * 2));
}

int main(void)
{
	pthread_t staying;

	make_and_join(3);
	check(pthread_create(&staying, NULL, stay, NULL) == 0);
	checkpoint_here();
	make_and_join(20);
	check(pthread_join(staying, NULL) == 0);
	make_and_join(20);
	return passed();
}

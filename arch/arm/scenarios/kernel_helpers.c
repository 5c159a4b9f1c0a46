/* SPDX-License-Identifier: Apache-2.0 */
/* arch/arm/scenarios/kernel_helpers.c
 * Threads count with the kernel's compare-and-exchange at 0xffff0fc0, in which most stops find them: no count
 * is lost.
 */
#include "scenario.h"
#include <pthread.h>

enum { threads = 3 };

/* Documentation/arm/kernel_user_helpers.rst: 0 if it has changed the word; a barrier; the highest helper. */
static int (*const exchange)(int, int, volatile int *) = (int (*)(int, int, volatile int *))0xffff0fc0;
static void (*const barrier)(void) = (void (*)(void))0xffff0fa0;
static volatile int total, over, own[threads];

static void *count(void *which)
{
	int number = (int)(intptr_t)which, seen;

	while (!over) {
		do
			seen = total;
		while (exchange(seen, seen + 1, &total) != 0);
		own[number]++;
		barrier();
	}
	return NULL;
}

int main(void)
{
	pthread_t all[threads];
	int sum = 0;

	check(*(volatile int *)0xffff0ffc >= 3);
	for (intptr_t i = 0; i < threads; i++)
		check(pthread_create(&all[i], NULL, count, (void *)i) == 0);
	while (total < 1000)
		pause_briefly();
	checkpoint_here();
	over = 1;
	for (int i = 0; i < threads; i++) {
		check(pthread_join(all[i], NULL) == 0);
		sum += own[i];
	}
	check(sum == total);
	return passed();
}

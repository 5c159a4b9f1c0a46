/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/busy_computation.c
 * Caught anywhere in a computation, with values in all sorts of registers; the answer is the same.
 */
#include "scenario.h"
#include <pthread.h>

static volatile bool stop;

static double series(uint64_t count)
{
	double sum = 0, sign = 1;
	uint64_t hash = 1;

	for (uint64_t i = 0; i < count; i++) {
		sum += sign / (2 * i + 1);
		sign = -sign;
		hash = hash * 31 + i;
	}
	return sum + hash % 1000;
}

static void *compute(void *result)
{
	double wanted = series(200000);
	int rounds = 0;

	while (!stop) {
		check(series(200000) == wanted);
		rounds++;
	}
	*(int *)result = rounds;
	return NULL;
}

int main(void)
{
	pthread_t threads[2];
	int rounds[2];

	for (int i = 0; i < 2; i++)
		check(pthread_create(&threads[i], NULL, compute, &rounds[i]) == 0);
	checkpoint_here();
	for (int i = 0; i < 20; i++)
		pause_briefly();
	stop = true;
	for (int i = 0; i < 2; i++)
		check(pthread_join(threads[i], NULL) == 0);
	return passed();
}

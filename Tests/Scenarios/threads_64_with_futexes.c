/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/threads_64_with_futexes.c
 * Sixty-four threads that pass a token round by futexes, never all at rest.
 */
#include "scenario.h"
#include <pthread.h>

enum { count = 64, rounds = 60 };
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t condition;
} seats[count];
static int turn;
static volatile bool stop;
static long passes;

static void *player(void *seat)
{
	int me = (uintptr_t)seat, next = (me + 1) % count;

	for (;;) {
		check(pthread_mutex_lock(&seats[me].mutex) == 0);
		while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) != me)
			check(pthread_cond_wait(&seats[me].condition, &seats[me].mutex) == 0);
		check(pthread_mutex_unlock(&seats[me].mutex) == 0);
		passes++;
		check(passes % count == (me + 1) % count);
		/* The last round goes once to everybody. */
		bool last = stop && passes > rounds * count;

		check(pthread_mutex_lock(&seats[next].mutex) == 0);
		__atomic_store_n(&turn, next, __ATOMIC_SEQ_CST);
		check(pthread_cond_signal(&seats[next].condition) == 0);
		check(pthread_mutex_unlock(&seats[next].mutex) == 0);
		if (last)
			return NULL;
	}
}

int main(void)
{
	pthread_t threads[count];

	for (int i = 0; i < count; i++) {
		check(pthread_mutex_init(&seats[i].mutex, NULL) == 0);
		check(pthread_cond_init(&seats[i].condition, NULL) == 0);
	}
	for (uintptr_t i = 0; i < count; i++)
		check(pthread_create(&threads[i], NULL, player, (void *)i) == 0);
	checkpoint_here();
	checkpoint_here();
	stop = true;
	for (int i = 0; i < count; i++)
		check(pthread_join(threads[i], NULL) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/threads_coming_and_going.c
 * Threads are made and end all the time, so that the list of them is never the same twice.
 */
#include "scenario.h"
#include <pthread.h>

enum { makers = 3 };
static volatile bool stop;
static long made, ended;

static void *brief(void *unused)
{
	__atomic_fetch_add(&ended, 1, __ATOMIC_SEQ_CST);
	return unused;
}

static void *maker(void *unused)
{
	pthread_t thread;

	while (!stop) {
		check(pthread_create(&thread, NULL, brief, NULL) == 0);
		__atomic_fetch_add(&made, 1, __ATOMIC_SEQ_CST);
		check(pthread_join(thread, NULL) == 0);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[makers];

	for (int i = 0; i < makers; i++)
		check(pthread_create(&threads[i], NULL, maker, NULL) == 0);
	checkpoint_here();
	checkpoint_here();
	for (int i = 0; i < 10; i++)
		pause_briefly();
	stop = true;
	for (int i = 0; i < makers; i++)
		check(pthread_join(threads[i], NULL) == 0);
	check(made == ended);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/mutex_waited_for_over_the_checkpoint.c
 * Threads asleep in a lock wake in turn when its owner lets go after the restart.
 */
#include "scenario.h"
#include <pthread.h>

enum { count = 5 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int ids[count], entered;

static void *enter(void *place)
{
	__atomic_store_n((int *)place, gettid(), __ATOMIC_SEQ_CST);
	check(pthread_mutex_lock(&mutex) == 0);
	entered++;
	check(pthread_mutex_unlock(&mutex) == 0);
	return NULL;
}

int main(void)
{
	pthread_t threads[count];

	check(pthread_mutex_lock(&mutex) == 0);
	for (int i = 0; i < count; i++) {
		check(pthread_create(&threads[i], NULL, enter, &ids[i]) == 0);
		while (!__atomic_load_n(&ids[i], __ATOMIC_SEQ_CST))
			pause_briefly();
		await_blocked_in(ids[i], SYS_futex);
	}
	checkpoint_here();
	check(entered == 0);
	check(pthread_mutex_unlock(&mutex) == 0);
	for (int i = 0; i < count; i++)
		check(pthread_join(threads[i], NULL) == 0);
	check(entered == count);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/condition_variable_waited_for.c
 * Waiters, with and without a time limit, hear a signal and a broadcast sent after the restart.
 */
#include "scenario.h"
#include <pthread.h>

enum { count = 4 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int ids[count], tickets, served;

static void *wait_for_ticket(void *place)
{
	int *id = place;
	struct timespec end;

	check(clock_gettime(CLOCK_REALTIME, &end) == 0);
	end.tv_sec += 100;
	check(pthread_mutex_lock(&mutex) == 0);
	__atomic_store_n(id, gettid(), __ATOMIC_SEQ_CST);
	while (tickets == 0)
		check((id - ids) % 2 ? pthread_cond_wait(&condition, &mutex) == 0
				     : pthread_cond_timedwait(&condition, &mutex, &end) == 0);
	tickets--;
	served++;
	check(pthread_mutex_unlock(&mutex) == 0);
	return NULL;
}

int main(void)
{
	pthread_t threads[count];

	for (int i = 0; i < count; i++) {
		check(pthread_create(&threads[i], NULL, wait_for_ticket, &ids[i]) == 0);
		while (!__atomic_load_n(&ids[i], __ATOMIC_SEQ_CST))
			pause_briefly();
		await_blocked_in(ids[i], SYS_futex);
	}
	checkpoint_here();
	check(pthread_mutex_lock(&mutex) == 0);
	tickets = 1;
	check(pthread_cond_signal(&condition) == 0);
	check(pthread_mutex_unlock(&mutex) == 0);
	while (__atomic_load_n(&served, __ATOMIC_SEQ_CST) != 1)
		pause_briefly();
	check(pthread_mutex_lock(&mutex) == 0);
	tickets = count - 1;
	check(pthread_cond_broadcast(&condition) == 0);
	check(pthread_mutex_unlock(&mutex) == 0);
	for (int i = 0; i < count; i++)
		check(pthread_join(threads[i], NULL) == 0);
	check(served == count && tickets == 0);
	return passed();
}

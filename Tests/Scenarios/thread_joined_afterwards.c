/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/thread_joined_afterwards.c
 * A join under way, a join still to come, a detached thread, and a thread cancelled afterwards.
 */
#include "scenario.h"
#include <pthread.h>

static int joiner_id, detached_end;

static void *worker(void *result)
{
	wait_for_go(0);
	return result;
}

static void *joiner(void *thread)
{
	void *end;

	__atomic_store_n(&joiner_id, gettid(), __ATOMIC_SEQ_CST);
	check(pthread_join(*(pthread_t *)thread, &end) == 0);
	return end;
}

static void *detached(void *unused)
{
	wait_for_go(0);
	__atomic_store_n(&detached_end, 1, __ATOMIC_SEQ_CST);
	return unused;
}

static void *sleeper(void *unused)
{
	for (;;)
		sleep(100);
	return unused;
}

int main(void)
{
	pthread_t worker_a, worker_b, waiting, free_thread, cancelled;
	void *end;

	check(pthread_create(&worker_a, NULL, worker, (void *)11) == 0);
	check(pthread_create(&worker_b, NULL, worker, (void *)22) == 0);
	check(pthread_create(&waiting, NULL, joiner, &worker_a) == 0);
	check(pthread_create(&free_thread, NULL, detached, NULL) == 0);
	check(pthread_detach(free_thread) == 0);
	check(pthread_create(&cancelled, NULL, sleeper, NULL) == 0);
	while (!__atomic_load_n(&joiner_id, __ATOMIC_SEQ_CST))
		pause_briefly();
	await_blocked_in(joiner_id, SYS_futex);
	checkpoint_here();
	check(pthread_join(waiting, &end) == 0 && end == (void *)11);
	check(pthread_join(worker_b, &end) == 0 && end == (void *)22);
	while (!__atomic_load_n(&detached_end, __ATOMIC_SEQ_CST))
		pause_briefly();
	check(pthread_cancel(cancelled) == 0);
	check(pthread_join(cancelled, &end) == 0 && end == PTHREAD_CANCELED);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/scheduling_policies.c
 * Batch, idle and, with privilege, real-time scheduling of single threads.
 * runner: root
 */
#include "scenario.h"
#include <pthread.h>
#include <sched.h>

static const int policies[] = { SCHED_BATCH, SCHED_IDLE, SCHED_FIFO, SCHED_RR };
static int ready;

static void *thread(void *number)
{
	int policy = policies[(uintptr_t)number], want = 0;
	struct sched_param parameter;

	if (policy == SCHED_FIFO || policy == SCHED_RR)
		want = 3 + (uintptr_t)number;
	parameter.sched_priority = want;
	check(sched_setscheduler(0, policy, &parameter) == 0);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	wait_for_go(0);
	check(sched_getscheduler(0) == policy);
	check(sched_getparam(0, &parameter) == 0 && parameter.sched_priority == want);
	return NULL;
}

int main(void)
{
	struct sched_param parameter = { 0 };
	pthread_t threads[4];

	for (uintptr_t i = 0; i < 4; i++)
		check(pthread_create(&threads[i], NULL, thread, (void *)i) == 0);
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) != 4)
		pause_briefly();
	check(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &parameter) == 0);
	checkpoint_here();
	check(sched_getscheduler(0) == (SCHED_OTHER | SCHED_RESET_ON_FORK));
	for (int i = 0; i < 4; i++)
		check(pthread_join(threads[i], NULL) == 0);
	return passed();
}

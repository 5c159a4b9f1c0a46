/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/cpu_affinity.c
 * The processors a process, and each of its threads, may run on.
 */
#include "scenario.h"
#include <pthread.h>
#include <sched.h>

static cpu_set_t one_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return set;
}

static cpu_set_t present(void)
{
	cpu_set_t set;

	check(sched_getaffinity(0, sizeof set, &set) == 0);
	return set;
}

static int last_cpu(void)
{
	cpu_set_t set = present();
	int last = 0;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			last = cpu;
	return last;
}

static void *thread(void *all)
{
	cpu_set_t mine = *(cpu_set_t *)all, after;

	tell("thread");
	wait_for_go(0);
	after = present();
	check(CPU_EQUAL(&after, &mine));
	return NULL;
}

int main(void)
{
	cpu_set_t all = present(), mine = one_cpu(last_cpu()), after;
	pthread_t other;

	check(pthread_create(&other, NULL, thread, &all) == 0);
	await("thread");
	check(sched_setaffinity(0, sizeof mine, &mine) == 0);
	checkpoint_here();
	after = present();
	check(CPU_EQUAL(&after, &mine));
	check(pthread_join(other, NULL) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/nice_value.c
 * How nice the process is, and a thread that is nicer.
 */
#include "scenario.h"
#include <pthread.h>
#include <sys/resource.h>

/* From what it is at the start: to become less nice needs privilege. */
static int first;

static void *thread(void *unused)
{
	check(setpriority(PRIO_PROCESS, gettid(), first + 5) == 0);
	tell("thread");
	wait_for_go(0);
	check(getpriority(PRIO_PROCESS, gettid()) == first + 5);
	return unused;
}

int main(void)
{
	pthread_t other;

	first = getpriority(PRIO_PROCESS, 0);
	if (first + 5 > 19)
		cannot_run_here("as nice as can be already");
	check(pthread_create(&other, NULL, thread, NULL) == 0);
	await("thread");
	check(setpriority(PRIO_PROCESS, 0, first + 3) == 0);
	checkpoint_here();
	check(getpriority(PRIO_PROCESS, 0) == first + 3);
	check(pthread_join(other, NULL) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/input_output_priority.c
 * ioprio_set(2) is for a thread: here two have their own, and a third has none.
 */
#include "scenario.h"
#include <linux/ioprio.h>
#include <pthread.h>

static int priority(void)
{
	return syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
}

static void *thread(void *wanted)
{
	if (wanted)
		check(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, (int)(intptr_t)wanted) == 0);
	int before = priority();

	tell(wanted ? "one" : "other");
	wait_for_go(0);
	check(priority() == before);
	return NULL;
}

int main(void)
{
	int idle = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0), low = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7);
	pthread_t one, other;

	check(pthread_create(&other, NULL, thread, NULL) == 0);
	await("other");
	check(pthread_create(&one, NULL, thread, (void *)(intptr_t)low) == 0);
	await("one");
	check(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, idle) == 0);
	checkpoint_here();
	check(priority() == idle);
	check(pthread_join(one, NULL) == 0 && pthread_join(other, NULL) == 0);
	return passed();
}

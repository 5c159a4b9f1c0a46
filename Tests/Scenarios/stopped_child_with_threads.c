/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/stopped_child_with_threads.c
 * Stopped by SIGTSTP, with several threads; the parent asks for its state only after the restart.
 */
#include "scenario.h"
#include <pthread.h>

static volatile int *counters;

_Noreturn static void *count(void *place)
{
	volatile int *counter = place;

	for (;;) {
		(*counter)++;
		pause_briefly();
	}
}

int main(void)
{
	pid_t child;
	int seen[4] = { 0 }, end;

	counters = shared_memory(page_size);
	child = fork();
	if (child == 0) {
		pthread_t thread;

		/* A group that is not orphaned, or SIGTSTP would be ignored. */
		setpgid(0, 0);
		for (int i = 0; i < 3; i++)
			check(pthread_create(&thread, NULL, count, (void *)&counters[i]) == 0);
		count((void *)&counters[3]);
	}
	for (int i = 0; i < 4; i++)
		while (counters[i] == 0)
			pause_briefly();
	check(kill(child, SIGTSTP) == 0);
	for (int same = 0; same < 10; same++) {
		if (counters[0] != seen[0])
			same = 0;
		seen[0] = counters[0];
		pause_briefly();
	}
	for (int i = 0; i < 4; i++)
		seen[i] = counters[i];
	checkpoint_here();
	for (int i = 0; i < 10; i++)
		pause_briefly();
	for (int i = 0; i < 4; i++)
		check(counters[i] == seen[i]);
	check(kill(child, SIGCONT) == 0);
	for (int i = 0; i < 4; i++)
		while (counters[i] == seen[i])
			pause_briefly();
	check(kill(child, SIGKILL) == 0);
	while (waitpid(child, &end, 0) != child || !WIFSIGNALED(end))
		;
	return passed();
}

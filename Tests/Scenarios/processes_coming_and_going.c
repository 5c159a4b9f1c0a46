/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/processes_coming_and_going.c
 * Children are made and end all the time while the tree is being frozen.
 */
#include "scenario.h"
#include <pthread.h>

static volatile bool stop;

static void *forker(void *unused)
{
	while (!stop) {
		pid_t child = fork();

		check(child >= 0);
		if (child == 0)
			_exit(3);
		check_exits_with(child, 3);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[2];
	int end;

	for (int i = 0; i < 2; i++)
		check(pthread_create(&threads[i], NULL, forker, NULL) == 0);
	checkpoint_here();
	checkpoint_here();
	for (int i = 0; i < 10; i++)
		pause_briefly();
	stop = true;
	for (int i = 0; i < 2; i++)
		check(pthread_join(threads[i], NULL) == 0);
	check(wait(&end) == -1 && errno == ECHILD);
	return passed();
}

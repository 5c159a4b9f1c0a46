/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/names_of_threads.c
 * The name of the process, as ps shows it, and one for each thread.
 */
#include "scenario.h"
#include <pthread.h>

static void *thread(void *unused)
{
	char name[16];

	check(prctl(PR_SET_NAME, "a helper (1)") == 0);
	tell("thread");
	wait_for_go(0);
	check(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "a helper (1)") == 0);
	return unused;
}

int main(void)
{
	pthread_t other;
	char name[16];

	check(pthread_create(&other, NULL, thread, NULL) == 0);
	await("thread");
	check(prctl(PR_SET_NAME, "fifteen letters") == 0);
	checkpoint_here();
	check(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "fifteen letters") == 0);
	check(pthread_join(other, NULL) == 0);
	return passed();
}

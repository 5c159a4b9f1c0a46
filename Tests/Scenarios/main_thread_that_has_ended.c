/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/main_thread_that_has_ended.c
 * pthread_exit() in main leaves a dead leader that is there until the last thread ends.
 * runner: refused main thread.*not supported
 */
#include "scenario.h"
#include <pthread.h>

static pthread_t main_thread;
static pid_t pid;

static void *survivor(void *unused)
{
	(void)unused;
	check(pthread_join(main_thread, NULL) == 0);
	checkpoint_here();
	check(getpid() == pid);
	exit(passed());
}

int main(void)
{
	pthread_t thread;

	pid = getpid();
	main_thread = pthread_self();
	check(pthread_create(&thread, NULL, survivor, NULL) == 0);
	pthread_exit(NULL);
}

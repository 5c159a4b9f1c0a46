/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/robust_mutex_shared_between_processes.c
 * Its owner is another process, killed after the restart while we wait for the lock.
 */
#include "scenario.h"
#include <pthread.h>

int main(void)
{
	pthread_mutex_t *mutex = shared_memory(page_size);
	pthread_mutexattr_t kind;
	pid_t child;

	check(pthread_mutexattr_init(&kind) == 0);
	check(pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED) == 0);
	check(pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST) == 0);
	check(pthread_mutex_init(mutex, &kind) == 0);
	child = fork();
	if (child == 0) {
		check(pthread_mutex_lock(mutex) == 0);
		tell("held");
		for (;;)
			pause();
	}
	await("held");
	checkpoint_here();
	check(pthread_mutex_trylock(mutex) == EBUSY);
	check(kill(child, SIGKILL) == 0);
	check(pthread_mutex_lock(mutex) == EOWNERDEAD);
	check_dies_of(child, SIGKILL);
	return passed();
}

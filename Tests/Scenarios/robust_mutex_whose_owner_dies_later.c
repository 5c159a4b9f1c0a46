/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/robust_mutex_whose_owner_dies_later.c
 * The kernel walks a thread's robust list at its death: it must know the list again.
 */
#include "scenario.h"
#include <pthread.h>

static pthread_mutex_t mutex;

static void *die_holding(void *unused)
{
	(void)unused;
	check(pthread_mutex_lock(&mutex) == 0);
	tell("held");
	wait_for_go(0);
	return NULL;
}

int main(void)
{
	pthread_mutexattr_t kind;
	pthread_t thread;

	check(pthread_mutexattr_init(&kind) == 0);
	check(pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST) == 0);
	check(pthread_mutex_init(&mutex, &kind) == 0);
	check(pthread_create(&thread, NULL, die_holding, NULL) == 0);
	await("held");
	checkpoint_here();
	check(pthread_join(thread, NULL) == 0);
	check(pthread_mutex_lock(&mutex) == EOWNERDEAD);
	check(pthread_mutex_consistent(&mutex) == 0);
	check(pthread_mutex_unlock(&mutex) == 0);
	return passed();
}

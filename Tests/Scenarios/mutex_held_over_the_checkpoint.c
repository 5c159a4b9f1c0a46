/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/mutex_held_over_the_checkpoint.c
 * A mutex stores the thread id of its owner: who holds it must still be who held it.
 */
#include "scenario.h"
#include <pthread.h>

static pthread_mutex_t checking, recursive, plain = PTHREAD_MUTEX_INITIALIZER;

static void *other(void *unused)
{
	(void)unused;
	check(pthread_mutex_trylock(&checking) == EBUSY);
	check(pthread_mutex_unlock(&checking) == EPERM);
	check(pthread_mutex_trylock(&recursive) == EBUSY);
	check(pthread_mutex_lock(&plain) == 0);
	check(pthread_mutex_unlock(&plain) == 0);
	return NULL;
}

int main(void)
{
	pthread_mutexattr_t kind;
	pthread_t thread;

	check(pthread_mutexattr_init(&kind) == 0);
	check(pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK) == 0);
	check(pthread_mutex_init(&checking, &kind) == 0);
	check(pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE) == 0);
	check(pthread_mutex_init(&recursive, &kind) == 0);
	check(pthread_mutex_lock(&checking) == 0);
	check(pthread_mutex_lock(&recursive) == 0 && pthread_mutex_lock(&recursive) == 0);
	checkpoint_here();
	check(pthread_mutex_lock(&checking) == EDEADLK);
	check(pthread_mutex_lock(&recursive) == 0);
	check(pthread_create(&thread, NULL, other, NULL) == 0);
	check(pthread_join(thread, NULL) == 0);
	for (int i = 0; i < 3; i++)
		check(pthread_mutex_unlock(&recursive) == 0);
	check(pthread_mutex_unlock(&recursive) == EPERM);
	check(pthread_mutex_unlock(&checking) == 0);
	return passed();
}

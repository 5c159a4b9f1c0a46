/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/mutex_with_priority_inheritance.c
 * The kernel itself keeps the owner of such a mutex, and finds it by the thread id in the word.
 */
#include "scenario.h"
#include <pthread.h>

static pthread_mutex_t mutex;
static int id, entered;

static void *enter(void *unused)
{
	(void)unused;
	__atomic_store_n(&id, gettid(), __ATOMIC_SEQ_CST);
	check(pthread_mutex_lock(&mutex) == 0);
	entered = 1;
	check(pthread_mutex_unlock(&mutex) == 0);
	return NULL;
}

int main(void)
{
	pthread_mutexattr_t kind;
	pthread_t thread;

	check(pthread_mutexattr_init(&kind) == 0);
	check(pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT) == 0);
	check(pthread_mutex_init(&mutex, &kind) == 0);
	check(pthread_mutex_lock(&mutex) == 0);
	check(pthread_create(&thread, NULL, enter, NULL) == 0);
	while (!__atomic_load_n(&id, __ATOMIC_SEQ_CST))
		pause_briefly();
	await_blocked_in(id, SYS_futex);
	checkpoint_here();
	check(entered == 0);
	check(pthread_mutex_unlock(&mutex) == 0);
	check(pthread_join(thread, NULL) == 0);
	check(entered == 1);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/threads_1000.c
 * A thousand threads, each with its id and something on its stack.
 * runner: seconds 60
 */
#include "scenario.h"
#include <pthread.h>

enum { count = 1000 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int present;
static bool leave;

static void *thread(void *number)
{
	pid_t id = gettid();
	char stack[200];

	fill(stack, sizeof stack, (uintptr_t)number);
	check(pthread_mutex_lock(&mutex) == 0);
	present++;
	while (!leave)
		check(pthread_cond_wait(&condition, &mutex) == 0);
	present--;
	check(pthread_mutex_unlock(&mutex) == 0);
	check(is_filled(stack, sizeof stack, (uintptr_t)number));
	check(gettid() == id);
	return number;
}

int main(void)
{
	static pthread_t threads[count];
	pthread_attr_t small;
	void *end;

	check(pthread_attr_init(&small) == 0);
	check(pthread_attr_setstacksize(&small, 128 * 1024) == 0);
	for (uintptr_t i = 0; i < count; i++)
		check(pthread_create(&threads[i], &small, thread, (void *)i) == 0);
	while (__atomic_load_n(&present, __ATOMIC_SEQ_CST) != count)
		pause_briefly();
	checkpoint_here();
	check(present == count);
	check(pthread_mutex_lock(&mutex) == 0);
	leave = true;
	check(pthread_cond_broadcast(&condition) == 0);
	check(pthread_mutex_unlock(&mutex) == 0);
	for (uintptr_t i = 0; i < count; i++)
		check(pthread_join(threads[i], &end) == 0 && end == (void *)i);
	check(present == 0);
	return passed();
}

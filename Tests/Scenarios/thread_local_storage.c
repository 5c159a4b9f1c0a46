/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/thread_local_storage.c
 * Variables of each thread, static and made at run time with a destructor.
 */
#include "scenario.h"
#include <pthread.h>

enum { count = 8 };
static __thread int number;
static __thread char text[5000];
static pthread_key_t key;
static int destroyed, ready;

static void destroy(void *value)
{
	__atomic_fetch_add(&destroyed, (uintptr_t)value, __ATOMIC_SEQ_CST);
}

static void *keep(void *start)
{
	number = (uintptr_t)start;
	fill(text, sizeof text, number);
	check(pthread_setspecific(key, start) == 0);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	wait_for_go(0);
	check(number == (int)(uintptr_t)start);
	check(is_filled(text, sizeof text, number));
	check(pthread_getspecific(key) == start);
	return NULL;
}

int main(void)
{
	pthread_t threads[count];

	check(pthread_key_create(&key, destroy) == 0);
	number = -1;
	for (uintptr_t i = 0; i < count; i++)
		check(pthread_create(&threads[i], NULL, keep, (void *)(i + 1)) == 0);
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) != count)
		pause_briefly();
	checkpoint_here();
	check(number == -1);
	for (int i = 0; i < count; i++)
		check(pthread_join(threads[i], NULL) == 0);
	check(destroyed == count * (count + 1) / 2);
	return passed();
}

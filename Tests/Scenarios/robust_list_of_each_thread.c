/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/robust_list_of_each_thread.c
 * What get_robust_list(2) says of every thread.
 */
#include "scenario.h"
#include <pthread.h>

enum { count = 3 };
static int ids[count];

static void *thread(void *place)
{
	__atomic_store_n((int *)place, gettid(), __ATOMIC_SEQ_CST);
	/* An ending thread has no list any more, before it is gone. */
	await("looked");
	return NULL;
}

int main(void)
{
	void *heads[count + 1], *head;
	pthread_t threads[count];
	size_t size;

	for (int i = 0; i < count; i++) {
		check(pthread_create(&threads[i], NULL, thread, &ids[i]) == 0);
		while (!__atomic_load_n(&ids[i], __ATOMIC_SEQ_CST))
			pause_briefly();
		check(syscall(SYS_get_robust_list, ids[i], &heads[i], &size) == 0);
		check(heads[i]);
	}
	check(syscall(SYS_get_robust_list, 0, &heads[count], &size) == 0);
	checkpoint_here();
	check(syscall(SYS_get_robust_list, 0, &head, &size) == 0 && head == heads[count]);
	check(size == 3 * sizeof(long));
	for (int i = 0; i < count; i++) {
		check(syscall(SYS_get_robust_list, ids[i], &head, &size) == 0);
		check(head == heads[i]);
	}
	tell("looked");
	for (int i = 0; i < count; i++)
		check(pthread_join(threads[i], NULL) == 0);
	return passed();
}

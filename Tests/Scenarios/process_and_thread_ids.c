/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/process_and_thread_ids.c
 * Ids are the ones the program knows: of the process, of each thread, and of the C library's cache.
 */
#include "scenario.h"
#include <pthread.h>

enum { count = 4 };
static pid_t ids[count];

static void *keep_id(void *place)
{
	pid_t *id = place;

	*id = gettid();
	check(syscall(SYS_tgkill, getpid(), *id, 0) == 0);
	wait_for_go(0);
	check(gettid() == *id);
	check(syscall(SYS_tgkill, getpid(), *id, 0) == 0);
	return place;
}

int main(void)
{
	pid_t pid = getpid();
	pthread_t threads[count];
	void *end;

	for (int i = 0; i < count; i++)
		check(pthread_create(&threads[i], NULL, keep_id, &ids[i]) == 0);
	for (int i = 0; i < count; i++)
		while (!__atomic_load_n(&ids[i], __ATOMIC_SEQ_CST))
			pause_briefly();
	checkpoint_here();
	check(getpid() == pid && gettid() == pid);
	check(syscall(SYS_getpid) == pid);
	check(raise(0) == 0);
	for (int i = 0; i < count; i++)
		check(pthread_join(threads[i], &end) == 0 && end == &ids[i]);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/futex_wait.c
 * The raw call without a time limit is made again unseen; with one a restart may show as EINTR.
 */
#include "scenario.h"
#include <linux/futex.h>
#include <pthread.h>

static uint32_t word, timed_word;
static int ids[2];

static void *wait_forever(void *unused)
{
	__atomic_store_n(&ids[0], gettid(), __ATOMIC_SEQ_CST);
	check(syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0) == 0);
	check(word == 1);
	return unused;
}

static void *wait_a_while(void *unused)
{
	struct timespec limit = { .tv_nsec = 700 * 1000 * 1000 };
	int64_t start = now();

	__atomic_store_n(&ids[1], gettid(), __ATOMIC_SEQ_CST);
	check(syscall(SYS_futex, &timed_word, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0) == -1);
	if (errno == EINTR)
		check(was_restarted());
	else
		check(errno == ETIMEDOUT && now() - start >= 690000000);
	return unused;
}

int main(void)
{
	pthread_t threads[2];

	check(pthread_create(&threads[0], NULL, wait_forever, NULL) == 0);
	check(pthread_create(&threads[1], NULL, wait_a_while, NULL) == 0);
	for (int i = 0; i < 2; i++) {
		while (!__atomic_load_n(&ids[i], __ATOMIC_SEQ_CST))
			pause_briefly();
		await_blocked_in(ids[i], SYS_futex);
	}
	checkpoint_here();
	/* Only when it is back in its call. */
	await_blocked_in(ids[0], SYS_futex);
	__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
	check(syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0) == 1);
	for (int i = 0; i < 2; i++)
		check(pthread_join(threads[i], NULL) == 0);
	return passed();
}

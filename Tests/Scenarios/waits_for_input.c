/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/waits_for_input.c
 * Threads in every kind of wait for a pipe to become readable: each hears of the byte sent after.
 */
#include "scenario.h"
#include <poll.h>
#include <pthread.h>
#include <sys/select.h>

enum { count = 5 };
static int pipes[count][2], ids[count];
static const long calls[count] = { SYS_read, SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6 };

static int wait_in(int way, int input)
{
	struct pollfd waiting = { .fd = input, .events = POLLIN };
	fd_set set;
	char byte;

	FD_ZERO(&set);
	FD_SET(input, &set);
	switch (way) {
	case 0:
		return read(input, &byte, 1);
	case 1:
		if (SYS_poll != SYS_ppoll)
			return syscall(SYS_poll, &waiting, 1, -1);
		/* fall through */
	case 2:
		return syscall(SYS_ppoll, &waiting, 1, NULL, NULL, 0);
	case 3:
		return syscall(SYS_select, input + 1, &set, NULL, NULL, NULL, NULL);
	default:
		return syscall(SYS_pselect6, input + 1, &set, NULL, NULL, NULL, NULL);
	}
}

static void *waiter(void *place)
{
	int way = (int *)place - ids, result;

	__atomic_store_n(&ids[way], gettid(), __ATOMIC_SEQ_CST);
	/* Of these only poll is allowed to notice, and only a restart. */
	while ((result = wait_in(way, pipes[way][0])) == -1)
		check(errno == EINTR && way == 1 && was_restarted());
	check(result == 1);
	return NULL;
}

int main(void)
{
	pthread_t threads[count];

	for (int i = 0; i < count; i++) {
		check(pipe(pipes[i]) == 0);
		check(pthread_create(&threads[i], NULL, waiter, &ids[i]) == 0);
		while (!__atomic_load_n(&ids[i], __ATOMIC_SEQ_CST))
			pause_briefly();
		await_blocked_in(ids[i], calls[i]);
	}
	checkpoint_here();
	for (int i = 0; i < count; i++)
		check(write(pipes[i][1], "x", 1) == 1);
	for (int i = 0; i < count; i++)
		check(pthread_join(threads[i], NULL) == 0);
	return passed();
}

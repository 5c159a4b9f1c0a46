/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/epoll_waited_for.c
 * Two threads and a child sleep in epoll_wait(2) over the checkpoint, on one instance; each event
 * wakes somebody.
 */
#include "scenario.h"
#include <pthread.h>
#include <sys/epoll.h>

static int instance, bytes[2];

static void take_one(void)
{
	struct epoll_event event;
	char one;

	/* SIGSTOP would make it return with EINTR (signal(7)); a checkpoint does not. */
	check(epoll_wait(instance, &event, 1, -1) == 1);
	check(event.events == EPOLLIN && event.data.u32 == 99);
	check(read(bytes[0], &one, 1) == 1 && one == '!');
}

static void *run(void *id)
{
	*(pid_t *)id = gettid();
	take_one();
	return NULL;
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.u32 = 99 };
	volatile pid_t ids[2] = { 0 };
	pthread_t threads[2];
	pid_t child;

	instance = epoll_create1(0);
	check(instance >= 0 && pipe(bytes) == 0);
	check(epoll_ctl(instance, EPOLL_CTL_ADD, bytes[0], &event) == 0);
	child = fork();
	if (child == 0) {
		take_one();
		_exit(4);
	}
	for (int i = 0; i < 2; i++) {
		check(pthread_create(&threads[i], NULL, run, (void *)&ids[i]) == 0);
		while (!ids[i])
			pause_briefly();
		await_blocked_in(ids[i], SYS_epoll_wait);
	}
	await_blocked_in(child, SYS_epoll_wait);
	checkpoint_here();
	check(write(bytes[1], "!!!", 3) == 3);
	for (int i = 0; i < 2; i++)
		check(pthread_join(threads[i], NULL) == 0);
	check_exits_with(child, 4);
	return passed();
}

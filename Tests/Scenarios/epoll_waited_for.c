/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/epoll_waited_for.c
 * Two threads and a child sleep in epoll_wait(2) over the checkpoint, on one instance; each event
 * wakes somebody.
 */
#include "scenario.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int instance, semaphore;

static void take_one(void)
{
	struct epoll_event event;
	uint64_t one;

	/* SIGSTOP would make it return with EINTR (signal(7)); a checkpoint does not. */
	check(epoll_wait(instance, &event, 1, -1) == 1);
	check(event.events == EPOLLIN && event.data.u32 == 99);
	check(read(semaphore, &one, sizeof one) == sizeof one && one == 1);
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
	semaphore = eventfd(0, EFD_SEMAPHORE);
	check(instance >= 0 && epoll_ctl(instance, EPOLL_CTL_ADD, semaphore, &event) == 0);
	if (!has_descriptor_info(semaphore, "eventfd-semaphore"))
		cannot_run_here("before Linux 6.5 nobody is told which eventfd is a semaphore");
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
	check(eventfd_write(semaphore, 3) == 0);
	for (int i = 0; i < 2; i++)
		check(pthread_join(threads[i], NULL) == 0);
	check_exits_with(child, 4);
	return passed();
}

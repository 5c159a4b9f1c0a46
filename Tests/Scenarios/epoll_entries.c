/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/epoll_entries.c
 * Everything an epoll instance can hold: level- and edge-triggered entries, one-shot ones before
 * and after their shot, a nested instance, objects of the kernel, an entry whose number was closed
 * and one whose number was given away.
 */
#include "scenario.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static void watch(int instance, int file, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	check(epoll_ctl(instance, EPOLL_CTL_ADD, file, &event) == 0);
}

/* Whether `data` comes with `events`; everything that is ready is asked for. */
static bool reports(int instance, uint64_t data, uint32_t events)
{
	struct epoll_event ready[16];
	int count = epoll_wait(instance, ready, 16, 0);
	bool found = false;

	check(count >= 0);
	for (int i = 0; i < count; i++)
		if (ready[i].data.u64 == data)
			found = ready[i].events == events;
	return found;
}

static bool is_silent(int instance)
{
	struct epoll_event ready;

	return epoll_wait(instance, &ready, 1, 0) == 0;
}

int main(void)
{
	enum { level = 0x1122334455667788, edge = 2, armed = 3, fired = 4, closed = 5, reused = 6,
		timer = 7, signals = 8, nested = 9, counter = 10 };
	int instance = epoll_create1(EPOLL_CLOEXEC), inner = epoll_create1(0), other = epoll_create1(0);
	int pipes[6][2], kept, number, count = eventfd(0, 0), clock, signal, copy;
	struct itimerspec soon = { .it_value = { .tv_nsec = 1 } };
	struct epoll_event event;
	sigset_t set;
	pid_t child;

	for (int i = 0; i < 6; i++)
		check(pipe2(pipes[i], O_NONBLOCK) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	clock = timerfd_create(CLOCK_MONOTONIC, 0);
	signal = signalfd(-1, &set, 0);
	check(instance >= 0 && inner >= 0 && other >= 0 && count >= 0 && clock >= 0 && signal >= 0);

	watch(instance, pipes[0][0], EPOLLIN, level);
	watch(instance, pipes[1][0], EPOLLIN | EPOLLET, edge);
	watch(instance, pipes[2][0], EPOLLIN | EPOLLONESHOT, armed);
	watch(instance, pipes[3][0], EPOLLIN | EPOLLONESHOT, fired);
	watch(instance, clock, EPOLLIN, timer);
	watch(instance, signal, EPOLLIN, signals);
	watch(instance, inner, EPOLLIN, nested);
	watch(inner, count, EPOLLIN | EPOLLET, counter);
	/* Only the copy leads to it now. */
	kept = dup(pipes[4][0]);
	watch(instance, pipes[4][0], EPOLLIN, closed);
	number = pipes[4][0];
	check(close(number) == 0);
	/* And the number leads to something else, which is watched as well. */
	check(dup2(pipes[5][0], number) == number);
	watch(instance, number, EPOLLIN, reused);
	/* An instance that only a child has, filled with what only the parent has. */
	watch(other, pipes[0][0], EPOLLIN, 77);
	check(write(pipes[3][1], "x", 1) == 1 && reports(instance, fired, EPOLLIN));
	child = fork();
	if (child == 0) {
		check(close(pipes[0][0]) == 0);
		await("written");
		check(reports(other, 77, EPOLLIN));
		_exit(3);
	}
	check(close(other) == 0);
	copy = dup(instance);
	check(is_silent(instance));
	checkpoint_here();

	check(fcntl(instance, F_GETFD) == FD_CLOEXEC);
	check(is_silent(instance));
	check(write(pipes[0][1], "x", 1) == 1);
	tell("written");
	check(reports(instance, level, EPOLLIN) && reports(instance, level, EPOLLIN));
	check(write(pipes[1][1], "x", 1) == 1);
	check(reports(instance, edge, EPOLLIN) && !reports(instance, edge, EPOLLIN));
	check(write(pipes[2][1], "x", 1) == 1);
	check(reports(instance, armed, EPOLLIN) && !reports(instance, armed, EPOLLIN));
	check(!reports(instance, fired, EPOLLIN));
	event = (struct epoll_event){ EPOLLIN | EPOLLONESHOT, { .u64 = fired } };
	check(epoll_ctl(instance, EPOLL_CTL_MOD, pipes[3][0], &event) == 0);
	check(reports(instance, fired, EPOLLIN));
	check(timerfd_settime(clock, 0, &soon, NULL) == 0);
	pause_briefly();
	check(reports(instance, timer, EPOLLIN));
	check(raise(SIGUSR2) == 0);
	check(reports(instance, signals, EPOLLIN));
	check(eventfd_write(count, 1) == 0);
	check(reports(copy, nested, EPOLLIN) && reports(inner, counter, EPOLLIN));
	check(write(pipes[4][1], "x", 1) == 1);
	check(reports(instance, closed, EPOLLIN));
	check(write(pipes[5][1], "x", 1) == 1);
	check(reports(instance, reused, EPOLLIN));
	/* The number has its new entry, and no longer the old one. */
	check(epoll_ctl(instance, EPOLL_CTL_DEL, number, NULL) == 0);
	check(epoll_ctl(instance, EPOLL_CTL_DEL, number, NULL) == -1 && errno == ENOENT);
	check(!reports(instance, reused, EPOLLIN) && reports(instance, closed, EPOLLIN));
	/* It goes with the last descriptor of its file, of which the child had one too. */
	check_exits_with(child, 3);
	check(close(kept) == 0);
	check(!reports(instance, closed, EPOLLIN));
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/pidfd_of_relatives.c
 * pidfd_open(2): of oneself, of a child, of a zombie, held by the parent and a sibling too; in an
 * epoll instance.
 */
#include "scenario.h"
#include <poll.h>
#include <sys/epoll.h>

static int open_process(pid_t process, unsigned flags)
{
	int file = syscall(SYS_pidfd_open, process, flags);

	check(file >= 0);
	return file;
}

static bool has_ended(int file)
{
	struct pollfd entry = { .fd = file, .events = POLLIN };

	check(poll(&entry, 1, 0) >= 0);
	return entry.revents & POLLIN;
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 12 };
	int self = open_process(getpid(), 0), ends[2], sleeper, dead, copy, gone, instance = epoll_create1(0);
	pid_t child, sibling, zombie;
	siginfo_t info;
	char byte;

	check(pipe(ends) == 0 && instance >= 0);
	child = fork();
	if (child == 0) {
		check(close(ends[1]) == 0);
		check(read(ends[0], &byte, 1) == 0);
		_exit(21);
	}
	zombie = fork();
	if (zombie == 0)
		_exit(22);
	sleeper = open_process(child, O_NONBLOCK);
	dead = open_process(zombie, 0);
	copy = dup(sleeper);
	check(epoll_ctl(instance, EPOLL_CTL_ADD, sleeper, &event) == 0);
	while (!has_ended(dead))
		pause_briefly();
	sibling = fork();
	if (sibling == 0)
		_exit(24);
	gone = open_process(sibling, O_NONBLOCK);
	check_exits_with(sibling, 24);
	sibling = fork();
	if (sibling == 0) {
		check(close(ends[1]) == 0);
		while (!has_ended(sleeper))
			pause_briefly();
		check(syscall(SYS_pidfd_send_signal, self, 0, NULL, 0) == 0);
		_exit(23);
	}
	checkpoint_here();

	check(fcntl(sleeper, F_GETFD) == FD_CLOEXEC);
	check(fcntl(sleeper, F_GETFL) == (O_RDWR | O_NONBLOCK) && !has_ended(sleeper));
	check(epoll_wait(instance, &event, 1, 0) == 0);
	check(has_ended(dead) && waitid(P_PIDFD, dead, &info, WEXITED) == 0 && info.si_status == 22);
	check(syscall(SYS_pidfd_send_signal, self, 0, NULL, 0) == 0 && !has_ended(self));
	/* Of one that has ended and was waited for: it leads to nobody. */
	check(has_ended(gone) && fcntl(gone, F_GETFL) == (O_RDWR | O_NONBLOCK));
	check(syscall(SYS_pidfd_send_signal, gone, 0, NULL, 0) == -1 && errno == ESRCH);
	check(waitid(P_PIDFD, gone, &info, WEXITED | WNOHANG) == -1 && errno == ECHILD);
	check(close(ends[1]) == 0);
	while (epoll_wait(instance, &event, 1, 0) == 0)
		pause_briefly();
	check(event.data.u32 == 12);
	memset(&info, 0, sizeof info);
	check(waitid(P_PIDFD, copy, &info, WEXITED) == 0);
	check(info.si_status == 21);
	check(waitid(P_ALL, 0, &info, WEXITED) == 0 && info.si_status == 23);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/signalfd_that_waits.c
 * signalfd(2): its signals, one that was pending before the checkpoint, and a reader that was
 * blocked over it.
 */
#include "scenario.h"
#include <sys/signalfd.h>

int main(void)
{
	struct signalfd_siginfo info;
	union sigval value = { .sival_int = 4711 };
	sigset_t set;
	int file, copy, ready[2];
	pid_t child;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 3);
	check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	file = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	check(file >= 0 && pipe(ready) == 0);
	copy = dup(file);
	child = fork();
	if (child == 0) {
		int own = signalfd(-1, &set, 0);

		check(read(own, &info, sizeof info) == sizeof info);
		check(info.ssi_signo == SIGUSR1 && info.ssi_pid == (uint32_t)getppid());
		_exit(7);
	}
	await_blocked_in(child, SYS_read);
	check(sigqueue(getpid(), SIGRTMIN + 3, value) == 0);
	checkpoint_here();
	check(fcntl(file, F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(file, F_GETFD) == FD_CLOEXEC);
	check(read(copy, &info, sizeof info) == sizeof info);
	check(info.ssi_signo == (uint32_t)(SIGRTMIN + 3) && info.ssi_int == 4711);
	check(read(file, &info, sizeof info) == -1 && errno == EAGAIN);
	/* Not among its signals. */
	sigaddset(&set, SIGUSR2);
	check(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && raise(SIGUSR2) == 0);
	check(read(file, &info, sizeof info) == -1 && errno == EAGAIN);
	check(raise(SIGUSR1) == 0);
	check(read(file, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1);
	check(kill(child, SIGUSR1) == 0);
	check_exits_with(child, 7);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/signal_driven_input.c
 * F_SETOWN and F_SETSIG: the file remembers whom to tell, and how.
 */
#include "scenario.h"

int main(void)
{
	struct f_owner_ex owner = { .type = F_OWNER_TID };
	struct timespec limit = { .tv_sec = 5 };
	siginfo_t info;
	sigset_t set;
	int ends[2];

	owner.pid = gettid();
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	check(pipe(ends) == 0);
	check(fcntl(ends[0], F_SETOWN_EX, &owner) == 0);
	check(fcntl(ends[0], F_SETSIG, SIGRTMIN + 3) == 0);
	check(fcntl(ends[0], F_SETFL, O_ASYNC) == 0);
	checkpoint_here();
	owner.pid = 0;
	check(fcntl(ends[0], F_GETOWN_EX, &owner) == 0);
	check(owner.type == F_OWNER_TID && owner.pid == gettid());
	check(fcntl(ends[0], F_GETSIG) == SIGRTMIN + 3);
	check(write(ends[1], "x", 1) == 1);
	check(sigtimedwait(&set, &info, &limit) == SIGRTMIN + 3);
	check(info.si_fd == ends[0]);
	return passed();
}

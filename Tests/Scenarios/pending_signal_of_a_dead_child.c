/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/pending_signal_of_a_dead_child.c
 * SIGCHLD of a child that ended is pending together with the zombie it speaks of.
 */
#include "scenario.h"

int main(void)
{
	struct timespec at_once = { 0 };
	siginfo_t info;
	sigset_t set;
	pid_t child;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	child = fork();
	if (child == 0)
		_exit(14);
	check(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
	checkpoint_here();
	check(sigtimedwait(&set, &info, &at_once) == SIGCHLD);
	check(info.si_code == CLD_EXITED && info.si_pid == child && info.si_status == 14);
	/* The restart itself has made no further one. */
	check(sigtimedwait(&set, &info, &at_once) == -1 && errno == EAGAIN);
	check_exits_with(child, 14);
	return passed();
}

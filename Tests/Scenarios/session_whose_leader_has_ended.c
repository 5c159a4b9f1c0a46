/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/session_whose_leader_has_ended.c
 * A daemon made by two forks: its session's leader is gone, so it can never have a terminal.
 * runner: restart --restore-sid --restore-pgid
 */
#include "scenario.h"

int main(void)
{
	pid_t leader, daemon;
	siginfo_t end;

	check(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	leader = fork();
	if (leader == 0) {
		check(setsid() == getpid());
		if (fork() == 0) {
			pid_t session = getsid(0);

			while (getppid() == session)
				pause_briefly();
			tell("orphan");
			wait_for_go(0);
			check(getsid(0) == session && getpgrp() == session);
			_exit(4);
		}
		_exit(0);
	}
	check_exits_with(leader, 0);
	await("orphan");
	checkpoint_here();
	check(waitid(P_ALL, 0, &end, WEXITED) == 0);
	daemon = end.si_pid;
	check(daemon != leader && end.si_code == CLD_EXITED && end.si_status == 4);
	return passed();
}

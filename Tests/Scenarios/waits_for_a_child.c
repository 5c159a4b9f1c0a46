/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/waits_for_a_child.c
 * wait4(2) and waitid(2) of a parent that was asleep in them when it was frozen.
 */
#include "scenario.h"

static void end_after_go(int status)
{
	wait_for_go(0);
	_exit(status);
}

int main(void)
{
	pid_t by_waitid = fork(), by_wait4, checkpointer;
	siginfo_t end;

	if (by_waitid == 0) {
		pid_t grandchild = fork();

		if (grandchild == 0)
			end_after_go(21);
		tell("in waitid");
		check(waitid(P_PID, grandchild, &end, WEXITED) == 0);
		check(end.si_status == 21);
		_exit(22);
	}
	by_wait4 = fork();
	if (by_wait4 == 0)
		end_after_go(23);
	await("in waitid");
	await_blocked_in(by_waitid, SYS_waitid);
	checkpointer = fork();
	if (checkpointer == 0) {
		await_blocked_in(getppid(), SYS_wait4);
		checkpoint_here();
		_exit(24);
	}
	check_exits_with(by_wait4, 23);
	check_exits_with(by_waitid, 22);
	check_exits_with(checkpointer, 24);
	return passed();
}

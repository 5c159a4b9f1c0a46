/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/sessions.c
 * A daemon-like child with its own session, and a group of its own within that.
 * runner: restart --restore-sid --restore-pgid
 */
#include "scenario.h"

int main(void)
{
	pid_t session = getsid(0), child = fork();

	if (child == 0) {
		pid_t me = getpid(), grandchild;

		check(setsid() == me);
		grandchild = fork();
		if (grandchild == 0) {
			check(setpgid(0, 0) == 0);
			tell("grandchild");
			wait_for_go(0);
			check(getsid(0) == me && getpgrp() == getpid());
			_exit(1);
		}
		wait_for_go(0);
		check(getsid(0) == me && getpgrp() == me);
		check_exits_with(grandchild, 1);
		_exit(2);
	}
	await("grandchild");
	checkpoint_here();
	check(getsid(0) == session && getsid(child) == child);
	check_exits_with(child, 2);
	return passed();
}

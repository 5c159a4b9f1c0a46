/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/exit_status_of_children.c
 * How a child ends after the restart is told to its parent: status, signal, and who it was.
 */
#include "scenario.h"

static pid_t child_that(int way)
{
	pid_t child = fork();

	check(child >= 0);
	if (child)
		return child;
	wait_for_go(0);
	switch (way) {
	case 0:
		_exit(0);
	case 1:
		_exit(199);
	case 2:
		raise(SIGKILL);
	}
	abort();
}

int main(void)
{
	pid_t children[4];
	siginfo_t end;

	for (int i = 0; i < 4; i++)
		children[i] = child_that(i);
	checkpoint_here();
	check_exits_with(children[0], 0);
	check(waitid(P_PID, children[1], &end, WEXITED) == 0);
	check(end.si_pid == children[1] && end.si_code == CLD_EXITED && end.si_status == 199);
	check_dies_of(children[2], SIGKILL);
	check_dies_of(children[3], SIGABRT);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/zombie_statuses.c
 * A dead child's status is kept by the kernel alone: exit code, signal, and which child.
 */
#include "scenario.h"

int main(void)
{
	pid_t exited = fork(), killed;
	siginfo_t end;

	if (exited == 0)
		_exit(42);
	killed = fork();
	if (killed == 0)
		for (;;)
			pause();
	check(kill(killed, SIGUSR2) == 0);
	check(waitid(P_PID, exited, &end, WEXITED | WNOWAIT) == 0);
	check(waitid(P_PID, killed, &end, WEXITED | WNOWAIT) == 0);
	checkpoint_here();
	memset(&end, 0, sizeof end);
	check(waitid(P_PID, killed, &end, WEXITED | WNOWAIT) == 0);
	check(end.si_code == CLD_KILLED && end.si_status == SIGUSR2);
	check_exits_with(exited, 42);
	check_dies_of(killed, SIGUSR2);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/zombies.c
 * Children that ended before the checkpoint and are waited for after the restart.
 */
#include "scenario.h"

static void await_zombie(pid_t child)
{
	siginfo_t end;

	check(waitid(P_PID, child, &end, WEXITED | WNOWAIT) == 0);
}

int main(void)
{
	pid_t exited = fork(), killed, group_leader;
	int end;

	if (exited == 0)
		_exit(42);
	killed = fork();
	if (killed == 0)
		for (;;)
			pause();
	check(kill(killed, SIGTERM) == 0);
	group_leader = fork();
	if (group_leader == 0) {
		setpgid(0, 0);
		_exit(0);
	}
	await_zombie(exited);
	await_zombie(killed);
	await_zombie(group_leader);
	checkpoint_here();
	for (int seen = 0; seen < 3; seen++)
		check(waitpid(-1, &end, WNOHANG) > 0);
	check(wait(&end) == -1 && errno == ECHILD);
	return passed();
}

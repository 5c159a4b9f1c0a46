/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/death_of_a_parent_is_signalled.c
 * The parent-death signal of a child still works: its parent ends after the restart.
 */
#include "scenario.h"

int main(void)
{
	int *heard = shared_memory(page_size), end;
	pid_t child;

	check(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	child = fork();
	if (child == 0) {
		if (fork() == 0) {
			sigset_t set;

			sigemptyset(&set);
			sigaddset(&set, SIGUSR1);
			check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
			check(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0);
			tell("grandchild");
			check(sigwait(&set, heard) == 0);
			_exit(0);
		}
		wait_for_go(0);
		_exit(0);
	}
	await("grandchild");
	checkpoint_here();
	check(wait(&end) > 0 && wait(&end) > 0);
	check(*heard == SIGUSR1);
	return passed();
}

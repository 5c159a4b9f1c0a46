/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/orphan_adopted_within_the_job.c
 * A grandchild whose parent died belongs to the subreaper above it.
 */
#include "scenario.h"

int main(void)
{
	pid_t parent = getpid(), child, *orphan = shared_memory(page_size);
	int adopts = 0;

	check(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	child = fork();
	if (child == 0) {
		if (fork() == 0) {
			*orphan = getpid();
			while (getppid() != parent)
				pause_briefly();
			tell("adopted");
			wait_for_go(0);
			check(getppid() == parent);
			/* And what it leaves behind comes to us, too. */
			if (fork() == 0) {
				while (getppid() != parent)
					pause_briefly();
				_exit(6);
			}
			_exit(5);
		}
		_exit(0);
	}
	check_exits_with(child, 0);
	await("adopted");
	checkpoint_here();
	check(prctl(PR_GET_CHILD_SUBREAPER, &adopts) == 0 && adopts == 1);
	check_exits_with(*orphan, 5);
	check(wait(&adopts) > 0 && WEXITSTATUS(adopts) == 6);
	return passed();
}

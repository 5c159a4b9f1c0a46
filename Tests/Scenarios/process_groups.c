/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/process_groups.c
 * Groups within the job, as a shell makes them for its pipelines.
 * runner: restart --restore-pgid
 */
#include "scenario.h"

int main(void)
{
	pid_t group = getpgrp(), a = fork(), b, c;

	if (a == 0) {
		check(setpgid(0, 0) == 0);
		tell("leader");
		wait_for_go(0);
		check(getpgrp() == getpid());
		for (;;)
			pause();
	}
	await("leader");
	b = fork();
	if (b == 0) {
		check(setpgid(0, a) == 0);
		tell("follower");
		wait_for_go(0);
		check(getpgrp() == a);
		for (;;)
			pause();
	}
	c = fork();
	if (c == 0) {
		wait_for_go(0);
		check(getpgrp() == group);
		for (;;)
			pause();
	}
	await("follower");
	checkpoint_here();
	check(getpgrp() == group && getpgid(a) == a && getpgid(b) == a && getpgid(c) == group);
	/* A signal to the group reaches its members and nobody else. */
	check(kill(-a, SIGTERM) == 0);
	check_dies_of(a, SIGTERM);
	check_dies_of(b, SIGTERM);
	check(waitpid(c, NULL, WNOHANG) == 0);
	check(kill(c, SIGKILL) == 0);
	check_dies_of(c, SIGKILL);
	return passed();
}

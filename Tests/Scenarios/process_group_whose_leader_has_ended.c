/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/process_group_whose_leader_has_ended.c
 * The group keeps the id of a process that is no more.
 * runner: restart --restore-pgid
 */
#include "scenario.h"

int main(void)
{
	pid_t leader = fork(), member;

	if (leader == 0) {
		check(setpgid(0, 0) == 0);
		tell("leader");
		await("member");
		_exit(0);
	}
	await("leader");
	member = fork();
	if (member == 0) {
		check(setpgid(0, leader) == 0);
		tell("member");
		for (;;)
			pause();
	}
	check_exits_with(leader, 0);
	checkpoint_here();
	check(getpgid(member) == leader);
	check(kill(-leader, SIGTERM) == 0);
	check_dies_of(member, SIGTERM);
	return passed();
}

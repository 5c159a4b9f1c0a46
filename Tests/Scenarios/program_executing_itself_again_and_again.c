/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/program_executing_itself_again_and_again.c
 * A child that calls execve(2) without pause: whichever program it is when frozen, it goes on.
 */
#include "scenario.h"

int main(int count, char **arguments)
{
	char program[PATH_MAX] = { 0 }, next[16];
	pid_t child;

	check(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
	if (count > 1) {
		int round = atoi(arguments[1]);

		if (round == 5)
			tell("going");
		if (is_flagged("flag.enough"))
			return 6;
		snprintf(next, sizeof next, "%d", round + 1);
		execl(program, arguments[0], next, NULL);
		check(!"executed");
	}
	child = fork();
	if (child == 0) {
		execl(program, arguments[0], "1", NULL);
		_exit(127);
	}
	await("going");
	checkpoint_here();
	checkpoint_here();
	tell("enough");
	check_exits_with(child, 6);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/children_started_by_vfork.c
 * posix_spawn(3) makes its child by vfork; later it is a child as any other, of another program.
 */
#include "scenario.h"
#include <spawn.h>

extern char **environ;

int main(int count, char **arguments)
{
	char program[PATH_MAX] = { 0 };
	char *child_arguments[] = { arguments[0], "child", NULL };
	pid_t child;

	if (count > 1) {
		tell("spawned");
		wait_for_go(0);
		return 12;
	}
	check(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
	check(posix_spawn(&child, program, NULL, NULL, child_arguments, environ) == 0);
	await("spawned");
	checkpoint_here();
	check_exits_with(child, 12);
	return passed();
}

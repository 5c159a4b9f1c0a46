/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/processes_sharing_directories.c
 * CLONE_FS: a change of directory or umask by one holds for the other.
 */
#include "scenario.h"
#include <sched.h>

static int child_main(void *unused)
{
	(void)unused;
	wait_for_go(0);
	check(chdir("/usr") == 0);
	umask(0057);
	return 0;
}

int main(void)
{
	enum { stack_size = 256 * 1024 };
	char *stack = memory(stack_size), directory[PATH_MAX];
	pid_t child = clone(child_main, stack + stack_size, CLONE_FS | SIGCHLD, NULL);

	check(child > 0);
	checkpoint_here();
	check_exits_with(child, 0);
	check(getcwd(directory, sizeof directory) && strcmp(directory, "/usr") == 0);
	check(umask(0) == 0057);
	return passed();
}

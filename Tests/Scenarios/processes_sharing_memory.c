/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/processes_sharing_memory.c
 * CLONE_VM without CLONE_THREAD: two processes in one address space, once in the file.
 */
#include "scenario.h"
#include <sched.h>

static volatile int step;

static int child_main(void *value)
{
	/* The thread-local storage is the parent's: nothing here may use errno. */
	while (step != 1)
		pause_briefly();
	*(int *)value += 1;
	step = 2;
	return 8;
}

int main(void)
{
	enum { stack_size = 64 * 1024 };
	char *stack = memory(stack_size);
	int value = 41;
	pid_t child = clone(child_main, stack + stack_size, CLONE_VM | SIGCHLD, &value);

	check(child > 0);
	checkpoint_here();
	check(value == 41);
	step = 1;
	while (step != 2)
		pause_briefly();
	check(value == 42);
	check_exits_with(child, 8);
	return passed();
}

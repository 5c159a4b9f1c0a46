/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/processes_sharing_descriptors.c
 * CLONE_FILES: a descriptor that one opens is there for the other.
 */
#include "scenario.h"
#include <sched.h>

static int *number;

static int child_main(void *unused)
{
	int ends[2];

	(void)unused;
	wait_for_go(0);
	check(pipe(ends) == 0);
	check(write(ends[1], "shared", 6) == 6);
	__atomic_store_n(number, ends[0], __ATOMIC_SEQ_CST);
	return 0;
}

int main(void)
{
	enum { stack_size = 256 * 1024 };
	char *stack = memory(stack_size), text[8] = { 0 };
	pid_t child;

	number = shared_memory(page_size);
	child = clone(child_main, stack + stack_size, CLONE_FILES | SIGCHLD, NULL);
	check(child > 0);
	checkpoint_here();
	check_exits_with(child, 0);
	check(*number > 2);
	check(read(*number, text, 6) == 6 && strcmp(text, "shared") == 0);
	return passed();
}

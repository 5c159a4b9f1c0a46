/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/process_that_traces_another.c
 * A debugger and what it debugs have a relation that cannot be made again: refused by name.
 * runner: refused trace
 */
#include "scenario.h"
#include <sys/ptrace.h>

int main(void)
{
	pid_t child = fork();
	int end;

	if (child == 0)
		for (;;)
			pause();
	check(ptrace(PTRACE_SEIZE, child, 0, 0) == 0);
	checkpoint_here();
	check(ptrace(PTRACE_INTERRUPT, child, 0, 0) == 0);
	check(waitpid(child, &end, __WALL) == child && WIFSTOPPED(end));
	check(kill(child, SIGKILL) == 0);
	check(waitpid(child, &end, __WALL) == child && WIFSIGNALED(end));
	return passed();
}

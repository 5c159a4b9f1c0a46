/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/parent_waiting_for_its_vfork_child.c
 * A parent in vfork(2) cannot be stopped before its child ends: the time runs out.
 * runner: checkpoint -t 1
 * runner: refused cr_checkpoint
 */
#include "scenario.h"

int main(void)
{
	volatile int value = 1;
	pid_t child = vfork();

	if (child == 0) {
		/* In the parent's memory, and that is well: it sleeps. */
		checkpoint_here();
		value = 2;
		_exit(3);
	}
	check(child > 0 && value == 2);
	check_exits_with(child, 3);
	return passed();
}

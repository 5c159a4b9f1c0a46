/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/zombie_of_a_grandchild.c
 * A dead process two levels down, waited for by its own parent.
 */
#include "scenario.h"

int main(void)
{
	pid_t child = fork();

	if (child == 0) {
		pid_t grandchild = fork();
		siginfo_t end;

		if (grandchild == 0)
			_exit(9);
		check(waitid(P_PID, grandchild, &end, WEXITED | WNOWAIT) == 0);
		tell("zombie");
		wait_for_go(0);
		check_exits_with(grandchild, 9);
		_exit(3);
	}
	await("zombie");
	checkpoint_here();
	check_exits_with(child, 3);
	return passed();
}

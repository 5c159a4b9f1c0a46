/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/children_of_other_programs.c
 * A shell with a sleeping child: two programs we did not build, below one that we did.
 */
#include "scenario.h"

int main(void)
{
	pid_t child = fork();

	if (child == 0) {
		execl("/bin/bash", "bash", "-c",
		      "echo $BASHPID > flag.part; mv flag.part flag.shell;"
		      "while [ ! -e go.0 ]; do sleep 0.02; done; exit 33",
		      NULL);
		_exit(127);
	}
	await("shell");
	checkpoint_here();
	check_exits_with(child, 33);
	return passed();
}

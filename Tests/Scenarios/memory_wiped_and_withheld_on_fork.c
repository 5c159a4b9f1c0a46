/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/memory_wiped_and_withheld_on_fork.c
 * MADV_WIPEONFORK and MADV_DONTFORK still act on a fork after the restart.
 */
#include "scenario.h"

int main(void)
{
	char *wiped = memory(page_size), *gap = memory(page_size), *withheld = memory(page_size);
	pid_t child;

	wiped[0] = gap[0] = withheld[0] = 'x';
	check(madvise(wiped, page_size, MADV_WIPEONFORK) == 0);
	check(madvise(withheld, page_size, MADV_DONTFORK) == 0);
	checkpoint_here();
	check(wiped[0] == 'x' && gap[0] == 'x' && withheld[0] == 'x');
	check(faults_at(withheld, false));
	child = fork();
	if (child == 0)
		_exit(wiped[0] == 0 && gap[0] == 'x' ? 5 : 6);
	check_exits_with(child, 5);
	return passed();
}

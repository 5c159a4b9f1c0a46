/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/all_memory_locked_for_the_future.c
 * After mlockall(MCL_FUTURE) every new mapping is locked, also those made after the restart.
 * runner: root
 */
#include "scenario.h"

int main(void)
{
	char *before, *after;

	check(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
	before = memory(page_size);
	checkpoint_here();
	after = memory(page_size);
	check(has_vm_flag(before, "lo"));
	check(has_vm_flag(after, "lo"));
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/locked_memory.c
 * mlock(2) and mlock2(MLOCK_ONFAULT) hold again after the restart.
 */
#include "scenario.h"

int main(void)
{
	char *locked = memory(8 * page_size), *gap = memory(page_size);
	char *on_fault = memory(8 * page_size);

	gap[0] = 1;
	if (mlock(locked, 8 * page_size) != 0)
		cannot_run_here("no memory may be locked");
	check(mlock2(on_fault, 8 * page_size, MLOCK_ONFAULT) == 0);
	fill(locked, 8 * page_size, 7);
	on_fault[0] = 1;
	checkpoint_here();
	check(is_filled(locked, 8 * page_size, 7));
	check(has_vm_flag(locked, "lo") && has_vm_flag(on_fault, "lo"));
	check(!has_vm_flag(gap, "lo"));
	return passed();
}

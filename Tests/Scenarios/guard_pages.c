/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/guard_pages.c
 * Memory without access faults, and keeps its contents for the day it becomes accessible.
 */
#include "scenario.h"

int main(void)
{
	char *bytes = memory(3 * page_size);

	fill(bytes, 3 * page_size, 4);
	check(mprotect(bytes + page_size, page_size, PROT_NONE) == 0);
	checkpoint_here();
	check(faults_at(bytes + page_size, false));
	check(!faults_at(bytes, true) && !faults_at(bytes + 2 * page_size, true));
	check(mprotect(bytes + page_size, page_size, PROT_READ) == 0);
	check(is_filled(bytes, 3 * page_size, 4));
	return passed();
}

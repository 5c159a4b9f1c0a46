/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/read_only_pages_with_contents.c
 * Written first and protected afterwards, as a linker does with relocations.
 */
#include "scenario.h"

int main(void)
{
	char *bytes = memory(8 * page_size);

	fill(bytes, 8 * page_size, 5);
	check(mprotect(bytes, 8 * page_size, PROT_READ) == 0);
	checkpoint_here();
	check(is_filled(bytes, 8 * page_size, 5));
	check(faults_at(bytes + page_size, true));
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/shared_memory_seen_twice.c
 * One shared memory mapped at two places of one process, and at a third with other rights.
 */
#include "scenario.h"

int main(void)
{
	enum { size = 16 * page_size };
	char *first = shared_memory(size);
	/* mremap of no old size doubles a shared mapping. */
	char *second = mremap(first, 0, size, MREMAP_MAYMOVE);
	char *third = mremap(first + page_size, 0, page_size, MREMAP_MAYMOVE);

	check(second != MAP_FAILED && third != MAP_FAILED);
	check(mprotect(third, page_size, PROT_READ) == 0);
	fill(first, size, 9);
	checkpoint_here();
	check(is_filled(second, size, 9));
	first[page_size] = 'x';
	second[0] = 'y';
	check(third[0] == 'x' && first[0] == 'y' && second[page_size] == 'x');
	check(faults_at(third, true));
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/mappings_made_afterwards.c
 * New mappings find their place beside the restored ones, and old ones can go.
 */
#include "scenario.h"

int main(void)
{
	enum { count = 500 };
	char *before[count], *after[count];

	for (int i = 0; i < count; i++) {
		before[i] = mmap(NULL, page_size, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		check(before[i] != MAP_FAILED);
		if (i % 2 == 0)
			*(int *)before[i] = i;
	}
	checkpoint_here();
	for (int i = 0; i < count; i++) {
		after[i] = memory(3 * page_size);
		fill(after[i], 3 * page_size, i);
	}
	for (int i = 0; i < count; i++) {
		check(*(int *)before[i] == (i % 2 ? 0 : i));
		check(is_filled(after[i], 3 * page_size, i));
		check(munmap(before[i], page_size) == 0);
		check(munmap(after[i], 3 * page_size) == 0);
	}
	return passed();
}

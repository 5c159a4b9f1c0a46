/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/memory_with_pages_never_touched.c
 * Pages between used ones were never there: they must read as zero, and cost nothing.
 */
#include "scenario.h"

int main(void)
{
	enum { pages = 3000 };
	char *bytes = memory(pages * page_size);

	for (int i = 0; i < pages; i += 3)
		fill(bytes + i * page_size, page_size, i);
	checkpoint_here();
	for (int i = 0; i < pages; i++) {
		char *page = bytes + i * page_size;
		unsigned char resident;

		check(mincore(page, page_size, &resident) == 0);
		check((resident & 1) == (i % 3 == 0));
		check(i % 3 ? is_zero(page, page_size) : is_filled(page, page_size, i));
	}
	return passed();
}

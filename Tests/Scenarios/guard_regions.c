/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/guard_regions.c
 * MADV_GUARD_INSTALL (Linux 6.13) makes pages of a mapping fault without making another mapping of them;
 * newer C libraries guard the stacks of threads by it. Only the page tables tell.
 */
#include "scenario.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE  103
#endif

enum { pages = 64 };

/* In the middle, two side by side, and the last one. */
static bool is_guarded(int page)
{
	return page == 7 || page == 8 || page == 40 || page == pages - 1;
}

static void look(char *bytes, char *untouched)
{
	for (int page = 0; page < pages; page++) {
		char *place = bytes + page * page_size;

		check(faults_at(place, false) == is_guarded(page));
		if (!is_guarded(page))
			check(is_filled(place, page_size, page));
	}
	check(faults_at(untouched, true) && !faults_at(untouched + page_size, true));
}

int main(void)
{
	char *bytes = memory(pages * page_size), *gap = memory(page_size), *untouched = memory(2 * page_size);

	check(mprotect(gap, page_size, PROT_READ) == 0);
	for (int page = 0; page < pages; page++)
		fill(bytes + page * page_size, page_size, page);
	for (int page = 0; page < pages; page++)
		if (is_guarded(page) && madvise(bytes + page * page_size, page_size, MADV_GUARD_INSTALL) != 0)
			cannot_run_here("this kernel has no guard regions");
	check(madvise(untouched, page_size, MADV_GUARD_INSTALL) == 0);
	look(bytes, untouched);
	checkpoint_here();
	look(bytes, untouched);
	checkpoint_here();
	check(madvise(bytes, pages * page_size, MADV_GUARD_REMOVE) == 0);
	check(is_zero(bytes + 7 * page_size, page_size) && is_filled(bytes, page_size, 0));
	return passed();
}

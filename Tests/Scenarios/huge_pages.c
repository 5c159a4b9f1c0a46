/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/huge_pages.c
 * Memory of transparent huge pages, whole and partly used.
 */
#include "scenario.h"

int main(void)
{
	enum { huge = 2 * mebibyte, size = 16 * huge };
	char *bytes = memory(size + huge);

	bytes = (char *)(((uintptr_t)bytes + huge - 1) & -(uintptr_t)huge);
	check(madvise(bytes, size, MADV_HUGEPAGE) == 0 || errno == EINVAL);
	fill(bytes, size / 2, 20);
	bytes[size / 2 + 3 * huge] = 1;
	checkpoint_here();
	check(is_filled(bytes, size / 2, 20));
	check(bytes[size / 2 + 3 * huge] == 1);
	check(is_zero(bytes + size / 2, 3 * huge));
	check(is_zero(bytes + size / 2 + 3 * huge + 1, huge - 1));
	return passed();
}

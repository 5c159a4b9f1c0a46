/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/memory_given_back_reads_as_zero.c
 * MADV_DONTNEED after a restart must give zeros: memory that is secretly a mapping of the context
 * file would bring the old bytes back.
 */
#include "scenario.h"

int main(void)
{
	enum { size = 2 * mebibyte };
	char *bytes = memory(size), *freed = memory(size);

	fill(bytes, size, 6);
	fill(freed, size, 6);
	check(madvise(freed, size, MADV_DONTNEED) == 0);
	checkpoint_here();
	check(is_zero(freed, size));
	check(madvise(bytes, size, MADV_DONTNEED) == 0);
	check(is_zero(bytes, size));
	return passed();
}

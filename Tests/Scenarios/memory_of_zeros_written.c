/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/memory_of_zeros_written.c
 * Pages that were written with zeros are zeros, not what the memory held before.
 */
#include "scenario.h"

int main(void)
{
	enum { size = 4 * mebibyte };
	char *bytes = memory(size);

	fill(bytes, size, 3);
	memset(bytes, 0, size / 2);
	checkpoint_here();
	check(is_zero(bytes, size / 2));
	check(!is_zero(bytes + size / 2, size / 2));
	return passed();
}

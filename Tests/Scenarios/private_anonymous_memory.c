/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/private_anonymous_memory.c
 * Every byte of a large private buffer is as it was.
 */
#include "scenario.h"

int main(void)
{
	enum { size = 16 * mebibyte };
	char *bytes = memory(size);

	fill(bytes, size, 1);
	checkpoint_here();
	check(is_filled(bytes, size, 1));
	fill(bytes, size, 2);
	checkpoint_here();
	check(is_filled(bytes, size, 2));
	return passed();
}

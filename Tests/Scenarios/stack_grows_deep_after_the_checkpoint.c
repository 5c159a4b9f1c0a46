/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/stack_grows_deep_after_the_checkpoint.c
 * The stack of the main thread is a mapping that grows by itself, down to its limit.
 */
#include "scenario.h"

__attribute__((noinline)) static int deep(int levels)
{
	volatile char frame[4000];

	frame[0] = levels;
	return levels == 0 ? 0 : deep(levels - 1) + (frame[0] == (char)levels);
}

int main(void)
{
	char here[100];

	fill(here, sizeof here, 18);
	check(deep(10) == 10);
	checkpoint_here();
	check(is_filled(here, sizeof here, 18));
	/* About 6 MiB of the usual 8. */
	check(deep(1500) == 1500);
	checkpoint_here();
	check(deep(1600) == 1600);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/stack_used_deep_at_the_checkpoint.c
 * A large stack, with something to remember at each level.
 */
#include "scenario.h"

__attribute__((noinline)) static int deep(int levels)
{
	char frame[6000];
	int sum;

	fill(frame, sizeof frame, levels);
	if (levels == 0) {
		checkpoint_here();
		return 0;
	}
	sum = deep(levels - 1) + 1;
	check(is_filled(frame, sizeof frame, levels));
	return sum;
}

int main(void)
{
	check(deep(800) == 800);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/program_break_at_an_odd_place.c
 * The break is a byte address, and malloc goes on from it.
 */
#include "scenario.h"

int main(void)
{
	char *end, *blocks[100];

	for (int i = 0; i < 100; i++) {
		blocks[i] = malloc(1000);
		fill(blocks[i], 1000, i);
	}
	check(sbrk(12345) != (void *)-1);
	end = sbrk(0);
	end[-1] = 'e';
	checkpoint_here();
	check(sbrk(0) == end);
	check(end[-1] == 'e');
	check(sbrk(100000) == end);
	fill(end, 100000, 19);
	check(sbrk(-100000) == end + 100000 && sbrk(0) == end);
	for (int i = 0; i < 100; i++) {
		check(is_filled(blocks[i], 1000, i));
		free(blocks[i]);
	}
	check(malloc(200000) && malloc(50));
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/pipe_with_unread_bytes.c
 * The bytes wait in the kernel and not in our memory: only the engine can carry them over.
 */
#include "scenario.h"

int main(void)
{
	unsigned char bytes[5000];
	int ends[2];

	check(pipe(ends) == 0);
	fill(bytes, sizeof bytes, 56);
	check(write(ends[1], bytes, sizeof bytes) == sizeof bytes);
	/* The first page is used up in part. */
	check(read(ends[0], bytes, 1000) == 1000);
	checkpoint_here();
	check(read(ends[0], bytes + 1000, 3999) == 3999);
	check(is_filled(bytes, 4999, 56));
	check(write(ends[1], "after", 5) == 5);
	check(read(ends[0], bytes, 10) == 6 && memcmp(bytes + 1, "after", 5) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/pipe_of_packets.c
 * With O_DIRECT each write is a packet, and each read returns one.
 * runner: refused O_DIRECT.*not supported
 */
#include "scenario.h"

int main(void)
{
	char text[100];
	int ends[2];

	check(pipe2(ends, O_DIRECT) == 0);
	check(write(ends[1], "one", 3) == 3 && write(ends[1], "second", 6) == 6);
	checkpoint_here();
	check(read(ends[0], text, sizeof text) == 3 && memcmp(text, "one", 3) == 0);
	check(read(ends[0], text, sizeof text) == 6 && memcmp(text, "second", 6) == 0);
	check(fcntl(ends[1], F_GETFL) & O_DIRECT);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/pipe_of_packets.c
 * With O_DIRECT each write is a packet, and each read returns one; also when there is a single one,
 * when the pipe is full of them, and when they were written beside ordinary bytes.
 */
#include "scenario.h"

int main(void)
{
	char text[100];
	int ends[2], single[2], full[2], mixed[2], count = 0;

	check(pipe2(ends, O_DIRECT) == 0);
	check(write(ends[1], "one", 3) == 3 && write(ends[1], "second", 6) == 6);
	check(pipe2(single, O_DIRECT | O_NONBLOCK) == 0 && write(single[1], "alone", 5) == 5);
	check(pipe2(full, O_DIRECT | O_NONBLOCK) == 0);
	while (write(full[1], &count, sizeof count) == sizeof count)
		count++;
	check(errno == EAGAIN && count > 1);
	check(pipe2(mixed, O_DIRECT) == 0 && write(mixed[1], "packet", 6) == 6);
	check(fcntl(mixed[1], F_SETFL, 0) == 0 && write(mixed[1], "tail", 4) == 4);
	checkpoint_here();
	check(read(ends[0], text, sizeof text) == 3 && memcmp(text, "one", 3) == 0);
	check(read(ends[0], text, sizeof text) == 6 && memcmp(text, "second", 6) == 0);
	check(fcntl(ends[1], F_GETFL) & O_DIRECT);
	check(write(single[1], "!", 1) == 1);
	check(read(single[0], text, sizeof text) == 5 && memcmp(text, "alone", 5) == 0);
	check(read(single[0], text, sizeof text) == 1 && text[0] == '!');
	check(write(full[1], &count, sizeof count) == -1 && errno == EAGAIN);
	for (int i = 0, got; i < count; i++) {
		check(read(full[0], text, sizeof text) == sizeof got);
		memcpy(&got, text, sizeof got);
		check(got == i);
	}
	check(read(full[0], text, 1) == -1 && errno == EAGAIN);
	check(fcntl(mixed[1], F_GETFL) == O_WRONLY);
	check(read(mixed[0], text, sizeof text) == 6 && memcmp(text, "packet", 6) == 0);
	check(read(mixed[0], text, sizeof text) == 4 && memcmp(text, "tail", 4) == 0);
	return passed();
}

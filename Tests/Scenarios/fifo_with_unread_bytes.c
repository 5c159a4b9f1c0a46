/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/fifo_with_unread_bytes.c
 * A named pipe is found by its name again, with what is in it and its open ends.
 */
#include "scenario.h"

int main(void)
{
	char path[PATH_MAX], text[10];
	int reader, writer, both;

	path_in_scenario(path, "fifo");
	check(mkfifo(path, 0600) == 0);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	writer = open(path, O_WRONLY);
	check(reader >= 0 && writer >= 0);
	check(fcntl(reader, F_SETFL, 0) == 0);
	check(write(writer, "named", 5) == 5);
	path_in_scenario(path, "fifo of one");
	check(mkfifo(path, 0600) == 0);
	both = open(path, O_RDWR);
	check(both >= 0 && write(both, "own", 3) == 3);
	checkpoint_here();
	check(!(fcntl(reader, F_GETFL) & O_NONBLOCK));
	check(read(reader, text, 10) == 5 && memcmp(text, "named", 5) == 0);
	check(write(writer, "more", 4) == 4 && close(writer) == 0);
	check(read(reader, text, 10) == 4 && read(reader, text, 10) == 0);
	check(read(both, text, 10) == 3 && memcmp(text, "own", 3) == 0);
	/* It is the same named pipe that others find. */
	path_in_scenario(path, "fifo");
	writer = open(path, O_WRONLY | O_NONBLOCK);
	check(writer >= 0 && write(writer, "z", 1) == 1 && read(reader, text, 10) == 1);
	return passed();
}

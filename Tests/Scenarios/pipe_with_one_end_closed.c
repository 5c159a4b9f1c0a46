/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/pipe_with_one_end_closed.c
 * Without a writer come the bytes that are left, then the end; without a reader there is EPIPE.
 */
#include "scenario.h"

int main(void)
{
	int no_writer[2], no_reader[2];
	char bytes[10];

	check(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	check(pipe(no_writer) == 0 && pipe(no_reader) == 0);
	check(write(no_writer[1], "left", 4) == 4 && close(no_writer[1]) == 0);
	check(close(no_reader[0]) == 0);
	checkpoint_here();
	check(read(no_writer[0], bytes, 10) == 4 && memcmp(bytes, "left", 4) == 0);
	check(read(no_writer[0], bytes, 10) == 0);
	check(write(no_reader[1], "x", 1) == -1 && errno == EPIPE);
	return passed();
}

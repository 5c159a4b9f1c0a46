/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/pipe_opened_again_through_proc.c
 * Opening /proc/self/fd/N of a pipe gives a further end, of another access mode if wanted.
 */
#include "scenario.h"

int main(void)
{
	char path[64], byte = 0;
	int ends[2], both;

	check(pipe(ends) == 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
	both = open(path, O_RDWR | O_NONBLOCK);
	check(both >= 0);
	check(close(ends[1]) == 0);
	check(write(both, "b", 1) == 1);
	checkpoint_here();
	check(read(ends[0], &byte, 1) == 1 && byte == 'b');
	check(read(both, &byte, 1) == -1 && errno == EAGAIN);
	check(!(fcntl(ends[0], F_GETFL) & O_NONBLOCK));
	check(write(both, "c", 1) == 1 && close(both) == 0);
	check(read(ends[0], &byte, 1) == 1 && byte == 'c');
	check(read(ends[0], &byte, 1) == 0);
	return passed();
}

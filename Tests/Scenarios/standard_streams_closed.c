/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/standard_streams_closed.c
 * A program without standard input, output or error must not get ours in their place.
 */
#include "scenario.h"

int main(void)
{
	int output = dup(1), error = dup(2);

	check(close(0) == 0 && close(1) == 0 && close(2) == 0);
	checkpoint_here();
	for (int number = 0; number < 3; number++)
		check(fcntl(number, F_GETFD) == -1 && errno == EBADF);
	check(open("/dev/null", O_RDONLY) == 0);
	check(dup2(output, 1) == 1 && dup2(error, 2) == 2);
	return passed();
}

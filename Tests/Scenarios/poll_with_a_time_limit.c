/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/poll_with_a_time_limit.c
 * poll(2) waits out its time; a restart may show as EINTR, nothing else may.
 */
#include "scenario.h"
#include <poll.h>

int main(void)
{
	int64_t start = now();
	struct pollfd waiting;
	int ends[2], ready;

	check(pipe(ends) == 0);
	waiting = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	checkpoint_in_the_next(SYS_poll);
	ready = poll(&waiting, 1, 1000);
	if (ready == -1)
		check(errno == EINTR && was_restarted());
	else
		check(ready == 0 && now() - start >= 990000000);
	check(write(ends[1], "x", 1) == 1);
	check(poll(&waiting, 1, 1000) == 1 && waiting.revents == POLLIN);
	return passed();
}

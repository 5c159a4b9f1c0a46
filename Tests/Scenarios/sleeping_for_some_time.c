/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/sleeping_for_some_time.c
 * nanosleep(2) sleeps its whole time; after a restart it may report EINTR with the time left.
 */
#include "scenario.h"

int main(void)
{
	struct timespec rest = { .tv_sec = 1 };
	int64_t start = now();

	checkpoint_in_the_next(SYS_clock_nanosleep);
	while (nanosleep(&rest, &rest) != 0) {
		check(errno == EINTR && was_restarted());
		check(rest.tv_sec == 0);
	}
	check(now() - start >= 1000000000);
	check(now() - start < 8000000000);
	return passed();
}

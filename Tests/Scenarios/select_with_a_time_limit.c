/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/select_with_a_time_limit.c
 * select(2) and pselect(2) are made again with the time that is left, and wait it out.
 */
#include "scenario.h"
#include <sys/select.h>

int main(void)
{
	struct timespec limit = { .tv_nsec = 800 * 1000 * 1000 };
	int64_t start = now();
	fd_set waiting;
	int ends[2];

	check(pipe(ends) == 0);
	FD_ZERO(&waiting);
	FD_SET(ends[0], &waiting);
	checkpoint_in_the_next(SYS_pselect6);
	check(pselect(ends[0] + 1, &waiting, NULL, NULL, &limit, NULL) == 0);
	check(now() - start >= 790000000 && now() - start < 10000000000);
	check(!FD_ISSET(ends[0], &waiting));
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/sleeping_until_a_time.c
 * clock_nanosleep(2) with an absolute time is simply made again: it never shows an interruption.
 */
#include "scenario.h"

int main(void)
{
	struct timespec end;

	check(clock_gettime(CLOCK_MONOTONIC, &end) == 0);
	end.tv_sec += 1;
	checkpoint_in_the_next(SYS_clock_nanosleep);
	check(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == 0);
	check(now() >= end.tv_sec * 1000000000ll + end.tv_nsec);
	return passed();
}

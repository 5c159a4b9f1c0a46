/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/interval_timers.c
 * The three timers of a process keep what is left of them, and their intervals.
 */
#include "scenario.h"
#include <sys/time.h>

int main(void)
{
	static const int timers[3] = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };
	struct itimerval present;

	for (int i = 0; i < 3; i++) {
		present = (struct itimerval){ .it_value = { 1000 + 100 * i, 0 },
					      .it_interval = { 5 + i, 250000 } };
		check(setitimer(timers[i], &present, NULL) == 0);
	}
	checkpoint_here();
	for (int i = 0; i < 3; i++) {
		check(getitimer(timers[i], &present) == 0);
		check(present.it_interval.tv_sec == 5 + i);
		/* The kernel rounds the time of CPU timers to its ticks. */
		check(labs(present.it_interval.tv_usec - 250000) <= 10000);
		check(present.it_value.tv_sec <= 1000 + 100 * i);
		check(present.it_value.tv_sec > 1000 + 100 * i - 60);
	}
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/timer_that_ticks.c
 * A timer that rings every few milliseconds goes on ringing, on wall time and on CPU time.
 */
#include "scenario.h"
#include <sys/time.h>

static volatile sig_atomic_t ticks, cpu_ticks;

static void tick(int number)
{
	if (number == SIGALRM)
		ticks++;
	else
		cpu_ticks++;
}

int main(void)
{
	struct itimerval often = { .it_value = { .tv_usec = 5000 },
				   .it_interval = { .tv_usec = 5000 } };
	struct sigaction action = { .sa_handler = tick, .sa_flags = SA_RESTART };

	check(sigaction(SIGALRM, &action, NULL) == 0 && sigaction(SIGVTALRM, &action, NULL) == 0);
	check(setitimer(ITIMER_REAL, &often, NULL) == 0);
	check(setitimer(ITIMER_VIRTUAL, &often, NULL) == 0);
	for (int round = 0; round < 2; round++) {
		checkpoint_here();
		ticks = cpu_ticks = 0;
		while (ticks < 10)
			pause_briefly();
		while (cpu_ticks < 3)
			;
	}
	return passed();
}

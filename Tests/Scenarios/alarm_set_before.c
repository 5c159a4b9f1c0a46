/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/alarm_set_before.c
 * An alarm set before the checkpoint goes off after the restart.
 */
#include "scenario.h"
#include <sys/time.h>

static volatile sig_atomic_t rung;

static void ring(int number)
{
	(void)number;
	rung++;
}

int main(void)
{
	struct itimerval once = { .it_value = { .tv_usec = 700000 } }, present;
	struct sigaction action = { .sa_handler = ring, .sa_flags = SA_RESTART };
	int64_t start = now();

	check(sigaction(SIGALRM, &action, NULL) == 0);
	check(setitimer(ITIMER_REAL, &once, NULL) == 0);
	checkpoint_here();
	while (!rung)
		pause_briefly();
	check(now() - start >= 690000000);
	check(getitimer(ITIMER_REAL, &present) == 0);
	check(present.it_value.tv_sec == 0 && present.it_value.tv_usec == 0);
	check(rung == 1);
	return passed();
}

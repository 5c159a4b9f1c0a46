/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/posix_timers.c
 * timer_create(2): same ids, the time that is left, the interval and the signal they send.
 */
#include "scenario.h"

int main(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2 };
	struct itimerspec wanted = { { 3, 5000000 }, { 500, 0 } }, present;
	struct timespec at_once = { 0 };
	timer_t timers[3];
	siginfo_t info;
	sigset_t set;

	for (int i = 0; i < 3; i++) {
		event.sigev_value.sival_int = 70 + i;
		check(timer_create(CLOCK_MONOTONIC, &event, &timers[i]) == 0);
	}
	check(timer_delete(timers[1]) == 0);
	check(timer_settime(timers[0], 0, &wanted, NULL) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 2);
	check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	checkpoint_here();
	check(timer_gettime(timers[0], &present) == 0);
	check(present.it_interval.tv_sec == 3 && present.it_interval.tv_nsec == 5000000);
	check(present.it_value.tv_sec < 500 && present.it_value.tv_sec > 440);
	check(timer_gettime(timers[2], &present) == 0 && present.it_value.tv_sec == 0);
	check(timer_gettime(timers[1], &present) == -1 && errno == EINVAL);
	wanted = (struct itimerspec){ .it_value = { .tv_nsec = 1 } };
	check(timer_settime(timers[2], 0, &wanted, NULL) == 0);
	pause_briefly();
	check(sigtimedwait(&set, &info, &at_once) == SIGRTMIN + 2);
	check(info.si_code == SI_TIMER && info.si_value.sival_int == 72);
	return passed();
}

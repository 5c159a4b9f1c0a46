/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/posix_timers_of_threads.c
 * Timers that signal one thread, call a function, count CPU time, or only count: each rings on.
 */
#include "scenario.h"
#include <pthread.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static volatile int ticks, calls, wrong;
static volatile pid_t ticking;

static void on_tick(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	if (gettid() != ticking || info->si_value.sival_int != 4711)
		wrong++;
	ticks++;
}

static void on_call(union sigval value)
{
	if (value.sival_int != 99)
		wrong++;
	calls++;
}

static void *ticker(void *unused)
{
	ticking = gettid();
	for (;;)
		pause();
	return unused;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct itimerspec often = { { 0, 2000000 }, { 0, 2000000 } }, late = { { 0, 0 }, { 3000, 0 } }, present;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 1 };
	timer_t tick, call, quiet, process_time, thread_time;
	pthread_t thread;
	clockid_t clock;

	check(pthread_create(&thread, NULL, ticker, NULL) == 0);
	while (!ticking)
		usleep(100);
	check(sigaction(SIGRTMIN + 1, &action, NULL) == 0);
	event.sigev_value.sival_int = 4711;
	event.sigev_notify_thread_id = ticking;
	check(timer_create(CLOCK_BOOTTIME, &event, &tick) == 0);
	event = (struct sigevent){ .sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_call,
				   .sigev_value.sival_int = 99 };
	check(timer_create(CLOCK_REALTIME, &event, &call) == 0);
	event = (struct sigevent){ .sigev_notify = SIGEV_NONE };
	check(timer_create(CLOCK_MONOTONIC, &event, &quiet) == 0);
	event = (struct sigevent){ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1 };
	check(timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &process_time) == 0);
	check(pthread_getcpuclockid(thread, &clock) == 0);
	check(timer_create(clock, &event, &thread_time) == 0);
	check(timer_settime(quiet, 0, &late, NULL) == 0);
	check(timer_settime(process_time, 0, &late, NULL) == 0);
	check(timer_settime(thread_time, 0, &late, NULL) == 0);
	check(timer_settime(tick, 0, &often, NULL) == 0);
	check(timer_settime(call, 0, &often, NULL) == 0);
	checkpoint_here();
	timer_t all[] = { quiet, process_time, thread_time };
	for (int i = 0; i < 3; i++) {
		check(timer_gettime(all[i], &present) == 0);
		check(present.it_value.tv_sec > 2900 && present.it_value.tv_sec <= 3000);
		check(present.it_interval.tv_sec == 0 && present.it_interval.tv_nsec == 0);
	}
	int ticks_before = ticks, calls_before = calls;
	for (int i = 0; i < 2000 && (ticks < ticks_before + 10 || calls < calls_before + 10); i++)
		usleep(5000);
	check(ticks >= ticks_before + 10 && calls >= calls_before + 10);
	check(wrong == 0);
	return passed();
}

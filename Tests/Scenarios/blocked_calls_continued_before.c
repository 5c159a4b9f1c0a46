/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/blocked_calls_continued_before.c
 * A call with a time limit that went on after an earlier checkpoint shows as restart_syscall(2), whatever it was. It
 * must not end early, nor with EINTR, when it is restarted. (It must have got to sleep again before.)
 * runner: once
 */
#include "scenario.h"
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/timerfd.h>

enum { limit = 6, early = 5, calls = 4 };

static int never, early_timer;
static volatile pid_t ids[calls];
static uint32_t word;

static void *wait_in(void *number)
{
	struct timespec time = { .tv_sec = limit };
	struct pollfd nothing = { .fd = never, .events = POLLIN };
	struct itimerspec rest;
	int index = (int)(intptr_t)number;

	ids[index] = gettid();
	switch (index) {
	case 0:
		check(syscall(SYS_poll, &nothing, 1, limit * 1000) == 0);
		break;
	case 1:
		check(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &time, NULL, 0) == -1);
		check(errno == ETIMEDOUT);
		break;
	case 2:
		check(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL) == 0);
		break;
	default:
		check(syscall(SYS_nanosleep, &time, NULL) == 0);
	}
	check(timerfd_gettime(early_timer, &rest) == 0);
	check(rest.it_value.tv_sec == 0 && rest.it_value.tv_nsec == 0);
	return NULL;
}

int main(void)
{
	static const long numbers[] = { SYS_poll, SYS_futex, SYS_clock_nanosleep, SYS_nanosleep };
	struct itimerspec time = { .it_value = { .tv_sec = early } };
	pthread_t threads[calls];
	int ends[2];

	if (sizeof(long) != 8)
		cannot_run_here("times of 32 and of 64 bits look alike");
	check(pipe(ends) == 0);
	never = ends[0];
	check((early_timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) >= 0);
	check(timerfd_settime(early_timer, 0, &time, NULL) == 0);
	for (int i = 0; i < calls; i++)
		check(pthread_create(&threads[i], NULL, wait_in, (void *)(intptr_t)i) == 0);
	for (int i = 0; i < calls; i++) {
		while (ids[i] == 0)
			pause_briefly();
		await_blocked_in(ids[i], numbers[i]);
	}
	checkpoint_here();
	for (int i = 0; i < calls; i++)
		while (!is_asleep(ids[i]))
			pause_briefly();
	checkpoint_here();
	for (int i = 0; i < calls; i++)
		check(pthread_join(threads[i], NULL) == 0);
	return passed();
}

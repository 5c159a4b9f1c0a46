/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/time_left_of_blocked_calls.c
 * Calls with a time limit of which the kernel tells nobody what is left: poll(2), futex(2) for a relative time, a
 * sleep that wants no rest. Half of the time has passed at the checkpoint. Two timers, whose rest is known, tell
 * that they return neither early nor after the whole time again. (After a second restart the time before the first
 * is not known any more: they wait longer, and never less.)
 * runner: once
 */
#include "scenario.h"
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/timerfd.h>

/* Milliseconds. */
enum { limit = 5000, early = 4000, late = 7000, before = 2500, calls = 3 };

static int never, timers[2];
static volatile pid_t ids[calls];
static uint32_t word;

static int timer(int milliseconds)
{
	struct itimerspec time = {
		.it_value = { milliseconds / 1000, milliseconds % 1000 * 1000000L } };
	int file = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	check(file >= 0 && timerfd_settime(file, 0, &time, NULL) == 0);
	return file;
}

static bool has_run_out(int file)
{
	struct itimerspec time;

	check(timerfd_gettime(file, &time) == 0);
	return time.it_value.tv_sec == 0 && time.it_value.tv_nsec == 0;
}

static void *wait_in(void *number)
{
	struct timespec time = { .tv_sec = limit / 1000 };
	struct pollfd nothing = { .fd = never, .events = POLLIN };
	int index = (int)(intptr_t)number;

	ids[index] = gettid();
	switch (index) {
	case 0:
		check(syscall(SYS_poll, &nothing, 1, limit) == 0);
		break;
	case 1:
		check(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &time, NULL, 0) == -1);
		check(errno == ETIMEDOUT);
		break;
	default:
		check(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL) == 0);
	}
	check(time.tv_sec == limit / 1000 && time.tv_nsec == 0);
	check(has_run_out(timers[0]));
	check(!has_run_out(timers[1]));
	return NULL;
}

int main(void)
{
	static const long numbers[] = { SYS_poll, SYS_futex, SYS_clock_nanosleep };
	pthread_t threads[calls];
	int ends[2], half;

	check(pipe(ends) == 0);
	never = ends[0];
	timers[0] = timer(early);
	timers[1] = timer(late);
	half = timer(before);
	for (int i = 0; i < calls; i++)
		check(pthread_create(&threads[i], NULL, wait_in, (void *)(intptr_t)i) == 0);
	for (int i = 0; i < calls; i++) {
		while (ids[i] == 0)
			pause_briefly();
		await_blocked_in(ids[i], numbers[i]);
	}
	while (!has_run_out(half))
		pause_briefly();
	checkpoint_here();
	for (int i = 0; i < calls; i++)
		check(pthread_join(threads[i], NULL) == 0);
	return passed();
}

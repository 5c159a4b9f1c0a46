/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/timerfd_running_and_run_out.c
 * timerfd_create(2): what is left of the time, the interval, expirations that nobody has read, a
 * moment that stays the moment, and a timer that a fork shares.
 */
#include "scenario.h"
#include <sys/timerfd.h>

static int timer(int clock, int flags, struct itimerspec wanted)
{
	int file = timerfd_create(clock, TFD_NONBLOCK);

	check(file >= 0);
	check(timerfd_settime(file, flags, &wanted, NULL) == 0);
	return file;
}

static uint64_t expirations(int file)
{
	uint64_t count = 0;

	if (read(file, &count, sizeof count) == -1)
		check(errno == EAGAIN);
	return count;
}

int main(void)
{
	struct timespec moment, today;
	struct itimerspec present;
	int far, ticking, once, idle, monotonic, calendar, shared;
	pid_t child;

	check(clock_gettime(CLOCK_MONOTONIC, &moment) == 0);
	check(clock_gettime(CLOCK_REALTIME, &today) == 0);
	moment.tv_sec += 300, today.tv_sec += 400;
	far = timer(CLOCK_BOOTTIME, 0, (struct itimerspec){ { 7, 5000000 }, { 500, 0 } });
	ticking = timer(CLOCK_MONOTONIC, 0, (struct itimerspec){ { 0, 10000000 }, { 0, 10000000 } });
	once = timer(CLOCK_MONOTONIC, 0, (struct itimerspec){ { 0, 0 }, { 0, 1 } });
	idle = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
	monotonic = timer(CLOCK_MONOTONIC, TFD_TIMER_ABSTIME, (struct itimerspec){ { 3, 0 }, moment });
	calendar = timer(CLOCK_REALTIME, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
		(struct itimerspec){ { 0, 0 }, today });
	shared = timerfd_create(CLOCK_MONOTONIC, 0);
	check(idle >= 0 && shared >= 0);
	child = fork();
	if (child == 0) {
		/* Waits for what the parent starts afterwards. */
		check(expirations(shared) == 1);
		_exit(6);
	}
	await_blocked_in(child, SYS_read);
	/* Five or more by now; nobody reads them before the checkpoint. */
	for (int64_t start = now(); now() < start + 55000000;)
		pause_briefly();
	checkpoint_here();

	check(fcntl(far, F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(idle, F_GETFD) == FD_CLOEXEC);
	check(timerfd_gettime(far, &present) == 0);
	check(present.it_interval.tv_sec == 7 && present.it_interval.tv_nsec == 5000000);
	check(present.it_value.tv_sec < 500 && present.it_value.tv_sec > 440);
	check(expirations(far) == 0);

	check(expirations(ticking) >= 5);
	check(timerfd_gettime(ticking, &present) == 0);
	check(present.it_interval.tv_sec == 0 && present.it_interval.tv_nsec == 10000000);
	for (int64_t start = now(); now() < start + 15000000;)
		pause_briefly();
	check(expirations(ticking) >= 1);

	check(expirations(once) == 1 && expirations(once) == 0);
	check(timerfd_gettime(idle, &present) == 0);
	check(present.it_value.tv_sec == 0 && present.it_value.tv_nsec == 0);

	/* However long nobody ran, the moment is the same. */
	check(timerfd_gettime(monotonic, &present) == 0 && present.it_interval.tv_sec == 3);
	check(llabs(now() + present.it_value.tv_sec * 1000000000ll + present.it_value.tv_nsec -
		(moment.tv_sec * 1000000000ll + moment.tv_nsec)) < 50000000);
	check(timerfd_gettime(calendar, &present) == 0);
	check(clock_gettime(CLOCK_REALTIME, &moment) == 0);
	check(labs(moment.tv_sec + present.it_value.tv_sec - today.tv_sec) <= 1);

	present = (struct itimerspec){ .it_value = { .tv_nsec = 1 } };
	check(timerfd_settime(shared, 0, &present, NULL) == 0);
	check_exits_with(child, 6);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/eventfd_counts.c
 * eventfd(2): the count, a semaphore that gives one at a time, and an object that a fork and a dup
 * share.
 */
#include "scenario.h"
#include <sys/eventfd.h>

static uint64_t take(int file)
{
	uint64_t count;

	check(read(file, &count, sizeof count) == sizeof count);
	return count;
}

int main(void)
{
	uint64_t large = UINT64_MAX - 1;
	int plain = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC), semaphore = eventfd(2, EFD_SEMAPHORE);
	int full = eventfd(0, EFD_NONBLOCK), shared = eventfd(0, 0), copy = dup(plain);
	pid_t child;

	check(plain >= 0 && semaphore >= 0 && full >= 0 && shared >= 0 && copy >= 0);
	if (!has_descriptor_info(semaphore, "eventfd-semaphore"))
		cannot_run_here("before Linux 6.5 nobody is told which eventfd is a semaphore");
	check(write(full, &large, sizeof large) == sizeof large);
	child = fork();
	if (child == 0) {
		/* Blocked in read(2) over the checkpoint, on what the parent writes to. */
		check(take(shared) == 7);
		_exit(5);
	}
	await_blocked_in(child, SYS_read);
	checkpoint_here();
	check(fcntl(plain, F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(plain, F_GETFD) == FD_CLOEXEC);
	check(fcntl(semaphore, F_GETFL) == O_RDWR && fcntl(semaphore, F_GETFD) == 0);
	check(eventfd_write(copy, 4) == 0);
	check(take(plain) == 7);
	check(read(plain, &large, sizeof large) == -1 && errno == EAGAIN);
	check(take(semaphore) == 1 && take(semaphore) == 1);
	check(fcntl(semaphore, F_SETFL, O_NONBLOCK) == 0);
	check(read(semaphore, &large, sizeof large) == -1 && errno == EAGAIN);
	check(eventfd_write(full, 1) == -1 && errno == EAGAIN);
	check(take(full) == UINT64_MAX - 1);
	check(eventfd_write(shared, 7) == 0);
	check_exits_with(child, 5);
	return passed();
}

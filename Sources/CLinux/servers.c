/* SPDX-License-Identifier: Apache-2.0 */
#include "CLinux.h"
#include <sys/wait.h>

static void stand_alone(void)
{
	sigset_t all;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

int cr_fork_apart(void)
{
	int status;
	pid_t server, between = fork();

	if (between < 0)
		return -errno;
	if (between > 0) {
		while (waitpid(between, &status, 0) < 0)
			if (errno != EINTR)
				return -errno;
		return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 1 : -EAGAIN;
	}
	server = fork();
	if (server != 0)
		_exit(server < 0);
	stand_alone();
	return 0;
}

int cr_fork_beside(void)
{
	/* Of the threads there is only this one, so glibc's locks are free in the child. */
	long child = cr_syscall(SYS_clone, CLONE_FILES, 0, 0, 0, 0, 0);

	if (child == 0)
		stand_alone();
	return (int)child;
}

int cr_await_readable(const int *files, unsigned char *answers, int count, int milliseconds)
{
	struct pollfd waits[count + 1];
	int found;

	for (int i = 0; i < count; i++)
		waits[i] = (struct pollfd){ .fd = files[i], .events = POLLIN };
	found = poll(waits, count, milliseconds);
	if (found < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < count; i++)
		answers[i] = waits[i].revents != 0;
	return found;
}

static void close_range_of(unsigned first, unsigned last)
{
	if (first > last)
		return;
	if (syscall(SYS_close_range, first, last, 0) == 0)
		return;
	/* Before Linux 5.9. */
	long limit = sysconf(_SC_OPEN_MAX);

	for (unsigned file = first; file <= last && (long)file < limit; file++)
		close((int)file);
}

void cr_close_all_but(const int *files, int count)
{
	unsigned next = 0;

	for (int i = 0; i < count; i++) {
		if (files[i] > 0 && (unsigned)files[i] > next)
			close_range_of(next, (unsigned)files[i] - 1);
		next = (unsigned)files[i] + 1;
	}
	close_range_of(next, ~0u);
}

void *cr_map_low(unsigned long count, int shared, int rights)
{
	int flags = MAP_ANONYMOUS | (shared ? MAP_SHARED : MAP_PRIVATE);
	int protection = rights ? PROT_READ | PROT_WRITE : PROT_NONE;
	void *memory;

	for (uintptr_t place = 0x20000000; place < 0x70000000; place += 0x1000000) {
		memory = mmap((void *)place, count, protection, flags | MAP_FIXED_NOREPLACE, -1, 0);
		if (memory == (void *)place)
			return memory;
		/* A kernel that does not know the flag takes the address for a wish. */
		if (memory != MAP_FAILED)
			munmap(memory, count);
	}
	memory = mmap(NULL, count, protection, flags, -1, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "CLinux.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

static int told = -1, heard = -1;

int cr_room_fork(void)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	/* glibc's, which keeps its own idea of the thread's id right; the child raises signals. */
	child = fork();
	if (child < 0) {
		int error = errno;

		close(ends[0]);
		close(ends[1]);
		return -error;
	}
	close(ends[child == 0 ? 0 : 1]);
	if (child == 0)
		told = ends[1];
	else
		heard = ends[0];
	return child;
}

int cr_in_room(void)
{
	return told >= 0;
}

void cr_room_tell(int kind, int value)
{
	int words[2] = {kind, value};

	/* If nobody hears it any more nobody has to know. */
	if (told >= 0 && write(told, words, sizeof words) < 0)
		return;
}

static int outside = -1;

void cr_room_keep_outside(void)
{
	outside = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int cr_room_outside(void)
{
	return outside;
}

_Noreturn void cr_room_linger(int status)
{
	int events;
	pid_t child;

	/* What orphans do is theirs; whoever reads what we could write must not wait for us. */
	syscall(SYS_close_range, 0, ~0u, 0);
	told = -1;
	do
		child = waitpid(-1, &events, __WALL);
	while (child > 0 || errno == EINTR);
	_exit(status);
}

int cr_room_hear(uint64_t signals, int *kind, int *value)
{
	static int queue = -1;
	struct pollfd waits[2] = {{.fd = heard, .events = POLLIN}, {.events = POLLIN}};
	int words[2];

	if (queue < 0) {
		sigset_t set;

		sigemptyset(&set);
		for (int number = 1; number <= 64; number++)
			if (signals >> (number - 1) & 1)
				sigaddset(&set, number);
		queue = signalfd(-1, &set, SFD_CLOEXEC);
	}
	waits[1].fd = queue;
	while (poll(waits, 2, -1) < 0 && errno == EINTR)
		;
	/* Stays in the queue, and is taken from there by sigwaitinfo(). */
	if (waits[1].revents & POLLIN)
		return 2;
	if (read(heard, words, sizeof words) != sizeof words)
		return 0;
	*kind = words[0];
	*value = words[1];
	return 1;
}

int cr_room_end(int child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

int cr_keep_capabilities(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	for (int half = 0; half < 2; half++)
		data[half].inheritable = data[half].permitted;
	if (syscall(SYS_capset, &head, data))
		return -errno;
	for (int capability = 0; capability < 64; capability++)
		if (data[capability / 32].permitted >> capability % 32 & 1
		    && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0))
			return -errno;
	return 0;
}

int cr_room_enter(int process, int kinds, int *child)
{
	pid_t between, inside;
	int status;

	*child = -1;
	between = fork();
	if (between < 0)
		return -errno;
	if (between > 0) {
		*child = between;
		return 0;
	}
	/* A process never leaves its pid namespace: it is the next child that is in the other one. */
	status = (int)syscall(SYS_pidfd_open, process, 0);
	if (status < 0 || setns(status, kinds))
		return -errno;
	close(status);
	inside = fork();
	if (inside < 0)
		return -errno;
	if (inside == 0) {
		*child = 0;
		return 0;
	}
	/* Who interrupts means whoever does the work, which has the same process group. */
	for (int number = 1; number <= 64; number++)
		if (number != SIGCHLD)
			signal(number, SIG_IGN);
	status = cr_room_end(inside);
	if (status >= 0 && WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	cr_forbid_core();
	if (status >= 0 && WIFSIGNALED(status))
		cr_suffer_signal(WTERMSIG(status));
	_exit(255);
}

/* SPDX-License-Identifier: Apache-2.0
 * Keeps PTRACE_SEIZE and an exec of the target from waiting for each other; see trace.h.
 */
#include "CLinux.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

/* Often enough that nobody notices, seldom enough that a thousand waits in between cost nothing. */
#define INTERVAL_NS 5000000

static _Thread_local struct {
	int *tids, count, capacity, reaped;
	int timer, armed;
	sigset_t mask;
} watch;

/* A tracer is told of stops whatever it asks for (wait_task_stopped() in the kernel's exit.c). */
static int look(int tid)
{
	siginfo_t info;

	info.si_signo = info.si_code = 0;
	syscall(SYS_waitid, P_PID, tid, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL, NULL);
	return info.si_signo ? info.si_code : 0;
}

int cr_task_has_news(int tid)
{
	return look(tid) != 0;
}

int cr_reap_ended(int tid)
{
	siginfo_t info;
	int code = look(tid);

	if (code != CLD_EXITED && code != CLD_KILLED && code != CLD_DUMPED)
		return 0;
	return syscall(SYS_waitid, P_PID, tid, &info, WEXITED | WNOHANG | __WALL, NULL) == 0;
}

static void reap_all(int number)
{
	int error = errno;

	(void)number;
	for (int i = 0; i < watch.count; i++)
		watch.reaped += cr_reap_ended(watch.tids[i]);
	errno = error;
}

void cr_reaper_begin(void)
{
	/* Stays installed: another thread may be between its own begin and end. */
	struct sigaction action = {.sa_handler = reap_all, .sa_flags = SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
	struct itimerspec often = {{0, INTERVAL_NS}, {0, INTERVAL_NS}};
	sigset_t alarm;

	event._sigev_un._tid = (int)syscall(SYS_gettid);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigaction(SIGALRM, &action, NULL);
	pthread_sigmask(SIG_UNBLOCK, &alarm, &watch.mask);
	watch.armed = syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &watch.timer) == 0;
	if (watch.armed)
		syscall(SYS_timer_settime, watch.timer, 0, &often, NULL);
}

void cr_reaper_note(int tid)
{
	if (watch.count == watch.capacity) {
		int capacity = watch.capacity ? 2 * watch.capacity : 256;
		int *old = watch.tids, *larger = malloc((size_t)capacity * sizeof *larger);
		if (!larger)
			return;
		if (old)
			memcpy(larger, old, (size_t)watch.count * sizeof *larger);
		watch.tids = larger;
		/* The handler may run between any two of these. */
		atomic_signal_fence(memory_order_seq_cst);
		free(old);
		watch.capacity = capacity;
	}
	watch.tids[watch.count] = tid;
	atomic_signal_fence(memory_order_seq_cst);
	watch.count++;
}

int cr_reaper_end(void)
{
	int reaped;

	if (watch.armed)
		syscall(SYS_timer_delete, watch.timer);
	pthread_sigmask(SIG_SETMASK, &watch.mask, NULL);
	reaped = watch.reaped;
	watch.armed = watch.count = watch.reaped = 0;
	/* A handler that comes after all finds nothing. */
	atomic_signal_fence(memory_order_seq_cst);
	free(watch.tids);
	watch.tids = NULL;
	watch.capacity = 0;
	return reaped;
}

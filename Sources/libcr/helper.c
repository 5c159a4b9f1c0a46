/* SPDX-License-Identifier: Apache-2.0
 * The helper: a process that shares our memory and nothing else, starts the tool, and writes what
 * the tool reports into the request. It has no exit signal, so the program's wait() and SIGCHLD
 * never see it; its pipe is its own, so the program's descriptors stay as they are.
 *
 * It runs beside all our threads with the thread pointer of the one that made it. So it must not
 * use the C library beyond string functions: raw calls only.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "request.h"

#define CALL(name, ...) CALL_(SYS_##name, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_(n, a, b, c, d, e, f, ...) \
	cr_raw_call(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

#define CLOSE_RANGE 436 /* SYS_close_range, the same on every processor; Linux 5.9 */
#define PIDFD_OPEN  434 /* … SYS_pidfd_open; Linux 5.3 */
#define LAST_FILE   (1 << 20) /* what the kernel allows at most, unless it was told otherwise */
#define HIGH        20  /* descriptors from here on are not among those that the tool is given */

/* What the tool finds open: its context file and the way to report. */
#define TOOL_CONTEXT 3
#define TOOL_REPORT  4

static void close_from(int first)
{
	/* struct rlimit64. */
	uint64_t limits[2] = { LAST_FILE, 0 };

	if (cr_raw_call(CLOSE_RANGE, first, -1, 0, 0, 0, 0) == 0)
		return;
	CALL(prlimit64, 0, RLIMIT_NOFILE, NULL, limits);
	for (long number = first; number < LAST_FILE && (uint64_t)number < limits[0]; number++)
		CALL(close, number);
}

static long open_null(void)
{
	return CALL(openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
}

struct launch {
	struct cri_request *request;
	int report;
};

/* In the tool's process, before it is the tool. */
static int become_tool(void *data)
{
	const struct launch *launch = data;
	struct cri_request *request = launch->request;
	struct cr_report report = { CR_REPORT_DONE, 0 };
	long context = CALL(fcntl, request->context, F_DUPFD, HIGH);
	long out = CALL(fcntl, launch->report, F_DUPFD, HIGH);
	long null = open_null();
	long moved = null < 0 ? null : CALL(fcntl, null, F_DUPFD, HIGH);
	const long fresh[6] = { (long)SIG_DFL };
	cri_mask none = 0;
	long error;

	if (request->kind == CRI_RESTART)
		CALL(setpgid, 0, 0);
	if (context >= 0 && out >= 0) {
		CALL(dup3, context, TOOL_CONTEXT, 0);
		CALL(dup3, out, TOOL_REPORT, 0);
		/* The tool of a restart hands our standard streams on to the restarted program, but those
		 * that are to be closed there. */
		for (int number = 0; moved >= 0 && number < 3; number++)
			if (request->kind == CRI_CHECKPOINT || CALL(fcntl, number, F_GETFD) != 0)
				CALL(dup3, moved, number, 0);
		close_from(TOOL_REPORT + 1);
		/* No handler of the program's runs here, and what it ignores the tool does not. */
		for (int number = 1; number <= 64; number++)
			CALL(rt_sigaction, number, fresh, 0, 8);
		CALL(rt_sigprocmask, 2 /* SIG_SETMASK */, &none, 0, sizeof none);
		error = CALL(execve, request->arguments[0], request->arguments, request->environment);
	} else {
		error = context < 0 ? context : out;
	}
	report.value = (int32_t)-error;
	CALL(write, context < 0 || out < 0 ? launch->report : TOOL_REPORT, &report, sizeof report);
	CALL(exit_group, 127);
	return 127;
}

/* Where the helper finds what it needs, when all else is closed. */
#define REPORTS   0
#define REQUESTER 1

/* Waits for the tool to say more. Nobody is left to hear of it once the program has died: then the
 * tool is to call it off. */
static void await_report(struct cri_request *request)
{
	/* As the kernel takes it, whatever time_t is. */
	struct { long seconds, nanoseconds; } slice = { 0, 200000000 };
	struct pollfd watched[2] = { { REPORTS, POLLIN, 0 }, { REQUESTER, POLLIN, 0 } };

	for (;;) {
		long count = request->has_watch ? 2 : 1;
		long found = CALL(ppoll, watched, count, count == 2 ? NULL : &slice, NULL);

		/* Before Linux 5.3 there is only our parent's id, to be looked at now and then. */
		if (count == 2 ? found > 0 && watched[1].revents
		    : CALL(getppid, 0) != request->requester) {
			CALL(kill, request->tool, SIGTERM);
			request->is_orphan = 1;
			return;
		}
		if (found > 0 && watched[0].revents)
			return;
	}
}

/* Fills `bytes`; 0 at the end. */
static int receive(int from, void *bytes, size_t count)
{
	size_t done = 0;

	while (done < count) {
		long got = CALL(read, from, (char *)bytes + done, count - done);

		if (got == -EINTR)
			continue;
		if (got <= 0)
			return 0;
		done += (size_t)got;
	}
	return 1;
}

static void take_message(struct cri_request *request, int from, int32_t count)
{
	while (count > 0) {
		char byte;

		if (!receive(from, &byte, 1))
			return;
		/* The last byte stays free for the NUL. */
		if (request->log_count < CRI_LOG_SIZE - 1)
			request->log[request->log_count++] = byte;
		count--;
	}
}

static void enter_stage(struct cri_request *request, enum cri_stage stage)
{
	cri_store(&request->stage, stage);
	cri_wake_word(&request->helper, 0);
}

static void take_reports(struct cri_request *request)
{
	const int from = REPORTS;
	struct cr_report report;

	for (;;) {
		if (!request->is_orphan)
			await_report(request);
		if (!receive(from, &report, sizeof report))
			break;
		switch (report.kind) {
		case CR_REPORT_MESSAGE:
			take_message(request, from, report.value);
			break;
		case CR_REPORT_ROOT:
			request->root = report.value;
			break;
		case CR_REPORT_DONE:
			request->error = report.value;
			request->has_result = 1;
			break;
		}
		if (report.kind == CR_REPORT_ACCEPTED) {
			request->is_accepted = 1;
			enter_stage(request, CRI_ACCEPTED);
		}
	}
}

static int help(void *data)
{
	struct cri_request *request = data;
	struct launch launch = { request, -1 };
	int pipe[2];
	int status = 0;
	long tool, error, requester, reports;

	/* Out of the program's session and group: no job control, no ^C, no foreground. For a restart the
	 * tool has to be in the session, so it only leaves the group; we, who block all signals, stay. */
	if (request->kind == CRI_CHECKPOINT)
		CALL(setsid, 0);
	error = CALL(pipe2, pipe, O_CLOEXEC);
	if (error == 0) {
		launch.report = pipe[1];
		/* As vfork(2): it runs on the lower half of our stack until it is the tool. */
		tool = clone(become_tool, request->stack + CRI_STACK_SIZE / 2,
			CLONE_VM | CLONE_VFORK | CLONE_UNTRACED, &launch);
		if (tool < 0)
			error = -EAGAIN;
		enter_stage(request, CRI_LAUNCHED);
	}
	if (error == 0) {
		/* What the program has open must not stay open because of us. */
		requester = cr_raw_call(PIDFD_OPEN, request->requester, 0, 0, 0, 0, 0);
		request->has_watch = requester >= 0;
		reports = CALL(fcntl, pipe[0], F_DUPFD, HIGH);
		if (request->has_watch)
			requester = CALL(fcntl, requester, F_DUPFD, HIGH);
		CALL(dup3, reports, REPORTS, 0);
		if (request->has_watch)
			CALL(dup3, requester, REQUESTER, 0);
		close_from(request->has_watch ? REQUESTER + 1 : REPORTS + 1);
		request->tool = (pid_t)tool;
		take_reports(request);
		CALL(wait4, tool, &status, __WALL, 0);
	} else {
		request->error = (int)-error;
		request->has_result = 1;
	}
	/* A tool that died let everything go on. */
	if (!request->has_result)
		request->error = CR_ETEMPFAIL;
	request->has_result = 1;
	cri_store(&request->stage, CRI_ACCEPTED);
	/* One thread of one process ends; the kernel clears request->helper and wakes the waiters. */
	CALL(exit_group, 0);
	return 0;
}

int cri_start_helper(struct cri_request *request)
{
	unsigned slot = 0;
	cri_mask mask;
	long helper;

	/* It has no clone(2) but those of threads and fork(). */
	if (cri_is_in_valgrind())
		return CR_ENOSUPPORT;
	helper = cri_watch_forks();
	if (helper)
		return (int)helper;
	mask = cri_enter_guard();
	while (slot < CR_CONTROL_HELPERS && cri_block.helpers[slot])
		slot++;
	if (slot < CR_CONTROL_HELPERS)
		cri_block.helpers[slot] = ~0u;
	cri_leave_guard(mask);
	if (slot == CR_CONTROL_HELPERS)
		return EAGAIN;
	request->slot = slot;
	request->requester = cri_process();
	request->environment = environ;
	request->generation = cri_block.generation;
	request->helper = ~0u;
	mask = cri_block_signals();
	helper = clone(help, request->stack + CRI_STACK_SIZE,
		CLONE_VM | CLONE_UNTRACED | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, request,
		&cri_block.helpers[slot], NULL, &request->helper);
	if (helper > 0)
		cri_permit_helper(request, (pid_t)helper);
	cri_restore_signals(mask);
	if (helper < 0) {
		cri_block.helpers[slot] = 0;
		return errno;
	}
	request->process = (pid_t)helper;
	/* It reads our environment, and may leave an error in our errno, until then. */
	cri_wait_stage(request, CRI_LAUNCHED);
	return 0;
}

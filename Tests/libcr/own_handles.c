/* SPDX-License-Identifier: Apache-2.0
 * Requests for itself, used as they should not be: argv[1] says how. The callback waits until it is told to
 * go on, so that all of it happens while the request is under way.
 *
 *   errors       pointers that lead nowhere, times without end, signals, a reap too early, a second request
 *   threads      many threads wait for the same handle, and two reap it
 *   environment  is another one as soon as the request has been made
 *   cancel       of threads that wait, poll and reap
 *   forks        of another thread while a callback forwards
 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "harness.h"

enum { WAITERS = 6 };

static volatile int go, begun, forwards, reaped;
static cr_checkpoint_args_t args;
static cr_checkpoint_handle_t handle;

static int respond(void *unused)
{
	(void)unused;
	begun = 1;
	for (int turn = 0; !go && turn < 1000000; turn++) {
		if (forwards)
			check(cr_forward_checkpoint(CR_SCOPE_PROC, 0) == 0);
		else
			usleep(1000);
	}
	check(cr_checkpoint(CR_CHECKPOINT_READY) == 0);
	return 0;
}

static void request(unsigned flags)
{
	check(cr_initialize_checkpoint_args_t(&args) == 0);
	args.cr_scope = CR_SCOPE_PROC;
	args.cr_flags = flags;
	args.cr_fd = open("own", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(args.cr_fd >= 0 && cr_request_checkpoint(&args, &handle) == 0);
}

static void await_callback(void)
{
	while (!begun)
		usleep(1000);
}

static void wake(int number)
{
	(void)number;
}

/* A signal with a handler ends a wait, and the handle stays. */
static void check_interrupted(void)
{
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } }, never = { { 0, 0 }, { 0, 0 } };

	signal(SIGALRM, wake);
	check(!setitimer(ITIMER_REAL, &often, NULL));
	check_fails(cr_wait_checkpoint(&handle, NULL), EINTR);
	check(cr_poll_checkpoint(&handle, NULL) == CR_POLL_CHKPT_ERR_PRE && errno == EINTR);
	check(!setitimer(ITIMER_REAL, &never, NULL));
}

static void reap(void)
{
	int result;

	go = 1;
	while ((result = cr_wait_checkpoint(&handle, NULL)) < 0)
		check(errno == EINTR);
	check(result > 0 && cr_reap_checkpoint(&handle) > 0 && handle == 0);
	close(args.cr_fd);
}

static void errors(void)
{
	struct timeval forever = { LONG_MAX, 0 }, none = { 0, 0 }, bad[] = { { -1, 0 }, { 0, -1 }, { 0, 1000000 } };
	char *nothing = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_checkpoint_handle_t second = 0, other;
	cr_checkpoint_args_t more;

	check(nothing != MAP_FAILED);
	request(0);
	await_callback();
	other = handle;
	check_fails(cr_reap_checkpoint(&handle), EAGAIN);
	check(handle == other);
	check(cr_wait_checkpoint(&handle, &none) == 0 && cr_poll_checkpoint(&handle, &none) == 0);
	for (int i = 0; i < 3; i++) {
		check_fails(cr_wait_checkpoint(&handle, &bad[i]), EINVAL);
		check(cr_poll_checkpoint(&handle, &bad[i]) == CR_POLL_CHKPT_ERR_PRE && errno == EINVAL);
	}
	check_interrupted();
	check_fails(cr_wait_checkpoint(&handle, (struct timeval *)nothing), EFAULT);
	check_fails(cr_wait_checkpoint((cr_checkpoint_handle_t *)nothing, NULL), EFAULT);
	check_fails(cr_reap_checkpoint((cr_checkpoint_handle_t *)nothing), EFAULT);
	check_fails(cr_log_checkpoint((cr_checkpoint_handle_t *)nothing, 0, NULL), EFAULT);
	check(cr_poll_checkpoint(&handle, (struct timeval *)nothing) == CR_POLL_CHKPT_ERR_PRE && errno == EFAULT);
	check_fails(cr_wait_checkpoint(NULL, NULL), EINVAL);
	check_fails(cr_reap_restart((cr_restart_handle_t *)&handle), EINVAL); /* of the other kind */
	/* It is in the midst of a checkpoint already. */
	more = args;
	more.cr_fd = open("second", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check_fails(cr_request_checkpoint(&more, &second), EBUSY);
	check(second == 0);
	more.cr_flags = CR_CHKPT_ASYNC_ERR;
	check(cr_request_checkpoint(&more, &second) == 0);
	check(cr_wait_checkpoint(&second, NULL) > 0);
	check(cr_log_checkpoint(&second, 0, NULL) > 0);
	check_fails(cr_log_checkpoint(&second, 100, NULL), EFAULT);
	check_fails(cr_reap_checkpoint(&second), EBUSY);
	close(more.cr_fd);
	go = 1;
	/* Until the end, and not a moment or an eternity. */
	check(cr_wait_checkpoint(&handle, &forever) > 0);
	reap();
}

static void *wait_too(void *which)
{
	cr_checkpoint_handle_t mine = handle;
	int result;

	while ((result = cr_wait_checkpoint(&mine, NULL)) < 0 && errno == EINTR)
		;
	/* It may have been reaped before we were told. */
	check(result > 0 || errno == EINVAL);
	if ((long)which < 2) {
		result = cr_reap_checkpoint(&mine);
		check(result > 0 || errno == EINVAL);
		__sync_fetch_and_add(&reaped, result > 0);
	}
	return NULL;
}

static void threads(void)
{
	pthread_t waiters[WAITERS];

	for (int turn = 0; turn < 20; turn++) {
		go = begun = reaped = 0;
		request(0);
		for (long i = 0; i < WAITERS; i++)
			check(!pthread_create(&waiters[i], NULL, wait_too, (void *)i));
		await_callback();
		usleep((unsigned)turn * 200);
		go = 1;
		for (int i = 0; i < WAITERS; i++)
			check(!pthread_join(waiters[i], NULL));
		check(reaped == 1);
		check_fails(cr_reap_checkpoint(&handle), EINVAL);
		close(args.cr_fd);
	}
}

static void environment(void)
{
	char name[32];

	for (int turn = 0; turn < 20; turn++) {
		char *tools = strdup(getenv("LIBCR_TOOLS"));

		begun = 0;
		go = 1;
		for (int i = 0; i < 2000; i++) {
			snprintf(name, sizeof name, "OLD_%d", i);
			check(!setenv(name, "value", 1));
		}
		request(CR_CHKPT_ASYNC_ERR);
		/* The memory that it stood in is given to others. */
		check(!clearenv());
		for (int i = 0; i < 4000; i++) {
			snprintf(name, sizeof name, "NEW_%d", i);
			check(!setenv(name, "another value", 1));
		}
		check(!setenv("LIBCR_TOOLS", tools, 1));
		free(tools);
		reap();
		check(begun);
	}
}

static void *end_in(void *call)
{
	cr_checkpoint_handle_t mine = handle;
	struct timeval moment = { 0, 5000 };

	for (;;) {
		int result = !strcmp(call, "wait") ? cr_wait_checkpoint(&mine, NULL)
			: cr_poll_checkpoint(&mine, &moment);

		check(result == 0 || errno == EINTR);
		pthread_testcancel();
	}
	return NULL;
}

static void *reap_and_end(void *unused)
{
	/* It is acted upon where a call waits: not in the midst of this one. */
	check(!pthread_cancel(pthread_self()));
	check(cr_reap_checkpoint(&handle) > 0 && !handle);
	pthread_testcancel();
	return unused;
}

static void cancel(void)
{
	const char *calls[] = { "wait", "poll" };
	pthread_t thread;
	void *result;

	for (int turn = 0; turn < 6; turn++) {
		go = begun = 0;
		request(0);
		await_callback();
		check(!pthread_create(&thread, NULL, end_in, (void *)calls[turn % 2]));
		usleep(10000);
		check(!pthread_cancel(thread) && !pthread_join(thread, &result));
		check(result == PTHREAD_CANCELED);
		go = 1;
		while (cr_wait_checkpoint(&handle, NULL) < 0)
			check(errno == EINTR);
		check(!pthread_create(&thread, NULL, reap_and_end, NULL) && !pthread_join(thread, &result));
		check(result == PTHREAD_CANCELED && !handle);
		check_fails(waitpid(-1, NULL, __WALL), ECHILD);
		close(args.cr_fd);
	}
}

static int respond_in_child(void *unused)
{
	(void)unused;
	check(cr_forward_checkpoint(CR_SCOPE_PROC, 0) == 0);
	check(cr_checkpoint(CR_CHECKPOINT_READY) == 0);
	return 0;
}

static void forks(void)
{
	int status;

	forwards = 1;
	request(0);
	await_callback();
	for (int turn = 0; turn < 10; turn++) {
		pid_t child = fork();

		check(child >= 0);
		if (!child) {
			alarm(30);
			go = 1;
			check(cr_init() >= 0 && cr_register_callback(respond_in_child, NULL, CR_THREAD_CONTEXT) >= 0);
			request(0);
			reap();
			_exit(0);
		}
		check(waitpid(child, &status, 0) == child && status == 0);
	}
	forwards = 0;
	reap();
}

int main(int argc, char **argv)
{
	check(argc == 2 && cr_init() >= 0);
	check(cr_register_callback(respond, NULL, CR_THREAD_CONTEXT) >= 0);
	if (!strcmp(argv[1], "errors"))
		errors();
	else if (!strcmp(argv[1], "threads"))
		threads();
	else if (!strcmp(argv[1], "environment"))
		environment();
	else if (!strcmp(argv[1], "cancel"))
		cancel();
	else if (!strcmp(argv[1], "forks"))
		forks();
	else
		return 2;
	check_fails(waitpid(-1, NULL, __WALL), ECHILD);
	return 0;
}

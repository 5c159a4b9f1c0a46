/* SPDX-License-Identifier: Apache-2.0
 * A program with callbacks that makes children in every way, one after the other, while somebody saves
 * it: fork, vfork, posix_spawn, fork and exec, a child with a child. Each must end with the status that
 * it was told. With an argument it is such a child. `exec N`: a program that executes itself N
 * times; it is to be the same process all the time.
 */
#include <spawn.h>
#include <sys/wait.h>
#include "harness.h"

enum { WAYS = 5, STATUSES = 200 };

static const char *own_path;
static volatile long callbacks[2], failures;
static volatile int restarts;
extern char **environ;

static int respond(void *context)
{
	int result = cr_checkpoint(CR_CHECKPOINT_READY);

	callbacks[context != NULL]++;
	if (result < 0)
		failures++;
	if (result > 0 && context)
		restarts++;
	return 0;
}

/* A child uses the library as if it were the first. */
static void be_a_client(int status)
{
	cr_client_id_t id = cr_init();

	if (id < 0 || cr_status() < 0 || cr_enter_cs(id) || cr_leave_cs(id))
		_exit(201);
	if (status % 2 && cr_register_callback(respond, NULL, CR_SIGNAL_CONTEXT) < 0)
		_exit(202);
	if (status % 3 == 0 && cr_register_callback(respond, "server", CR_THREAD_CONTEXT) < 0)
		_exit(203);
	if (status % 5 == 0)
		usleep((unsigned)status * 37);
}

static void execute(int status)
{
	char number[16];

	snprintf(number, sizeof number, "%d", status);
	execl(own_path, own_path, "child", number, (char *)NULL);
	_exit(204);
}

static pid_t spawn(int status)
{
	char number[16], *words[] = { (char *)own_path, "child", number, NULL };
	pid_t child;

	snprintf(number, sizeof number, "%d", status);
	check(posix_spawn(&child, own_path, NULL, NULL, words, environ) == 0);
	return child;
}

static void have_a_child(int status)
{
	pid_t child = fork();
	int ended;

	if (child == 0)
		_exit(status);
	while (waitpid(child, &ended, 0) < 0)
		if (errno != EINTR)
			_exit(205);
	if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status)
		_exit(206);
}

static pid_t make(long turn, int status)
{
	pid_t child;

	switch (turn % WAYS) {
	case 0:
		return spawn(status);
	case 1:
		child = vfork();
		if (child == 0)
			_exit(status);
		return child;
	default:
		child = fork();
		if (child)
			return child;
		be_a_client(status);
		if (turn % WAYS == 2)
			execute(status);
		if (turn % WAYS == 3)
			have_a_child(status);
		_exit(status);
	}
}

static void register_callbacks(void)
{
	check(cr_init() >= 0);
	check(cr_register_callback(respond, "server", CR_THREAD_CONTEXT) >= 0);
	check(cr_register_callback(respond, NULL, CR_SIGNAL_CONTEXT) >= 0);
}

static int execute_again(int left, int pid)
{
	char numbers[2][16];

	check(getpid() == pid);
	register_callbacks();
	if (left == 0 || !access("end", F_OK)) {
		printf("right: %d left\n", left);
		return 0;
	}
	if (left % 100 == 0) {
		printf("main waits %d\n", left);
		fflush(stdout);
	}
	usleep((unsigned)(left * 7919 % 6000));
	snprintf(numbers[0], sizeof numbers[0], "%d", left - 1);
	snprintf(numbers[1], sizeof numbers[1], "%d", pid);
	execl(own_path, own_path, "exec", numbers[0], numbers[1], (char *)NULL);
	check(!"executed");
	return 1;
}

int main(int argc, char **argv)
{
	long turn;

	own_path = argv[0];
	if (argc > 2 && !strcmp(argv[1], "child")) {
		be_a_client(atoi(argv[2]));
		return atoi(argv[2]);
	}
	if (argc > 2 && !strcmp(argv[1], "exec"))
		return execute_again(atoi(argv[2]), argc > 3 ? atoi(argv[3]) : getpid());
	register_callbacks();
	printf("main waits\n");
	fflush(stdout);
	for (turn = 0; access("end", F_OK); turn++) {
		int status = (int)(turn % STATUSES), ended;
		pid_t child = make(turn, status);

		check(child > 0);
		while (waitpid(child, &ended, 0) < 0)
			check(errno == EINTR);
		if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status)
			printf("turn %ld: child %d ended with 0x%x\n", turn, child, ended);
		check(WIFEXITED(ended) && WEXITSTATUS(ended) == status);
	}
	printf("right: %ld children, %ld and %ld callbacks, %ld failures, %d restarts\n", turn,
		callbacks[0], callbacks[1], failures, restarts);
	return 0;
}

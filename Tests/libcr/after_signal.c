/* SPDX-License-Identifier: Apache-2.0
 * A signal that comes with a checkpoint or a restart (SIGUSR1) comes when all callbacks have
 * returned, slow ones too, of this process and of its child.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "harness.h"

/* Of both processes. */
static volatile int *busy, *signals;

static int respond(void *unused)
{
	int result;

	(void)unused;
	result = cr_checkpoint(CR_CHECKPOINT_READY);
	__sync_fetch_and_add(busy, 1);
	usleep(100000);
	printf("callback ends %d\n", result);
	fflush(stdout);
	__sync_fetch_and_sub(busy, 1);
	return 0;
}

static void note(int number)
{
	(void)number;
	if (*busy)
		_exit(9);
	__sync_fetch_and_add(signals, 1);
}

static void prepare(void)
{
	check(cr_init() >= 0);
	check(cr_register_callback(respond, NULL, CR_THREAD_CONTEXT) >= 0);
	check(cr_register_callback(respond, NULL, CR_SIGNAL_CONTEXT) >= 0);
}

int main(void)
{
	int status, seen = 0, pipes[2];
	char byte;
	pid_t child;

	busy = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(busy != MAP_FAILED && !pipe(pipes));
	signals = busy + 1;
	signal(SIGUSR1, note);
	child = fork();
	prepare();
	if (!child) {
		check(write(pipes[1], "x", 1) == 1);
		while (access("end", F_OK))
			usleep(1000);
		_exit(0);
	}
	check(read(pipes[0], &byte, 1) == 1);
	printf("main waits\n");
	fflush(stdout);
	while (access("end", F_OK)) {
		usleep(1000);
		if (*signals != seen) {
			seen = *signals;
			printf("signals %d\n", seen);
			fflush(stdout);
		}
	}
	check(waitpid(child, &status, 0) == child && status == 0);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * Two processes whose callbacks wait for each other after a checkpoint that has failed, which takes one of
 * them argv[1] milliseconds. Ends well when there is a file `end`.
 */
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "harness.h"

static struct shared {
	volatile unsigned arrived, round, failures, successes;
} *shared;

static int delay;

static void meet(void)
{
	unsigned round = shared->round;

	if (__sync_add_and_fetch(&shared->arrived, 1) == 2) {
		shared->arrived = 0;
		__sync_add_and_fetch(&shared->round, 1);
		return;
	}
	while (shared->round == round)
		usleep(1000);
}

static int respond(void *is_child)
{
	int result = cr_checkpoint(CR_CHECKPOINT_READY);

	if (result == 0) {
		__sync_fetch_and_add(&shared->successes, 1);
		return 0;
	}
	check(result == -CR_ETEMPFAIL);
	__sync_fetch_and_add(&shared->failures, 1);
	if (is_child)
		usleep(delay * 1000);
	meet();
	return 0;
}

static void wait_for_end(void *is_child)
{
	check(cr_init() >= 0);
	check(cr_register_callback(respond, is_child, CR_THREAD_CONTEXT) >= 0);
	meet();
	if (!is_child) {
		printf("main waits\n");
		fflush(stdout);
	}
	while (access("end", F_OK))
		usleep(5000);
	/* Both or none must be there for the callbacks. */
	for (int turn = 0; turn < 400 && cr_status() != CR_STATE_IDLE; turn++)
		usleep(5000);
}

int main(int argc, char **argv)
{
	int status;
	pid_t child;

	check(argc == 2);
	delay = atoi(argv[1]);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(shared != MAP_FAILED);
	child = fork();
	check(child >= 0);
	wait_for_end(child ? NULL : "child");
	if (!child)
		return 0;
	check(wait(&status) == child && status == 0);
	printf("right: %u failures, %u successes\n", shared->failures, shared->successes);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * Children that end while the callbacks of their parent run: the one is a zombie when it is saved, the other
 * has been waited for by then. Whatever becomes of the parent, it finds what it would have found.
 */
#include <signal.h>
#include <sys/wait.h>
#include "harness.h"

static pid_t zombie, waited_for;
static volatile int result = -1;

static pid_t start(void)
{
	pid_t child = fork();

	check(child >= 0);
	for (; child == 0;)
		pause();
	return child;
}

static int respond(void *unused)
{
	siginfo_t info;
	int status;

	(void)unused;
	check(!kill(zombie, SIGTERM) && !kill(waited_for, SIGKILL));
	check(waitpid(waited_for, &status, 0) == waited_for && WTERMSIG(status) == SIGKILL);
	check(!waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT));
	result = cr_checkpoint(CR_CHECKPOINT_READY);
	return 0;
}

int main(void)
{
	int status;

	check(cr_init() >= 0);
	check(cr_register_callback(respond, NULL, CR_THREAD_CONTEXT) >= 0);
	zombie = start();
	waited_for = start();
	printf("main waits\n");
	fflush(stdout);
	while (access("end", F_OK) || result < 0)
		usleep(2000);
	check(waitpid(zombie, &status, 0) == zombie && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	check_fails(waitpid(-1, &status, 0), ECHILD);
	printf("right %d\n", result);
	return 0;
}

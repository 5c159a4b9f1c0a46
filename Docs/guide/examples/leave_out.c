/* SPDX-License-Identifier: Apache-2.0 */
/* A helper that is no part of what is saved: a monitor that leaves itself out. The program starts a new
 * one when it comes back. */
#include <libcr.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t monitor;

static int leave_out(void *unused)
{
	(void)unused;
	cr_checkpoint(CR_CHECKPOINT_OMIT); /* -CR_EOMITTED: we go on */
	return 0;
}

static void start_monitor(void)
{
	int ready[2];
	char byte;

	if (pipe(ready))
		return;
	monitor = fork();
	if (!monitor) {
		sigset_t none;

		/* The library's thread, in which we may be, has all signals blocked. */
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		/* A child begins without callbacks: those of its parent are not its own. */
		if (cr_init() < 0 || cr_register_callback(leave_out, NULL, CR_THREAD_CONTEXT) < 0)
			_exit(1);
		close(ready[0]);
		close(ready[1]); /* tells the parent */
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) < 0)
		monitor = -1;
	close(ready[0]);
	printf("monitor %d\n", (int)monitor);
	fflush(stdout);
}

static int on_checkpoint(void *unused)
{
	(void)unused;
	if (cr_checkpoint(CR_CHECKPOINT_READY) > 0) {
		/* The old one is not here, and is no child of ours any more. */
		start_monitor();
	}
	return 0;
}

int main(void)
{
	if (cr_init() < 0)
		return 1;
	start_monitor();
	if (cr_register_callback(on_checkpoint, NULL, CR_THREAD_CONTEXT) < 0)
		return 1;
	printf("ready\n");
	fflush(stdout);
	while (access("stop", F_OK))
		usleep(10000);
	kill(monitor, SIGTERM);
	waitpid(monitor, NULL, 0);
	return 0;
}

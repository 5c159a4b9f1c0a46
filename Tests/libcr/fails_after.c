/* SPDX-License-Identifier: Apache-2.0
 * A callback of the context argv[1] (thread, signal) that returns an error after its cr_checkpoint(): when it
 * goes on, or when it was restarted (argv[2]: continue, restart). That ends the program, by SIGABRT.
 */
#include "harness.h"

static int fails_restarted;

static int respond(void *unused)
{
	int result = cr_checkpoint(CR_CHECKPOINT_READY);

	(void)unused;
	printf("responds %d\n", result);
	fflush(stdout);
	return fails_restarted ? result > 0 : result == 0;
}

int main(int argc, char **argv)
{
	check(argc == 3 && cr_init() >= 0);
	fails_restarted = !strcmp(argv[2], "restart");
	check(cr_register_callback(respond, NULL, strcmp(argv[1], "signal") ? CR_THREAD_CONTEXT
		: CR_SIGNAL_CONTEXT) >= 0);
	printf("main waits\n");
	fflush(stdout);
	while (access("end", F_OK))
		usleep(5000);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * Asks for checkpoints of process argv[1] into the file argv[2], argv[3] times (0: for ever), from a
 * thread that never called cr_init().
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include "harness.h"

static char **arguments;

static void *ask(void *unused)
{
	long times = atol(arguments[3]);
	cr_checkpoint_args_t args;
	cr_checkpoint_handle_t handle;

	cr_initialize_checkpoint_args_t(&args);
	args.cr_scope = CR_SCOPE_PROC;
	args.cr_target = atoi(arguments[1]);
	args.cr_fd = open(arguments[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(args.cr_fd >= 0);
	for (long turn = 0; turn < times || times == 0; turn++) {
		check(!ftruncate(args.cr_fd, 0) && !lseek(args.cr_fd, 0, SEEK_SET));
		if (cr_request_checkpoint(&args, &handle)) {
			printf("refused: %s\n", cr_strerror(errno));
			fflush(stdout);
			check(errno == EBUSY);
			usleep(1000);
			continue;
		}
		while (cr_poll_checkpoint(&handle, NULL) < 0)
			check(errno == EINTR);
		printf("done\n");
		fflush(stdout);
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	check(argc == 4);
	arguments = argv;
	check(!pthread_create(&thread, NULL, ask, NULL) && !pthread_join(thread, NULL));
	check(waitpid(-1, NULL, __WALL | WNOHANG) < 0 && errno == ECHILD);
	return 0;
}

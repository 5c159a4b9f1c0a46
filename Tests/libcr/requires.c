/* SPDX-License-Identifier: Apache-2.0
 * Asks for a checkpoint of tree argv[1] (0: its own) into `ctx`, in which every process must have
 * libcr; argv[2]: the errno that is to be expected, 0 for success. argv[3]: a command to be run as a
 * child of it meanwhile, without a library.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include "harness.h"

int main(int argc, char **argv)
{
	cr_checkpoint_args_t args;
	cr_checkpoint_handle_t handle;
	int expected, result, error, count;
	pid_t child = 0;
	char *message, start[5] = "";

	check(argc >= 3);
	expected = atoi(argv[2]);
	if (argc > 3) {
		child = vfork();
		if (!child) {
			execlp(argv[3], argv[3], "60", (char *)NULL);
			_exit(127);
		}
	}
	cr_initialize_checkpoint_args_t(&args);
	args.cr_scope = CR_SCOPE_TREE;
	args.cr_target = atoi(argv[1]);
	args.cr_flags = CR_CHKPT_REQUIRE_LIBCR | CR_CHKPT_ASYNC_ERR;
	args.cr_fd = open("ctx", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(args.cr_fd >= 0 && !cr_request_checkpoint(&args, &handle));
	do
		result = cr_wait_checkpoint(&handle, NULL);
	while (result < 0 && errno == EINTR);
	/* What is said may be asked for in pieces, and again. */
	count = cr_log_checkpoint(&handle, 0, NULL);
	check(count >= 0 && (!expected || count > 1));
	if (count > 1) {
		check_fails(cr_log_checkpoint(&handle, 1, NULL), EFAULT);
		check(cr_log_checkpoint(&handle, 5, start) == count && strlen(start) <= 4);
	}
	do
		result = cr_poll_checkpoint_msg(&handle, NULL, &message);
	while (result == CR_POLL_CHKPT_ERR_PRE && errno == EINTR);
	error = errno;
	if (child)
		kill(child, SIGKILL);
	if (result < 0 && error == CR_ERESTARTED)
		return 7;
	if (result < 0)
		fprintf(stderr, "%s: %s\n", cr_strerror(error), message);
	check(count <= 1 || (message && (int)strlen(message) == count - 1
		&& !strncmp(message, start, strlen(start))));
	check(expected ? result == CR_POLL_CHKPT_ERR_POST && error == expected : result > 0);
	return 0;
}

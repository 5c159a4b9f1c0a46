/* SPDX-License-Identifier: Apache-2.0
 * Saves itself into argv[1].new and renames that to argv[1] when it is whole, argv[2] times, by one
 * descriptor (argv[3]: keeps) or one for each; ends with 7 when it runs again from one of them.
 */
#include <fcntl.h>
#include "harness.h"

int main(int argc, char **argv)
{
	char beside[4096];
	int fd = -1, result;

	check(argc >= 3);
	snprintf(beside, sizeof beside, "%s.new", argv[1]);
	for (int turn = 0; turn < atoi(argv[2]); turn++) {
		cr_checkpoint_args_t args;
		cr_checkpoint_handle_t handle;

		if (fd < 0 || argc == 3)
			fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		check(fd >= 0);
		cr_initialize_checkpoint_args_t(&args);
		args.cr_scope = CR_SCOPE_PROC;
		args.cr_fd = fd;
		check(cr_request_checkpoint(&args, &handle) == 0);
		do
			result = cr_poll_checkpoint(&handle, NULL);
		while (result == CR_POLL_CHKPT_ERR_PRE && errno == EINTR);
		if (result < 0 && errno == CR_ERESTARTED) {
			/* It may go on with it. */
			check(write(fd, "x", 1) == 1);
			return 7;
		}
		check(result > 0);
		if (argc == 3)
			check(!rename(beside, argv[1]) && !close(fd));
	}
	return 0;
}

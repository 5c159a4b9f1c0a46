/* SPDX-License-Identifier: Apache-2.0
 * A program asks for its own checkpoint into argv[1]: 0 going on, 7 when it runs again from it.
 */
#include <fcntl.h>
#include <sys/wait.h>
#include "harness.h"

static char place[4096];

static int respond(void *unused)
{
	(void)unused;
	check(!strcmp(cr_get_checkpoint_info()->dest, place));
	check(cr_get_checkpoint_info()->requester == getpid());
	check(cr_get_checkpoint_info()->target == getpid());
	check(cr_get_checkpoint_info()->scope == CR_SCOPE_TREE);
	if (cr_checkpoint(CR_CHECKPOINT_READY) > 0)
		check(!strcmp(cr_get_restart_info()->src, place));
	return 0;
}

int main(int argc, char **argv)
{
	cr_checkpoint_args_t args;
	cr_checkpoint_handle_t handle;
	int result, before, after;

	check(argc == 2 && cr_init() >= 0);
	check(cr_register_callback(respond, NULL, CR_SIGNAL_CONTEXT) >= 0);
	cr_initialize_checkpoint_args_t(&args);
	args.cr_scope = CR_SCOPE_TREE;
	args.cr_flags = CR_CHKPT_PROHIBIT_SELF;
	args.cr_fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	check(args.cr_fd >= 0 && realpath(argv[1], place));
	check_fails(cr_request_checkpoint(&args, &handle), EDEADLK);
	args.cr_flags = 0;
	before = dup(args.cr_fd);
	close(before);
	check(cr_request_checkpoint(&args, &handle) == 0);
	while ((result = cr_poll_checkpoint(&handle, NULL)) == CR_POLL_CHKPT_ERR_PRE && errno == EINTR)
		;
	if (result < 0 && errno == CR_ERESTARTED)
		return 7;
	check(result > 0);
	/* Nothing is left behind: no descriptor, no child. */
	after = dup(args.cr_fd);
	check(after == before);
	check_fails(waitpid(-1, NULL, WNOHANG | __WALL), ECHILD);
	check_fails(cr_reap_checkpoint(&handle), EINVAL);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * A request whose message there is no memory for when it is asked for, but later.
 */
#include <fcntl.h>
#include "harness.h"

extern void *__libc_malloc(size_t);
static volatile int has_no_memory;

/* Also of the library. */
void *malloc(size_t size)
{
	if (!has_no_memory)
		return __libc_malloc(size);
	errno = ENOMEM;
	return NULL;
}

int main(void)
{
	cr_checkpoint_args_t args;
	cr_checkpoint_handle_t handle;
	char *message = "";
	int result;

	check(cr_initialize_checkpoint_args_t(&args) == 0);
	args.cr_scope = CR_SCOPE_PROC;
	args.cr_target = 4194304; /* beyond the greatest pid that there can be */
	args.cr_flags = CR_CHKPT_ASYNC_ERR;
	args.cr_fd = open("own", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(args.cr_fd >= 0 && cr_request_checkpoint(&args, &handle) == 0);
	while ((result = cr_wait_checkpoint(&handle, NULL)) < 0)
		check(errno == EINTR);
	has_no_memory = 1;
	result = cr_poll_checkpoint_msg(&handle, NULL, &message);
	has_no_memory = 0;
	check(result == CR_POLL_CHKPT_ERR_LOG && errno == ENOMEM && !message && handle);
	result = cr_poll_checkpoint_msg(&handle, NULL, &message);
	check(result == CR_POLL_CHKPT_ERR_POST && errno == ESRCH && message && *message && !handle);
	free(message);
	return 0;
}

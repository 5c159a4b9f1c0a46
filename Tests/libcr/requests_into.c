/* SPDX-License-Identifier: Apache-2.0
 * A program saves itself, or process argv[4], into the descriptor argv[1], a pipe or a socket, with a
 * limit of argv[2] seconds: 0 going on, 7 when it runs again from it; argv[3]: the errno that is to
 * be expected.
 */
#include <sys/time.h>
#include "harness.h"

static int slow(void *unused)
{
	int result;

	(void)unused;
	sleep(3);
	result = cr_checkpoint(CR_CHECKPOINT_READY);
	printf("slow ends %d\n", result);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	cr_checkpoint_args_t args;
	cr_checkpoint_handle_t handle;
	struct timeval none = { 0, 0 };
	int result, expected;
	char *message;

	check(argc >= 4);
	expected = atoi(argv[3]);
	cr_initialize_checkpoint_args_t(&args);
	args.cr_scope = CR_SCOPE_PROC;
	args.cr_fd = atoi(argv[1]);
	if (argc > 4)
		args.cr_target = atoi(argv[4]);
	args.cr_timeout = (unsigned)atoi(argv[2]);
	if (args.cr_timeout) {
		check(cr_init() >= 0);
		check(cr_register_callback(slow, NULL, CR_THREAD_CONTEXT) >= 0);
	}
	check(cr_request_checkpoint(&args, &handle) == 0);
	close(args.cr_fd);
	if (args.cr_timeout) {
		check(cr_wait_checkpoint(&handle, &none) == 0);
		check_fails(cr_reap_checkpoint(&handle), EAGAIN);
		check(cr_poll_checkpoint(&handle, &none) == 0);
	}
	do
		result = cr_poll_checkpoint_msg(&handle, NULL, &message);
	while (result == CR_POLL_CHKPT_ERR_PRE && errno == EINTR);
	if (result < 0 && errno == CR_ERESTARTED)
		return 7;
	if (expected) {
		check(result == CR_POLL_CHKPT_ERR_POST && errno == expected);
		check(message && *message);
		free(message);
		sleep(3);
		return 0;
	}
	printf("result %d errno %d: %s\n", result, errno, message ? message : "");
	check(result > 0);
	return 0;
}

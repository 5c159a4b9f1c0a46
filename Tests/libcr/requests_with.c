/* SPDX-License-Identifier: Apache-2.0
 * Asks for a checkpoint of process, group, session or tree (argv[1]: -p, -g, -s, -T) argv[2], 0 for its own, into the
 * file `ctx`, with the
 * flags argv[3]. It must end with the errno argv[4], 0 for success, and say so (argv[5]) by the request or the reap.
 * argv[6]: what a callback of its own gives to cr_checkpoint().
 */
#include <fcntl.h>
#include "harness.h"

static int respond(void *flags)
{
	int result = cr_checkpoint((int)strtol(flags, NULL, 0));

	printf("responds %d\n", result);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	cr_checkpoint_args_t args;
	cr_checkpoint_handle_t handle;
	int expected, result, error;
	char *message = NULL;
	static const char scopes[] = "pgsT";

	check(argc >= 6);
	if (argc > 6) {
		check(cr_init() >= 0);
		check(cr_register_callback(respond, argv[6], CR_THREAD_CONTEXT) >= 0);
	}
	expected = atoi(argv[4]);
	cr_initialize_checkpoint_args_t(&args);
	check(strchr(scopes, argv[1][1]));
	args.cr_scope = (cr_scope_t)(strchr(scopes, argv[1][1]) - scopes);
	args.cr_target = atoi(argv[2]);
	args.cr_flags = (unsigned)atoi(argv[3]);
	args.cr_fd = open("ctx", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(args.cr_fd >= 0);
	result = cr_request_checkpoint(&args, &handle);
	if (!strcmp(argv[5], "request")) {
		check(result == -1 && errno == expected);
		return 0;
	}
	check(result == 0);
	do
		result = cr_poll_checkpoint_msg(&handle, NULL, &message);
	while (result == CR_POLL_CHKPT_ERR_PRE && errno == EINTR);
	error = errno;
	if (message)
		fprintf(stderr, "%s", message);
	if (!expected)
		check(result > 0);
	else
		check(result == CR_POLL_CHKPT_ERR_POST && error == expected);
	return 0;
}

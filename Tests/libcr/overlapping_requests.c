/* SPDX-License-Identifier: Apache-2.0
 * Requests for the processes argv[1] and argv[2] at once, into `one` and `two`, and whom this program allows to
 * trace it meanwhile. prctl(2) of this program stands in for the kernel's: most have no Yama.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "harness.h"

enum { NOBODY = 0, SOMEBODY_BELOW, DESCENDANTS };

static int permission, changes;

int prctl(int option, ...)
{
	unsigned long values[4];
	va_list list;

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		values[i] = va_arg(list, unsigned long);
	va_end(list);
	if (option == PR_SET_PTRACER) {
		changes++;
		permission = !values[0] ? NOBODY
			: (pid_t)values[0] == getpid() ? DESCENDANTS : SOMEBODY_BELOW;
	}
	return (int)syscall(SYS_prctl, option, values[0], values[1], values[2], values[3]);
}

static void request(const char *target, const char *path, cr_checkpoint_handle_t *handle)
{
	cr_checkpoint_args_t args;

	cr_initialize_checkpoint_args_t(&args);
	args.cr_scope = CR_SCOPE_PROC;
	args.cr_target = atoi(target);
	args.cr_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(args.cr_fd >= 0 && cr_request_checkpoint(&args, handle) == 0 && !close(args.cr_fd));
}

static void poll_for(cr_checkpoint_handle_t *handle)
{
	int result;

	do
		result = cr_poll_checkpoint(handle, NULL);
	while (result == CR_POLL_CHKPT_ERR_PRE && errno == EINTR);
	check(result > 0);
}

int main(int argc, char **argv)
{
	cr_checkpoint_handle_t one, two;

	check(argc == 3);
	for (int turn = 0; turn < 2; turn++) {
		/* One alone: its helper, whose end is the end of the permission. */
		changes = 0;
		request(argv[1], "one", &one);
		check(changes == 1 && permission == SOMEBODY_BELOW);
		poll_for(&one);
		check(changes == 1);
		/* The first helper may still have to come when the second is named. */
		request(argv[1], "one", &one);
		request(argv[2], "two", &two);
		check(changes == 3 && permission == DESCENDANTS);
		poll_for(turn ? &two : &one);
		check(changes == 3 && permission == DESCENDANTS);
		poll_for(turn ? &one : &two);
		check(changes == 4 && permission == NOBODY);
	}
	return 0;
}

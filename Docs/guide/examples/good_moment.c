/* SPDX-License-Identifier: Apache-2.0 */
/* A program that saves itself when it is small: between two steps, when its work space is given back. */
#include <errno.h>
#include <fcntl.h>
#include <libcr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 1: saved, and going on; 0: we come from this very file; -1: it failed, and we go on. */
static int save(const char *file)
{
	char beside[4096], *message = NULL;
	cr_checkpoint_args_t args;
	cr_checkpoint_handle_t handle;
	int result;

	/* Written aside: while it is, the last one is still there. */
	snprintf(beside, sizeof beside, "%s.new", file);
	cr_initialize_checkpoint_args_t(&args);
	args.cr_scope = CR_SCOPE_PROC;
	args.cr_fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (args.cr_fd < 0)
		return -1;
	result = cr_request_checkpoint(&args, &handle);
	if (!result)
		do
			result = cr_poll_checkpoint_msg(&handle, NULL, &message);
		while (result == CR_POLL_CHKPT_ERR_PRE && errno == EINTR);
	if (result < 0 && errno == CR_ERESTARTED) {
		/* Nothing is to be renamed: what was here then may be long gone. */
		free(message);
		close(args.cr_fd);
		return 0;
	}
	if (result < 0)
		fprintf(stderr, "not saved: %s\n%s", cr_strerror(errno), message ? message : "");
	else if (fsync(args.cr_fd) || rename(beside, file))
		result = -1;
	free(message);
	close(args.cr_fd);
	return result < 0 ? -1 : 1;
}

int main(int argc, char **argv)
{
	if (argc < 2 || cr_init() < 0)
		return 1;
	for (int step = 1; access("stop", F_OK); step++) {
		char *space = malloc(8 << 20);

		if (!space)
			return 1;
		memset(space, step, 8 << 20); /* the work */
		free(space);
		printf("step %d\n", step);
		if (step % 5 == 0 && save(argv[1]) == 0)
			printf("back at step %d\n", step);
		fflush(stdout);
		usleep(20000);
	}
	return 0;
}

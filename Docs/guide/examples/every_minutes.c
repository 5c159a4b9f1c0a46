/* SPDX-License-Identifier: Apache-2.0 */
/* A program that has itself saved every argv[2] seconds into argv[1], by a thread that does nothing
 * else. The other threads need not know; those with something to protect use critical sections. */
#include <errno.h>
#include <fcntl.h>
#include <libcr.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *file;
static unsigned seconds;

static void *save_regularly(void *unused)
{
	char beside[4096];

	snprintf(beside, sizeof beside, "%s.new", file);
	for (;;) {
		cr_checkpoint_args_t args;
		cr_checkpoint_handle_t handle;
		int result;

		sleep(seconds);
		cr_initialize_checkpoint_args_t(&args);
		args.cr_scope = CR_SCOPE_TREE; /* what we have started, too */
		args.cr_timeout = 60;
		args.cr_fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		result = args.cr_fd < 0 ? -1 : cr_request_checkpoint(&args, &handle);
		if (!result)
			do
				result = cr_poll_checkpoint(&handle, NULL);
			while (result == CR_POLL_CHKPT_ERR_PRE && errno == EINTR);
		if (result > 0 && !fsync(args.cr_fd))
			rename(beside, file);
		else if (errno == CR_ERESTARTED)
			fprintf(stderr, "restarted\n");
		else
			fprintf(stderr, "not saved, next try in %u s: %s\n", seconds, cr_strerror(errno));
		if (args.cr_fd >= 0)
			close(args.cr_fd);
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t saver;

	if (argc < 3)
		return 1;
	file = argv[1];
	seconds = (unsigned)atoi(argv[2]);
	if (pthread_create(&saver, NULL, save_regularly, NULL))
		return 1;
	for (long count = 0; access("stop", F_OK); count++) {
		printf("%ld\n", count);
		fflush(stdout);
		usleep(20000);
	}
	return 0;
}

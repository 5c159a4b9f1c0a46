/* SPDX-License-Identifier: Apache-2.0
 * Restarts the context file argv[1], whose root becomes a child of this program, and ends as that
 * does. argv[2], argv[3]: a relocation. Or argv[2] alone: the errno that is to be expected.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "harness.h"

static int descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

int main(int argc, char **argv)
{
	struct cr_rstrt_relocate *relocate = calloc(1, CR_RSTRT_RELOCATE_SIZE(1));
	cr_restart_args_t args;
	cr_restart_handle_t handle;
	int before, result, error, status, expected = argc == 3 ? atoi(argv[2]) : 0, subreaper = 1;
	char *message;

	check(argc >= 2);
	cr_initialize_restart_args_t(&args);
	args.cr_flags |= CR_RSTRT_ASYNC_ERR;
	/* Not for the restarted ones. */
	check(open("/dev/null", O_RDWR | O_CLOEXEC) >= 0);
	args.cr_fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	check(args.cr_fd >= 0);
	if (argc == 4) {
		relocate->count = 1;
		relocate->path[0].oldpath = argv[2];
		relocate->path[0].newpath = argv[3];
		args.cr_relocate = relocate;
	}
	before = descriptors();
	check(cr_request_restart(&args, &handle) == 0);
	do
		result = cr_poll_restart_msg(&handle, NULL, &message);
	while (result == CR_POLL_RSTRT_ERR_PRE && errno == EINTR);
	error = errno;
	check(descriptors() == before);
	check_fails(cr_reap_restart(&handle), EINVAL);
	check(!prctl(PR_GET_CHILD_SUBREAPER, &subreaper) && !subreaper);
	if (expected) {
		if (result != CR_POLL_RSTRT_ERR_POST || error != expected || !message)
			fprintf(stderr, "%d %s: %s\n", result, cr_strerror(error), message ? message : "");
		check(result == CR_POLL_RSTRT_ERR_POST && error == expected);
		check(message && *message);
		check_fails(waitpid(-1, NULL, __WALL), ECHILD);
		free(message);
		free(relocate);
		return 0;
	}
	if (result < 0)
		fprintf(stderr, "%d %s: %s\n", result, cr_strerror(error), message ? message : "");
	check(result > 0);
	printf("root %d of %d\n", result, getpid());
	fflush(stdout);
	/* The only child, and an ordinary one. */
	check(waitpid(-1, &status, 0) == result);
	check_fails(waitpid(-1, NULL, __WALL), ECHILD);
	free(message);
	free(relocate);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

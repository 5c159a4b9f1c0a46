/* SPDX-License-Identifier: Apache-2.0
 * Requests of a program that never called cr_init(), of one that does so while they last, and of one
 * that ignores everything: the helper is not to be seen, and a child knows nothing of them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "harness.h"

static volatile int signals;

static void count(int number)
{
	(void)number;
	signals++;
}

static int entries(const char *path)
{
	DIR *folder = opendir(path);
	int found = 0;

	check(folder);
	while (readdir(folder))
		found++;
	closedir(folder);
	return found;
}

static int mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	int lines = 0, byte;

	check(file);
	while ((byte = fgetc(file)) != EOF)
		lines += byte == '\n';
	fclose(file);
	return lines;
}

int main(int argc, char **argv)
{
	pid_t target = atoi(argv[1]), child, group = getpgrp(), session = getsid(0);
	int descriptors, threads, maps, status, result;
	cr_checkpoint_args_t args;
	cr_checkpoint_handle_t handle;
	struct stat file;

	check(argc == 3);
	for (int number = 1; !strcmp(argv[2], "ignores") && number < SIGRTMAX; number++)
		signal(number, SIG_IGN);
	if (strcmp(argv[2], "ignores"))
		signal(SIGCHLD, count);
	if (!strcmp(argv[2], "inits"))
		check(cr_init() >= 0);
	check(cr_initialize_checkpoint_args_t(&args) == 0);
	args.cr_scope = CR_SCOPE_PROC;
	args.cr_target = target;
	args.cr_fd = open("ctx", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	check(args.cr_fd >= 0);
	for (int turn = 0; turn < 5; turn++) {
		descriptors = entries("/proc/self/fd");
		threads = entries("/proc/self/task");
		maps = mappings();
		check(!ftruncate(args.cr_fd, 0) && lseek(args.cr_fd, 0, SEEK_SET) == 0);
		check(cr_request_checkpoint(&args, &handle) == 0);
		if (turn == 1 && strcmp(argv[2], "ignores"))
			check(cr_init() >= 0); /* the first one, or one more */
		child = fork();
		if (!child) {
			check_fails(cr_wait_checkpoint(&handle, NULL), EINVAL);
			check_fails(cr_reap_checkpoint(&handle), EINVAL);
			_exit(mappings() < maps + 1 ? 0 : 1);
		}
		check(child > 0);
		if (strcmp(argv[2], "ignores"))
			check(waitpid(child, &status, 0) == child && status == 0);
		else
			check_fails(waitpid(child, &status, 0), ECHILD); /* ended, and nobody was told */
		while ((result = cr_poll_checkpoint(&handle, NULL)) == CR_POLL_CHKPT_ERR_PRE)
			check(errno == EINTR);
		if (result < 0)
			fprintf(stderr, "%s\n", cr_strerror(errno));
		check(result > 0 && !handle);
		check(!fstat(args.cr_fd, &file) && file.st_size > 4096);
		check(entries("/proc/self/fd") == descriptors && entries("/proc/self/task") == threads);
		check(turn == 0 || mappings() == maps); /* the first may have made a heap */
		check(group == getpgrp() && session == getsid(0));
		check_fails(waitpid(-1, NULL, __WALL), ECHILD);
	}
	check(signals == (strcmp(argv[2], "ignores") ? 5 : 0)); /* the children, nobody else */
	return 0;
}

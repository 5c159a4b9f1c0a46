/* SPDX-License-Identifier: Apache-2.0
 * A request for a restart, each field as the arguments say, two words each:
 *
 *   file PATH, fd NUMBER          where the context is
 *   flags NUMBER, signal NUMBER
 *   old PATH, new PATH            in turn: pairs of cr_relocate
 *   by msg|poll|reap              how its end is waited for
 *   fails request|reap, errno NUMBER
 *   quick SECONDS                 how long to wait at a time
 *   init yes                      with a thread-context callback of its own
 *   twice PATH                    and another restart, from this file, at the same time
 *
 * The restarted processes are children like any other, and nothing else is to be seen of it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "harness.h"

static volatile int signals;
static struct cr_rstrt_relocate *relocate;
static const char *by = "msg", *fails = "", *other;
static int expected, seconds;
static cr_restart_args_t args;

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

static int respond(void *unused)
{
	(void)unused;
	return 0;
}

static void take(const char *name, char *value)
{
	if (!strcmp(name, "file")) {
		args.cr_fd = open(value, O_RDONLY | O_CLOEXEC);
		check(args.cr_fd >= 0);
	} else if (!strcmp(name, "fd")) {
		args.cr_fd = atoi(value);
	} else if (!strcmp(name, "flags")) {
		args.cr_flags = (unsigned)atoi(value);
	} else if (!strcmp(name, "signal")) {
		args.cr_signal = atoi(value);
	} else if (!strcmp(name, "old")) {
		args.cr_relocate = relocate;
		relocate->path[relocate->count++].oldpath = value;
	} else if (!strcmp(name, "new")) {
		relocate->path[relocate->count - 1].newpath = value;
	} else if (!strcmp(name, "by")) {
		by = value;
	} else if (!strcmp(name, "fails")) {
		fails = value;
	} else if (!strcmp(name, "errno")) {
		expected = atoi(value);
	} else if (!strcmp(name, "quick")) {
		seconds = atoi(value);
	} else if (!strcmp(name, "twice")) {
		other = value;
	} else {
		check(!strcmp(name, "init") && cr_init() >= 0);
		check(cr_register_callback(respond, NULL, CR_THREAD_CONTEXT) >= 0);
	}
}

/* The root's pid, or -errno. */
static int await(cr_restart_handle_t *handle)
{
	struct timeval limit = { seconds, 0 }, *patience = seconds ? &limit : NULL;
	char text[16384], *message = NULL;
	int result, error, length;

	if (!strcmp(by, "reap")) {
		while ((result = cr_wait_restart(handle, patience)) <= 0)
			check(result == 0 || errno == EINTR);
		length = cr_log_restart(handle, 0, NULL);
		check(length >= 0 && cr_log_restart(handle, sizeof text, text) == length);
		check(length == 0 || strlen(text) + 1 == (size_t)length);
		check(length == 0 || cr_log_restart(handle, 4, text) == length);
		check(length == 0 || strlen(text) == 3);
		result = cr_reap_restart(handle);
		error = errno;
		check(result > 0 || result == -1);
	} else {
		do {
			result = strcmp(by, "poll") ? cr_poll_restart_msg(handle, patience, &message)
				: cr_poll_restart(handle, patience);
			error = errno;
		} while (result == 0 || (result == CR_POLL_RSTRT_ERR_PRE && error == EINTR));
		check(result > 0 || result == CR_POLL_RSTRT_ERR_POST);
		if (message)
			fprintf(stderr, "message: %s\n", message);
		/* A failure never comes without words. */
		check(result > 0 || !strcmp(by, "poll") || (message && *message));
		free(message);
	}
	return result > 0 ? result : -error;
}

static void await_end(pid_t root)
{
	int status;
	pid_t ended = waitpid(-1, &status, 0);

	check(ended > 0 && (root == 0 || ended == root));
	printf("ends %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	cr_restart_handle_t handle = 0, second = 0;
	int descriptors, threads, result, subreaper = 1, roots[2] = { 0, 0 };
	pid_t group = getpgrp(), session = getsid(0);

	relocate = calloc(1, CR_RSTRT_RELOCATE_SIZE(CR_MAX_RSTRT_RELOC + 1));
	check(relocate && cr_initialize_restart_args_t(&args) == 0);
	for (int i = 1; i + 1 < argc; i += 2)
		take(argv[i], argv[i + 1]);
	/* Not for the restarted ones. */
	check(open("/dev/null", O_RDWR | O_CLOEXEC) >= 0);
	signal(SIGCHLD, count);
	descriptors = entries("/proc/self/fd");
	threads = entries("/proc/self/task");
	result = cr_request_restart(&args, &handle);
	if (!strcmp(fails, "request")) {
		if (result != -1 || errno != expected)
			fprintf(stderr, "%d %s\n", result, cr_strerror(errno));
		check(result == -1 && errno == expected && !handle);
	} else {
		check(result == 0 && handle);
		if (other) {
			args.cr_fd = open(other, O_RDONLY | O_CLOEXEC);
			check(cr_request_restart(&args, &second) == 0 && second != handle);
			close(args.cr_fd);
		}
		roots[0] = await(&handle);
		if (second)
			roots[1] = await(&second);
		check_fails(cr_reap_restart(&handle), EINVAL);
		check_fails(cr_wait_restart(&handle, NULL), EINVAL);
		check(cr_poll_restart(&handle, NULL) == CR_POLL_RSTRT_ERR_PRE && errno == EINVAL);
	}
	check(entries("/proc/self/fd") == descriptors && entries("/proc/self/task") == threads);
	check(!prctl(PR_GET_CHILD_SUBREAPER, &subreaper) && !subreaper);
	check(group == getpgrp() && session == getsid(0));
	if (*fails) {
		if (!strcmp(fails, "reap") && roots[0] != -expected)
			fprintf(stderr, "%d %s\n", roots[0], cr_strerror(-roots[0]));
		check(strcmp(fails, "reap") || roots[0] == -expected);
		check_fails(waitpid(-1, NULL, __WALL), ECHILD);
		check(signals == 0);
		return 0;
	}
	if (roots[0] < 0 || roots[1] < 0)
		fprintf(stderr, "%s\n", cr_strerror(-(roots[0] < 0 ? roots[0] : roots[1])));
	check(roots[0] > 0 && roots[1] >= 0);
	check(args.cr_signal || (signals == 0 && waitpid(-1, NULL, WNOHANG | __WALL) == 0));
	printf("root %d %d\n", roots[0], roots[1]);
	fflush(stdout);
	await_end(roots[1] ? 0 : roots[0]);
	if (roots[1])
		await_end(0);
	check_fails(waitpid(-1, NULL, __WALL), ECHILD);
	check(signals >= 1);
	return 0;
}

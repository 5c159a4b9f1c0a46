/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/files_of_proc_about_the_job.c
 * Files and directories of /proc that are about processes of the job: they are about the same
 * processes afterwards, at the same position, and shared as they were.
 */
#include "scenario.h"

static int of_process(pid_t process, const char *name, int flags)
{
	char path[64];
	int file;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)process, name);
	file = open(path, flags);
	check(file >= 0);
	return file;
}

int main(void)
{
	int own, comm, directory, memory_of, copy, path, ends[2];
	volatile int mark = 0x5eed;
	char text[64] = "";
	pid_t child;
	int value = 0;

	check(pipe(ends) == 0);
	child = fork();
	if (child == 0) {
		check(close(ends[1]) == 0 && prctl(PR_SET_NAME, "the child") == 0);
		mark = 0xc0de;
		tell("named");
		check(read(ends[0], &value, 1) == 0);
		_exit(3);
	}
	check(close(ends[0]) == 0);
	await("named");
	own = open("/proc/self/comm", O_RDWR | O_CLOEXEC);
	comm = of_process(child, "comm", O_RDONLY);
	directory = of_process(child, "", O_RDONLY | O_DIRECTORY);
	memory_of = of_process(child, "mem", O_RDONLY);
	path = of_process(child, "status", O_PATH);
	copy = dup(comm);
	check(read(comm, text, 4) == 4 && memcmp(text, "the ", 4) == 0);
	checkpoint_here();

	check(fcntl(own, F_GETFD) == FD_CLOEXEC && fcntl(own, F_GETFL) & O_RDWR);
	check(read(copy, text, sizeof text) == 6 && memcmp(text, "child\n", 6) == 0);
	check(lseek(comm, 0, SEEK_CUR) == 10);
	check(pread(memory_of, &value, sizeof value, (uintptr_t)&mark) == sizeof value);
	check(value == 0xc0de && mark == 0x5eed);
	check(write(own, "renamed", 7) == 7);
	check(prctl(PR_GET_NAME, text) == 0 && strcmp(text, "renamed") == 0);
	check(fcntl(path, F_GETFL) & O_PATH);
	check(faccessat(directory, "task", F_OK, 0) == 0);
	check(close(ends[1]) == 0);
	check_exits_with(child, 3);
	check(faccessat(directory, "task", F_OK, 0) == -1);
	return passed();
}

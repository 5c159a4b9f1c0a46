/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/fifo_whose_name_was_deleted.c
 * A named pipe that has no name any more, one that has another, and one whose old name is that of
 * something else by now: bytes and ends as before, no name comes back, no other file is touched.
 */
#include "scenario.h"

static int reader_of(const char *name, int *writer)
{
	char path[PATH_MAX];
	int reader;

	path_in_scenario(path, name);
	check(mkfifo(path, 0600) == 0);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	*writer = open(path, O_WRONLY);
	check(reader >= 0 && *writer >= 0);
	check(write(*writer, name, strlen(name)) == (ssize_t)strlen(name));
	return reader;
}

static void check_reads(int reader, const char *text)
{
	char bytes[100];

	check(read(reader, bytes, sizeof bytes) == (ssize_t)strlen(text));
	check(memcmp(bytes, text, strlen(text)) == 0);
}

int main(void)
{
	char path[PATH_MAX], other[PATH_MAX], target[PATH_MAX], proc[64];
	int writers[3], readers[3], again;
	struct stat state;
	pid_t child;

	readers[0] = reader_of("gone", &writers[0]);
	path_in_scenario(path, "gone");
	check(unlink(path) == 0);
	readers[1] = reader_of("linked", &writers[1]);
	path_in_scenario(path, "linked");
	path_in_scenario(other, "other name");
	check(link(path, other) == 0 && unlink(path) == 0);
	readers[2] = reader_of("replaced", &writers[2]);
	path_in_scenario(path, "replaced");
	check(unlink(path) == 0 && close(file_with("replaced", 10, 3)) == 0);
	child = fork();
	if (child == 0) {
		wait_for_go(0);
		await("over");
		check(write(writers[0], "child", 5) == 5);
		_exit(0);
	}
	checkpoint_here();
	check_reads(readers[0], "gone");
	check_reads(readers[1], "linked");
	check_reads(readers[2], "replaced");
	tell("over");
	check_exits_with(child, 0);
	check_reads(readers[0], "child");
	path_in_scenario(path, "gone");
	check(stat(path, &state) < 0 && errno == ENOENT);
	check(fstat(readers[0], &state) == 0 && S_ISFIFO(state.st_mode) && state.st_nlink == 0);
	snprintf(proc, sizeof proc, "/proc/self/fd/%d", readers[0]);
	memset(target, 0, sizeof target);
	check(readlink(proc, target, sizeof target - 1) > 0 && strstr(target, "gone (deleted)"));
	again = open(other, O_WRONLY | O_NONBLOCK);
	check(again >= 0 && write(again, "z", 1) == 1);
	check_reads(readers[1], "z");
	path_in_scenario(path, "replaced");
	check(stat(path, &state) == 0 && S_ISREG(state.st_mode) && state.st_size == 10);
	check(close(writers[2]) == 0 && read(readers[2], proc, 1) >= -1);
	check(unlink(other) == 0);
	return passed();
}

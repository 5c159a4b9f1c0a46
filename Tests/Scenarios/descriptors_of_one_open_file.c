/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/descriptors_of_one_open_file.c
 * dup and fork share one position; a second open of the same file has one of its own.
 */
#include "scenario.h"

int main(void)
{
	int first = file_with("data", 1000, 51), twin = dup(first), far = fcntl(first, F_DUPFD, 200);
	char path[PATH_MAX];
	int other;
	pid_t child;

	path_in_scenario(path, "data");
	other = open(path, O_RDONLY);
	check(twin >= 0 && far == 200 && other >= 0);
	check(lseek(first, 100, SEEK_SET) == 100 && lseek(other, 7, SEEK_SET) == 7);
	child = fork();
	if (child == 0) {
		wait_for_go(0);
		check(lseek(first, 11, SEEK_CUR) == 111);
		check(close(first) == 0);
		tell("moved");
		_exit(0);
	}
	checkpoint_here();
	await("moved");
	check(lseek(twin, 0, SEEK_CUR) == 111);
	check(lseek(far, 500, SEEK_SET) == 500);
	check(lseek(first, 0, SEEK_CUR) == 500);
	check(lseek(other, 0, SEEK_CUR) == 7);
	/* Flags of the file are shared, those of the descriptor are not. */
	check(fcntl(far, F_SETFL, O_APPEND) == 0);
	check(fcntl(first, F_GETFL) & O_APPEND);
	check(!(fcntl(other, F_GETFL) & O_APPEND));
	check_exits_with(child, 0);
	return passed();
}

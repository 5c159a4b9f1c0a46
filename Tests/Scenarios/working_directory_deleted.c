/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/working_directory_deleted.c
 * A working directory that was deleted, of two processes: it stays one without a name, with its permissions,
 * and what is there by the name meanwhile is not touched.
 */
#include "scenario.h"

static void check_is_lost(void)
{
	char path[PATH_MAX];
	struct stat state;

	check(!getcwd(path, sizeof path) && errno == ENOENT);
	check(stat(".", &state) == 0 && S_ISDIR(state.st_mode) && state.st_nlink == 0);
	check((state.st_mode & 07777) == 0751);
	check(open("file", O_CREAT | O_RDWR, 0600) == -1 && errno == ENOENT);
}

int main(void)
{
	char path[PATH_MAX], other[PATH_MAX];
	pid_t child;

	path_in_scenario(path, "lost");
	check(mkdir(path, 0700) == 0 && chmod(path, 0751) == 0 && chdir(path) == 0 && rmdir(path) == 0);
	/* Another one of that name. */
	path_in_scenario(other, "lost/inside");
	check(mkdir(path, 0700) == 0 && mkdir(other, 0700) == 0);
	child = fork();
	if (child == 0) {
		wait_for_go(0);
		check_is_lost();
		_exit(4);
	}
	checkpoint_here();
	check_is_lost();
	check(access(other, F_OK) == 0);
	check_exits_with(child, 4);
	check(chdir("/") == 0 && rmdir(other) == 0 && rmdir(path) == 0);
	return passed();
}

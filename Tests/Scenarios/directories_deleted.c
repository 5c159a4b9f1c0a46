/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/directories_deleted.c
 * Directories that were deleted while somebody had them open: shared by dup and fork, looked up alone
 * (O_PATH), and the working directory of a child. Nothing can be made in them.
 */
#include "scenario.h"

static int opened(const char *name, int flags)
{
	char path[PATH_MAX];
	int directory;

	path_in_scenario(path, name);
	directory = open(path, flags | O_DIRECTORY);
	check(directory >= 0);
	return directory;
}

static bool is_gone(int directory, mode_t mode)
{
	struct stat state;

	check(fstat(directory, &state) == 0 && S_ISDIR(state.st_mode));
	return state.st_nlink == 0 && (state.st_mode & 07777) == mode
		&& openat(directory, "x", O_CREAT | O_RDWR, 0600) < 0 && errno == ENOENT;
}

int main(void)
{
	int gone, copy, found, other, alive;
	char path[PATH_MAX], proc[64], link[PATH_MAX] = "";
	pid_t child;

	path_in_scenario(path, "gone");
	check(mkdir(path, 0750) == 0);
	gone = opened("gone", O_RDONLY), found = opened("gone", O_PATH);
	copy = dup(gone);
	child = fork();
	if (child == 0) {
		check(fchdir(gone) == 0);
		tell("entered");
		wait_for_go(0);
		check(is_gone(gone, 0750) && is_gone(open(".", O_PATH), 0750));
		_exit(0);
	}
	await("entered");
	check(rmdir(path) == 0);
	path_in_scenario(path, "alive (deleted)");
	check(mkdir(path, 0700) == 0);
	alive = opened("alive (deleted)", O_RDONLY);
	path_in_scenario(path, "other");
	check(mkdir(path, 0700) == 0);
	other = opened("other", O_RDONLY);
	check(rmdir(path) == 0 && mkdir(path, 0711) == 0);
	checkpoint_here();
	check_exits_with(child, 0);
	check(is_gone(gone, 0750) && is_gone(copy, 0750) && is_gone(found, 0750) && is_gone(other, 0700));
	check(syscall(SYS_kcmp, getpid(), getpid(), 0, gone, copy) == 0);
	check(fcntl(found, F_GETFL) & O_PATH);
	snprintf(proc, sizeof proc, "/proc/self/fd/%d", gone);
	check(readlink(proc, link, sizeof link - 1) > 0 && strstr(link, "/gone (deleted)"));
	check(access(path, F_OK) == 0 && rmdir(path) == 0);
	path_in_scenario(path, "gone");
	check(access(path, F_OK) < 0);
	check(openat(alive, "x", O_CREAT | O_RDWR, 0600) >= 0);
	return passed();
}

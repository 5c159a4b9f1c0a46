/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/deleted_file_still_open.c
 * A temporary file that was deleted at once: its contents are nowhere but behind the descriptor.
 */
#include "scenario.h"

int main(void)
{
	int file = file_with("temporary", 10000, 53), same, end;
	char bytes[10000], name[PATH_MAX];
	struct stat status;
	pid_t child;

	snprintf(name, sizeof name, "/proc/self/fd/%d", file);
	same = open(name, O_RDONLY);
	check(same >= 0);
	check(fchmod(file, 0640) == 0);
	delete_file("temporary");
	check(lseek(file, 77, SEEK_SET) == 77);
	child = fork();
	if (child == 0) {
		wait_for_go(0);
		check(pwrite(file, "child", 5, 10000) == 5);
		_exit(0);
	}
	checkpoint_here();
	check(waitpid(child, &end, 0) == child && end == 0);
	check(lseek(file, 0, SEEK_CUR) == 77);
	check(pread(file, bytes, sizeof bytes, 0) == sizeof bytes);
	check(is_filled(bytes, sizeof bytes, 53));
	check(fstat(file, &status) == 0 && status.st_nlink == 0 && status.st_size == 10005);
	check((status.st_mode & 0777) == 0640);
	/* The second description sees the same file. */
	check(pread(same, bytes, 5, 10000) == 5 && memcmp(bytes, "child", 5) == 0);
	check(pwrite(same, "x", 1, 0) == -1 && errno == EBADF);
	/* And no name has come back. */
	check(!is_flagged("temporary"));
	return passed();
}

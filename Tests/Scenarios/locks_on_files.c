/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/locks_on_files.c
 * Record locks of the process, and locks of the open file: others are kept out as before.
 */
#include "scenario.h"
#include <sys/file.h>

static short lock_seen_by_a_child(const char *path, off_t start)
{
	pid_t child = fork();
	int end;

	check(child >= 0);
	if (child == 0) {
		struct flock lock = { .l_type = F_WRLCK, .l_start = start, .l_len = 1 };
		int file = open(path, O_RDWR);

		check(file >= 0 && fcntl(file, F_GETLK, &lock) == 0);
		_exit(lock.l_type);
	}
	check(waitpid(child, &end, 0) == child && WIFEXITED(end));
	return WEXITSTATUS(end);
}

int main(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = 10, .l_len = 10 };
	int file = file_with("records", 100, 70), whole = file_with("whole", 100, 71), other;
	char records[PATH_MAX], path[PATH_MAX];

	path_in_scenario(records, "records");
	path_in_scenario(path, "whole");
	check(fcntl(file, F_SETLK, &lock) == 0);
	lock.l_type = F_RDLCK, lock.l_start = 50;
	check(fcntl(file, F_SETLK, &lock) == 0);
	check(flock(whole, LOCK_EX) == 0);
	checkpoint_here();
	check(lock_seen_by_a_child(records, 15) == F_WRLCK);
	check(lock_seen_by_a_child(records, 55) == F_RDLCK);
	check(lock_seen_by_a_child(records, 30) == F_UNLCK);
	other = open(path, O_RDWR);
	check(other >= 0 && flock(other, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK);
	check(flock(whole, LOCK_UN) == 0 && flock(other, LOCK_SH | LOCK_NB) == 0);
	return passed();
}

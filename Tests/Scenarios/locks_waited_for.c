/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/locks_waited_for.c
 * A record lock of the process, one of the open file, and a lock by flock, each held by us and waited
 * for by a child; the lock of an open file that a child shares and keeps when we close it.
 */
#include "scenario.h"
#include <sys/file.h>

/* 32-bit processors have a second one, for offsets of 64 bits. */
#ifndef SYS_fcntl64
#define SYS_fcntl64 SYS_fcntl
#endif

enum { record, open_file, whole, kinds };
static const int numbers[kinds] = { SYS_fcntl64, SYS_fcntl64, SYS_flock };

static int lock(int kind, int file, bool exclusive, bool waits)
{
	struct flock part = { .l_type = exclusive ? F_WRLCK : F_UNLCK, .l_start = 7, .l_len = 3 };

	if (kind == record)
		return fcntl(file, waits ? F_SETLKW : F_SETLK, &part);
	if (kind == open_file)
		return fcntl(file, waits ? F_OFD_SETLKW : F_OFD_SETLK, &part);
	return flock(file, (exclusive ? LOCK_EX : LOCK_UN) | (waits ? 0 : LOCK_NB));
}

int main(void)
{
	static const char *names[kinds] = { "record", "open_file", "whole" };
	struct flock part = { .l_type = F_RDLCK, .l_start = 0, .l_len = 1 };
	int files[kinds], shared, other;
	pid_t waiters[kinds], sharer;
	char path[PATH_MAX];

	for (int kind = 0; kind < kinds; kind++) {
		files[kind] = file_with(names[kind], 100, kind);
		check(lock(kind, files[kind], true, false) == 0);
		waiters[kind] = fork();
		if (waiters[kind] == 0) {
			path_in_scenario(path, names[kind]);
			other = open(path, O_RDWR);
			check(other >= 0 && lock(kind, other, true, true) == 0);
			_exit(0);
		}
		await_blocked_in(waiters[kind], numbers[kind]);
	}
	shared = file_with("shared", 100, 9);
	check(fcntl(shared, F_OFD_SETLK, &part) == 0);
	sharer = fork();
	if (sharer == 0) {
		wait_for_go(0);
		await("over");
		_exit(0);
	}
	check(close(shared) == 0);
	checkpoint_here();
	for (int kind = 0; kind < kinds; kind++) {
		await_blocked_in(waiters[kind], numbers[kind]);
		check(lock(kind, files[kind], false, false) == 0);
		check_exits_with(waiters[kind], 0);
	}
	path_in_scenario(path, "shared");
	other = open(path, O_RDWR);
	part.l_type = F_WRLCK;
	check(fcntl(other, F_OFD_SETLK, &part) < 0 && errno == EAGAIN);
	tell("over");
	check_exits_with(sharer, 0);
	check(fcntl(other, F_OFD_SETLK, &part) == 0);
	return passed();
}

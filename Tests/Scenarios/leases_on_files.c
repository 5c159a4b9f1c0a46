/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/leases_on_files.c
 * fcntl(F_SETLEASE): a lease for reading and one for writing, the signal of the one chosen; who opens the
 * file afterwards waits until we give it up.
 */
#include "scenario.h"

static volatile sig_atomic_t told[65];

static void hear(int number)
{
	told[number]++;
}

static void check_broken(const char *name, int flags, int file, int number)
{
	char path[PATH_MAX];
	pid_t child;

	path_in_scenario(path, name);
	child = fork();
	if (child == 0) {
		check(open(path, flags) >= 0);
		_exit(0);
	}
	while (!told[number])
		pause_briefly();
	await_blocked_in(child, SYS_openat);
	check(fcntl(file, F_SETLEASE, F_UNLCK) == 0);
	check_exits_with(child, 0);
	check(told[number] == 1);
}

int main(void)
{
	int writing = file_with("written", 10, 1), reading;
	char path[PATH_MAX];

	check(close(file_with("read", 10, 2)) == 0);
	path_in_scenario(path, "read");
	reading = open(path, O_RDONLY);
	check(signal(SIGIO, hear) != SIG_ERR && signal(SIGRTMIN, hear) != SIG_ERR);
	if (fcntl(writing, F_SETLEASE, F_WRLCK) < 0 && errno == EINVAL)
		cannot_run_here("the file system has no leases");
	check(fcntl(reading, F_SETLEASE, F_RDLCK) == 0);
	check(fcntl(reading, F_SETSIG, SIGRTMIN) == 0);
	checkpoint_here();
	check(fcntl(writing, F_GETLEASE) == F_WRLCK && fcntl(reading, F_GETLEASE) == F_RDLCK);
	check(!told[SIGIO] && !told[SIGRTMIN]);
	check_broken("written", O_RDONLY, writing, SIGIO);
	check_broken("read", O_WRONLY, reading, SIGRTMIN);
	return passed();
}

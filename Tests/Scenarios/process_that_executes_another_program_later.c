/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/process_that_executes_another_program_later.c
 * execve(2) after the restart: close-on-exec, and everything that a program inherits.
 */
#include "scenario.h"

int main(int count, char **arguments)
{
	char program[PATH_MAX] = { 0 }, kept[16], closed[16];
	int files[2];

	if (count == 3) {
		check(fcntl(atoi(arguments[1]), F_GETFD) == 0);
		check(fcntl(atoi(arguments[2]), F_GETFD) == -1 && errno == EBADF);
		return passed();
	}
	check(pipe(files) == 0);
	check(fcntl(files[1], F_SETFD, FD_CLOEXEC) == 0);
	check(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
	snprintf(kept, sizeof kept, "%d", files[0]);
	snprintf(closed, sizeof closed, "%d", files[1]);
	checkpoint_here();
	execl(program, arguments[0], kept, closed, NULL);
	check(!"executed");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/open_of_a_fifo_waited_for.c
 * open(2) of a named pipe waits for its other side; it must go on waiting, and then succeed.
 */
#include "scenario.h"

int main(void)
{
	char path[PATH_MAX], byte = 0;
	pid_t child;
	int file;

	path_in_scenario(path, "fifo");
	check(mkfifo(path, 0600) == 0);
	child = fork();
	if (child == 0) {
		file = open(path, O_RDONLY);
		check(file >= 0);
		check(read(file, &byte, 1) == 1 && byte == 'f');
		_exit(0);
	}
	await_blocked_in(child, SYS_openat);
	checkpoint_here();
	file = open(path, O_WRONLY);
	check(file >= 0 && write(file, "f", 1) == 1);
	check_exits_with(child, 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/stopped_child_stays_stopped.c
 * Job control: a process stopped by a signal is stopped after the restart, until it is continued.
 */
#include "scenario.h"

static char state_of(pid_t pid)
{
	char path[64], text[512], state = 0;
	int file;
	ssize_t count;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	file = open(path, O_RDONLY);
	check(file >= 0);
	count = read(file, text, sizeof text - 1);
	check(count > 0 && close(file) == 0);
	text[count] = 0;
	sscanf(strrchr(text, ')') + 2, "%c", &state);
	return state;
}

int main(void)
{
	volatile int *counter = shared_memory(page_size);
	pid_t child = fork();
	int end, seen;

	if (child == 0)
		for (;;) {
			(*counter)++;
			pause_briefly();
		}
	while (*counter == 0)
		pause_briefly();
	check(kill(child, SIGSTOP) == 0);
	check(waitpid(child, &end, WUNTRACED) == child && WIFSTOPPED(end));
	check(state_of(child) == 'T');
	checkpoint_here();
	seen = *counter;
	for (int i = 0; i < 20; i++)
		pause_briefly();
	check(state_of(child) == 'T');
	check(*counter == seen);
	check(kill(child, SIGCONT) == 0);
	while (*counter == seen)
		pause_briefly();
	check(kill(child, SIGKILL) == 0);
	check_dies_of(child, SIGKILL);
	return passed();
}

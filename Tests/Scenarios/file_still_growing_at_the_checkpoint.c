/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/file_still_growing_at_the_checkpoint.c
 * What was written after the checkpoint is cut off again at the restart: however often the child
 * that writes numbered lines is set back, none is missing and none is there twice.
 * runner: linger 0.1
 */
#include "scenario.h"

int main(void)
{
	char path[PATH_MAX], line[32];
	volatile int *stop = shared_memory(page_size);
	pid_t child;
	FILE *log;

	path_in_scenario(path, "log");
	child = fork();
	if (child == 0) {
		int file = open(path, O_CREAT | O_WRONLY, 0600), i = 0;

		check(file >= 0);
		stop[2] = 1;
		while (!*stop) {
			int count = snprintf(line, sizeof line, "line %d\n", i++);

			check(write(file, line, count) == count);
			usleep(300);
		}
		stop[1] = i;
		_exit(0);
	}
	while (!stop[2])
		usleep(100);
	checkpoint_here();
	checkpoint_here();
	*stop = 1;
	check_exits_with(child, 0);
	log = fopen(path, "r");
	for (int i = 0; i < stop[1]; i++) {
		int number;

		check(fscanf(log, "line %d\n", &number) == 1 && number == i);
	}
	check(fgetc(log) == EOF);
	return passed();
}

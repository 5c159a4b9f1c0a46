/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/children_and_grandchildren.c
 * A tree three deep and three wide: each knows its parent and its children, and ends as it should.
 */
#include "scenario.h"

enum { width = 3, depth = 3 };

/* Ends with the number of processes below, itself included. */
static int grow(int levels)
{
	pid_t children[width], me = getpid(), parent = getppid();
	int sum = 1, end;

	for (int i = 0; i < width && levels; i++) {
		children[i] = fork();
		check(children[i] >= 0);
		if (children[i] == 0)
			_exit(grow(levels - 1));
	}
	if (levels == 0) {
		char name[32];

		snprintf(name, sizeof name, "leaf.%d", me);
		tell(name);
	}
	if (levels == depth)
		return 0;
	wait_for_go(0);
	check(getpid() == me && getppid() == parent);
	for (int i = 0; i < width && levels; i++) {
		check(waitpid(children[i], &end, 0) == children[i] && WIFEXITED(end));
		sum += WEXITSTATUS(end);
	}
	return sum;
}

static int leaves(void)
{
	char command[PATH_MAX], path[PATH_MAX];
	int count;
	FILE *list;

	path_in_scenario(path, "");
	check(snprintf(command, sizeof command, "ls %.4000s | grep -c '^flag.leaf.*[0-9]$'", path) > 0);
	list = popen(command, "r");
	check(list && fscanf(list, "%d", &count) == 1);
	pclose(list);
	return count;
}

int main(void)
{
	int sum = 0, end;

	check(grow(depth) == 0);
	while (leaves() < width * width * width)
		pause_briefly();
	checkpoint_here();
	for (int i = 0; i < width; i++) {
		check(wait(&end) > 0 && WIFEXITED(end));
		sum += WEXITSTATUS(end);
	}
	check(sum == width + width * width + width * width * width);
	check(wait(&end) == -1 && errno == ECHILD);
	return passed();
}

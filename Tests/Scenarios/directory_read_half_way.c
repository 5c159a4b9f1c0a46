/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/directory_read_half_way.c
 * readdir goes on where it was: every name once.
 */
#include "scenario.h"
#include <dirent.h>

enum { count = 2000 };
static char seen[count];

static int read_some(DIR *directory, int wanted)
{
	struct dirent *entry;
	int number, found = 0;

	while (found < wanted && (entry = readdir(directory)))
		if (sscanf(entry->d_name, "name-%d", &number) == 1) {
			check(!seen[number]);
			seen[number] = 1;
			found++;
		}
	return found;
}

int main(void)
{
	char path[PATH_MAX], name[32];
	DIR *directory;

	path_in_scenario(path, "directory");
	check(mkdir(path, 0755) == 0);
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof name, "directory/name-%d", i);
		path_in_scenario(path, name);
		check(mknod(path, S_IFREG | 0600, 0) == 0);
	}
	path_in_scenario(path, "directory");
	directory = opendir(path);
	check(directory && read_some(directory, 100) == 100);
	checkpoint_here();
	check(read_some(directory, count) == count - 100);
	check(fchdir(dirfd(directory)) == 0 && access("name-7", F_OK) == 0);
	return passed();
}

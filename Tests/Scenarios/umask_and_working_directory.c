/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/umask_and_working_directory.c
 * Where relative paths start and which rights new files lose.
 */
#include "scenario.h"

int main(void)
{
	char path[PATH_MAX], inside[PATH_MAX], present[PATH_MAX];
	struct stat status;
	int file;

	path_in_scenario(path, "inside");
	check(mkdir(path, 0755) == 0 && chdir(path) == 0);
	check(getcwd(inside, sizeof inside));
	umask(0037);
	checkpoint_here();
	check(getcwd(present, sizeof present) && strcmp(present, inside) == 0);
	file = open("made", O_CREAT | O_WRONLY, 0666);
	check(file >= 0 && fstat(file, &status) == 0);
	check((status.st_mode & 0777) == 0640);
	check(umask(0) == 0037);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/files_opened_below_a_lost_name.c
 * The working directory was renamed: files and directories are found by where they are now.
 */
#include "scenario.h"

int main(void)
{
	char old[PATH_MAX], new[PATH_MAX], present[PATH_MAX];
	int file;

	path_in_scenario(old, "old");
	path_in_scenario(new, "new");
	check(mkdir(old, 0755) == 0 && chdir(old) == 0);
	file = open("inside", O_CREAT | O_RDWR, 0600);
	check(file >= 0 && write(file, "abc", 3) == 3);
	check(rename(old, new) == 0);
	checkpoint_here();
	check(getcwd(present, sizeof present) && strcmp(present + strlen(present) - 4, "/new") == 0);
	check(lseek(file, 0, SEEK_CUR) == 3);
	check(access("inside", F_OK) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/working_directory_deleted.c
 * A working directory without a name cannot be had again: that is said, and nothing harmed.
 * runner: refused working directory
 */
#include "scenario.h"

int main(void)
{
	char path[PATH_MAX];

	path_in_scenario(path, "lost");
	check(mkdir(path, 0755) == 0 && chdir(path) == 0 && rmdir(path) == 0);
	checkpoint_here();
	check(!getcwd(path, sizeof path) && errno == ENOENT);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/root_directory.c
 * A process in a root of its own: paths mean what they meant.
 * runner: root
 */
#include "scenario.h"

int main(void)
{
	char path[PATH_MAX];
	struct stat status;
	int file = file_with("marker", 10, 40);

	path_in_scenario(path, "");
	check(close(file) == 0 && mkdir("below", 0755) == 0);
	check(chroot(path) == 0 && chdir("/below") == 0);
	scenario_directory = "/";
	checkpoint_here();
	check(stat("/marker", &status) == 0 && status.st_size == 10);
	check(stat("/bin", &status) == -1 && errno == ENOENT);
	check(getcwd(path, sizeof path) && strcmp(path, "/below") == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/shared_file_mapping_without_write_access.c
 * A shared mapping of a file opened for reading can never become writable.
 */
#include "scenario.h"

int main(void)
{
	char path[PATH_MAX];
	char *map;
	int file;

	check(close(file_with("data", page_size, 14)) == 0);
	path_in_scenario(path, "data");
	file = open(path, O_RDONLY);
	map = mmap(NULL, page_size, PROT_READ, MAP_SHARED, file, 0);
	check(map != MAP_FAILED && close(file) == 0);
	checkpoint_here();
	check(is_filled(map, page_size, 14));
	check(mprotect(map, page_size, PROT_READ | PROT_WRITE) == -1 && errno == EACCES);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/mapping_beyond_the_end_of_its_file.c
 * Whole pages past the end of a mapped file raise SIGBUS, before and after.
 */
#include "scenario.h"

int main(void)
{
	int file = file_with("data", page_size + 10, 15);
	char *map = mmap(NULL, 4 * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);

	check(map != MAP_FAILED && close(file) == 0);
	map[0] ^= 1;
	checkpoint_here();
	map[0] ^= 1;
	check(is_filled(map, page_size + 10, 15));
	check(faults_at(map + 2 * page_size, false));
	return passed();
}

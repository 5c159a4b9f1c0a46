/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/private_file_mapping_made_read_only.c
 * A written page of a private file mapping that may not be written any more, as RELRO is.
 */
#include "scenario.h"

int main(void)
{
	int file = file_with("data", 4 * page_size, 12);
	char *map = mmap(NULL, 4 * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);

	check(map != MAP_FAILED && close(file) == 0);
	map[page_size] ^= 1;
	check(mprotect(map, 4 * page_size, PROT_READ) == 0);
	checkpoint_here();
	check(faults_at(map, true));
	check(mprotect(map, 4 * page_size, PROT_READ | PROT_WRITE) == 0);
	map[page_size] ^= 1;
	check(is_filled(map, 4 * page_size, 12));
	return passed();
}

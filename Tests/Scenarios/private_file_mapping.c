/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/private_file_mapping.c
 * Pages of a private file mapping that were written are the process's own; the rest is the file's.
 */
#include "scenario.h"

int main(void)
{
	enum { size = 64 * page_size };
	int file = file_with("data", size, 11);
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	char *tail = mmap(NULL, page_size, PROT_READ, MAP_PRIVATE, file, 63 * page_size);

	check(map != MAP_FAILED && tail != MAP_FAILED && close(file) == 0);
	for (int i = 0; i < 64; i += 2)
		map[i * page_size] ^= 1;
	checkpoint_here();
	for (int i = 0; i < 64; i += 2)
		map[i * page_size] ^= 1;
	check(is_filled(map, size, 11));
	check(memcmp(tail, map + 63 * page_size, page_size) == 0);
	return passed();
}

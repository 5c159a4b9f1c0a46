/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/shared_file_mapping.c
 * A shared file mapping is the file: what is written to either shows in the other.
 */
#include "scenario.h"

int main(void)
{
	enum { size = 8 * page_size };
	int file = file_with("data", size, 13);
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	char *view = mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0);
	char byte = 0;

	check(map != MAP_FAILED && view != MAP_FAILED);
	checkpoint_here();
	check(is_filled(map, size, 13));
	map[5] = 'm';
	check(pread(file, &byte, 1, 5) == 1 && byte == 'm');
	check(pwrite(file, "f", 1, page_size) == 1);
	check(map[page_size] == 'f' && view[page_size] == 'f' && view[5] == 'm');
	check(faults_at(view, true));
	return passed();
}

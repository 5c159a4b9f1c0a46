/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/mapped_deleted_file_that_is_shared.c
 * Parent and child share a mapping of a deleted file, and one of them has it open as well.
 */
#include "scenario.h"

int main(void)
{
	enum { size = 16 * page_size };
	int file = file_with("data", size, 17);
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	char byte = 0;
	pid_t child;

	check(map != MAP_FAILED);
	delete_file("data");
	child = fork();
	if (child == 0) {
		wait_for_go(0);
		while (__atomic_load_n(&map[0], __ATOMIC_SEQ_CST) != 'p')
			pause_briefly();
		map[1] = 'c';
		_exit(0);
	}
	checkpoint_here();
	check(is_filled(map, size, 17));
	__atomic_store_n(&map[0], 'p', __ATOMIC_SEQ_CST);
	check_exits_with(child, 0);
	check(map[1] == 'c');
	check(pread(file, &byte, 1, 1) == 1 && byte == 'c');
	return passed();
}

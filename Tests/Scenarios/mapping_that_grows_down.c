/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/mapping_that_grows_down.c
 * MAP_GROWSDOWN memory still grows after the restart.
 */
#include "scenario.h"

int main(void)
{
	enum { room = 4 * mebibyte };
	char *hole = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *low = hole + room - page_size;

	check(hole != MAP_FAILED && munmap(hole, room) == 0);
	check(mmap(low, page_size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE, -1, 0) == low);
	*low = 'x';
	checkpoint_here();
	check(*low == 'x');
	check(has_vm_flag(low, "gd"));
	for (int i = 1; i < 20; i++)
		low[-i * page_size] = i;
	check(low[-19 * page_size] == 19);
	return passed();
}

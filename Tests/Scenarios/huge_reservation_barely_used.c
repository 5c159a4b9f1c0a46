/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/huge_reservation_barely_used.c
 * A terabyte of address space (1 GiB of 4) with three pages in it, as garbage collectors and sanitizers reserve it.
 */
#include "scenario.h"

int main(void)
{
	const size_t size = sizeof(void *) == 8 ? (size_t)UINT64_C(0x10000000000) : (size_t)1 << 30;
	char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	check(bytes != MAP_FAILED);
	bytes[0] = 'a';
	bytes[size / 2] = 'b';
	bytes[size - 1] = 'c';
	checkpoint_here();
	check(bytes[0] == 'a' && bytes[size / 2] == 'b' && bytes[size - 1] == 'c');
	check(bytes[size / 4] == 0);
	bytes[size / 3] = 'd';
	return passed();
}

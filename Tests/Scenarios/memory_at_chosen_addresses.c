/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/memory_at_chosen_addresses.c
 * The lowest page a process may have, and one right below the end of the address space.
 */
#include "scenario.h"

int main(void)
{
	char *low = mmap((void *)0x10000, page_size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	/* Programs with 32 bits have 3 GiB or 4 GiB, the stack at the end. */
	uintptr_t last = sizeof last == 8 ? (uintptr_t)(((uint64_t)(uintptr_t)&low & ~0xffffffffull) -
							0x100000000)
					  : ((uintptr_t)&low | 0x3fffffff) - 0x2fff;
	char *high = mmap((void *)last, page_size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (low == MAP_FAILED || high == MAP_FAILED)
		cannot_run_here("the chosen addresses cannot be had");
	strcpy(low, "low");
	strcpy(high, "high");
	checkpoint_here();
	check(strcmp(low, "low") == 0 && strcmp(high, "high") == 0);
	return passed();
}

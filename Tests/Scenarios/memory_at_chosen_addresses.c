/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/memory_at_chosen_addresses.c
 * The lowest page a process may have, and one right below the end of the address space.
 */
#include "scenario.h"

int main(void)
{
	char *low = mmap((void *)0x10000, page_size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	char *high = mmap((void *)(((uintptr_t)&low & ~0xffffffffful) - 0x100000000), page_size,
			  PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (low == MAP_FAILED || high == MAP_FAILED)
		cannot_run_here("the chosen addresses cannot be had");
	strcpy(low, "low");
	strcpy(high, "high");
	checkpoint_here();
	check(strcmp(low, "low") == 0 && strcmp(high, "high") == 0);
	return passed();
}

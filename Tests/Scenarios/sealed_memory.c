/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/sealed_memory.c
 * mseal(2) (Linux 6.10): memory that nobody may unmap or change the protection of any more.
 */
#include "scenario.h"

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

int main(void)
{
	char *constant = memory(4 * page_size), *open = memory(4 * page_size), *writable = memory(page_size);

	fill(constant, 4 * page_size, 1);
	fill(writable, page_size, 2);
	open[0] = 1;
	check(mprotect(constant, 4 * page_size, PROT_READ) == 0);
	if (syscall(SYS_mseal, constant, 4 * page_size, 0) != 0)
		cannot_run_here("this kernel cannot seal memory");
	check(syscall(SYS_mseal, writable, page_size, 0) == 0);
	checkpoint_here();
	check(is_filled(constant, 4 * page_size, 1) && is_filled(writable, page_size, 2));
	check(mprotect(constant, 4 * page_size, PROT_READ | PROT_WRITE) == -1 && errno == EPERM);
	check(munmap(writable, page_size) == -1 && errno == EPERM);
	writable[0] = 3;
	check(munmap(open, 4 * page_size) == 0);
	return passed();
}

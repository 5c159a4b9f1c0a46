/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/code_made_at_run_time.c
 * Instructions a program wrote itself, as just-in-time compilers do.
 */
#include "scenario.h"

int main(void)
{
	/* mov $42, %eax; ret */
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	int (*made)(void) = memory(page_size);
	unsigned char *open_code = mmap(NULL, page_size, PROT_READ | PROT_WRITE | PROT_EXEC,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(open_code != MAP_FAILED);
	memcpy((void *)made, code, sizeof code);
	memcpy(open_code, code, sizeof code);
	check(mprotect((void *)made, page_size, PROT_READ | PROT_EXEC) == 0);
	checkpoint_here();
	check(made() == 42);
	open_code[1] = 43;
	check(((int (*)(void))open_code)() == 43);
	return passed();
}

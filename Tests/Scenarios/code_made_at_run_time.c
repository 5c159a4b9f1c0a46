/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/code_made_at_run_time.c
 * Instructions a program wrote itself, as just-in-time compilers do.
 */
#include "scenario.h"
#include "code.h"

int main(void)
{
	int (*made)(void) = memory(page_size);
	unsigned char *open_code = mmap(NULL, page_size, PROT_READ | PROT_WRITE | PROT_EXEC,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(open_code != MAP_FAILED);
	memcpy((void *)made, returning_42, sizeof returning_42);
	memcpy(open_code, returning_42, sizeof returning_42);
	__builtin___clear_cache((char *)made, (char *)made + sizeof returning_42);
	check(mprotect((void *)made, page_size, PROT_READ | PROT_EXEC) == 0);
	checkpoint_here();
	check(made() == 42);
	memcpy(open_code, returning_43, sizeof returning_43);
	__builtin___clear_cache((char *)open_code, (char *)open_code + sizeof returning_43);
	check(((int (*)(void))open_code)() == 43);
	return passed();
}

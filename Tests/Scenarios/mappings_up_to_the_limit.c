/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/mappings_up_to_the_limit.c
 * Nearly as many mappings as a process may have (vm.max_map_count): a restart needs a few for itself meanwhile.
 * runner: seconds 90
 */
#include "scenario.h"

int main(void)
{
	enum { count = 65000 };
	char *bytes = memory((size_t)count * page_size);

	for (int i = 0; i < count; i++)
		*(int *)(bytes + (size_t)i * page_size) = i;
	for (int i = 0; i < count; i += 2)
		check(mprotect(bytes + (size_t)i * page_size, page_size, PROT_READ) == 0);
	checkpoint_here();
	for (int i = 0; i < count; i++)
		check(*(int *)(bytes + (size_t)i * page_size) == i);
	check(faults_at(bytes + 5000 * page_size, true));
	check(!faults_at(bytes + 5001 * page_size, true));
	return passed();
}

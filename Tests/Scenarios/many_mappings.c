/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/many_mappings.c
 * Ten thousand mappings, as large programs have.
 */
#include "scenario.h"

int main(void)
{
	enum { count = 10000 };
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/protection_keys.c
 * The key of a mapping and the rights register of the thread that guards it.
 */
#include "scenario.h"

int main(void)
{
	char *bytes = memory(page_size);
	int key = pkey_alloc(0, 0);

	if (key < 0)
		cannot_run_here("no protection keys on this processor");
	bytes[0] = 'k';
	check(pkey_mprotect(bytes, page_size, PROT_READ | PROT_WRITE, key) == 0);
	check(pkey_set(key, PKEY_DISABLE_WRITE) == 0);
	checkpoint_here();
	check(bytes[0] == 'k');
	check(pkey_get(key) == PKEY_DISABLE_WRITE);
	check(faults_at(bytes, true));
	check(pkey_set(key, 0) == 0);
	bytes[0] = 'l';
	/* The key is still taken. */
	check(pkey_alloc(0, 0) != key);
	return passed();
}

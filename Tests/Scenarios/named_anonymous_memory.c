/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/named_anonymous_memory.c
 * The name given by PR_SET_VMA_ANON_NAME, which monitoring tools rely on.
 */
#include "scenario.h"
#include <linux/prctl.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

static bool is_named(void)
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");
	bool found = false;

	while (fgets(line, sizeof line, maps))
		found |= strstr(line, "[anon:arena seven]") != NULL;
	fclose(maps);
	return found;
}

int main(void)
{
	char *bytes = memory(page_size);

	bytes[0] = 'n';
	if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, bytes, page_size, "arena seven") != 0)
		cannot_run_here("this kernel names no memory");
	check(is_named());
	checkpoint_here();
	check(bytes[0] == 'n');
	check(is_named());
	return passed();
}

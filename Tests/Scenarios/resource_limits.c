/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/resource_limits.c
 * Soft and hard limits of every kind.
 */
#include "scenario.h"
#include <sys/resource.h>

int main(void)
{
	static const int changed[] = { RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_STACK, RLIMIT_MSGQUEUE };
	struct rlimit before[RLIM_NLIMITS], after;

	for (int i = 0; i < 4; i++) {
		check(getrlimit(changed[i], &after) == 0);
		after.rlim_cur = after.rlim_max / 2 < 77777 ? after.rlim_max / 2 : 77777u + i;
		if (changed[i] == RLIMIT_STACK)
			after.rlim_cur = 16 * mebibyte;
		check(setrlimit(changed[i], &after) == 0);
	}
	for (int i = 0; i < (int)RLIM_NLIMITS; i++)
		check(getrlimit(i, &before[i]) == 0);
	checkpoint_here();
	for (int i = 0; i < (int)RLIM_NLIMITS; i++) {
		check(getrlimit(i, &after) == 0);
		check(after.rlim_cur == before[i].rlim_cur && after.rlim_max == before[i].rlim_max);
	}
	return passed();
}

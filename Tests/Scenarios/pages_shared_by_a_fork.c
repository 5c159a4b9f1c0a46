/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/pages_shared_by_a_fork.c
 * After a fork both have the same pages until one writes; each must find its own version.
 */
#include "scenario.h"

int main(void)
{
	enum { size = 4 * mebibyte };
	char *bytes = memory(size);
	pid_t child;

	fill(bytes, size, 30);
	child = fork();
	if (child == 0) {
		fill(bytes, size / 2, 31);
		tell("written");
		wait_for_go(0);
		check(is_filled(bytes, size / 2, 31));
		memset(bytes + size / 2, 0, size / 2);
		tell("erased");
		_exit(0);
	}
	await("written");
	checkpoint_here();
	await("erased");
	check(is_filled(bytes, size, 30));
	check_exits_with(child, 0);
	return passed();
}

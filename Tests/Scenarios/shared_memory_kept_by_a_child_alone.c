/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/shared_memory_kept_by_a_child_alone.c
 * The parent that made the memory has unmapped it; only part of it is still mapped, by a child.
 */
#include "scenario.h"

int main(void)
{
	char *shared = shared_memory(4 * page_size);
	pid_t child;
	char last;

	fill(shared, 4 * page_size, 10);
	last = shared[3 * page_size];
	child = fork();
	if (child == 0) {
		check(munmap(shared, page_size) == 0);
		check(munmap(shared + 2 * page_size, page_size) == 0);
		tell("child unmapped");
		wait_for_go(0);
		check(faults_at(shared, false));
		check(!faults_at(shared + page_size, true));
		check(faults_at(shared + 2 * page_size, false));
		check(shared[3 * page_size] == last);
		_exit(7);
	}
	check(munmap(shared, 4 * page_size) == 0);
	await("child unmapped");
	checkpoint_here();
	check_exits_with(child, 7);
	return passed();
}

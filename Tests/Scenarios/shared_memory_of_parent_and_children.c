/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/shared_memory_of_parent_and_children.c
 * Shared anonymous memory has no name: after the restart it must still be one memory for all.
 */
#include "scenario.h"

enum { children = 3, size = 4 * mebibyte };

int main(void)
{
	char *shared = shared_memory(size);
	int *word = (int *)shared_memory(page_size);
	pid_t child[children];

	fill(shared, size, 8);
	for (int i = 0; i < children; i++) {
		child[i] = fork();
		if (child[i] == 0) {
			wait_for_go(0);
			check(is_filled(shared, size, 8));
			while (__atomic_load_n(word, __ATOMIC_SEQ_CST) != i)
				pause_briefly();
			shared[i] = 'A' + i;
			__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
			_exit(i);
		}
	}
	*word = -1;
	checkpoint_here();
	check(is_filled(shared, size, 8));
	pause_briefly();
	__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < children; i++)
		check_exits_with(child[i], i);
	check(memcmp(shared, "ABC", 3) == 0);
	check(*word == children);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/fifty_children.c
 * A wide tree: fifty processes that are all alike, with memory of their own.
 * runner: seconds 40
 */
#include "scenario.h"

enum { count = 50 };

int main(void)
{
	int *ready = shared_memory(page_size);
	pid_t children[count];

	for (int i = 0; i < count; i++) {
		children[i] = fork();
		check(children[i] >= 0);
		if (children[i] == 0) {
			char *own = memory(64 * page_size);

			fill(own, 64 * page_size, i);
			__atomic_fetch_add(ready, 1, __ATOMIC_SEQ_CST);
			wait_for_go(0);
			check(is_filled(own, 64 * page_size, i));
			_exit(i);
		}
	}
	while (__atomic_load_n(ready, __ATOMIC_SEQ_CST) != count)
		pause_briefly();
	checkpoint_here();
	for (int i = 0; i < count; i++)
		check_exits_with(children[i], i);
	return passed();
}

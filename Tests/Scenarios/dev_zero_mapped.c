/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/dev_zero_mapped.c
 * Shared mappings of /dev/zero are shared memory under another name; private ones are anonymous.
 */
#include "scenario.h"

int main(void)
{
	int zero = open("/dev/zero", O_RDWR);
	char *shared = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
	char *private = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
	pid_t child;

	check(shared != MAP_FAILED && private != MAP_FAILED && close(zero) == 0);
	shared[0] = 'a';
	private[0] = 'b';
	child = fork();
	if (child == 0) {
		wait_for_go(0);
		while (__atomic_load_n(&shared[0], __ATOMIC_SEQ_CST) != 'c')
			pause_briefly();
		shared[1] = 'd';
		_exit(private[0]);
	}
	checkpoint_here();
	check(shared[0] == 'a' && private[0] == 'b' && private[page_size] == 0);
	__atomic_store_n(&shared[0], 'c', __ATOMIC_SEQ_CST);
	check_exits_with(child, 'b');
	check(shared[1] == 'd');
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/sysv_shared_memory.c
 * A System V segment, attached by two processes and marked for removal: its memory stays shared.
 * The segment itself is not carried yet, and the checkpoint says so.
 */
#include "scenario.h"
#include <sys/shm.h>

int main(void)
{
	int id = shmget(IPC_PRIVATE, 4 * page_size, IPC_CREAT | 0600);
	char *bytes = shmat(id, NULL, 0);
	pid_t child;

	check(id >= 0 && bytes != (void *)-1);
	check(shmctl(id, IPC_RMID, NULL) == 0);
	fill(bytes, 4 * page_size, 80);
	child = fork();
	if (child == 0) {
		wait_for_go(0);
		while (__atomic_load_n(&bytes[0], __ATOMIC_SEQ_CST) != 'p')
			pause_briefly();
		bytes[1] = 'c';
		_exit(0);
	}
	checkpoint_here();
	check(is_filled(bytes, 4 * page_size, 80));
	__atomic_store_n(&bytes[0], 'p', __ATOMIC_SEQ_CST);
	check_exits_with(child, 0);
	check(bytes[1] == 'c');
	return passed();
}

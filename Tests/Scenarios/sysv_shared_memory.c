/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/sysv_shared_memory.c
 * System V segments: one with a key, attached twice and by a child, once for reading only; one that
 * was marked for removal; one with a hole where a part was unmapped; one that nobody has attached.
 * They have their ids, keys, permissions and sizes, and can be attached and detached.
 */
#include "scenario.h"
#include <sys/shm.h>

static struct shmid_ds state_of(int id)
{
	struct shmid_ds state;

	check(shmctl(id, IPC_STAT, &state) == 0);
	return state;
}

/* Ends of the test leave nothing behind; a killed generation leaves what a restart takes over. */
static int segment(key_t key, size_t size, int mode)
{
	int id = shmget(key, size, IPC_CREAT | IPC_EXCL | mode);

	check(id >= 0);
	return id;
}

int main(void)
{
	key_t key = 0x43520000 + getpid();
	int keyed = segment(key, 5000, 0640), removed = segment(IPC_PRIVATE, 4 * page_size, 0600);
	int holed = segment(IPC_PRIVATE, 5 * page_size, 0600), idle = segment(IPC_PRIVATE, 3 * page_size, 0604);
	char *bytes = shmat(keyed, NULL, 0), *again = shmat(keyed, NULL, SHM_RDONLY), *last;
	char *gone = shmat(removed, NULL, 0), *parts = shmat(holed, NULL, 0), *resting = shmat(idle, NULL, 0);
	pid_t child;

	check(bytes != (void *)-1 && again != (void *)-1 && gone != (void *)-1 && parts != (void *)-1);
	check(resting != (void *)-1);
	check(shmctl(removed, IPC_RMID, NULL) == 0);
	fill(bytes, 5000, 80);
	fill(gone, 4 * page_size, 81);
	fill(parts, 5 * page_size, 82);
	fill(resting, 3 * page_size, 83);
	check(shmdt(resting) == 0);
	check(munmap(parts + page_size, page_size) == 0);
	check(mprotect(parts + 3 * page_size, page_size, PROT_READ) == 0);
	child = fork();
	if (child == 0) {
		wait_for_go(0);
		while (__atomic_load_n(&gone[0], __ATOMIC_SEQ_CST) != 'p')
			pause_briefly();
		gone[1] = 'c';
		bytes[1] = 'c';
		_exit(0);
	}
	checkpoint_here();
	check(is_filled(bytes, 5000, 80) && is_filled(again, 5000, 80));
	check(is_filled(gone, 4 * page_size, 81));
	check(faults_at(again, true) && !faults_at(again, false));
	check(faults_at(parts + page_size, false) && faults_at(parts + 3 * page_size, true));
	check(!faults_at(parts + 4 * page_size, true));
	__atomic_store_n(&gone[0], 'p', __ATOMIC_SEQ_CST);
	check_exits_with(child, 0);
	check(gone[1] == 'c' && bytes[1] == 'c' && again[1] == 'c');

	check(shmget(key, 0, 0) == keyed);
	check(state_of(keyed).shm_segsz == 5000 && (state_of(keyed).shm_perm.mode & 07777) == 0640);
	check(state_of(keyed).shm_perm.uid == getuid() && state_of(keyed).shm_nattch == 2);
	check(state_of(keyed).shm_cpid == getpid() && state_of(idle).shm_cpid == getpid());
	check(state_of(removed).shm_perm.mode & SHM_DEST);
	check(state_of(idle).shm_nattch == 0);
	resting = shmat(idle, NULL, SHM_RDONLY);
	check(resting != (void *)-1 && is_filled(resting, 3 * page_size, 83));
	last = shmat(keyed, NULL, 0);
	check(last != (void *)-1 && last[1] == 'c');
	check(shmdt(last) == 0 && shmdt(bytes) == 0 && shmdt(again) == 0 && shmdt(gone) == 0);
	check(shmdt(parts) == 0 && shmdt(resting) == 0);
	check(shmctl(removed, IPC_STAT, &(struct shmid_ds){ 0 }) < 0);
	check(state_of(keyed).shm_nattch == 0);
	check(shmctl(keyed, IPC_RMID, NULL) == 0 && shmctl(holed, IPC_RMID, NULL) == 0);
	check(shmctl(idle, IPC_RMID, NULL) == 0);
	return passed();
}

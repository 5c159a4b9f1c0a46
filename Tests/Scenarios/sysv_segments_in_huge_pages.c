/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/sysv_segments_in_huge_pages.c
 * runner: root
 * runner: huge-pages
 * System V segments in huge pages (SHM_HUGETLB), as MPI libraries make them: one with a key, attached
 * twice, by a child too and for reading only, whose second page only a child that has ended touched; one
 * that ends within a page; one that was marked for removal; one that nobody has attached. The flag
 * `small` says that there are no huge pages any more: the bytes are the same.
 */
#include "scenario.h"
#include <sys/shm.h>

enum { huge = 2 * mebibyte };

static int segment(key_t key, size_t size)
{
	int id = shmget(key, size, IPC_CREAT | IPC_EXCL | SHM_HUGETLB | 0640);

	if (id < 0)
		cannot_run_here("no huge pages are left");
	return id;
}

static char *attached(int id, int flags)
{
	char *bytes = shmat(id, NULL, flags);

	check(bytes != (void *)-1);
	return bytes;
}

static struct shmid_ds state_of(int id)
{
	struct shmid_ds state;

	check(shmctl(id, IPC_STAT, &state) == 0);
	return state;
}

int main(void)
{
	key_t key = 0x43530000 + getpid();
	int keyed = segment(key, 4 * huge), odd = segment(IPC_PRIVATE, huge + 5000);
	int removed = segment(IPC_PRIVATE, huge), idle = segment(IPC_PRIVATE, 2 * huge);
	char *bytes = attached(keyed, 0), *again = attached(keyed, SHM_RDONLY), *last = attached(odd, 0);
	char *gone = attached(removed, 0), *resting = attached(idle, 0);
	bool are_huge;
	pid_t child;

	check(shmctl(removed, IPC_RMID, NULL) == 0);
	fill(bytes, 1000, 90);
	fill(last + huge, huge, 91);
	fill(gone, huge, 92);
	fill(resting + huge, huge, 93);
	check(shmdt(resting) == 0);
	child = fork();
	if (child == 0) {
		fill(bytes + huge, huge, 94);
		_exit(0);
	}
	check_exits_with(child, 0);
	child = fork();
	if (child == 0) {
		wait_for_go(0);
		while (__atomic_load_n(&gone[0], __ATOMIC_SEQ_CST) != 'p')
			pause_briefly();
		gone[1] = 'c';
		bytes[2 * huge] = 'c';
		_exit(0);
	}
	checkpoint_here();
	are_huge = !is_flagged("flag.small");
	check(is_huge(bytes) == are_huge && is_huge(again) == are_huge);
	check(is_huge(last) == are_huge && is_huge(gone) == are_huge);
	check(is_filled(bytes, 1000, 90) && is_filled(bytes + huge, huge, 94));
	check(is_filled(again + huge, huge, 94) && is_zero(again + 2 * huge, 2 * huge));
	check(faults_at(again, true) && !faults_at(again, false));
	check(is_zero(last, huge) && is_filled(last + huge, huge, 91));
	check(is_filled(gone, huge, 92));
	__atomic_store_n(&gone[0], 'p', __ATOMIC_SEQ_CST);
	check_exits_with(child, 0);
	check(gone[1] == 'c' && bytes[2 * huge] == 'c' && again[2 * huge] == 'c');

	check(shmget(key, 0, 0) == keyed && state_of(keyed).shm_segsz == 4 * huge);
	check((state_of(keyed).shm_perm.mode & 07777) == 0640 && state_of(keyed).shm_nattch == 2);
	check(state_of(odd).shm_segsz == (are_huge ? huge + 5000 : 2 * huge));
	check(state_of(removed).shm_perm.mode & SHM_DEST);
	check(state_of(idle).shm_nattch == 0);
	resting = attached(idle, SHM_RDONLY);
	check(is_huge(resting) == are_huge && is_zero(resting, huge) && is_filled(resting + huge, huge, 93));
	check(shmdt(bytes) == 0 && shmdt(again) == 0 && shmdt(last) == 0 && shmdt(gone) == 0);
	check(shmdt(resting) == 0);
	check(shmctl(removed, IPC_STAT, &(struct shmid_ds){ 0 }) < 0);
	check(shmctl(keyed, IPC_RMID, NULL) == 0 && shmctl(odd, IPC_RMID, NULL) == 0);
	check(shmctl(idle, IPC_RMID, NULL) == 0);
	return passed();
}

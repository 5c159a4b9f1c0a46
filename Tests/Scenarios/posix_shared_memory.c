/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/posix_shared_memory.c
 * POSIX shared memory (shm_open): one object that is open and mapped, also by a child and for reading
 * only; one that is only mapped; one whose name is gone; and a named semaphore (sem_open) that a child
 * waits for. The memory is as it was at the checkpoint, whatever was written to it since.
 * runner: linger 0.3
 */
#include "scenario.h"
#include <semaphore.h>

static char kept[64], mapped[64], lost[64], gate[64];

static char *map(int file, size_t size, int protection)
{
	char *bytes = mmap(NULL, size, protection, MAP_SHARED, file, 0);

	check(bytes != MAP_FAILED);
	return bytes;
}

static int object(const char *name, size_t size, int mode)
{
	int file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, mode);

	check(file >= 0 && ftruncate(file, size) == 0);
	return file;
}

int main(void)
{
	struct stat state;
	char *first, *again, *second, *third;
	volatile char *counter;
	int file, other;
	sem_t *semaphore;
	pid_t child, waiter, writer;

	snprintf(kept, sizeof kept, "/cr-kept.%d", (int)getpid());
	snprintf(mapped, sizeof mapped, "/cr-mapped.%d", (int)getpid());
	snprintf(lost, sizeof lost, "/cr-lost.%d", (int)getpid());
	snprintf(gate, sizeof gate, "/cr-gate.%d", (int)getpid());
	file = object(kept, 5000, 0640);
	first = map(file, 5000, PROT_READ | PROT_WRITE);
	again = map(file, 5000, PROT_READ);
	other = object(mapped, 9 * page_size, 0600);
	second = map(other, 9 * page_size, PROT_READ | PROT_WRITE);
	check(close(other) == 0);
	other = object(lost, 3 * page_size, 0600);
	third = map(other, 3 * page_size, PROT_READ | PROT_WRITE);
	check(shm_unlink(lost) == 0);
	fill(first, 5000, 70);
	fill(second + 4 * page_size, page_size, 71);
	fill(third, 3 * page_size, 72);
	semaphore = sem_open(gate, O_CREAT | O_EXCL, 0600, 0);
	check(semaphore != SEM_FAILED);
	child = fork();
	if (child == 0) {
		wait_for_go(0);
		while (__atomic_load_n(&first[0], __ATOMIC_SEQ_CST) != 'p')
			pause_briefly();
		third[1] = 'c';
		_exit(0);
	}
	waiter = fork();
	if (waiter == 0) {
		check(sem_wait(semaphore) == 0);
		_exit(0);
	}
	/* Writes to the memory all the time, and ends when it finds that it is about to wrap. */
	counter = second;
	writer = fork();
	if (writer == 0) {
		for (int number = 0; !is_flagged("flag.enough"); number++) {
			check((unsigned char)counter[0] == (unsigned char)number);
			counter[0]++;
			pause_briefly();
		}
		_exit(0);
	}
	await_blocked_in(waiter, SYS_futex);
	checkpoint_here();
	tell("enough");
	check_exits_with(writer, 0);
	check(is_filled(first, 5000, 70) && is_filled(again, 5000, 70));
	check(is_filled(second + 4 * page_size, page_size, 71) && is_zero(second + page_size, page_size));
	check(is_filled(third, 3 * page_size, 72));
	check(fstat(file, &state) == 0 && state.st_size == 5000 && (state.st_mode & 0777) == 0640);
	check(fstat(other, &state) == 0 && state.st_size == 3 * page_size && state.st_nlink == 0);
	__atomic_store_n(&first[0], 'p', __ATOMIC_SEQ_CST);
	check_exits_with(child, 0);
	check(third[1] == 'c' && again[0] == 'p');
	check(faults_at(again, true));
	/* By their names it is the same memory. */
	other = shm_open(kept, O_RDONLY, 0);
	check(other >= 0);
	check(map(other, 5000, PROT_READ)[0] == 'p');
	check(shm_open(lost, O_RDONLY, 0) < 0 && errno == ENOENT);
	check(sem_post(sem_open(gate, 0)) == 0);
	check_exits_with(waiter, 0);
	check(shm_unlink(kept) == 0 && shm_unlink(mapped) == 0 && sem_unlink(gate) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/sysv_semaphores.c
 * A set of System V semaphores with a key: values; who operated last; what is undone when a process
 * ends (SEM_UNDO), upwards and downwards, of parent and child; children that wait, in semop and in
 * semtimedop, go on waiting.
 */
#include "scenario.h"
#include <sys/ipc.h>
#include <sys/sem.h>

enum { lock, gate, counter, high, untouched, count };

static int set;

static int operate(int number, int change, int flags)
{
	struct sembuf operation = { .sem_num = number, .sem_op = change, .sem_flg = flags };

	return semop(set, &operation, 1);
}

static int value(int number)
{
	return semctl(set, number, GETVAL);
}

int main(void)
{
	key_t key = 0x43530000 + getpid();
	unsigned short values[count] = { 1, 0, 5, 32000, 7 };
	struct semid_ds state;
	struct sembuf down = { .sem_num = gate, .sem_op = -1 };
	pid_t waiter, other, holder;

	set = semget(key, count, IPC_CREAT | IPC_EXCL | 0620);
	check(set >= 0);
	check(semctl(set, 0, SETALL, values) == 0);
	waiter = fork();
	if (waiter == 0) {
#ifdef SYS_ipc
		check(semop(set, &down, 1) == 0);
#else
		/* glibc's own makes the other call. */
		check(syscall(SYS_semop, set, &down, 1) == 0);
#endif
		_exit(0);
	}
	other = fork();
	if (other == 0) {
		check(semtimedop(set, &down, 1, NULL) == 0);
		_exit(0);
	}
	holder = fork();
	if (holder == 0) {
		check(operate(counter, -3, SEM_UNDO) == 0);
		check(operate(high, 700, SEM_UNDO) == 0);
		tell("held");
		wait_for_go(0);
		await("over");
		_exit(0);
	}
	await_blocked_in(waiter, SYS_semop);
	await_blocked_in(other, SYS_semtimedop);
	await("held");
	check(operate(lock, -1, SEM_UNDO) == 0);
	checkpoint_here();
	await_blocked_in(waiter, SYS_semop);
	await_blocked_in(other, SYS_semtimedop);
	check(value(lock) == 0 && value(gate) == 0 && value(counter) == 2 && value(high) == 32700);
	check(value(untouched) == 7);
	check(semctl(set, lock, GETPID) == getpid() && semctl(set, counter, GETPID) == holder);
	check(semget(key, 0, 0) == set);
	check(semctl(set, 0, IPC_STAT, &state) == 0);
	check(state.sem_nsems == count && (state.sem_perm.mode & 0777) == 0620);
	check(state.sem_perm.uid == getuid());

	/* What the holder did is undone, and nothing else. */
	tell("over");
	check_exits_with(holder, 0);
	check(value(counter) == 5 && value(high) == 32000 && value(lock) == 0);
	/* Ours comes to nothing when we give the lock back: nothing is left to be undone. */
	check(operate(lock, 1, SEM_UNDO) == 0);
	check(operate(gate, 2, 0) == 0);
	check_exits_with(waiter, 0);
	check_exits_with(other, 0);
	if (fork() == 0) {
		check(operate(lock, -1, 0) == 0);
		check(operate(lock, 1, 0) == 0);
		_exit(0);
	}
	check(wait(NULL) > 0);
	check(value(lock) == 1 && value(gate) == 0);
	check(semctl(set, 0, IPC_RMID) == 0);
	return passed();
}

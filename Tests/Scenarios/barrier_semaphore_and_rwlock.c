/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/barrier_semaphore_and_rwlock.c
 * The other ways in which threads wait for one another.
 */
#include "scenario.h"
#include <pthread.h>
#include <semaphore.h>

static pthread_barrier_t barrier;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static int ids[3];

static void *at_barrier(void *unused)
{
	int end;

	__atomic_store_n(&ids[0], gettid(), __ATOMIC_SEQ_CST);
	end = pthread_barrier_wait(&barrier);
	check(end == 0 || end == PTHREAD_BARRIER_SERIAL_THREAD);
	return unused;
}

static void *at_semaphore(void *unused)
{
	__atomic_store_n(&ids[1], gettid(), __ATOMIC_SEQ_CST);
	while (sem_wait(&semaphore) != 0)
		check(errno == EINTR);
	return unused;
}

static void *at_lock(void *unused)
{
	__atomic_store_n(&ids[2], gettid(), __ATOMIC_SEQ_CST);
	check(pthread_rwlock_wrlock(&lock) == 0);
	check(pthread_rwlock_unlock(&lock) == 0);
	return unused;
}

int main(void)
{
	void *(*run[3])(void *) = { at_barrier, at_semaphore, at_lock };
	pthread_t threads[3];
	int end;

	check(pthread_barrier_init(&barrier, NULL, 2) == 0);
	check(sem_init(&semaphore, 0, 0) == 0);
	check(pthread_rwlock_rdlock(&lock) == 0);
	for (int i = 0; i < 3; i++) {
		check(pthread_create(&threads[i], NULL, run[i], NULL) == 0);
		while (!__atomic_load_n(&ids[i], __ATOMIC_SEQ_CST))
			pause_briefly();
		await_blocked_in(ids[i], SYS_futex);
	}
	checkpoint_here();
	end = pthread_barrier_wait(&barrier);
	check(end == 0 || end == PTHREAD_BARRIER_SERIAL_THREAD);
	check(sem_post(&semaphore) == 0);
	check(pthread_rwlock_unlock(&lock) == 0);
	for (int i = 0; i < 3; i++)
		check(pthread_join(threads[i], NULL) == 0);
	return passed();
}

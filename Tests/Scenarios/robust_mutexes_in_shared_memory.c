/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/robust_mutexes_in_shared_memory.c
 * Three robust mutexes in POSIX shared memory: one held by a child and waited for by another and by a
 * thread of ours, who learn of its death; one that we hold and a child waits for; one of priority
 * inheritance that a child holds.
 */
#include "scenario.h"
#include <pthread.h>

static pthread_mutex_t *mutexes;
static int waiting;

static pthread_mutex_t *make(int place, int protocol)
{
	pthread_mutexattr_t kind;

	check(pthread_mutexattr_init(&kind) == 0);
	check(pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED) == 0);
	check(pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST) == 0);
	check(pthread_mutexattr_setprotocol(&kind, protocol) == 0);
	check(pthread_mutex_init(&mutexes[place], &kind) == 0);
	return &mutexes[place];
}

/* Whoever comes first after a death sets it right for the others. */
static int lock(pthread_mutex_t *mutex)
{
	int result = pthread_mutex_lock(mutex);

	if (result == EOWNERDEAD)
		check(pthread_mutex_consistent(mutex) == 0);
	else
		check(result == 0);
	check(pthread_mutex_unlock(mutex) == 0);
	return result;
}

static void *wait_for_it(void *mutex)
{
	__atomic_store_n(&waiting, gettid(), __ATOMIC_SEQ_CST);
	return (void *)(intptr_t)lock(mutex);
}

static pid_t waiter(pthread_mutex_t *mutex)
{
	pid_t child = fork();

	if (child == 0)
		_exit(lock(mutex));
	await_blocked_in(child, SYS_futex);
	return child;
}

int main(void)
{
	char name[64];
	int file, end, of_thread;
	pid_t owner, first, second;
	pthread_t thread;
	void *result;

	snprintf(name, sizeof name, "/cr-robust.%d", (int)getpid());
	file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	check(file >= 0 && ftruncate(file, page_size) == 0);
	mutexes = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	check(mutexes != MAP_FAILED && close(file) == 0);
	make(0, PTHREAD_PRIO_NONE), make(1, PTHREAD_PRIO_NONE), make(2, PTHREAD_PRIO_INHERIT);
	owner = fork();
	if (owner == 0) {
		check(pthread_mutex_lock(&mutexes[0]) == 0 && pthread_mutex_lock(&mutexes[2]) == 0);
		tell("held");
		for (;;)
			pause();
	}
	await("held");
	check(pthread_mutex_lock(&mutexes[1]) == 0);
	first = waiter(&mutexes[0]);
	second = waiter(&mutexes[1]);
	check(pthread_create(&thread, NULL, wait_for_it, &mutexes[0]) == 0);
	while (!(of_thread = __atomic_load_n(&waiting, __ATOMIC_SEQ_CST)))
		pause_briefly();
	await_blocked_in(of_thread, SYS_futex);
	checkpoint_here();
	for (int place = 0; place < 3; place++)
		check(pthread_mutex_trylock(&mutexes[place]) == EBUSY);
	check(pthread_mutex_unlock(&mutexes[1]) == 0);
	check_exits_with(second, 0);
	check(kill(owner, SIGKILL) == 0);
	check_dies_of(owner, SIGKILL);
	check(pthread_join(thread, &result) == 0);
	check(waitpid(first, &end, 0) == first && WIFEXITED(end));
	/* One of the two has heard of the death, and only one. */
	check(WEXITSTATUS(end) + (intptr_t)result == EOWNERDEAD);
	check(lock(&mutexes[2]) == EOWNERDEAD);
	check(shm_unlink(name) == 0);
	return passed();
}

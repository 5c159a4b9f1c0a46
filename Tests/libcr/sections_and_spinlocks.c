/* SPDX-License-Identifier: Apache-2.0
 * Many threads at the atomics: a count kept by spin locks, and critical sections that come and go.
 * Runs under qemu-user too: needs no tools.
 */
#include <pthread.h>
#include "harness.h"

enum { THREADS = 4, TURNS = 20000 };

static cr_spinlock_t lock = CR_SPINLOCK_INITIALIZER;
static long count;

static void *work(void *unused)
{
	cr_client_id_t id = cr_init();

	check(id >= 0);
	for (int turn = 0; turn < TURNS; turn++) {
		check((turn & 1 ? cr_enter_cs(id) : cr_tryenter_cs(id)) == 0);
		if (turn & 2)
			cr_spinlock_lock(&lock);
		else
			while (!cr_spinlock_trylock(&lock))
				;
		count++;
		cr_spinlock_unlock(&lock);
		check(cr_leave_cs(id) == 0);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		check(pthread_create(&threads[i], NULL, work, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		check(pthread_join(threads[i], NULL) == 0);
	check(count == (long)THREADS * TURNS);
	check(cr_init() >= 0 && cr_status() == CR_STATE_IDLE);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * A program with callbacks of both contexts, critical sections and several threads, that checks
 * itself all the time. Each callback that begins is told one of the results that it may be told.
 */
#include <pthread.h>
#include <signal.h>
#include "harness.h"

enum { THREADS = 3, WORDS = 4096 };

static volatile int is_over;
static volatile long begun[2], ended[2], failed, restarted;
static cr_spinlock_t lock = CR_SPINLOCK_INITIALIZER;
/* Two halves that are equal outside of critical sections. */
static volatile long halves[2];
static volatile int in_section;

static int respond(void *context)
{
	long which = (long)context;
	int result;

	__sync_fetch_and_add(&begun[which], 1);
	check(!in_section && halves[0] == halves[1]);
	result = cr_checkpoint(CR_CHECKPOINT_READY);
	check(result == 0 || result == -CR_ETEMPFAIL || result > 0);
	check((cr_get_restart_info() != NULL) == (result > 0));
	if (result > 0 && which == 0) {
		printf("restarted by %d from %s\n", cr_get_restart_info()->requester,
			cr_get_restart_info()->src);
		fflush(stdout);
	}
	__sync_fetch_and_add(&ended[which], 1);
	if (result < 0)
		__sync_fetch_and_add(&failed, 1);
	if (result > 0)
		restarted = 1;
	return 0;
}

static void *work(void *unused)
{
	unsigned memory[WORDS], seed = 1;
	cr_client_id_t id = cr_init();

	check(id >= 0);
	check(cr_register_callback(respond, (void *)1, CR_SIGNAL_CONTEXT) >= 0);
	for (int i = 0; i < WORDS; i++)
		memory[i] = seed = seed * 1103515245u + 12345u;
	while (!is_over) {
		check(cr_enter_cs(id) == 0);
		cr_spinlock_lock(&lock);
		in_section = 1;
		halves[0]++;
		if (halves[0] % 16 == 0)
			usleep(100);
		halves[1]++;
		in_section = 0;
		cr_spinlock_unlock(&lock);
		check(cr_leave_cs(id) == 0);
		seed = 1;
		for (int i = 0; i < WORDS; i++) {
			seed = seed * 1103515245u + 12345u;
			check(memory[i] == seed);
		}
		usleep(1000);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS];

	check(cr_init() >= 0);
	check(cr_register_callback(respond, (void *)0, CR_THREAD_CONTEXT) >= 0);
	for (int i = 0; i < THREADS; i++)
		check(!pthread_create(&threads[i], NULL, work, NULL));
	usleep(20000);
	printf("main waits\n");
	fflush(stdout);
	while (access("end", F_OK))
		usleep(5000);
	is_over = 1;
	for (int i = 0; i < THREADS; i++)
		check(!pthread_join(threads[i], NULL));
	check(halves[0] == halves[1] && halves[0] > 0);
	for (int turn = 0; turn < 400 && begun[0] != ended[0]; turn++)
		usleep(5000);
	check(begun[0] == ended[0] && begun[1] == ended[1]);
	check(cr_status() == CR_STATE_IDLE);
	printf("right: %ld callbacks, %ld failures, restarted %ld\n", begun[0] + begun[1], failed,
		restarted);
	return 0;
}

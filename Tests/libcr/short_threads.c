/* SPDX-License-Identifier: Apache-2.0
 * Threads that come and go while somebody saves the program again and again: with callbacks of their
 * own, in sections, ending inside of one, joined or left to themselves. None may be lost, every
 * callback that begins must end, and the sum of what the threads did must be right. Ends when there
 * is a file `end`.
 */
#include <pthread.h>
#include <stdatomic.h>
#include "harness.h"

enum { MAKERS = 3 };

static atomic_int is_over;
static atomic_long made, ended, callbacks_begun, callbacks_ended, restarts;
static long in_sections, in_sections_twice; /* changed by whoever has the lock, in a section */
static cr_spinlock_t lock = CR_SPINLOCK_INITIALIZER;

static int respond(void *is_server)
{
	int result;

	check(cr_status() == CR_STATE_ACTIVE);
	callbacks_begun++;
	check(in_sections == in_sections_twice);
	result = cr_checkpoint(CR_CHECKPOINT_READY);
	check(result >= 0);
	if (result > 0 && is_server)
		restarts++;
	callbacks_ended++;
	return 0;
}

static void *live_shortly(void *argument)
{
	long number = (long)argument;
	cr_client_id_t id = cr_init();

	check(id >= 0);
	if (number % 3 == 0)
		check(cr_register_callback(respond, NULL, CR_SIGNAL_CONTEXT) >= 0);
	if (number % 2) {
		check(cr_enter_cs(id) == 0);
		cr_spinlock_lock(&lock);
		in_sections++;
		sched_yield();
		in_sections_twice++;
		cr_spinlock_unlock(&lock);
		/* One that ends in its section leaves it. */
		if (number % 7)
			check(cr_leave_cs(id) == 0);
	}
	if (number % 5 == 0)
		usleep((unsigned)(number * 7919 % 2000));
	ended++;
	return NULL;
}

static void *make(void *unused)
{
	for (long number = 0; !is_over; number++) {
		pthread_t thread;

		check(!pthread_create(&thread, NULL, live_shortly, (void *)number));
		made++;
		if (number % 4 == 0)
			check(!pthread_detach(thread));
		else
			check(!pthread_join(thread, NULL));
	}
	return unused;
}

int main(void)
{
	pthread_t makers[MAKERS];

	check(cr_init() >= 0);
	check(cr_register_callback(respond, "server", CR_THREAD_CONTEXT) >= 0);
	for (int i = 0; i < MAKERS; i++)
		check(!pthread_create(&makers[i], NULL, make, NULL));
	while (ended < 10)
		usleep(1000);
	printf("main waits\n");
	fflush(stdout);
	while (access("end", F_OK))
		usleep(20000);
	is_over = 1;
	for (int i = 0; i < MAKERS; i++)
		check(!pthread_join(makers[i], NULL));
	while (ended < made)
		usleep(1000);
	check(callbacks_begun == callbacks_ended && in_sections == in_sections_twice);
	printf("right: %ld threads, %ld callbacks, %ld restarts\n", made, callbacks_ended, restarts);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * Threads that are cancelled at any moment while somebody saves the program: in a call that waits, in
 * and out of sections, in a callback, at any instruction. Cancelling must do what it does without the
 * library, and the library must go on working for the others. Ends when there is a file `end`.
 */
#include <pthread.h>
#include <stdatomic.h>
#include "harness.h"

enum { WAYS = 4 };

static atomic_long cleaned, callbacks, restarts, spins;
static int never_written[2];

static int respond(void *is_server)
{
	int result;

	/* A cancellation point: a thread may end here. */
	if (!is_server)
		usleep(200);
	result = cr_checkpoint(CR_CHECKPOINT_READY);
	check(result >= 0);
	if (!is_server)
		usleep(200);
	callbacks++;
	if (result > 0 && is_server)
		restarts++;
	return 0;
}

static void clean(void *unused)
{
	(void)unused;
	cleaned++;
}

static void wait_for_input(void)
{
	char byte;

	for (;;)
		check(read(never_written[0], &byte, 1) == -1 && errno == EINTR);
}

static void enter_sections(cr_client_id_t id)
{
	for (;;) {
		check(cr_enter_cs(id) == 0);
		/* Also within a section: its end leaves it. */
		pthread_testcancel();
		check(cr_leave_cs(id) == 0);
		pthread_testcancel();
	}
}

static void *live(void *argument)
{
	long way = (long)argument;
	cr_client_id_t id;
	int state;

	pthread_cleanup_push(clean, NULL);
	check(!pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state));
	id = cr_init();
	check(id >= 0);
	if (way != 3)
		check(cr_register_callback(respond, NULL, CR_SIGNAL_CONTEXT) >= 0);
	check(!pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state));
	switch (way) {
	case 0:
		wait_for_input();
		break;
	case 1:
		enter_sections(id);
		break;
	case 2:
		for (;;)
			usleep(10000);
	default:
		/* No call is safe from here on. */
		check(!pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &state));
		for (;;)
			spins++;
	}
	pthread_cleanup_pop(0);
	return NULL;
}

int main(void)
{
	long turn;

	check(cr_init() >= 0 && pipe(never_written) == 0);
	check(cr_register_callback(respond, "server", CR_THREAD_CONTEXT) >= 0);
	printf("main waits\n");
	fflush(stdout);
	for (turn = 0; access("end", F_OK); turn++) {
		pthread_t threads[WAYS];

		for (long way = 0; way < WAYS; way++)
			check(!pthread_create(&threads[way], NULL, live, (void *)way));
		usleep((unsigned)(turn * 7919 % 5000));
		for (int way = 0; way < WAYS; way++)
			check(!pthread_cancel(threads[way]));
		for (int way = 0; way < WAYS; way++) {
			void *result;

			check(!pthread_join(threads[way], &result));
			check(result == PTHREAD_CANCELED);
		}
	}
	check(cleaned == turn * WAYS);
	printf("right: %ld threads, %ld callbacks, %ld restarts\n", turn * WAYS, callbacks, restarts);
	return 0;
}

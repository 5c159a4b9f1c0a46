/* SPDX-License-Identifier: Apache-2.0
 * There is always a thread in a critical section, and yet the checkpoint gets its turn. argv[1]:
 * chain: each holds its section until its partner has been in its own, so that keeping anybody out
 * for good would be a deadlock.
 */
#include <pthread.h>
#include "harness.h"

enum { THREADS = 4 };

static volatile int inside[THREADS], entered[THREADS], is_over;
static int is_chain;

static int respond(void *unused)
{
	(void)unused;
	for (int i = 0; i < THREADS; i++)
		check(!inside[i]);
	printf("responds %d\n", cr_checkpoint(CR_CHECKPOINT_READY));
	fflush(stdout);
	return 0;
}

static void *work(void *number)
{
	int me = (int)(long)number, partner = me ^ 1;
	cr_client_id_t id = cr_init();

	check(id >= 0);
	usleep(5000 * me);
	while (!is_over) {
		int before = entered[partner];

		check(cr_enter_cs(id) == 0);
		inside[me] = 1;
		entered[me]++;
		if (is_chain)
			while (!inside[partner] && entered[partner] == before && !is_over)
				usleep(500);
		else
			usleep(20000);
		usleep(1000);
		inside[me] = 0;
		check(cr_leave_cs(id) == 0);
		if (is_chain)
			usleep(5000);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	is_chain = argc > 1 && !strcmp(argv[1], "chain");
	check(cr_init() >= 0);
	check(cr_register_callback(respond, NULL, CR_THREAD_CONTEXT) >= 0);
	for (long i = 0; i < THREADS; i++)
		check(!pthread_create(&threads[i], NULL, work, (void *)i));
	usleep(50000);
	printf("main waits\n");
	fflush(stdout);
	while (access("end", F_OK))
		usleep(5000);
	is_over = 1;
	for (int i = 0; i < THREADS; i++)
		check(!pthread_join(threads[i], NULL));
	return 0;
}

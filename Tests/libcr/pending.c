/* SPDX-License-Identifier: Apache-2.0
 * A checkpoint that is asked for inside a critical section happens when that is left, before the
 * call returns. The callbacks are of the context argv[1].
 */
#include "harness.h"

static volatile int called;

static int respond(void *unused)
{
	int result = cr_checkpoint(CR_CHECKPOINT_READY);

	(void)unused;
	printf("responds %d\n", result);
	fflush(stdout);
	called++;
	return 0;
}

int main(int argc, char **argv)
{
	cr_client_id_t id = cr_init(), other = cr_init();
	int is_thread;

	check(argc == 2 && id >= 0 && other >= 0);
	is_thread = !strcmp(argv[1], "thread");
	check(cr_register_callback(respond, NULL, is_thread ? CR_THREAD_CONTEXT : CR_SIGNAL_CONTEXT)
		>= 0);
	for (int turn = 1; access("end", F_OK); turn++) {
		check(cr_enter_cs(id) == 0 && cr_status() == CR_STATE_IDLE);
		printf("main waits %d\n", turn);
		fflush(stdout);
		while (cr_status() == CR_STATE_IDLE && access("end", F_OK))
			usleep(1000);
		if (!access("end", F_OK))
			break;
		check(cr_status() == CR_STATE_PENDING);
		usleep(50000);
		check(called == turn - 1);
		/* Inside one already: a second may overlap it, and does not end it. */
		check(cr_tryenter_cs(other) == 0);
		check(cr_leave_cs(id) == 0);
		usleep(20000);
		check(called == turn - 1);
		check(cr_leave_cs(other) == 0);
		check(called == turn);
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * Whether a thread without callbacks runs while a callback does, after cr_checkpoint(). argv[1]: the
 * thread has called cr_init() (init), or not (uninit), or speaks for itself (thread); argv[2]: the
 * setting of cr_hold_ctrl().
 */
#include <pthread.h>
#include "harness.h"

static volatile long count;
static const char *who;
static int setting;

static void *work(void *unused)
{
	if (strcmp(who, "uninit"))
		check(cr_init() >= 0);
	if (!strcmp(who, "thread"))
		check(cr_hold_ctrl(CR_HOLD_SCOPE_THREAD, setting) == CR_HOLD_DFLT);
	for (;;) {
		count++;
		usleep(1000);
	}
	return unused;
}

static int respond(void *unused)
{
	int result = cr_checkpoint(CR_CHECKPOINT_READY);
	long before = count;

	(void)unused;
	usleep(200000);
	printf("%s %d\n", count - before > 20 ? "runs" : count == before ? "held" : "odd", result);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	long before;

	check(argc == 3 && cr_init() >= 0);
	who = argv[1];
	setting = atoi(argv[2]);
	if (!strcmp(who, "init"))
		check(cr_hold_ctrl(CR_HOLD_SCOPE_INIT, setting) == CR_HOLD_BOTH);
	if (!strcmp(who, "uninit"))
		check(cr_hold_ctrl(CR_HOLD_SCOPE_UNINIT, setting) == CR_HOLD_BOTH);
	check(cr_register_callback(respond, NULL, CR_THREAD_CONTEXT) >= 0);
	check(!pthread_create(&thread, NULL, work, NULL));
	while (!count)
		usleep(1000);
	printf("main waits\n");
	fflush(stdout);
	while (access("end", F_OK))
		usleep(5000);
	before = count;
	usleep(100000);
	check(count > before); /* in the end it runs in any case */
	return 0;
}

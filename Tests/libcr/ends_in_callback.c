/* SPDX-License-Identifier: Apache-2.0
 * A thread that ends inside its callback, after cr_checkpoint(): of argv[1] (thread or signal)
 * context, by pthread_exit() or (argv[2]: raw) without its destructors. The others' callbacks come
 * to their end, and the next checkpoint finds callbacks again.
 */
#include <pthread.h>
#include <sys/syscall.h>
#include "harness.h"

static int is_raw;

static void say(const char *what, int result)
{
	printf("%s %d\n", what, result);
	fflush(stdout);
}

static int end_after(void *unused)
{
	int result = cr_checkpoint(CR_CHECKPOINT_READY);

	(void)unused;
	say("ends in callback", result);
	if (is_raw)
		syscall(SYS_exit, 0);
	pthread_exit(NULL);
}

static int respond(void *unused)
{
	int result = cr_checkpoint(CR_CHECKPOINT_READY);

	(void)unused;
	usleep(50000);
	say("responds", result);
	return 0;
}

static void *own_thread(void *context)
{
	check(cr_init() >= 0);
	check(cr_register_callback(end_after, NULL, CR_SIGNAL_CONTEXT) >= 0);
	*(volatile int *)context = 1;
	for (;;)
		usleep(10000);
}

int main(int argc, char **argv)
{
	volatile int is_ready = 0;
	pthread_t thread;

	check(argc >= 2 && cr_init() >= 0);
	is_raw = argc > 2;
	check(cr_register_callback(respond, NULL, CR_SIGNAL_CONTEXT) >= 0);
	if (!strcmp(argv[1], "thread")) {
		check(cr_register_callback(end_after, NULL, CR_THREAD_CONTEXT) >= 0);
	} else {
		check(!pthread_create(&thread, NULL, own_thread, (void *)&is_ready));
		while (!is_ready)
			usleep(1000);
	}
	say("main waits", 0);
	while (access("end", F_OK))
		usleep(5000);
	return 0;
}

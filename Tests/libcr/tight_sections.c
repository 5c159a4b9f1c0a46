/* SPDX-License-Identifier: Apache-2.0
 * A parent whose thread-context callback takes its time, and a child that does nothing but enter and leave
 * sections, with a callback of signal context: it is called while it runs, at any instruction of these
 * two. A handler of the child's own enters sections, too. Ends when there is a file `end`.
 */
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "harness.h"

static volatile long callbacks, restarts, ticks;
static volatile int inside;
static cr_client_id_t id;

static int take_time(void *unused)
{
	(void)unused;
	usleep(3000);
	check(cr_checkpoint(CR_CHECKPOINT_READY) >= 0);
	return 0;
}

static int respond(void *unused)
{
	int result;

	(void)unused;
	check(!inside);
	result = cr_checkpoint(CR_CHECKPOINT_READY);
	check(result >= 0 && !inside);
	callbacks++;
	if (result > 0)
		restarts++;
	return 0;
}

/* Between any two instructions of the calls that it interrupts. */
static void tick(int number)
{
	(void)number;
	check(cr_enter_cs(id) == 0 && cr_leave_cs(id) == 0);
	ticks++;
}

static int live(void)
{
	struct itimerval interval = { { 0, 700 }, { 0, 700 } };
	long turns;

	check((id = cr_init()) >= 0);
	check(cr_register_callback(respond, NULL, CR_SIGNAL_CONTEXT) >= 0);
	check(signal(SIGALRM, tick) != SIG_ERR && !setitimer(ITIMER_REAL, &interval, NULL));
	for (turns = 0; turns % 4096 || access("end", F_OK); turns++) {
		check(cr_enter_cs(id) == 0);
		inside = 1;
		inside = 0;
		check(cr_leave_cs(id) == 0);
		if (turns % 3 == 0 && cr_tryenter_cs(id) == 0)
			check(cr_leave_cs(id) == 0);
	}
	check(ticks > 0);
	printf("right: %ld callbacks, %ld restarts\n", callbacks, restarts);
	return 0;
}

int main(void)
{
	pid_t child = fork();
	int status;

	check(child >= 0);
	if (!child)
		return live();
	check(cr_init() >= 0);
	check(cr_register_callback(take_time, NULL, CR_THREAD_CONTEXT) >= 0);
	usleep(20000);
	printf("main waits\n");
	fflush(stdout);
	while (waitpid(child, &status, 0) != child)
		check(errno == EINTR);
	check(status == 0);
	return 0;
}

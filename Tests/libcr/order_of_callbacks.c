/* SPDX-License-Identifier: Apache-2.0
 * Three callbacks of thread context, and three of signal context in each of two threads and in a child, which say
 * when they begin and end. Ends well when there is a file `end`.
 */
#include <pthread.h>
#include <sys/wait.h>
#include "harness.h"

static const char *process = "parent";

static void say(const char *what, const char *name, int result)
{
	char line[100];
	int size = snprintf(line, sizeof line, "%s %s %s %d\n", what, process, name, result);

	/* Whole, whoever else writes; a stream would have a lock. */
	check(write(1, line, (size_t)size) == size);
}

static int respond(void *name)
{
	int result;

	say("begins", name, 0);
	result = cr_checkpoint(CR_CHECKPOINT_READY);
	say("ends", name, result);
	return 0;
}

static void take_part(char *names[3], int context)
{
	check(cr_init() >= 0);
	for (int i = 0; i < 3; i++)
		check(cr_register_callback(respond, names[i], context) >= 0);
}

static void *work(void *unused)
{
	static char *names[3] = { "signal.b.0", "signal.b.1", "signal.b.2" };

	take_part(names, CR_SIGNAL_CONTEXT);
	while (access("end", F_OK))
		usleep(5000);
	return unused;
}

int main(void)
{
	static char *first[3] = { "signal.a.0", "signal.a.1", "signal.a.2" };
	static char *server[3] = { "thread.0", "thread.1", "thread.2" };
	pid_t child = fork();
	pthread_t thread;
	int status;

	check(child >= 0);
	if (!child)
		process = "child";
	take_part(first, CR_SIGNAL_CONTEXT);
	take_part(server, CR_THREAD_CONTEXT);
	check(!pthread_create(&thread, NULL, work, NULL));
	usleep(20000);
	say("waits", "", 0);
	check(!pthread_join(thread, NULL));
	if (child)
		check(wait(&status) == child && status == 0);
	return 0;
}

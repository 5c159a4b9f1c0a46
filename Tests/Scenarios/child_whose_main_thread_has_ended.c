/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/child_whose_main_thread_has_ended.c
 * Its parent hears of its end when the last thread ends. The status is then that thread's, before Linux 5.17
 * that of the main thread, so one that nobody touches tells. Another one is stopped at the checkpoint.
 */
#include "scenario.h"
#include <pthread.h>

static volatile int *go_on, *counters;

static void *last_thread(void *place)
{
	int index = (int)(intptr_t)place;

	while (!*go_on) {
		counters[index]++;
		pause_briefly();
	}
	/* Only this thread. */
	syscall(SYS_exit, 3);
	return NULL;
}

static pid_t start(int index)
{
	pthread_t thread;
	pid_t child = fork();

	if (child != 0)
		return child;
	check(pthread_create(&thread, NULL, last_thread, (void *)(intptr_t)index) == 0);
	syscall(SYS_exit, 7);
	_exit(1);
}

static char state(pid_t child)
{
	char path[64], text[512];
	ssize_t count;
	int file;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)child);
	check((file = open(path, O_RDONLY)) >= 0);
	check((count = read(file, text, sizeof text - 1)) > 0);
	close(file);
	text[count] = 0;
	return strrchr(text, ')')[2];
}

int main(void)
{
	pid_t children[3];
	int end, seen, expected;

	counters = shared_memory(page_size);
	go_on = counters + 8;
	for (int i = 2; i >= 0; i--) {
		children[i] = start(i);
		while (counters[i] == 0 || state(children[i]) != 'Z')
			pause_briefly();
		if (i < 2)
			continue;
		*go_on = 1;
		check(waitpid(children[i], &expected, 0) == children[i]);
		check(WIFEXITED(expected) && (WEXITSTATUS(expected) == 3 || WEXITSTATUS(expected) == 7));
		*go_on = 0;
	}
	check(kill(children[1], SIGSTOP) == 0);
	while (waitpid(children[1], &end, WUNTRACED) != children[1])
		;
	check(WIFSTOPPED(end));
	checkpoint_here();
	seen = counters[1];
	check(waitpid(-1, &end, WNOHANG) == 0);
	check(state(children[0]) == 'Z' && state(children[1]) == 'Z');
	*go_on = 1;
	check(waitpid(children[0], &end, 0) == children[0]);
	check(end == expected);
	for (int i = 0; i < 10; i++)
		pause_briefly();
	check(counters[1] == seen && waitpid(-1, &end, WNOHANG) == 0);
	check(kill(children[1], SIGCONT) == 0);
	check(waitpid(children[1], &end, 0) == children[1]);
	check(end == expected);
	return passed();
}

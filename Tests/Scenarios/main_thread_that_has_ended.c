/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/main_thread_that_has_ended.c
 * pthread_exit() in main leaves a dead leader that is there until the last thread ends. It bears the
 * number of the process, and /proc shows neither memory nor open files of it.
 */
#include "scenario.h"
#include <pthread.h>
#include <sys/eventfd.h>

static pthread_t main_thread;
static pid_t pid;
static int ends[2], counter;
static volatile int computed;

static char state_of_leader(void)
{
	char path[64], text[512];
	ssize_t count;
	int file;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)pid);
	check((file = open(path, O_RDONLY)) >= 0);
	check((count = read(file, text, sizeof text - 1)) > 0);
	close(file);
	text[count] = 0;
	return strrchr(text, ')')[2];
}

_Noreturn static void *compute(void *unused)
{
	(void)unused;
	for (;;) {
		computed++;
		pause_briefly();
	}
}

static void *survivor(void *unused)
{
	struct itimerspec far = { .it_value = { .tv_sec = 1000 } };
	uint64_t count;
	timer_t timer;
	sigset_t set;
	char byte;
	int seen;

	(void)unused;
	check(pthread_join(main_thread, NULL) == 0);
	while (state_of_leader() != 'Z')
		pause_briefly();
	check(timer_create(CLOCK_MONOTONIC, &(struct sigevent){ .sigev_notify = SIGEV_NONE }, &timer) == 0);
	check(timer_settime(timer, 0, &far, NULL) == 0);
	check(kill(pid, SIGUSR1) == 0);
	checkpoint_here();
	check(state_of_leader() == 'Z');
	check(getpid() == pid && syscall(SYS_gettid) != pid);
	check(read(ends[0], &byte, 1) == 1 && byte == 'x');
	check(read(counter, &count, sizeof count) == sizeof count && count == 17);
	check(timer_gettime(timer, &far) == 0 && far.it_value.tv_sec > 900);
	check(sigpending(&set) == 0 && sigismember(&set, SIGUSR1) == 1);
	seen = computed;
	while (computed == seen)
		pause_briefly();
	exit(passed());
}

int main(void)
{
	pthread_t thread;
	sigset_t set;

	pid = getpid();
	main_thread = pthread_self();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	check(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	check(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
	check((counter = eventfd(17, 0)) >= 0);
	check(pthread_create(&thread, NULL, compute, NULL) == 0);
	check(pthread_create(&thread, NULL, survivor, NULL) == 0);
	pthread_exit(NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 * Signals rain on a program while its callbacks run, in handlers with and without SA_RESTART, some
 * let in by the callbacks themselves. None of the queued ones may be lost, doubled or change places.
 * Ends when there is a file `end`.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include "harness.h"

static volatile int is_over;
static volatile long ticks, ticks_inside, callbacks, restarts;
static volatile sig_atomic_t is_inside;
static volatile int received, received_own;
static int sent_own;
static pthread_t main_thread;

static void tick(int number)
{
	(void)number;
	ticks++;
	if (is_inside)
		ticks_inside++;
}

static void receive(int number, siginfo_t *info, void *context)
{
	volatile int *count = number == SIGRTMIN ? &received : &received_own;

	(void)context;
	check(info->si_value.sival_int == *count + 1);
	*count = info->si_value.sival_int;
}

/* Time goes by, and signals come; with `open` they come in here. */
static void dawdle(int open)
{
	sigset_t tick_alone, before;

	sigemptyset(&tick_alone);
	sigaddset(&tick_alone, SIGALRM);
	if (open)
		check(!pthread_sigmask(SIG_UNBLOCK, &tick_alone, &before));
	for (int i = 0; i < 20; i++)
		usleep(100);
	if (open)
		check(!pthread_sigmask(SIG_SETMASK, &before, NULL));
}

static int respond(void *open)
{
	union sigval value = { .sival_int = 0 };
	int result;

	is_inside = open != NULL;
	if (open) {
		value.sival_int = ++sent_own;
		check(!sigqueue(getpid(), SIGRTMIN + 1, value));
	}
	dawdle(open != NULL);
	result = cr_checkpoint(CR_CHECKPOINT_READY);
	check(result >= 0);
	dawdle(open != NULL);
	is_inside = 0;
	callbacks++;
	if (open && result > 0)
		restarts++;
	return 0;
}

static void *send(void *count)
{
	union sigval value = { .sival_int = 0 };

	while (!is_over) {
		value.sival_int++;
		while (pthread_sigqueue(main_thread, SIGRTMIN, value))
			usleep(1000); /* EAGAIN: the queue is full */
		usleep(300);
	}
	*(int *)count = value.sival_int;
	return NULL;
}

static void handle(int number, int flags)
{
	struct sigaction action = { .sa_flags = flags };

	if (flags & SA_SIGINFO)
		action.sa_sigaction = receive;
	else
		action.sa_handler = tick;
	check(!sigaction(number, &action, NULL));
}

int main(void)
{
	struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
	sigset_t own;
	pthread_t sender;
	int sent;

	main_thread = pthread_self();
	handle(SIGALRM, 0);
	handle(SIGRTMIN, SA_SIGINFO | SA_RESTART);
	handle(SIGRTMIN + 1, SA_SIGINFO);
	check(cr_init() >= 0);
	check(cr_register_callback(respond, NULL, CR_THREAD_CONTEXT) >= 0);
	check(cr_register_callback(respond, "open", CR_SIGNAL_CONTEXT) >= 0);
	/* These are for the main thread alone. */
	sigemptyset(&own);
	sigaddset(&own, SIGRTMIN + 1);
	sigaddset(&own, SIGALRM);
	check(!pthread_sigmask(SIG_BLOCK, &own, NULL));
	check(!pthread_create(&sender, NULL, send, &sent));
	check(!pthread_sigmask(SIG_UNBLOCK, &own, NULL));
	check(!setitimer(ITIMER_REAL, &often, NULL));
	printf("main waits\n");
	fflush(stdout);
	while (access("end", F_OK))
		usleep(5000);
	check(!setitimer(ITIMER_REAL, &never, NULL));
	is_over = 1;
	check(!pthread_join(sender, NULL));
	for (int i = 0; i < 1000 && received < sent; i++)
		usleep(1000);
	check(received == sent && received_own == sent_own);
	printf("right: %ld callbacks, %d signals, %ld ticks, %ld of them inside, %ld restarts\n", callbacks,
		sent, ticks, ticks_inside, restarts);
	return 0;
}

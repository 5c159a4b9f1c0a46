/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/signals_arriving_all_the_time.c
 * A child sends numbered signals without pause: every one arrives, once, and in order.
 */
#include "scenario.h"

/* Shared, so that the sender does not run away from a parent that can do nothing else any more. */
static volatile struct {
	int received, sent;
	bool stop;
} *shared;
static volatile bool disordered;

static void handle(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	if (info->si_value.sival_int != shared->received)
		disordered = true;
	shared->received++;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART };
	pid_t parent = getpid(), child;

	shared = shared_memory(page_size);

	check(sigaction(SIGRTMIN, &action, NULL) == 0);
	child = fork();
	if (child == 0) {
		int i = 0;

		while (!shared->stop) {
			while (sigqueue(parent, SIGRTMIN, (union sigval){ .sival_int = i }) != 0)
				check(errno == EAGAIN);
			i++;
			do
				usleep(200);
			while (i - shared->received > 10);
		}
		shared->sent = i;
		_exit(0);
	}
	while (shared->received < 5)
		pause_briefly();
	checkpoint_here();
	checkpoint_here();
	shared->stop = true;
	check_exits_with(child, 0);
	while (shared->received < shared->sent)
		pause_briefly();
	check(shared->received == shared->sent && !disordered);
	return passed();
}

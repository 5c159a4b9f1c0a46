/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/signals_arriving_all_the_time.c
 * A child sends numbered signals without pause: every one arrives, once, and in order.
 */
#include "scenario.h"

static volatile int received;
static volatile bool disordered;

static void handle(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	if (info->si_value.sival_int != received)
		disordered = true;
	received++;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART };
	volatile int *stop = shared_memory(page_size);
	pid_t parent = getpid(), child;
	int sent;

	check(sigaction(SIGRTMIN, &action, NULL) == 0);
	child = fork();
	if (child == 0) {
		int i = 0;

		while (!*stop) {
			while (sigqueue(parent, SIGRTMIN, (union sigval){ .sival_int = i }) != 0)
				check(errno == EAGAIN);
			i++;
			usleep(200);
		}
		stop[1] = i;
		_exit(0);
	}
	while (received < 5)
		pause_briefly();
	checkpoint_here();
	checkpoint_here();
	*stop = 1;
	check_exits_with(child, 0);
	sent = stop[1];
	while (received < sent)
		pause_briefly();
	check(received == sent && !disordered);
	return passed();
}

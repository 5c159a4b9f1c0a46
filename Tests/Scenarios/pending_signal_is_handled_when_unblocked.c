/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/pending_signal_is_handled_when_unblocked.c
 * Blocked at the checkpoint, its handler runs as soon as it is let in after the restart.
 */
#include "scenario.h"

static volatile sig_atomic_t times;
static int value;

static void handle(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	times++;
	value = info->si_value.sival_int;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	check(sigaction(SIGUSR1, &action, NULL) == 0);
	check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	/* A standard signal is queued once however often it is sent: the first counts. */
	check(sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 77 }) == 0);
	check(sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 78 }) == 0);
	checkpoint_here();
	check(times == 0);
	check(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
	check(times == 1 && value == 77);
	return passed();
}

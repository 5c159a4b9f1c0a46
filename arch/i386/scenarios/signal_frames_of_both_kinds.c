/* SPDX-License-Identifier: Apache-2.0 */
/* arch/i386/scenarios/signal_frames_of_both_kinds.c
 * Inside handlers with the old frame (sigreturn) and the new one (SA_SIGINFO, rt_sigreturn): the way out
 * of each leads through the vdso.
 */
#include "scenario.h"

static volatile int depth;

static void inner(int number, siginfo_t *info, void *context)
{
	(void)context;
	check(number == SIGUSR2 && info->si_code == SI_QUEUE && info->si_value.sival_int == 77);
	depth = 2;
	checkpoint_here();
	check(info->si_pid > 0 && info->si_value.sival_int == 77);
	depth = 3;
}

static void outer(int number)
{
	check(number == SIGUSR1);
	depth = 1;
	check(sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 77 }) == 0);
	check(depth == 3);
	checkpoint_here();
	depth = 4;
}

int main(void)
{
	struct sigaction action = { .sa_handler = outer };
	volatile long double number = 0.1L;

	check(sigaction(SIGUSR1, &action, NULL) == 0);
	action.sa_sigaction = inner;
	action.sa_flags = SA_SIGINFO;
	check(sigaction(SIGUSR2, &action, NULL) == 0);
	check(raise(SIGUSR1) == 0);
	check(depth == 4 && number == 0.1L);
	return passed();
}

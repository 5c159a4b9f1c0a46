/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/signal_actions.c
 * Handler, flags, mask and restorer of every signal, as the kernel gives them.
 */
#include "scenario.h"

/* What rt_sigaction(2) takes; the C library's own struct hides the restorer. */
struct kernel_action {
	uint64_t handler, flags, restorer, mask;
};

static void handle(int number)
{
	(void)number;
}

static void inform(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
}

int main(void)
{
	static struct kernel_action before[65], after;

	for (int number = 1; number <= 64; number++) {
		struct sigaction action = { .sa_handler = handle };

		if (number == SIGKILL || number == SIGSTOP || number == 32 || number == 33)
			continue;
		sigaddset(&action.sa_mask, number % 64 + 1);
		switch (number % 5) {
		case 0:
			action.sa_handler = SIG_IGN;
			break;
		case 1:
			action.sa_sigaction = inform;
			action.sa_flags = SA_SIGINFO | SA_RESTART;
			break;
		case 2:
			action.sa_flags = SA_NODEFER | SA_RESETHAND | SA_ONSTACK;
			break;
		case 3:
			action.sa_handler = SIG_DFL;
			break;
		}
		check(sigaction(number, &action, NULL) == 0);
	}
	for (int number = 1; number <= 64; number++)
		check(syscall(SYS_rt_sigaction, number, NULL, &before[number], 8) == 0);
	checkpoint_here();
	for (int number = 1; number <= 64; number++) {
		check(syscall(SYS_rt_sigaction, number, NULL, &after, 8) == 0);
		/* Flags and mask of a default action mean nothing, but for SIGCHLD's. */
		if (after.handler == 0 && number != SIGCHLD)
			check(before[number].handler == 0);
		else
			check(memcmp(&after, &before[number], sizeof after) == 0);
	}
	return passed();
}

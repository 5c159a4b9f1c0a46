/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/child_with_another_exit_signal.c
 * A clone may announce its end by any signal, or by none; waiting for it needs __WALL.
 */
#include "scenario.h"
#include <sched.h>

static volatile sig_atomic_t heard_usr1, heard_chld;

static void hear(int number)
{
	if (number == SIGUSR1)
		heard_usr1++;
	else
		heard_chld++;
}

static int child_main(void *status)
{
	wait_for_go(0);
	return (uintptr_t)status;
}

int main(void)
{
	enum { stack_size = 256 * 1024 };
	char *stack_a = memory(stack_size), *stack_b = memory(stack_size);
	struct sigaction action = { .sa_handler = hear, .sa_flags = SA_RESTART };
	pid_t a, b;
	int end;

	check(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGCHLD, &action, NULL) == 0);
	a = clone(child_main, stack_a + stack_size, SIGUSR1, (void *)1);
	b = clone(child_main, stack_b + stack_size, 0, (void *)2);
	check(a > 0 && b > 0);
	checkpoint_here();
	check(waitpid(a, &end, __WALL) == a && WEXITSTATUS(end) == 1);
	check(waitpid(b, &end, __WALL) == b && WEXITSTATUS(end) == 2);
	check(heard_usr1 == 1 && heard_chld == 0);
	return passed();
}

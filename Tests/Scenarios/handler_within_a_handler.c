/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/handler_within_a_handler.c
 * Frozen two handlers deep; each returns to the one before, with the mask it had.
 */
#include "scenario.h"

static volatile sig_atomic_t depth, deepest;

static bool is_blocked(int number)
{
	sigset_t mask;

	check(sigprocmask(SIG_SETMASK, NULL, &mask) == 0);
	return sigismember(&mask, number);
}

static void inner(int number)
{
	depth++;
	deepest = depth;
	checkpoint_here();
	check(is_blocked(SIGUSR1) && is_blocked(number) && is_blocked(SIGHUP));
	depth--;
}

static void outer(int number)
{
	depth++;
	check(raise(SIGUSR2) == 0);
	check(is_blocked(number) && !is_blocked(SIGUSR2) && !is_blocked(SIGHUP));
	depth--;
}

int main(void)
{
	struct sigaction first = { .sa_handler = outer }, second = { .sa_handler = inner };

	sigaddset(&second.sa_mask, SIGHUP);
	check(sigaction(SIGUSR1, &first, NULL) == 0 && sigaction(SIGUSR2, &second, NULL) == 0);
	check(raise(SIGUSR1) == 0);
	check(depth == 0 && deepest == 2);
	check(!is_blocked(SIGUSR1) && !is_blocked(SIGUSR2) && !is_blocked(SIGHUP));
	return passed();
}

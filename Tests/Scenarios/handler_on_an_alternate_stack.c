/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/handler_on_an_alternate_stack.c
 * Frozen within a handler that runs on its own stack; then it returns to where it came from.
 */
#include "scenario.h"

static char *stack;
enum { stack_size = 256 * 1024 };

#ifdef __powerpc64__
#define FLOAT_REGISTER "+d"
#else
#define FLOAT_REGISTER "+x"
#endif

static bool is_on_stack(void)
{
	char here;

	return stack <= &here && &here < stack + stack_size;
}

static void handle(int number)
{
	stack_t present;

	(void)number;
	check(is_on_stack());
	checkpoint_here();
	check(is_on_stack());
	check(sigaltstack(NULL, &present) == 0);
	check(present.ss_flags == SS_ONSTACK);
	check(present.ss_sp == stack && present.ss_size == stack_size);
}

int main(void)
{
	struct sigaction action = { .sa_handler = handle, .sa_flags = SA_ONSTACK };
	stack_t present = { .ss_size = stack_size };
	double number = 0.5;

	present.ss_sp = stack = memory(stack_size);
	check(sigaltstack(&present, NULL) == 0);
	check(sigaction(SIGUSR1, &action, NULL) == 0);
	asm volatile("" : FLOAT_REGISTER(number));
	check(raise(SIGUSR1) == 0);
	asm volatile("" : FLOAT_REGISTER(number));
	check(number == 0.5);
	check(!is_on_stack());
	check(sigaltstack(NULL, &present) == 0);
	check(present.ss_flags == 0 && present.ss_sp == stack);
	checkpoint_here();
	/* Back to the stack a second time. */
	check(raise(SIGUSR1) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/handler_left_by_a_jump.c
 * siglongjmp out of a handler entered before the checkpoint, over a fault made after it.
 */
#include "scenario.h"
#include <setjmp.h>

static sigjmp_buf back;

static void handle(int number)
{
	siglongjmp(back, number);
}

static void handle_and_wait(int number)
{
	checkpoint_here();
	siglongjmp(back, number);
}

int main(void)
{
	struct sigaction action = { .sa_handler = handle_and_wait };
	char *forbidden = mmap(NULL, page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int number;

	check(sigaction(SIGUSR1, &action, NULL) == 0);
	action.sa_handler = handle;
	check(sigaction(SIGSEGV, &action, NULL) == 0);
	number = sigsetjmp(back, 1);
	if (number == 0) {
		raise(SIGUSR1);
		check(!"returned");
	}
	if (number == SIGUSR1) {
		*(volatile char *)forbidden = 1;
		check(!"returned");
	}
	check(number == SIGSEGV);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* arch/aarch64/scenarios/registers_general.c
 * Every general register keeps its value; no function call comes between, only a loop on memory.
 */
#include "scenario.h"
#include <pthread.h>

__attribute__((used)) static struct {
	volatile uint64_t released, spinning;
} state;
__attribute__((used)) static uint64_t before[31], after[31];

static void *spin(void *unused)
{
	(void)unused;
	fill(before, sizeof before, 21);
	/* x30 points to `state` within the loop; the compiler does not let us name it and x29, so they
	 * are on the stack. */
	asm volatile("stp x29, x30, [sp, #-32]!\n\t"
		     "adrp x30, before\n\t"
		     "add x30, x30, :lo12:before\n\t"
		     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
		     "ldr x\\n, [x30, #8*\\n]\n\t"
		     ".endr\n\t"
		     ".irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29\n\t"
		     "ldr x\\n, [x30, #8*\\n]\n\t"
		     ".endr\n\t"
		     "adrp x30, state\n\t"
		     "add x30, x30, :lo12:state\n\t"
		     "str x0, [sp, #16]\n\t"
		     "mov x0, #1\n\t"
		     "str x0, [x30, #8]\n\t"
		     "ldr x0, [sp, #16]\n\t"
		     "1: yield\n\t"
		     "str x0, [sp, #24]\n\t"
		     "ldr x0, [x30]\n\t"
		     "cmp x0, #0\n\t"
		     "ldr x0, [sp, #24]\n\t"
		     "b.eq 1b\n\t"
		     "adrp x30, after\n\t"
		     "add x30, x30, :lo12:after\n\t"
		     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
		     "str x\\n, [x30, #8*\\n]\n\t"
		     ".endr\n\t"
		     ".irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29\n\t"
		     "str x\\n, [x30, #8*\\n]\n\t"
		     ".endr\n\t"
		     "ldp x29, x30, [sp], #32" ::
			     : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
			       "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
			       "x22", "x23", "x24", "x25", "x26", "x27", "x28", "memory", "cc");
	after[30] = before[30];
	return NULL;
}

int main(void)
{
	pthread_t thread;

	check(pthread_create(&thread, NULL, spin, NULL) == 0);
	while (!state.spinning)
		pause_briefly();
	checkpoint_here();
	state.released = 1;
	check(pthread_join(thread, NULL) == 0);
	check(memcmp(before, after, sizeof before) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* arch/x86_64/scenarios/registers_sse.c
 * The sixteen SSE registers of a computation that is under way.
 */
#include "scenario.h"
#include <pthread.h>

__attribute__((used)) static volatile int released, spinning;
__attribute__((used)) static char before[256], after[256];

static void *spin(void *unused)
{
	(void)unused;
	asm volatile(".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
		     "movups before+16*\\n(%%rip), %%xmm\\n\n\t"
		     ".endr\n\t"
		     "movl $1, spinning(%%rip)\n"
		     "1: pause\n\t"
		     "cmpl $0, released(%%rip)\n\t"
		     "je 1b\n\t"
		     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
		     "movups %%xmm\\n, after+16*\\n(%%rip)\n\t"
		     ".endr" ::
			     : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
			       "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
			       "xmm14", "xmm15");
	return NULL;
}

int main(void)
{
	pthread_t thread;

	fill(before, sizeof before, 22);
	check(pthread_create(&thread, NULL, spin, NULL) == 0);
	while (!spinning)
		pause_briefly();
	checkpoint_here();
	released = 1;
	check(pthread_join(thread, NULL) == 0);
	check(memcmp(before, after, sizeof before) == 0);
	return passed();
}

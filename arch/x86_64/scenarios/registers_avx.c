/* SPDX-License-Identifier: Apache-2.0 */
/* arch/x86_64/scenarios/registers_avx.c
 * The upper halves of the AVX registers live in an extension of the saved state of their own.
 */
#include "scenario.h"
#include <pthread.h>

__attribute__((used)) static volatile int released, spinning;
__attribute__((used)) static char before[512], after[512];

__attribute__((target("avx"))) static void *spin(void *unused)
{
	(void)unused;
	asm volatile(".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
		     "vmovups before+32*\\n(%%rip), %%ymm\\n\n\t"
		     ".endr\n\t"
		     "movl $1, spinning(%%rip)\n"
		     "1: pause\n\t"
		     "cmpl $0, released(%%rip)\n\t"
		     "je 1b\n\t"
		     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
		     "vmovups %%ymm\\n, after+32*\\n(%%rip)\n\t"
		     ".endr\n\t"
		     "vzeroupper" ::
			     : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
			       "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
			       "xmm14", "xmm15");
	return NULL;
}

int main(void)
{
	pthread_t thread;

	if (!__builtin_cpu_supports("avx"))
		cannot_run_here("no AVX on this processor");
	fill(before, sizeof before, 23);
	check(pthread_create(&thread, NULL, spin, NULL) == 0);
	while (!spinning)
		pause_briefly();
	checkpoint_here();
	released = 1;
	check(pthread_join(thread, NULL) == 0);
	check(memcmp(before, after, sizeof before) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* arch/x86_64/scenarios/registers_avx512.c
 * Thirty-two registers of 512 bits and eight masks: three more extensions of the saved state.
 */
#include "scenario.h"
#include <pthread.h>

__attribute__((used)) static volatile int released, spinning;
__attribute__((used)) static char before[32 * 64 + 8 * 8], after[32 * 64 + 8 * 8];

__attribute__((target("avx512f,avx512bw"))) static void *spin(void *unused)
{
	(void)unused;
	asm volatile(".set n, 0\n\t"
		     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,"
		     "25,26,27,28,29,30,31\n\t"
		     "vmovups before+64*\\n(%%rip), %%zmm\\n\n\t"
		     ".endr\n\t"
		     ".irp n, 0,1,2,3,4,5,6,7\n\t"
		     "kmovq before+2048+8*\\n(%%rip), %%k\\n\n\t"
		     ".endr\n\t"
		     "movl $1, spinning(%%rip)\n"
		     "1: pause\n\t"
		     "cmpl $0, released(%%rip)\n\t"
		     "je 1b\n\t"
		     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,"
		     "25,26,27,28,29,30,31\n\t"
		     "vmovups %%zmm\\n, after+64*\\n(%%rip)\n\t"
		     ".endr\n\t"
		     ".irp n, 0,1,2,3,4,5,6,7\n\t"
		     "kmovq %%k\\n, after+2048+8*\\n(%%rip)\n\t"
		     ".endr\n\t"
		     "vzeroupper" ::
			     : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
			       "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
			       "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20",
			       "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",
			       "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5",
			       "k6", "k7");
	return NULL;
}

int main(void)
{
	pthread_t thread;

	if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw"))
		cannot_run_here("no AVX-512 on this processor");
	fill(before, sizeof before, 24);
	check(pthread_create(&thread, NULL, spin, NULL) == 0);
	while (!spinning)
		pause_briefly();
	checkpoint_here();
	released = 1;
	check(pthread_join(thread, NULL) == 0);
	check(memcmp(before, after, sizeof before) == 0);
	return passed();
}

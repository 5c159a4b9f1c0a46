/* SPDX-License-Identifier: Apache-2.0 */
/* arch/arm/scenarios/registers_vfp.c
 * The 32 registers of VFP and NEON in a computation that is under way, and the thread's modes of rounding and
 * of flushing to zero.
 */
#include "scenario.h"
#include <pthread.h>
#include <sys/auxv.h>

#pragma GCC target("fpu=neon")

enum { round_upward = 1 << 22, flush_to_zero = 1 << 24, vfp_d32 = 1 << 19 };

static volatile uint32_t released, spinning;
static uint64_t before[32], after[32];
static uint32_t mode_after;

static uint32_t mode(void)
{
	uint32_t value;

	__asm__ volatile("vmrs %0, fpscr" : "=r"(value));
	return value;
}

static void *spin(void *unused)
{
	const uint64_t *from = before;
	uint64_t *to = after;

	__asm__ volatile("vmsr fpscr, %0" ::"r"(round_upward | flush_to_zero));
	__asm__ volatile("vldm %0!, {d0-d15}\n\t"
			 "vldm %0, {d16-d31}\n\t"
			 "str %4, [%3]\n"
			 "1:\tldr r12, [%2]\n\t"
			 "cmp r12, #0\n\t"
			 "beq 1b\n\t"
			 "vstm %1!, {d0-d15}\n\t"
			 "vstm %1, {d16-d31}"
			 : "+r"(from), "+r"(to)
			 : "r"(&released), "r"(&spinning), "r"(1)
			 : "r12", "memory", "cc", "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9",
			   "d10", "d11", "d12", "d13", "d14", "d15", "d16", "d17", "d18", "d19", "d20", "d21",
			   "d22", "d23", "d24", "d25", "d26", "d27", "d28", "d29", "d30", "d31");
	mode_after = mode();
	return unused;
}

int main(void)
{
	pthread_t thread;

	if (!(getauxval(AT_HWCAP) & vfp_d32))
		cannot_run_here("this processor has 16 floating-point registers");
	fill(before, sizeof before, 24);
	check(pthread_create(&thread, NULL, spin, NULL) == 0);
	while (!spinning)
		pause_briefly();
	checkpoint_here();
	released = 1;
	check(pthread_join(thread, NULL) == 0);
	check(memcmp(before, after, sizeof before) == 0);
	check(mode_after == (round_upward | flush_to_zero));
	/* The mode is the thread's, not the program's. */
	check(mode() == 0);
	return passed();
}

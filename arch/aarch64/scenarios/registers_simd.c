/* SPDX-License-Identifier: Apache-2.0 */
/* arch/aarch64/scenarios/registers_simd.c
 * The 32 vector registers of a computation that is under way, and its modes of rounding and of
 * flushing to zero.
 */
#include "scenario.h"
#include <pthread.h>

__attribute__((used)) static volatile uint64_t released, spinning;
__attribute__((used)) static char before[512], after[512];
static uint64_t mode_after;

enum { round_upward = 1 << 22, flush_to_zero = 1 << 24 };

#define ALL_VECTORS(operation) \
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t" operation " q\\n, [%0, #16*\\n]\n\t" \
	".endr\n\t" \
	".irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t" operation \
	" q\\n, [%0, #16*\\n]\n\t.endr\n\t"

static void *spin(void *unused)
{
	uint64_t mode = round_upward | flush_to_zero;

	(void)unused;
	asm volatile("msr fpcr, %0" ::"r"(mode));
	asm volatile(ALL_VECTORS("ldr")
		     "str %4, [%3]\n"
		     "1: yield\n\t"
		     "ldr x9, [%2]\n\t"
		     "cbz x9, 1b\n\t"
		     "mov x9, %1\n\t"
		     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
		     "str q\\n, [x9, #16*\\n]\n\t"
		     ".endr\n\t"
		     ".irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
		     "str q\\n, [x9, #16*\\n]\n\t"
		     ".endr" ::"r"(before),
		     "r"(after), "r"(&released), "r"(&spinning), "r"(1ul)
		     : "memory", "x9", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9",
		       "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20",
		       "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
	asm volatile("mrs %0, fpcr" : "=r"(mode_after));
	return NULL;
}

int main(void)
{
	pthread_t thread;
	uint64_t mode;

	fill(before, sizeof before, 22);
	check(pthread_create(&thread, NULL, spin, NULL) == 0);
	while (!spinning)
		pause_briefly();
	checkpoint_here();
	released = 1;
	check(pthread_join(thread, NULL) == 0);
	check(memcmp(before, after, sizeof before) == 0);
	check(mode_after == (round_upward | flush_to_zero));
	/* The mode is the thread's, not the program's. */
	asm volatile("mrs %0, fpcr" : "=r"(mode));
	check(mode == 0);
	return passed();
}

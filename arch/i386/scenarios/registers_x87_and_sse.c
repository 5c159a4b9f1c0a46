/* SPDX-License-Identifier: Apache-2.0 */
/* arch/i386/scenarios/registers_x87_and_sse.c
 * A deep x87 stack, xmm registers and both control words, in a thread that spins and in one that waits.
 */
#include "scenario.h"
#include <pthread.h>

static volatile int spinning, over;
static uint8_t numbers[8][16], more[8][16];

static void keep(volatile int *ready, volatile int *until, bool in_call)
{
	uint16_t control = 0xf7f, stored_control = 0; /* towards zero, all masked */
	uint32_t mode = 0x7f80, stored_mode = 0;      /* towards zero, all masked */
	long double top[5];
	struct timespec moment = { 0, 1000000 };

	for (int i = 0; i < 8; i++)
		memset(numbers[i], 17 * (i + 1), 16);
	asm volatile("fninit; fldcw %0; ldmxcsr %1" : : "m"(control), "m"(mode));
	asm volatile("fld1; fldpi; fldl2e; fldz; fldl2t");
	asm volatile("movups (%0), %%xmm0; movups 16(%0), %%xmm1; movups 32(%0), %%xmm2;"
		     "movups 48(%0), %%xmm3; movups 64(%0), %%xmm4; movups 80(%0), %%xmm5;"
		     "movups 96(%0), %%xmm6; movups 112(%0), %%xmm7" : : "r"(numbers));
	*ready = 1;
	while (!*until) {
		long result;

		if (!in_call)
			continue;
		asm volatile("int $0x80" : "=a"(result)
			     : "0"(SYS_nanosleep), "b"(&moment), "c"(0) : "memory");
	}
	asm volatile("movups %%xmm0, (%0); movups %%xmm1, 16(%0); movups %%xmm2, 32(%0);"
		     "movups %%xmm3, 48(%0); movups %%xmm4, 64(%0); movups %%xmm5, 80(%0);"
		     "movups %%xmm6, 96(%0); movups %%xmm7, 112(%0)" : : "r"(more) : "memory");
	asm volatile("fstpt (%0); fstpt 12(%0); fstpt 24(%0); fstpt 36(%0); fstpt 48(%0);"
		     "fnstcw %1; stmxcsr %2"
		     : : "r"(top), "m"(stored_control), "m"(stored_mode) : "memory");
	asm volatile("fninit");
	check(memcmp(numbers, more, sizeof more) == 0);
	check(top[4] == 1 && top[1] == 0 && top[3] > 3.1415L && top[3] < 3.1416L);
	check(top[2] > 1.44L && top[2] < 1.45L && top[0] > 3.32L && top[0] < 3.33L);
	check(stored_control == control && (stored_mode & ~0x3fu) == mode);
}

static void *spinner(void *unused)
{
	keep(&spinning, &over, false);
	return unused;
}

int main(void)
{
	volatile int ready;
	pthread_t thread;

	check(pthread_create(&thread, NULL, spinner, NULL) == 0);
	while (!spinning)
		pause_briefly();
	checkpoint_here();
	over = 1;
	check(pthread_join(thread, NULL) == 0);
	spinning = over = 0;
	check(pthread_create(&thread, NULL, spinner, NULL) == 0);
	keep(&ready, &spinning, true);
	over = 1;
	check(pthread_join(thread, NULL) == 0);
	return passed();
}

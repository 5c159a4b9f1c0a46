/* SPDX-License-Identifier: Apache-2.0 */
/* arch/x86_64/scenarios/segment_bases.c
 * The FS base is the C library's; the GS base is free for the program, in each thread.
 */
#include "scenario.h"
#include <asm/prctl.h>
#include <pthread.h>

static uint64_t first_area[4], second_area[4];
static __thread int local = 5;

static uint64_t through_gs(void)
{
	uint64_t value;

	asm volatile("mov %%gs:8, %0" : "=r"(value));
	return value;
}

static void *second(void *unused)
{
	(void)unused;
	check(syscall(SYS_arch_prctl, ARCH_SET_GS, second_area) == 0);
	local = 7;
	tell("second");
	wait_for_go(0);
	check(through_gs() == 222);
	check(local == 7);
	return NULL;
}

int main(void)
{
	uintptr_t fs_before, fs_after;
	pthread_t thread;

	first_area[1] = 111;
	second_area[1] = 222;
	check(syscall(SYS_arch_prctl, ARCH_SET_GS, first_area) == 0);
	check(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs_before) == 0);
	local = 6;
	check(pthread_create(&thread, NULL, second, NULL) == 0);
	await("second");
	checkpoint_here();
	check(through_gs() == 111);
	check(local == 6);
	check(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs_after) == 0 && fs_after == fs_before);
	check(pthread_join(thread, NULL) == 0);
	return passed();
}

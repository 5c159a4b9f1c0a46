/* SPDX-License-Identifier: Apache-2.0 */
/* arch/i386/scenarios/thread_areas.c
 * Segments of the program's own (set_thread_area), in each thread, with fs loaded with one of them;
 * gs has the C library's.
 */
#include "scenario.h"
#include <asm/ldt.h>
#include <pthread.h>

static uint32_t first_area[4], second_area[4];
static __thread int local = 5;

static int make_segment(void *base)
{
	struct user_desc segment = {
		.entry_number = -1, .base_addr = (uintptr_t)base, .limit = 0xfffff, .seg_32bit = 1,
		.limit_in_pages = 1, .useable = 1};

	check(syscall(SYS_set_thread_area, &segment) == 0);
	asm volatile("mov %0, %%fs" : : "r"(segment.entry_number * 8 + 3));
	return segment.entry_number;
}

static uint32_t through_fs(void)
{
	uint32_t value;

	asm volatile("mov %%fs:4, %0" : "=r"(value));
	return value;
}

static void check_segment(int number, void *base)
{
	struct user_desc segment = { .entry_number = number };
	uint32_t selector;

	asm volatile("mov %%fs, %0" : "=r"(selector));
	check((selector & 0xffff) == number * 8u + 3);
	check(syscall(SYS_get_thread_area, &segment) == 0);
	check(segment.base_addr == (uintptr_t)base && segment.limit == 0xfffff);
	check(segment.seg_32bit && segment.limit_in_pages && segment.useable);
}

static void *second(void *unused)
{
	int number = make_segment(second_area);

	local = 7;
	tell("second");
	wait_for_go(0);
	check(through_fs() == 222);
	check_segment(number, second_area);
	check(local == 7);
	return unused;
}

int main(void)
{
	pthread_t thread;
	int number;

	first_area[1] = 111;
	second_area[1] = 222;
	number = make_segment(first_area);
	local = 6;
	check(pthread_create(&thread, NULL, second, NULL) == 0);
	await("second");
	checkpoint_here();
	check(through_fs() == 111);
	check_segment(number, first_area);
	check(local == 6);
	check(pthread_join(thread, NULL) == 0);
	return passed();
}

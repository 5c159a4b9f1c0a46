/* SPDX-License-Identifier: Apache-2.0 */
/* arch/arm/scenarios/thread_pointer.c
 * The thread register is each thread's own: the C library's, and where a thread has put another, seen by itself
 * and by the kernel's helper at 0xffff0fe0.
 */
#include "scenario.h"
#include <pthread.h>

enum { call_set_tls = 0x0f0005 };

static uint32_t (*const helper_get_tls)(void) = (uint32_t(*)(void))0xffff0fe0;
static __thread int local = 5;
static volatile int released, set;

static uint32_t thread_pointer(void)
{
	uint32_t value;

	__asm__ volatile("mrc p15, 0, %0, c13, c0, 3" : "=r"(value));
	return value;
}

static void set_thread_pointer(uint32_t value)
{
	register uint32_t r0 __asm__("r0") = value;

	__asm__ volatile("push {r7}\n\t"
			 "mov r7, %1\n\t"
			 "svc #0\n\t"
			 "pop {r7}" : "+r"(r0) : "r"(call_set_tls) : "memory");
}

static void *second(void *unused)
{
	uint32_t old = thread_pointer(), seen, helped;

	local = 7;
	/* Without the library until it is put back. */
	set_thread_pointer(0x11223344);
	set = 1;
	while (!released)
		;
	seen = thread_pointer();
	helped = helper_get_tls();
	set_thread_pointer(old);
	check(seen == 0x11223344 && helped == seen);
	check(local == 7);
	return unused;
}

int main(void)
{
	pthread_t thread;

	local = 6;
	check(helper_get_tls() == thread_pointer());
	check(pthread_create(&thread, NULL, second, NULL) == 0);
	while (!set)
		pause_briefly();
	checkpoint_here();
	check(local == 6);
	check(helper_get_tls() == thread_pointer());
	released = 1;
	check(pthread_join(thread, NULL) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* arch/powerpc64le/scenarios/registers_special.c
 * The target address register and the data stream control register are each thread's own; a thread that
 * has never set the latter follows the system's, and a child has its parent's.
 */
#include "scenario.h"
#include <pthread.h>
#include <sys/auxv.h>

#pragma GCC target("cpu=power8")

enum { data_stream_control = 3, target_address = 815 };
enum { threads = 3 };

static volatile int released, set;
static uint64_t targets[threads];

static uint64_t target(void)
{
	uint64_t value;

	asm volatile("mfspr %0, %1" : "=r"(value) : "i"(target_address));
	return value;
}

static uint64_t control(void)
{
	uint64_t value;

	asm volatile("mfspr %0, %1" : "=r"(value) : "i"(data_stream_control));
	return value;
}

static void *keep(void *place)
{
	uint64_t *mine = place;
	uint64_t number = mine - targets;

	*mine = 0x1122334455667700 + number;
	asm volatile("mtspr %1, %0" ::"r"(*mine), "i"(target_address));
	if (number)
		asm volatile("mtspr %1, %0" ::"r"(number), "i"(data_stream_control));
	__atomic_add_fetch(&set, 1, __ATOMIC_SEQ_CST);
	/* The registers are never saved and loaded by a program, only by the kernel. */
	while (!released)
		;
	check(target() == *mine);
	check(control() == number);
	if (number) {
		pid_t child = fork();
		int status;

		if (child == 0)
			_exit(control() == number ? 0 : 1);
		check(waitpid(child, &status, 0) == child && status == 0);
	}
	return NULL;
}

int main(void)
{
	pthread_t thread[threads];

	if (!(getauxval(AT_HWCAP2) & PPC_FEATURE2_TAR) || !(getauxval(AT_HWCAP2) & PPC_FEATURE2_DSCR))
		cannot_run_here("this processor has no such registers");
	if (control() != 0)
		cannot_run_here("the system has set another value than 0");
	for (int index = 0; index < threads; index++)
		check(pthread_create(&thread[index], NULL, keep, &targets[index]) == 0);
	while (set < threads)
		pause_briefly();
	checkpoint_here();
	check(control() == 0);
	released = 1;
	for (int index = 0; index < threads; index++)
		check(pthread_join(thread[index], NULL) == 0);
	return passed();
}

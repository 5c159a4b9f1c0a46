/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/restartable_sequence_area.c
 * The kernel writes the processor number into memory of each thread: it must know where.
 */
#include "scenario.h"
#include <sched.h>
#include <sys/rseq.h>

static unsigned number_by_kernel(void)
{
	unsigned cpu;

	check(syscall(SYS_getcpu, &cpu, NULL, NULL) == 0);
	return cpu;
}

static char *thread_pointer(void)
{
#ifdef __powerpc64__
	register char *pointer asm("r13");

	return pointer;
#else
	return __builtin_thread_pointer();
#endif
}

static unsigned number_in_area(void)
{
	struct rseq *area = (struct rseq *)(thread_pointer() + __rseq_offset);

	return *(volatile uint32_t *)&area->cpu_id;
}

static void move_and_check(void)
{
	cpu_set_t all, one;

	check(sched_getaffinity(0, sizeof all, &all) == 0);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		check(sched_setaffinity(0, sizeof one, &one) == 0);
		check(number_by_kernel() == (unsigned)cpu);
		check(number_in_area() == (unsigned)cpu);
	}
	check(sched_setaffinity(0, sizeof all, &all) == 0);
}

int main(void)
{
	if (__rseq_size == 0)
		cannot_run_here("the C library has registered no rseq area");
	move_and_check();
	checkpoint_here();
	move_and_check();
	return passed();
}

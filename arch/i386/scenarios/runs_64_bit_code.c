/* SPDX-License-Identifier: Apache-2.0 */
/* arch/i386/scenarios/runs_64_bit_code.c
 * A thread that has jumped to 64-bit code, which only a 64-bit kernel has a segment for.
 * runner: refused 64-bit code in a 32-bit program
 */
#include "scenario.h"
#include <pthread.h>
#include <sys/utsname.h>

volatile int spinning, over;

static void *spin(void *unused)
{
	/* The code segment of 64-bit programs, and back to the one of 32-bit programs. */
	asm volatile("ljmp $0x33, $1f\n"
		     ".code64\n"
		     "1:\tmovl $1, spinning(%%rip)\n"
		     "2:\tcmpl $0, over(%%rip)\n\t"
		     "je 2b\n\t"
		     "ljmp *3f(%%rip)\n"
		     "3:\t.long 4f, 0x23\n"
		     ".code32\n"
		     "4:\n"
		     :
		     :
		     : "memory");
	return unused;
}

int main(void)
{
	struct utsname names;
	pthread_t thread;

	check(uname(&names) == 0);
	if (strcmp(names.machine, "x86_64") != 0)
		cannot_run_here("this kernel has no 64-bit code");
	check(pthread_create(&thread, NULL, spin, NULL) == 0);
	while (!spinning)
		pause_briefly();
	checkpoint_here();
	over = 1;
	check(pthread_join(thread, NULL) == 0);
	return passed();
}

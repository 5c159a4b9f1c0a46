/* SPDX-License-Identifier: Apache-2.0 */
/* arch/x86_64/scenarios/registers_x87.c
 * Numbers on the x87 stack, which is a ring with a top, tags and 80-bit values.
 */
#include "scenario.h"
#include <pthread.h>

__attribute__((used)) static volatile int released, spinning;
__attribute__((used)) static volatile long double result[5];

static void *spin(void *unused)
{
	(void)unused;
	asm volatile("fninit\n\t"
		     "fldpi\n\t"
		     "fldl2t\n\t"
		     "fldln2\n\t"
		     "fld1\n\t"
		     "fldlg2\n\t"
		     "movl $1, spinning(%%rip)\n"
		     "1: pause\n\t"
		     "cmpl $0, released(%%rip)\n\t"
		     "je 1b\n\t"
		     "fstpt result(%%rip)\n\t"
		     "fstpt result+16(%%rip)\n\t"
		     "fstpt result+32(%%rip)\n\t"
		     "fstpt result+48(%%rip)\n\t"
		     "fstpt result+64(%%rip)" ::
			     : "memory", "cc");
	return NULL;
}

int main(void)
{
	pthread_t thread;

	check(pthread_create(&thread, NULL, spin, NULL) == 0);
	while (!spinning)
		pause_briefly();
	checkpoint_here();
	released = 1;
	check(pthread_join(thread, NULL) == 0);
	check(result[0] == 0.301029995663981195213738894724493L);
	check(result[1] == 1);
	check(result[2] == 0.693147180559945309417232121458177L);
	check(result[3] > 3.321928094887362L && result[3] < 3.321928094887363L);
	check(result[4] > 3.141592653589793238L && result[4] < 3.141592653589793239L);
	return passed();
}

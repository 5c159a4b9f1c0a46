/* SPDX-License-Identifier: Apache-2.0 */
/* arch/x86_64/scenarios/rounding_mode_and_exception_masks.c
 * MXCSR and the x87 control word are part of the thread, not of the program.
 */
#include "scenario.h"
#include <fenv.h>

static unsigned mxcsr(void)
{
	unsigned value;

	asm volatile("stmxcsr %0" : "=m"(value));
	return value;
}

static unsigned short control_word(void)
{
	unsigned short value;

	asm volatile("fnstcw %0" : "=m"(value));
	return value;
}

int main(void)
{
	volatile double one = 1, three = 3;
	double upward, again;
	unsigned before;
	unsigned short word;
	/* Denormals are zero, flush to zero; rounding upward. */
	unsigned wanted;

	asm volatile("fldcw %0" ::"m"((unsigned short){ 0x0b7f }));
	wanted = (mxcsr() & ~0x6000u) | 0x4000 | 0x8040;
	asm volatile("ldmxcsr %0" ::"m"(wanted));
	before = mxcsr() & ~0x3fu;
	word = control_word();
	upward = one / three;
	checkpoint_here();
	check((mxcsr() & ~0x3fu) == before);
	check(control_word() == word);
	again = one / three;
	check(again == upward && again * 3 > 1);
	return passed();
}

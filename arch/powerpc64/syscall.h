/* SPDX-License-Identifier: Apache-2.0
 * Entering the kernel on PowerPC: number in r0, arguments in r3…r8; SO of cr0 says failed.
 */
#ifndef CR_ARCH_SYSCALL_H
#define CR_ARCH_SYSCALL_H

/* One system call as the kernel answers it (-errno), without the C library's errno. */
static inline long cr_raw_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r0 __asm__("r0") = number;
	register long r3 __asm__("r3") = a;
	register long r4 __asm__("r4") = b;
	register long r5 __asm__("r5") = c;
	register long r6 __asm__("r6") = d;
	register long r7 __asm__("r7") = e;
	register long r8 __asm__("r8") = f;

	__asm__ volatile("sc\n\tbns+ 1f\n\tneg %1, %1\n1:"
		: "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "+r"(r8)
		:
		: "memory", "cr0", "ctr", "r9", "r10", "r11", "r12");
	return r3;
}

#endif
